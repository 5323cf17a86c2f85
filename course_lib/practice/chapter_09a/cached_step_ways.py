"""09a.cached-step: other positions, other caches, another attention, and what a tutor says."""

import torch

from course_lib.practice.two_slips import listed, of_parts, single
from course_lib.practice.words import entries


def at(number):
    return lambda places, S: places[number(S) % len(places)]


def behind(old, new):
    return torch.cat([old, new], 1)


def to_all(scores):
    return scores.softmax(-1)


def made(
    place=lambda places, S: places[S],
    project=lambda x, h, W: [h @ one.T for one in W],
    join=behind,
    scale=lambda D, K, T: K**0.5,
    share=to_all,
    mix=lambda weights, keys, values: (weights[:, None] @ values)[:, 0],
    back=lambda out, keys, values, S: (out, keys, values),
):
    """Another position, other projections, another cache, another attention, other things returned."""

    def cached_step(x, places, W_q, W_k, W_v, keys, values):
        D, S = x.shape[1], keys.shape[1]
        q, k, v = project(x, x + place(places, S), (W_q, W_k, W_v))
        keys, values = join(keys, k[:, None]), join(values, v[:, None])
        scores = (keys @ q[:, :, None])[..., 0] / scale(D, q.shape[-1], keys.shape[1])
        return back(mix(share(scores), keys, values), keys, values, S)

    return cached_step


def only(where):
    """Keys that are closed to the query; a row without an open key is 0."""

    def share(scores):
        allowed = where(torch.arange(scores.shape[1]), scores.shape[1]).expand(scores.shape)
        return scores.masked_fill(~allowed, -torch.inf).softmax(-1).nan_to_num(0.0)

    return share


def raw(which):
    """Some of query, key and value are made of the embedding without its position."""
    return lambda x, h, W: [(x if n in which else h) @ one.T for n, one in enumerate(W)]


def not_turned(x, h, W):
    return [h @ one for one in W]


PARTS = {
    "place": {
        "position-0": at(lambda S: 0),
        "position-of-the-last": (at(lambda S: S - 1), at(lambda S: max(S - 1, 0))),
        "one-position-on": at(lambda S: S + 1),
        "last-row-of-the-table": at(lambda S: -1),
        "no-position": lambda places, S: 0,
        "all-positions-added": lambda places, S: places[: S + 1].sum(0),
        "position-twice": lambda places, S: 2 * places[S],
    },
    "project": {
        "query-without-position": raw((0,)),
        "keys-without-position": raw((1,)),
        "values-without-position": raw((2,)),
        "key-and-value-without-position": raw((1, 2)),
        "not-transposed": not_turned,
        "query-and-key-exchanged": lambda x, h, W: [h @ W[1].T, h @ W[0].T, h @ W[2].T],
        "key-and-value-exchanged": lambda x, h, W: [h @ W[0].T, h @ W[2].T, h @ W[1].T],
        "one-matrix-for-all": lambda x, h, W: [h @ W[0].T] * 3,
    },
    "join": {
        "in-front": lambda old, new: torch.cat([new, old], 1),
        "last-overwritten": lambda old, new: torch.cat([old[:, :-1], new], 1),
        "new-alone": lambda old, new: new,
        "not-kept": lambda old, new: old,
    },
    "scale": {
        "no-scale": lambda D, K, T: 1.0,
        "scale-by-d-model": lambda D, K, T: D**0.5,
        "scale-by-length": lambda D, K, T: T**0.5,
        "scale-without-root": lambda D, K, T: K,
    },
    "share": {
        "first-key-alone": only(lambda key, T: key == 0),
        "itself-hidden": only(lambda key, T: key < T - 1),
        "itself-alone": only(lambda key, T: key == T - 1),
        "first-key-hidden": only(lambda key, T: key > 0),
        "softmax-over-queries": torch.ones_like,
        "softmax-over-batch": lambda scores: scores.softmax(0),
        "no-softmax": lambda scores: scores,
        "softmax-twice": lambda scores: scores.softmax(-1).softmax(-1),
        "plain-mean": lambda scores: torch.ones_like(scores) / scores.shape[1],
    },
    "mix": {"weights-on-keys": lambda weights, keys, values: (weights[:, None] @ keys)[:, 0]},
    "back": {
        "old-cache-returned": lambda out, keys, values, S: (out, keys[:, :-1], values[:, :-1]),
        "new-ones-returned": lambda out, keys, values, S: (out, keys[:, -1:], values[:, -1:]),
        "axis-left": lambda out, keys, values, S: (out[:, None], keys, values),
    },
}


def of_the_batch(x, places, W_q, W_k, W_v, keys, values):
    """``len(keys)`` counts texts."""
    step = made(lambda table, S: table[len(keys)])
    return step(x, places, W_q, W_k, W_v, keys, values)


WAYS = {**single(PARTS, made), "position-of-the-batch": of_the_batch}

WORDS = entries("""
position-0
    Your new token gets position 0, as if it were the first of its text. Its position is the number of tokens
    before it: S, `keys.shape[1]`.
position-of-the-last
    Your new token gets the position of the one before it. The S tokens of the cache stand at 0 to S - 1, so
    the new one stands at S.
one-position-on
    Your new token gets position S + 1. Positions count from 0: the S tokens of the cache stand at 0 to S - 1,
    the new one at S. (Is `keys.shape[1]` read after the new key was added?)
last-row-of-the-table
    Your new token gets the last position of the table. The table has a row for every place that a text may
    have; this token stands at S, `keys.shape[1]`.
position-of-the-batch
    Your new token gets the number of texts as its position: `len(keys)` counts the first axis, B. Its
    position is the number of tokens before it, S: `keys.shape[1]`.
no-position
    The position embedding is missing. Row S of `places` belongs to the new token: add it to `x` first.
all-positions-added
    You add the embeddings of all positions up to this one. One belongs to the new token: row S.
position-twice
    The position embedding is added twice. Add it once, and make query, key and value of the sum.
query-without-position
    Your query is made of `x` without its position. Add the position first, then make query, key and value of
    the sum.
keys-without-position
    Your new key is made of `x` without its position. Add the position first, then make query, key and value
    of the sum.
values-without-position
    Your new value is made of `x` without its position. Add the position first, then make query, key and value
    of the sum.
key-and-value-without-position
    Your new key and value are made of `x` without its position. Add the position first, then make all three
    of the sum.
not-transposed
    You multiply with the matrices as they are. W times a vector means each row of W times it: for vectors in
    rows `x @ W_q.T`. Where K and D are equal no error warns you.
query-and-key-exchanged
    `W_q` makes your key and `W_k` your query. It is the other way round.
key-and-value-exchanged
    `W_v` makes your key and `W_k` your value. It is the other way round.
one-matrix-for-all
    One matrix makes your query, key and value. Each has its own: `W_q`, `W_k`, `W_v`.
in-front
    Your new key and value stand in front of the cache. The output is the same today; at the next step every
    token would stand at another place. They come behind: `torch.cat([keys, k[:, None]], dim=1)`.
last-overwritten
    The new key and value take the place of the last ones in the cache. All earlier tokens stay: the cache
    grows by one.
new-alone
    The cache has been lost: the new token sees itself alone. Join what was there with what is new:
    `torch.cat([keys, k[:, None]], dim=1)`.
not-kept
    The new key and value are not in the cache: the new token does not see itself, and later ones would not
    see it. `torch.cat` returns a new tensor; did you keep it?
no-scale
    The scores are not scaled. Divide them by √K before the softmax.
scale-by-d-model
    You divide by √D. The score is a sum of K products: divide by √K.
scale-by-length
    You divide by the root of the number of tokens. The score is a sum of K products: divide by √K.
scale-without-root
    You divide by K. It is √K: with K products the scores spread as the root of K.
first-key-alone
    Your new token sees the first key alone. A causal mask for one query, built as if it stood at place 0,
    does this. The newest token may see all S + 1 keys: no mask is needed.
itself-hidden
    Your new token does not see itself. Its own key is open to it, too: join the new key and value to the
    cache first, then attend.
itself-alone
    Your new token sees itself alone, though the cache is there. All S + 1 keys are open to it.
first-key-hidden
    Your new token does not see the first key. All S + 1 keys are open to it: is a loop one short?
softmax-over-queries
    Each weight is 1: your softmax runs over an axis of length 1, the one query. It runs over the keys.
softmax-over-batch
    Your softmax runs over the texts, which know nothing of each other. It runs over the keys of one text.
no-softmax
    The softmax is missing: your weights are still scores. A softmax over the keys makes shares of them.
softmax-twice
    You take the softmax twice: the second one makes the weights much more even. One is right.
plain-mean
    Every key gets the same weight in your answer. The weights are a softmax of the scores, query times key.
weights-on-keys
    You mix the keys with your weights. Keys are for finding; what is fetched are the values.
old-cache-returned
    The output is right, and you return the cache without the new token. Return the longer one: the next step
    needs it.
new-ones-returned
    The output is right, and you return the new key and value alone. Return the whole cache, S + 1 tokens.
axis-left
    All is right but for one axis: `out` still has one for its single query. (B, K) is asked for: `out[:, 0]`.
""")
SKIP = {  # told as one, or one takes the other's effect away
    *((name, "plain-mean") for part in ("scale",) for name in PARTS[part]),
    *((name, "softmax-over-queries") for name in PARTS["scale"]),
    *((name, "first-key-alone") for name in PARTS["scale"]),
    *((name, "itself-alone") for name in PARTS["scale"]),
    *(("new-alone", name) for part in ("scale", "share") for name in PARTS[part]),
    *(("not-kept", name) for part in ("back",) for name in PARTS[part]),
    *(("new-alone", name) for part in ("back",) for name in PARTS[part]),
    ("no-position", "query-without-position"),
    ("no-position", "keys-without-position"),
    ("no-position", "values-without-position"),
    ("no-position", "key-and-value-without-position"),
}
PAIRS = of_parts(listed(PARTS, made, SKIP, most=1), WORDS)
