"""09a.pack: what a tutor says."""

from course_lib.practice.words import entries

WORDS = entries("""
no-ends
    `end_id` is missing. It stands after each document, so that the model can learn where one ends and see
    that another begins.
ends-in-front
    You put `end_id` in front of each document. Asked for is behind: a document, then its end.
ends-on-both-sides
    You put `end_id` in front of each document and behind it, so that two of them stand between two documents.
    One is enough: behind.
ends-between
    A block is missing where the `end_id` of the last document is its last target. Does `end_id` stand after
    the last document, too, and is N `(L - 1) // T` for a row of L tokens?
one-end
    `end_id` stands once, at the end of the row. Each document has its own: is a line outside the loop that
    belongs inside?
documents-turned-round
    Your documents stand in the opposite order. Keep the order of the list.
a-token-skipped
    You take blocks of T + 1 tokens and go on after them, so of each T + 1 tokens one is the last target of a
    block and never an input. Blocks of inputs follow one another without a gap: they begin at 0, T, 2 T, and
    so on.
sliding
    A new block begins at every token, so nearly all tokens are asked for T times. Blocks share no token: the
    next one begins T tokens on.
last-block-dropped
    A block is missing at the end, though it has all its targets in some inputs. A row of L tokens has
    `(L - 1) // T` blocks: one token more than the blocks is enough.
first-block-dropped
    The first block is missing. The first one begins at the first token of the row.
cut-from-the-end
    What is left over is dropped at the beginning of the row. The first block begins at the first token; what
    is left over at the end is dropped.
not-shifted
    Your targets are the inputs themselves, so the model has to say what it is reading. The target is the
    token that stands next in the row: one place on.
shifted-twice
    Your targets are two tokens on. Is there a shift in the row and another one in the blocks? The model is
    asked for the next token, so one shift is right, and whoever computes the loss must not shift again.
shifted-backwards
    Your targets are the tokens before, which the model has read already. They must be one place on, not one
    place back: `row[1:]` are the targets of `row[:-1]`.
last-target-left-out
    The last place of each block has a number in place of its target. Its target is the first token of the
    next block, which stands in the row right behind: take the targets out of the long row, not out of the
    block.
last-target-is-the-end
    The last place of each block gets `end_id` as its target, as if a document ended there. A block may end in
    the middle of a document: its last target is the token that stands next in the long row.
turned-inside-the-block
    The last target of each block is the first token of the same block. (`roll` over rows of T does that.)
    Take the targets out of the long row, one token on, and cut them afterwards.
last-target-stays
    The last place of each block has itself as its target. Its target is the first token of the next block:
    take the targets out of the long row.
end-not-asked
    You take the target away at each `end_id`. That is one of the habits that one meets; here the first token
    of the next document is the target, as it stands in the row.
end-is-no-target
    You take `end_id` out of the targets. Then the model never learns where a document ends: after the last
    token of a document it must say `end_id`.
first-token-after-the-last
    You cut the row into as many blocks as it fills, and where they fill it to its last token, that one has no
    token after it. (`roll` brings the first token there.) N must leave one token for the last target:
    `(len(row) - 1) // length`.
left-over-kept
    You keep what is left over, as one more block that is filled up. Asked for are full blocks only: drop it.
by-columns
    The row runs down your columns. A block is a row of your tensor: `view(n, length)` cuts the long row into
    pieces of T, one after the other.
one-place-short
    You cut T tokens, and then inputs and targets out of them, one place shorter each. Both have T places: for
    T inputs and their targets T + 1 tokens of the row are needed.
documents-apart
    You cut each document alone, and drop its rest. The blocks are cut out of the one long row: a block may
    hold the end of a document and the beginning of the next.
documents-apart-filled
    You cut each document alone, and fill its last block up. The blocks are cut out of the one long row, and
    none is filled: a block may hold the end of a document and the beginning of the next.
""")
