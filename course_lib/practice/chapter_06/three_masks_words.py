"""06.three-masks: what a tutor says."""

WORDS = """
cross-causal
    Your cross-attention is causal: target word t sees source words up to place t and no further. The source
    is all there before the first word is written, and its last word may be needed first. Nothing of it is in
    the future: close its padding, and leave all else open.
cross-causal-from-the-end
    Your cross-attention hides part of the source: a triangle lies over it that ends in the last corner. The
    source is all there before the first word is written, so nothing of it is in the future: close its
    padding, and leave all else open.
cross-open
    In your cross mask the padding of the source is open: the decoder looks at places where no word stands.
    The encoder's output has a vector there, too, and it means nothing.
cross-closes-queries
    Your cross mask closes rows of the target's padding. Rows are queries, and padding must be closed among
    the keys: those of cross-attention are the source's, (B, 1, 1, S). (A row in which all is closed is a
    softmax over nothing.)
cross-has-target-keys
    Your cross mask is made for keys of the target. In cross-attention the queries come from the decoder, keys
    and values from the encoder: its last axis runs over the S places of the source.
cross-turned
    Rows and columns of your cross mask are exchanged. Queries come first: T rows for the target, S columns
    for the source.
encoder-open
    In your encoder mask the padding is open. Everything else is open there, but not that: words would take in
    vectors of places where no word stands, and a sentence would be read in another way in another batch.
padding-forgotten
    Padding is open in the encoder and in cross-attention. (In the decoder the triangle hides it from every
    word, since it stands at the end.) Close the source's padding as a key in both.
encoder-causal
    Your encoder is causal: no source word sees what comes after it. The encoder writes nothing, so nothing
    has to be hidden from it: close the padding, and leave all else open.
encoder-closes-queries
    Your encoder mask closes rows, those of padding as a query: its axis S lies along the queries. So every
    word still looks at padding, and padding looks at nothing. Keys stand last: (B, 1, 1, S).
both-close-queries
    Your masks of padding close rows, in the encoder and in cross-attention: they lie along the queries. Then
    every word still looks at padding. Keys stand last: (B, 1, 1, S), in both.
first-row-for-all
    You look at the padding of the first pair and use it for the whole batch. Each pair has its own: keep the
    batch axis, `(source != pad_id)[:, None, None, :]`.
dead-rows
    You close padding as a query as well, and its rows are empty: a softmax over nothing. With plain PyTorch
    this is NaN, and from there NaN reaches every word. Close padding as a key only.
decoder-open
    In your decoder mask a word sees what comes later in the target, and that is what it must say: in training
    it would copy. Both must hold, the triangle (key ≤ query) *and* that the key is no padding.
decoder-diagonal-blocked
    In your decoder mask no position sees itself, and the first one sees nothing at all. Its own token has
    been read and is known; what it must say is the next one: `tril` with diagonal 0.
decoder-sees-the-next
    Off by one: in your decoder mask a position sees the next one as well, the token that it must say: `tril`
    with diagonal 0.
decoder-turned-round
    The triangle of your decoder mask is turned round: it opens what comes later. Rows are queries and columns
    are keys, so the past lies to the left of the diagonal: `tril`, or key <= query.
all-causal
    You put the triangle on all three. It belongs to the decoder alone, among its own words. The encoder
    writes nothing, and of the source nothing is in the future: there only padding is closed.
zero-for-padding
    You look for 0, and padding need not be 0: its id is `pad_id`, another one in some of these inputs.
inverted
    All three masks are turned round: True where attention is blocked, as some functions of PyTorch want it.
    In this course True = may attend.
padding-inverted
    Your comparison with `pad_id` is turned round: words are closed as keys and padding is open. True = may
    attend: `ids != pad_id`.
additive
    Your masks are numbers to be added to the scores. Here a mask is True or False, True = may attend.
heads-missing
    An axis is missing: shapes are lined up from the right, so (B, queries, keys) meets (B, H, queries, keys)
    with B at the heads. Add an axis of size 1 for the heads, `[:, None]`.
axes-missing
    The comparison is right, and two axes are missing: shapes are lined up from the right, so (B, S) meets (B,
    H, queries, keys) with B at the queries. Add one for the heads and one for the queries, `[:, None, None]`.
exchanged
    The masks come back in another order. Return `encoder, decoder, cross`.
squeezed
    `squeeze()` without an axis takes away every axis of length 1, also those for heads and queries, and the
    batch if it has one pair. Leave it out: axes of length 1 are what broadcasting needs.
"""
