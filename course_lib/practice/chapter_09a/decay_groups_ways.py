"""09a.decay-groups: other rules, and what a tutor says."""

from course_lib.practice.words import entries


def right(name, shape):
    return len(shape) >= 2 and "embedding" not in name


def made(decays=right, rests=None, change=lambda decay, rest: (decay, rest)):
    """Another rule for what decays; the rest is what is left, or has a rule of its own."""

    def decay_groups(shapes):
        decay = [name for name, shape in shapes.items() if decays(name, shape)]
        rule = rests or (lambda name, shape: not decays(name, shape))
        return change(decay, [name for name, shape in shapes.items() if rule(name, shape)])

    return decay_groups


def is_flat(name, shape):
    return len(shape) < 2


def is_embedding(name, shape):
    return "embedding" in name


def has(*parts):
    return lambda name, shape: any(part in name for part in parts)


WAYS = {
    "everything": made(lambda name, shape: True),
    "nothing": made(lambda name, shape: False),
    "embeddings-decay": (
        made(lambda name, shape: len(shape) >= 2),
        made(lambda name, shape: len(shape) != 1 and len(shape) > 0),
    ),
    "some-embeddings-decay": (
        made(lambda name, shape: len(shape) >= 2 and not name.startswith(("token", "position"))),
        made(lambda name, shape: len(shape) >= 2 and "token_embedding" not in name),
        made(lambda name, shape: len(shape) >= 2 and not name.endswith("embedding.weight")),
        made(
            lambda name, shape: (
                len(shape) >= 2 and name not in ("token_embedding.weight", "position_embedding.weight")
            )
        ),
    ),
    "by-weight": (
        made(lambda name, shape: "weight" in name and "embedding" not in name),
        made(lambda name, shape: name.endswith("weight") and "embedding" not in name),
        made(lambda name, shape: name.endswith(".weight") and "embedding" not in name),
    ),
    "by-weight-all": made(lambda name, shape: "weight" in name),
    "weight-and-matrix": (
        made(lambda name, shape: "weight" in name and right(name, shape)),
        made(lambda name, shape: name.endswith(".weight") and right(name, shape)),
    ),
    "by-bias": (
        made(lambda name, shape: "bias" not in name and "embedding" not in name),
        made(lambda name, shape: not name.endswith(".bias") and "embedding" not in name),
    ),
    "by-bias-all": made(lambda name, shape: "bias" not in name),
    "by-norm-and-bias": (
        made(lambda name, shape: not has("bias", "norm", "embedding")(name, shape)),
        made(lambda name, shape: not name.endswith("bias") and not has("norm", "embedding")(name, shape)),
    ),
    "by-many-names": (
        made(lambda name, shape: not has("bias", "norm", "embedding", "head")(name, shape)),
        made(lambda name, shape: not has("bias", "norm", "embedding", "head", "gain", "scale")(name, shape)),
    ),
    "by-norm-and-bias-all": made(lambda name, shape: not has("bias", "norm")(name, shape)),
    "two-axes-only": made(lambda name, shape: len(shape) == 2 and "embedding" not in name),
    "two-axes-only-embeddings-decay": made(lambda name, shape: len(shape) == 2),
    "one-axis-decays": (
        made(lambda name, shape: len(shape) >= 1 and "embedding" not in name),
        made(lambda name, shape: "embedding" not in name),
        made(lambda name, shape: len(shape) <= 1),
        made(lambda name, shape: len(shape) == 1),
        made(lambda name, shape: len(shape) == 1 and "embedding" not in name),
    ),
    "more-than-two": made(lambda name, shape: len(shape) > 2 and "embedding" not in name),
    "or-for-and": made(lambda name, shape: len(shape) >= 2 or "embedding" not in name),
    "numbers-counted": (
        made(lambda name, shape: len(shape) > 0 and shape[0] > 1 and right(name, shape)),
        made(lambda name, shape: len(shape) > 0 and min(shape) > 1 and right(name, shape)),
    ),
    "layers-only": made(lambda name, shape: name.startswith("layers") and right(name, shape)),
    "head-as-an-embedding": made(lambda name, shape: "lm_head" not in name and right(name, shape)),
    "in-neither": (
        made(rests=lambda name, shape: is_flat(name, shape) and not is_embedding(name, shape)),
        made(rests=is_flat),
        made(rests=is_embedding),
        made(rests=has("bias", "embedding")),
        made(rests=has("bias", "norm", "embedding")),
        made(rests=lambda name, shape: len(shape) == 1 or is_embedding(name, shape)),
    ),
    "in-both": (
        made(
            lambda name, shape: len(shape) >= 2,
            lambda name, shape: is_flat(name, shape) or is_embedding(name, shape),
        ),
        made(rests=lambda name, shape: True),
    ),
    "another-order": made(change=lambda decay, rest: (sorted(decay), sorted(rest))),
}

WORDS = entries("""
everything
    Everything decays in your answer. Biases and the gains of norms have one axis, and embeddings are looked
    up, not multiplied with: all these go into `rest`.
nothing
    Nothing decays in your answer. Parameters with two axes or more that are no embeddings go into `decay`.
    (`len(shape)` counts the axes.)
embeddings-decay
    Your embeddings decay. They have two axes, and are left out all the same: look for `embedding` in the
    name.
some-embeddings-decay
    Some embeddings decay in your answer. Every name with `embedding` anywhere in it is one, whatever stands
    before or behind: `"embedding" in name`.
by-weight
    You go by `weight` in the name. The gain of a norm is called so, too, and has one axis; and not every
    matrix is. Count the axes: `len(shape) >= 2`.
by-weight-all
    You go by `weight` in the name. The gain of a norm is called so, too, and so is an embedding, and not
    every matrix is. Count the axes, `len(shape) >= 2`, and leave out names with `embedding`.
weight-and-matrix
    You ask for `weight` in the name as well. A matrix decays whatever it is called: the number of axes and
    `embedding` decide.
by-bias
    Whatever is not called a bias decays in your answer, the gains of norms with it. Count the axes:
    `len(shape) >= 2`.
by-bias-all
    Whatever is not called a bias decays in your answer, the gains of norms and the embeddings with it. Count
    the axes, `len(shape) >= 2`, and leave out names with `embedding`.
by-norm-and-bias
    You leave out what is called a bias or a norm. Other parameters have one axis or none, too, under other
    names. Count the axes: `len(shape) >= 2`.
by-many-names
    You go by what parameters are called. Other models have other names, for a bias as for a matrix, and a
    head decays like other matrices. Count the axes, `len(shape) >= 2`; only `embedding` is looked for in the
    name.
by-norm-and-bias-all
    You leave out what is called a bias or a norm. Embeddings must go as well, and other parameters have one
    axis or none under other names: count the axes, `len(shape) >= 2`.
two-axes-only
    Parameters with three axes do not decay in your answer. They are matrices, too, several of them: two axes
    or more, `len(shape) >= 2`.
two-axes-only-embeddings-decay
    Two slips. Parameters with three axes decay, too: two axes or more, `len(shape) >= 2`. And embeddings do
    not: look for `embedding` in the name.
one-axis-decays
    Parameters with one axis decay in your answer. `len(shape)` is the number of axes, 1 for a bias and for
    the gain of a norm: they belong to `rest`. From two axes on it is a matrix.
more-than-two
    Matrices do not decay in your answer: `> 2` asks for three axes. Two are enough, `len(shape) >= 2`.
or-for-and
    You ask for one of the two conditions. Both must hold: two axes or more, and no embedding.
numbers-counted
    You look at the lengths of the axes. A matrix of one row has two axes and decays: it is their number that
    counts, `len(shape)`.
layers-only
    You ask for `layers` in the name. A matrix outside of the layers decays as well, for instance that of a
    head: the number of axes and `embedding` decide.
head-as-an-embedding
    You leave out the head. A head with a matrix of its own decays like other matrices.
in-neither
    `{name}`, shape {shape}, stands in neither list: no optimizer would ever move it. What does not decay goes
    into `rest`, without a further question: `else`.
in-both
    `{name}`, shape {shape}, stands in both lists, so it would be moved twice. It belongs to `{where}` alone.
another-order
    The names are right, in another order than in `shapes`. One walk through the dict keeps it. (A `set` has
    no order, and `sorted` makes another one.)
""")


def in_neither(expected, got, args):
    decay, rest = got
    names = set(args[0])
    return {*decay, *rest} < names and not {*decay} & {*rest}


def in_both(expected, got, args):
    decay, rest = got
    return {*decay, *rest} == set(args[0]) and bool({*decay} & {*rest})


def another_order(expected, got, args):
    return all(sorted(mine) == sorted(theirs) for mine, theirs in zip(expected, got, strict=True))


SIGNS = {"in-neither": in_neither, "in-both": in_both, "another-order": another_order}


def measures(reference):
    """Numbers for the slots of the words; ``reference``: the exercise's function."""

    def told(choose):
        def measure(expected, got, args):
            shapes, (decay, rest) = args[0], got
            name = next(n for n in shapes if choose(n in decay, n in rest))
            where = "decay" if name in reference(shapes)[0] else "rest"
            return {"name": name, "shape": shapes[name], "where": where}

        return measure

    return {"in-neither": told(lambda a, b: not a and not b), "in-both": told(lambda a, b: a and b)}
