"""06.family-masks: what a tutor says."""

WORDS = """
encoder-as-decoder
    Your `"encoder-only"` mask is causal: no word sees what comes after it. This family writes nothing from
    left to right, so nothing has to be hidden: True everywhere.
encoder-sees-the-input-only
    In your `"encoder-only"` mask the columns of `[BOS]` and the output are closed. This family has one row
    like the others, and all of it is open to all: `n_input` plays no part.
encoder-as-prefix
    Your `"encoder-only"` mask is that of a prefix-LM: the output is causal. This family writes nothing from
    left to right: True everywhere, whatever `n_input` is.
encoder-sees-not-itself
    In your `"encoder-only"` mask the diagonal is closed: a position does not see itself. Every position sees
    every position, itself too: True everywhere.
encoder-sees-itself-only
    In your `"encoder-only"` mask no position sees another one. Every position sees every position: True
    everywhere.
prefix-for-decoder
    In `"decoder-only"` nothing depends on `n_input`: input and output are one text, and every position, also
    one of the input, sees what stands before it and no more. The input is open to all in `"prefix-LM"`.
decoder-without-the-input
    In your `"decoder-only"` mask part of the past is closed: not all of what stands before a position is open
    to it. Input and output are one text here: what comes later sees all that comes before, whatever `n_input`
    is.
decoder-open
    In your `"decoder-only"` mask everything is open, so every position sees the next token, which it must
    say: in training it would copy. A position sees itself and what stands before it.
prefix-as-decoder
    In your `"prefix-LM"` the input is not open to all of itself: some of its positions cannot see later ones
    of the input. All of it is there before anything is written, so its first position may see its last. This
    is what a prefix-LM has and a decoder-only model has not. (If you did open it: is the name spelled as
    here?)
prefix-as-encoder
    In your `"prefix-LM"` everything is open: the output sees its own future, and in training it would copy
    what it must say. Only the input is open to all; `[BOS]` and the output are causal.
input-sees-the-output
    In your `"prefix-LM"` the input looks at what must be predicted: cells are open in its rows, in the
    columns of `[BOS]` and the output. Through the input, later positions learn their own future. Open the
    columns of the input (keys), not its rows (queries).
input-sees-the-output-alone
    In your `"prefix-LM"` the rows of the input are open all along, so the input sees the output; and `[BOS]`
    and the output do not see their own past. Open the columns of the input in every row, and the past of each
    position.
bos-in-the-input
    Off by one in `"prefix-LM"`: you open one column more than the input has. That column is `[BOS]`, which is
    no part of the input. Positions are counted from 0, so the input is 0 … n_input - 1: `<`.
input-one-short
    Off by one in `"prefix-LM"`: the last position of the input stays closed to those before it. Positions are
    counted from 0, so the input is 0 … n_input - 1, all of it.
input-hidden-from-the-output
    In your `"prefix-LM"` the output cannot see all of the input: cells of its columns are closed in rows of
    `[BOS]` and the output. Whoever answers must see the question: open the columns of the input in every row.
input-block-alone
    In your `"prefix-LM"` the input sees itself, and `[BOS]` and the output see neither the input nor what
    stands before them. The columns of the input are open in every row, and so is the past of each position.
input-columns-alone
    In your `"prefix-LM"` everyone sees the input, and nobody sees the output, not even its own past: a word
    would be chosen without looking at those before it. The past of each position must be open as well: `or`
    between numbers; between tensors `|`, with each comparison in brackets.
input-and-itself
    In your `"prefix-LM"` a position sees the input and itself. The output's past is missing: what has been
    written before it must be open, too.
output-sees-everything
    In your `"prefix-LM"` the output sees its own future: cells are open there to the right of the diagonal.
    It is written word by word, so `[BOS]` and the output are causal: a position sees the input, what stands
    before it, and itself.
output-columns-opened
    In your `"prefix-LM"` you open the columns of the wrong part: everyone sees all of `[BOS]` and the output,
    and these must be predicted. The input is the beginning of the row, 0 … n_input - 1.
and-instead-of-or
    In your `"prefix-LM"` a key must be in the past and in the input: so nobody sees anything of the output,
    and the input stays causal. Either reason is enough: `or` between numbers; between tensors `|`, with each
    comparison in brackets.
diagonal-moved
    In your `"prefix-LM"` the diagonal itself has moved, by the length of the input or one less, and so it
    moves for the output as well. The input is a block of columns: open those, and leave the diagonal.
diagonal-blocked
    The diagonal is blocked: a position may not look at itself. Its own token has been read and is known; what
    it must say is the next one. So it is open: `<=`, not `<`.
sees-the-next
    Off by one: a position sees the next one as well, and that is the token it must say. The past ends with
    the position itself: `<=`, or `tril` with diagonal 0.
turned-round
    Your triangle is turned round: a position sees itself and what comes after it. Rows are queries and
    columns are keys, so the past of a row lies to the left of the diagonal: `tril`, or key <= query.
tril-for-all
    The same triangle comes back for every family: then all three are decoder-only. `"encoder-only"` opens
    everything; `"prefix-LM"` opens the columns of the input as well.
encoder-and-decoder-exchanged
    `"encoder-only"` and `"decoder-only"` have changed places: the encoder sees both sides, the decoder sees
    the past alone.
prefix-and-decoder-exchanged
    `"decoder-only"` and `"prefix-LM"` have changed places: it is the prefix-LM that opens the input to all.
prefix-for-all
    The mask of the prefix-LM comes back for every family. `"encoder-only"` opens everything, and
    `"decoder-only"` is the triangle alone: in both, `n_input` plays no part.
"""

SECOND_WORDS = """
closed
    And your `"prefix-LM"` is this triangle alone: the columns of the input must be open to everyone as well.
for-all
    And the same triangle comes back for every family: `"encoder-only"` opens everything, and `"prefix-LM"`
    opens the columns of the input as well.
rows
    And in `"prefix-LM"` you open the rows of the input, so that it sees the output: open its columns.
bos
    And in `"prefix-LM"` you open the column of `[BOS]`, too: it is no part of the input, which ends at
    n_input - 1.
"""
