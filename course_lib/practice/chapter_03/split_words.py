"""What 03.split says of axes in another order, and what it measures before it says so."""

from itertools import permutations

import torch

WORDS = """
axes-not-moved
    The cut is right and the second step is missing: you return (B, T, H, K). Attention works on the last two
    axes, so the tokens must stand there: `.transpose(1, 2)` gives (B, H, T, K).
heads-interleaved
    Your heads are interleaved: the features are cut as (K, H), so head 0 gets the features 0, {h},
    {twice_h} … Cut them as (H, K): the last axis runs fastest in memory, and each head must get neighbours.
heads-and-features-exchanged
    {shape}, and (B, H, T, K) is asked: H heads, in each T tokens of K features. {cause} H is `n_heads`, K is
    `d // n_heads`, and from (B, T, H, K) only T and H are exchanged, `.transpose(1, 2)`.
features-before-words
    {shape}, and (B, H, T, K) is asked: the features of a token are the last axis. {cause} The keys are
    transposed later, inside the attention.
heads-before-batch
    The heads stand before the batch: you return {returned}. Axis 0 stays the batch. {repair}
batch-mixed
    Your cut mixes the sentences of the batch. {where} In the `reshape` the axes must stand in the order of
    `x`: (B, T) first, then the two parts of D.
transposed-before-cutting
    You exchange tokens and features first and cut afterwards, so a row of a head runs over several tokens,
    where it should hold features of one. {where} Cut first, (B, T, H, K), then `.transpose(1, 2)`.
words-cut
    You cut the sentence: each head gets some of the tokens with all their features. Every head must see every
    token; cut the features.
not-cut
    Every head gets all D features: nothing is cut. The heads share the features out, D / H for each; that is
    why more heads do not cost more.
same-piece-for-all
    Every head gets the first K features, and the others are lost. Head 1 gets the next K, and so on: each
    feature goes to one head.
pieces-overlap
    Your pieces overlap: head 1 begins at feature 1. It begins where head 0 ends, at feature K: the piece of
    head h is `x[..., h * K : (h + 1) * K]`.
cat-for-stack
    The pieces are right, and `torch.cat` joins them along an axis that is there already. The heads need an
    axis of their own: `torch.stack(pieces, dim=1)`, or cut and transpose.
batch-and-heads-joined
    Batch and heads are one axis, (B·H, T, K). Some programs do so for speed. Keep them apart: (B, H, T, K),
    so that a mask can name a sentence or a head.{moved}
batch-and-tokens-joined
    Batch and tokens have become one axis, B·T, so the end of one sentence is followed by the next one. Keep
    them apart: cut to (B, T, H, K), then exchange T and H.
heads-reversed
    The heads stand in reversed order. Head 0 comes first: it gets the first K features.
scrambled
    The shape is right and no number is lost, but they stand at wrong places. {where} `view` and `reshape`
    read on in the order of the axes and exchange none. Cut to (B, T, H, K), in the order of `x`, then
    exchange T and H, `.transpose(1, 2)`.
pieces-behind-one-another
    You put the pieces one behind the other along the batch, all sentences of head 0 first, (H·B, T, K), and
    read that as (B, H, T, K). {where} Read it as (H, B, T, K) and exchange the first two, `.transpose(0, 1)`;
    where you join pieces, `torch.stack(pieces, dim=1)` does it.
"""


def heads_first(expected, got, args):
    """What is returned with the heads on axis 0, and which exchange of axes mends this answer."""
    if got.shape == expected.transpose(0, 1).shape and torch.equal(got.transpose(0, 1), expected):
        mend = "`.transpose(0, 1)` puts it right; where you stack pieces, so does `torch.stack(…, dim=1)`."
        return {"returned": "(H, B, T, K)", "repair": mend}
    words_next = got.shape[2] == len(expected) and torch.equal(got.permute(2, 0, 1, 3), expected)
    repair = "Cut to (B, T, H, K), then exchange only the tokens and the heads, `.transpose(1, 2)`."
    return {"returned": "(H, T, B, K)" if words_next else "(H, B, T, K)", "repair": repair}


def batch_and_heads(expected, got, args):
    """Whether the numbers are right once the two axes are apart."""
    if torch.equal(got.unflatten(0, expected.shape[:2]), expected):
        return {"moved": ""}
    return {
        "moved": " And your numbers stand at other places: one `reshape` moves none, so T and H must change "
        "places with `.transpose(1, 2)`."
    }


def order_of_axes(expected, got, args):
    """In which order the axes stand, and whether one exchange of axes would mend this answer."""
    sizes = dict(zip("BHTK", expected.shape, strict=True))
    orders = [order for order in permutations("BHTK") if tuple(sizes[a] for a in order) == got.shape]
    same = [o for o in orders if torch.equal(expected.permute(*map("BHTK".index, o)), got)]
    (order,) = same or orders  # where two orders fit, another input must tell
    cause = "No exchange of its axes gives the right answer: the cut is another one."
    cause = (
        "H and K have changed places: yours are K heads of H features." if "".join(order) == "BKTH" else cause
    )
    cause = "The numbers are right, only the axes are not." if same else cause
    begin = "You return" if same else "Your answer has the shape"
    return {"shape": f"{begin} ({', '.join(order)})", "cause": cause}
