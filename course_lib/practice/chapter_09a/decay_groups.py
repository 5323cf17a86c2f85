"""09a.decay-groups: which parameters weight decay pulls towards 0, and which it leaves alone."""

from course_lib.practice import ideas
from course_lib.practice.chapter_09a.decay_groups_ways import SIGNS, WAYS, WORDS, measures
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def decay_groups(shapes):
    decay, rest = [], []
    for name, shape in shapes.items():
        if len(shape) >= 2 and "embedding" not in name:
            decay.append(name)
        else:
            rest.append(name)
    return decay, rest


LAYER = {
    "attention.W_q.weight": (8, 8),
    "attention.W_q.bias": (8,),
    "attention.W_o.weight": (8, 8),
    "norm_1.weight": (8,),
    "norm_1.bias": (8,),
    "feed_forward.W_1.weight": (32, 8),
    "feed_forward.W_1.bias": (32,),
}
EMBEDDINGS = {"token_embedding.weight": (50, 8), "position_embedding.weight": (16, 8)}


def of_layers(*numbers: int) -> dict[str, tuple[int, ...]]:
    return {f"layers.{n}.{name}": shape for n in numbers for name, shape in LAYER.items()}


def cases() -> list[Case]:
    heads = {
        "rotary.embedding.table": (16, 4),
        "layers.0.W_q": (2, 8, 4),
        "layers.0.W_o": (2, 4, 8),
        "layers.0.qk_norm.gain": (4,),
        "layers.0.norm.gain": (8,),
        "layers.0.mix": (1, 8),
        "temperature": (),
    }
    return [
        Case("a GPT of two layers", ({**EMBEDDINGS, **of_layers(0, 1), "final_norm.weight": (8,)},)),
        Case("a head of its own", ({**of_layers(0), **EMBEDDINGS, "lm_head.weight": (50, 8)},)),
        Case("matrices with an axis for the heads, and a single number", (heads,)),
        Case("embeddings alone", (EMBEDDINGS,)),
        Case("no embedding", ({"W_2": (3, 5), "bias_2": (3,), "W_1": (5, 2), "bias_1": (5,)},)),
        Case("one matrix", ({"weight": (4, 4)},)),
        Case(
            "an embedding inside another part",
            ({"front.word_embedding.weight": (9, 4), "front.word_embedding.shift": (4,), "W": (4, 4)},),
        ),
    ]


def further() -> list[Case]:
    return [
        Case("another order", ({**of_layers(2), "final_norm.bias": (8,), **EMBEDDINGS, "lm_head": (9, 8)},)),
        Case("other names", ({"b": (7,), "e.embedding": (3, 2), "A": (2, 7), "g": (1,), "C": (2, 2, 2)},)),
        Case("no matrix", ({"a.bias": (3,), "b.gain": (1,), "embedding": (6, 2)},)),
    ]


DECAY_GROUPS = Exercise(
    id="09a.decay-groups",
    title="Which parameters decay",
    minutes=6,
    difficulty=1,
    statement=prose("""
        Write `decay_groups(shapes)`. `shapes` is a dict: the name of each parameter of a model → its shape, a
        tuple, as in `{"layers.0.norm_1.weight": (8,)}`. Return two lists of names, `decay, rest`, for the two
        groups of AdamW: the names of those that weight decay pulls towards 0, and the names of all others.

        A parameter decays if it has two axes or more and is no embedding. So biases, the gains of norms and
        single numbers do not decay, whatever they are called. An embedding is a parameter with `embedding` in
        its name; it does not decay, though it has two axes. (A head with a matrix of its own is no
        embedding.) Each name stands in one of the two lists, once; both lists keep the order of the dict, and
        may be empty.
    """),
    inputs={"shapes": "a dict: name → shape"},
    outputs=(Output("decay", form="names"), Output("rest", form="names")),
    reference=decay_groups,
    cases=cases,
    further=further,
    hints=(
        prose("""
            The gain of a norm is called `weight` in PyTorch, like a matrix. So the end of the name does not
            tell. What does? And `.items()` gives name and shape together.
        """),
        lines("""
            decay, rest = two empty lists
            for each name and its shape:
                if the shape has two numbers or more, and "embedding" is not in the name:
                    put the name into decay
                else:
                    put it into rest
        """),
    ),
    misconceptions=(
        *misconceptions(WORDS, WAYS, measures(decay_groups), SIGNS),
        *ideas.other_order(decay_groups, "decay", "rest"),
    ),
    insight=prose("""
        Print the table once for a real model: names, sizes, groups. A parameter that is in no group is never
        trained, and nothing says so.
    """),
    advice=advice(r"""
too many values to unpack|not enough values|cannot unpack
    Over a dict a loop gives its keys alone: `for name, shape in shapes.items()`.
has no attribute '(dim|ndim|shape|numel)'
    `shapes` holds tuples, no tensors: `len(shape)` is the number of axes.
"""),
)
