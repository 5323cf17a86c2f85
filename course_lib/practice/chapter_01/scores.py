"""01.scores: eⱼ = v_aᵀ tanh(W_a s + U_a hⱼ)."""

import torch

from course_lib.practice import ideas
from course_lib.practice.inputs import not_contiguous, random, seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def alignment_scores(s, h, W_a, U_a, v_a):
    query = s @ W_a.T  # (B, A)
    keys = h @ U_a.T  # (B, S, A)
    hidden = torch.tanh(query[:, None, :] + keys)  # (B, S, A)
    return hidden @ v_a  # (B, S)


def wrong(meet=lambda query, keys: torch.tanh(query + keys), reduce=lambda hidden, v_a: hidden @ v_a):
    """The scores with another meeting of query (B, 1, A) and keys (B, S, A), or another use of v_a."""
    return lambda s, h, W_a, U_a, v_a: reduce(meet((s @ W_a.T)[:, None, :], h @ U_a.T), v_a)


def cases() -> list[Case]:
    g = seeded(101)

    def case(name: str, sizes: dict[str, int]) -> Case:
        b, s, d_s, d_h, a = (sizes[axis] for axis in ("B", "S", "D_s", "D_h", "A"))
        states = random(g, b, s, d_h)
        states[0, s - 1] = states[0, 0]  # a repeated word
        args = (random(g, b, d_s), states, random(g, a, d_s), random(g, a, d_h), random(g, a))
        return Case(name, args, sizes)

    plain = case("five different sizes", {"B": 2, "S": 5, "D_s": 3, "D_h": 6, "A": 4})
    square = case("square matrices", {"B": 2, "S": 5, "D_s": 4, "D_h": 4, "A": 4})
    words = case("as many sentences as words", {"B": 3, "S": 3, "D_s": 4, "D_h": 6, "A": 5})
    other = case("tensors that are not contiguous", {"B": 3, "S": 7, "D_s": 4, "D_h": 6, "A": 5})
    s, h, *rest = other.args
    return [
        plain,
        square,
        words,
        Case(other.name, (not_contiguous(s), not_contiguous(h), *rest), other.sizes),
        case("one sentence", {"B": 1, "S": 4, "D_s": 3, "D_h": 5, "A": 2}),
        case("one source word", {"B": 3, "S": 1, "D_s": 2, "D_h": 4, "A": 5}),
        case("one feature everywhere", {"B": 2, "S": 3, "D_s": 1, "D_h": 1, "A": 1}),
    ]


WORDS = """
missing-tanh
    The tanh is missing. Without it the score falls apart into v·W s + v·U hⱼ: the first part is the same for
    every word, and the softmax takes it out again. The decoder would have no say in where it looks.
matrices-swapped
    W_a and U_a are exchanged: W_a belongs to the decoder state s, U_a to the encoder states h. It only runs
    where both states have the same length, so the shapes do not always warn you.
not-transposed
    A matrix is not transposed, W_a, U_a or both. W_a has shape (A, D_s), and the rows of `s` stand on the
    left, so W_a s is written `s @ W_a.T`, and U_a hⱼ is `h @ U_a.T`. With a square matrix both ways run, and
    only one is right.
summed-over-words
    You sum over the words (axis S). The sum belongs over the A features, one score for each word: after the
    tanh you have (B, S, A), and A is the axis that must go.
summed-over-batch
    You sum over the batch (axis B), so sentences that have nothing to do with each other are mixed. After the
    tanh you have (B, S, A), and A is the axis that must go.
tanh-last
    The tanh comes too late, after v_a. Then the order of the words is decided before the tanh, where query
    and key never meet, and no score can leave -1 … 1. Add, tanh, and v_a last.
tanh-on-each
    You take the tanh of each part and add afterwards. Add first: only inside one tanh can the query change
    how much a key counts. Apart, the query adds the same to every word, and the softmax takes it out.
one-outside-the-tanh
    Only one of the two, query or key, stands inside the tanh, and the other is added behind it. Add first:
    only inside one tanh can the query change how much a key counts. As it is, the query adds the same to
    every word, and the softmax takes it out.
without-v
    v_a has no effect yet: you give all A features the same say. v_a is learned, and it decides which features
    speak for a match and which against it.
first-query-for-all
    All sentences use the decoder state of the first one. Each sentence has its own, `s[b]`; for all of them
    at once the query is (B, 1, A), with the new axis behind B.
paired-with-other-sentences
    Your queries meet words of other sentences: two tables of B · S rows stand in two orders. `repeat(S, 1)`
    puts the whole list down S times (query 0, 1, 0, 1 …), `repeat_interleave` each query S times in a row,
    and the rows of `h` come sentence by sentence. With a new axis nothing has to be repeated: (B, 1, A).
query-without-new-axis
    The query needs a new axis for the words: (B, A) becomes (B, 1, A). Without it torch lines up B with S:
    most inputs fail, and where B = S it runs and pairs sentence number i with word number i.
query-unused
    The decoder state has no effect: you score the encoder states alone. Then every step of the decoder would
    look at the same place. W_a s belongs inside the tanh.
words-added-up
    The score of a word holds the words before it, too: what the tanh gets grows from word to word. In a loop,
    `query += …` changes the query itself, and the next word meets the changed one. Make a new tensor for each
    word, `query + keys[:, j]`.
v-inside-the-tanh
    v_a stands inside the tanh. It comes after it: a feature's value is in -1 … 1 then, and v_a says how much
    it speaks for a match or against it, `tanh(…) @ v_a`.
another-bend
    Another function stands where the tanh belongs: a sigmoid or a ReLU? Neither gives a number below 0, so no
    feature can turn round what v_a says of it. tanh runs from -1 to 1.
mean-for-sum
    You take the mean over the features: your scores are {A} times too small. v_aᵀ times a vector is a sum,
    `hidden @ v_a`.
missing-tanh-and-weights-already
    Two slips. The tanh is missing: query and key are added, and the sum goes to v_a as it is. And these are
    weights already, as your rows sum to 1: the scores come before the softmax.
tanh-last-and-weights-already
    Two slips. The tanh comes too late, after v_a: add, tanh, and v_a last. And these are weights already, as
    your rows sum to 1: the scores come before the softmax.
tanh-on-each-and-weights-already
    Two slips. You take the tanh of each part and add afterwards: add first, then one tanh. And these are
    weights already, as your rows sum to 1: the scores come before the softmax.
without-v-and-weights-already
    Two slips. v_a has no effect: it says how much each of the A features counts. And these are weights
    already, as your rows sum to 1: the scores come before the softmax.
weights-already
    These are weights already: your rows sum to 1. The scores come before the softmax; the next exercise turns
    them into weights, after the padding is masked.
"""


def tiled(s, h, W_a, U_a, v_a):
    """Query n mod B for row n, as ``repeat`` has it; the rows of h come sentence by sentence."""
    query = (s @ W_a.T).repeat(h.shape[1], 1).view(*h.shape[:2], -1)
    return torch.tanh(query + h @ U_a.T) @ v_a


def turned(s, h, W_a, U_a, v_a):
    """Queries sentence by sentence, and the rows of h word by word."""
    keys = (h.transpose(0, 1) @ U_a.T).reshape(*h.shape[:2], -1)
    return torch.tanh((s @ W_a.T)[:, None] + keys) @ v_a


def added(query, keys):
    return query + keys


def with_v(inside):
    return lambda s, h, W_a, U_a, v_a: torch.tanh(inside((s @ W_a.T)[:, None], h @ U_a.T, v_a)).sum(-1)


WAYS = {
    "missing-tanh": wrong(meet=lambda query, keys: query + keys),
    "matrices-swapped": lambda s, h, W_a, U_a, v_a: alignment_scores(s, h, U_a, W_a, v_a),
    "not-transposed": (
        lambda s, h, W_a, U_a, v_a: alignment_scores(s, h, W_a.T, U_a.T, v_a),
        lambda s, h, W_a, U_a, v_a: alignment_scores(s, h, W_a.T, U_a, v_a),
        lambda s, h, W_a, U_a, v_a: alignment_scores(s, h, W_a, U_a.T, v_a),
    ),
    "summed-over-words": wrong(reduce=lambda hidden, v_a: (hidden * v_a).sum(dim=1)),
    "summed-over-batch": wrong(reduce=lambda hidden, v_a: (hidden * v_a).sum(dim=0)),
    "tanh-last": wrong(lambda query, keys: query + keys, lambda hidden, v_a: torch.tanh(hidden @ v_a)),
    "tanh-on-each": wrong(meet=lambda query, keys: torch.tanh(query) + torch.tanh(keys)),
    "one-outside-the-tanh": (
        wrong(meet=lambda query, keys: query + torch.tanh(keys)),
        wrong(meet=lambda query, keys: torch.tanh(query) + keys),
    ),
    "without-v": (
        wrong(reduce=lambda hidden, v_a: hidden.sum(dim=-1)),
        wrong(reduce=lambda hidden, v_a: hidden.mean(dim=-1)),
    ),
    "first-query-for-all": wrong(meet=lambda query, keys: torch.tanh(query[:1] + keys)),
    "query-without-new-axis": wrong(meet=lambda query, keys: torch.tanh(query[:, 0] + keys)),
    "query-unused": wrong(meet=lambda query, keys: torch.tanh(keys)),
    "paired-with-other-sentences": (tiled, turned),
    "words-added-up": wrong(meet=lambda query, keys: torch.tanh(query + keys.cumsum(dim=1))),
    "v-inside-the-tanh": (
        with_v(lambda query, keys, v_a: v_a * (query + keys)),
        with_v(lambda query, keys, v_a: query + v_a * keys),
        with_v(lambda query, keys, v_a: v_a * query + keys),
        with_v(lambda query, keys, v_a: query + keys + v_a),
    ),
    "another-bend": (
        wrong(meet=lambda query, keys: torch.sigmoid(query + keys)),
        wrong(meet=lambda query, keys: torch.relu(query + keys)),
    ),
    "mean-for-sum": wrong(reduce=lambda hidden, v_a: (hidden * v_a).mean(dim=-1)),
    "missing-tanh-and-weights-already": wrong(added, lambda hidden, v_a: torch.softmax(hidden @ v_a, dim=-1)),
    "tanh-last-and-weights-already": wrong(
        added, lambda hidden, v_a: torch.softmax(torch.tanh(hidden @ v_a), dim=-1)
    ),
    "tanh-on-each-and-weights-already": wrong(
        lambda query, keys: torch.tanh(query) + torch.tanh(keys),
        lambda hidden, v_a: torch.softmax(hidden @ v_a, dim=-1),
    ),
    "without-v-and-weights-already": wrong(
        reduce=lambda hidden, v_a: torch.softmax(hidden.sum(dim=-1), dim=-1)
    ),
    "weights-already": wrong(reduce=lambda hidden, v_a: torch.softmax(hidden @ v_a, dim=-1)),
}

SHARED = (
    *ideas.view_for_transpose(
        "view-without-transpose",
        "Your scores are right, and they stand at wrong places: they came as (S, B), and `view` or `reshape` "
        "read them into (B, S).",
        "`.T` does: it makes (B, S) of (S, B). Where you stack the words, so does `torch.stack(…, dim=1)`.",
        lambda *args: alignment_scores(*args).T.reshape(len(args[0]), -1),
    ),
    *ideas.squeezed(alignment_scores),
)

SCORES = Exercise(
    id="01.scores",
    title="Alignment scores",
    minutes=12,
    difficulty=2,
    statement=prose("""
        Write `alignment_scores(s, h, W_a, U_a, v_a)`. For each sentence of the batch, score its decoder state
        `s` against each of its S encoder states: eⱼ = v_aᵀ tanh(W_a s + U_a hⱼ). There is no softmax yet.
    """),
    inputs={"s": "B, D_s", "h": "B, S, D_h", "W_a": "A, D_s", "U_a": "A, D_h", "v_a": "A"},
    outputs=(Output("scores", ("B", "S")),),
    reference=alignment_scores,
    cases=cases,
    hints=(
        prose("""
            W_a s is one vector of length A for each sentence; U_a hⱼ is one for each word. They must be
            added, so the query needs an axis for the words. Which shape must it have, so that (B, ?, A) meets
            (B, S, A)?
        """),
        lines("""
            query  = s times W_a transposed            (B, A)
            keys   = h times U_a transposed            (B, S, A)
            hidden = tanh(query with a new axis in the middle + keys)   (B, S, A)
            return hidden times v_a                    (B, S)
        """),
    ),
    misconceptions=(
        *misconceptions(WORDS, WAYS, {"mean-for-sum": lambda expected, got, args: {"A": len(args[4])}}),
        *SHARED,
    ),
    insight="The tanh is where query and key meet; W_a, U_a and v_a are learned with the translator.",
    advice=advice(r"""
W_a\s*@\s*s\b(?!\s*[\[.])|U_a\s*@\s*h\b(?!\s*[\[.])
    `W_a @ s` is for one sentence. Here each row of `s` belongs to another sentence: `s @ W_a.T` is (B, A),
    and `h @ U_a.T` is (B, S, A). Where they meet, the first needs an axis for the words, (B, 1, A).
"""),
)
