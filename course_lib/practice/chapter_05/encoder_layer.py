"""05.encoder-layer: two sub-layers, self-attention and a feed-forward network."""

import torch

from course_lib.practice import ideas, parts
from course_lib.practice.chapter_05.encoder_layer_words import WORDS
from course_lib.practice.chapter_05.sublayer import standard
from course_lib.practice.inputs import random, seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def encoder_layer(x, allowed, attend, feed_forward, norm_1, norm_2):
    output, _ = attend(x, x, x, allowed)  # (B, T, D): every token looks at all that are allowed
    x = norm_1(x + output)
    return norm_2(x + feed_forward(x))


def wrong(way):
    """A layer from ``way(x, look, feed_forward, norm_1, norm_2)``, in which ``look`` has the mask already."""

    def layer(x, allowed, attend, feed_forward, norm_1, norm_2):
        return way(x, lambda y: attend(y, y, y, allowed)[0], feed_forward, norm_1, norm_2)

    return layer


def with_mask(change):
    return lambda x, allowed, *rest: encoder_layer(x, change(allowed), *rest)


def with_weights(change):
    """What `attend` gives second stands where the output belongs; few inputs do not fail."""

    def layer(x, allowed, attend, feed_forward, norm_1, norm_2):
        x = norm_1(x + change(attend(x, x, x, allowed)[1]))
        return norm_2(x + feed_forward(x))

    return layer


def past(allowed):
    T = allowed.shape[-1]
    return torch.ones(T, T).tril().bool()


def framed(attention=True, feed_forward=True, first=lambda n, y: n(y), second=lambda n, y: n(y)):
    """The layer with or without ``x +`` in each sub-layer, and with something else for each norm."""

    def way(x, look, feed, norm_1, norm_2):
        x = first(norm_1, (x if attention else 0) + look(x))
        return second(norm_2, (x if feed_forward else 0) + feed(x))

    return wrong(way)


def bare(norm, y):
    return y


def make_attend(generator: torch.Generator, d: int, n_heads: int):
    """Attention with heads, ``attend(q, k, v, allowed=None)`` -> (output, weights), with its own matrices."""
    params = {"W_" + n: 1.5 * random(generator, d, d) / d**0.5 for n in "qkvo"}
    params |= {"b_" + n: random(generator, d) for n in "qkvo"}

    def attend(q, k, v, allowed=None):
        own = {name: number.to(q.dtype) for name, number in params.items()}
        cut = lambda x, n: parts.linear(x, own, n).unflatten(-1, (n_heads, -1)).transpose(1, 2)  # noqa: E731
        q, k, v = cut(q, "q"), cut(k, "k"), cut(v, "v")  # (B, H, positions, K)
        scores = q @ k.transpose(-2, -1) / k.shape[-1] ** 0.5
        allowed = torch.ones(1, dtype=torch.bool) if allowed is None else allowed
        weights = parts.weigh(scores, allowed)  # (B, H, T, T)
        return parts.linear((weights @ v).transpose(1, 2).flatten(2), own, "o"), weights

    return attend


def make_feed_forward(generator: torch.Generator, d: int):
    W_1, W_2 = random(generator, d, 3 * d) / d**0.5, random(generator, 3 * d, d) / d**0.5
    return lambda x: torch.relu(x @ W_1.to(x.dtype)) @ W_2.to(x.dtype)


def make_norm(generator: torch.Generator, d: int):
    gain, bias, norm = 1.0 + 0.5 * random(generator, d), random(generator, d), standard()
    return lambda x: norm(x) * gain.to(x.dtype) + bias.to(x.dtype)


def cases() -> list[Case]:
    g = seeded(503)

    def case(name: str, allowed: torch.Tensor, d: int, n_heads: int) -> Case:
        b, t = len(allowed), allowed.shape[-1]
        made = (make_attend(g, d, n_heads), make_feed_forward(g, d), make_norm(g, d), make_norm(g, d))
        return Case(name, (random(g, b, t, d) + 0.5, allowed, *made), {"B": b, "T": t, "1": 1, "D": d})

    def words(*rows: str) -> torch.Tensor:
        return torch.tensor([[letter == "x" for letter in row] for row in rows])[:, None, None]

    return [
        case("two sentences, one of them padded", words("xxxxx", "xxx.."), 6, 2),
        case("padding in front", words("..xx", "xxxx", ".xxx"), 8, 4),
        case("as many sentences as tokens and features", words("xxxx", "xx..", "xxx.", "x..."), 4, 1),
        case("one sentence", words("xx.x"), 3, 1),
        case("one token", words("x", "x", "x"), 4, 2),
        case("one feature", words("xxx", "x.x"), 1, 1),
    ]


WAYS = {
    "mask-forgotten": with_mask(lambda allowed: None),
    "mask-inverted": with_mask(lambda allowed: ~allowed),
    "mask-on-the-queries": with_mask(lambda allowed: allowed.transpose(-2, -1)),
    "weights-for-output": tuple(map(with_weights, (lambda w: w, lambda w: w.mean(dim=1)))),
    "pre-norm": (
        wrong(lambda x, look, feed, n, m: (y := x + look(n(x))) + feed(m(y))),
        lambda x, a, attend, feed, n, m: (y := x + attend(n(x), x, x, a)[0]) + feed(m(y)),
    ),
    "both-norms": wrong(lambda x, look, feed, n, m: m((y := n(x + look(n(x)))) + feed(m(y)))),
    "norm-before-the-sum": (
        wrong(lambda x, look, feed, n, m: (y := x + n(look(x))) + m(feed(y))),
        wrong(lambda x, look, feed, n, m: m((y := n(x) + look(x)) + feed(y))),
        wrong(lambda x, look, feed, n, m: m((y := x + n(look(x))) + feed(y))),
        wrong(lambda x, look, feed, n, m: (y := n(x + look(x))) + m(feed(y))),
        wrong(lambda x, look, feed, n, m: m(y := n(x) + look(x)) + feed(y)),
        wrong(lambda x, look, feed, n, m: (z := m((y := n(x)) + look(y))) + feed(z)),
    ),
    "norms-exchanged": lambda x, a, attend, feed, n, m: encoder_layer(x, a, attend, feed, m, n),
    "one-norm-twice": (
        lambda x, a, attend, feed, n, m: encoder_layer(x, a, attend, feed, n, n),
        lambda x, a, attend, feed, n, m: encoder_layer(x, a, attend, feed, m, m),
    ),
    "norm-missing": (framed(first=bare), framed(second=bare), framed(first=bare, second=bare)),
    "attention-unused": wrong(lambda x, look, feed, n, m: m(x + feed(x))),
    "feed-forward-reads-the-input": wrong(lambda x, look, feed, n, m: m(n(x + look(x)) + feed(x))),
    "residual-from-the-input": wrong(lambda x, look, feed, n, m: m(x + feed(n(x + look(x))))),
    "no-residual": (
        framed(attention=False),
        framed(feed_forward=False),
        framed(attention=False, feed_forward=False),
    ),
    "feed-forward-first": (
        wrong(lambda x, look, feed, n, m: m((y := n(x + feed(x))) + look(y))),
        wrong(lambda x, look, feed, n, m: n((y := m(x + feed(x))) + look(y))),
    ),
    "side-by-side": (
        wrong(lambda x, look, feed, n, m: m(x + look(x) + feed(x))),
        wrong(lambda x, look, feed, n, m: n(x + look(x)) + m(x + feed(x))),
        wrong(lambda x, look, feed, n, m: x + look(n(x)) + feed(m(x))),
        wrong(lambda x, look, feed, n, m: m(n(x + look(x) + feed(x)))),
        wrong(lambda x, look, feed, n, m: m(x + look(x) + feed(n(x)))),
        wrong(lambda x, look, feed, n, m: x + look(n(x)) + feed(n(x))),
    ),
    "feed-forward-missing": wrong(lambda x, look, feed, n, m: n(x + look(x))),
    "attention-in-the-second-sum": wrong(lambda x, look, feed, n, m: m((y := look(x)) + feed(n(x + y)))),
}

ENCODER_LAYER = Exercise(
    id="05.encoder-layer",
    title="An encoder layer",
    minutes=12,
    difficulty=2,
    statement=prose("""
        Write `encoder_layer(x, allowed, attend, feed_forward, norm_1, norm_2)`: two sub-layers, one behind
        the other, each in the frame of 2017, norm(x + f(x)). In the first, the tokens of x look at each other
        under the mask `allowed`, and its norm is `norm_1`. In the second, the feed-forward network works on
        what the first one returned, and its norm is `norm_2`. Return the new x, (B, T, D).

        `attend(q, k, v, allowed)` gives `(output, weights)`; the matrices W_q, W_k, W_v and W_o are inside
        it. `feed_forward`, `norm_1` and `norm_2` are functions that turn (B, T, D) into (B, T, D).
    """),
    inputs={
        "x": "B, T, D",
        "allowed": "B, 1, 1, T",
        "attend": "a function, attend(q, k, v, allowed) -> (output, weights)",
        "feed_forward": "a function",
        "norm_1": "a function",
        "norm_2": "a function",
    },
    outputs=(Output("x", ("B", "T", "D")),),
    reference=encoder_layer,
    cases=cases,
    hints=(
        prose("""
            Draw two boxes above each other, attention and feed-forward, with an arrow round each of them. In
            self-attention, who asks, who is asked, and who gives? For the second box: what does its arrow
            carry round?
        """),
        lines("""
            output = attend with x as queries, keys and values, under the mask     (B, T, D)
            x      = norm_1 of (x + output)
            return   norm_2 of (x + feed_forward of x)
        """),
    ),
    misconceptions=(
        *misconceptions(WORDS, WAYS),
        *ideas.causal_always(
            with_mask(lambda allowed: allowed & past(allowed)),
            with_mask(past),
            so=", and in an encoder a word may look at those after it, too",
        ),
        *ideas.squeezed(encoder_layer),
    ),
    insight="Look at the others, then work alone, with an arrow round each: that is an encoder layer.",
    tolerance=1e-4,
    advice=advice(r"""
tuple
    `attend` returns two things, (output, weights): take both apart, `output, weights = attend(…)`.
must match the size with (weights?|w|_), *\w+ = attend|attend\(.*\)\[-?1\]
    `attend` gives the output first and the weights second.
required positional argument|positional arguments? but
    `attend` takes queries, keys, values and the mask: in self-attention the first three are all `x`.
'function'
    These are functions: call them, `norm_1(…)`.
"""),
)
