"""06.prefix-labels: what a tutor says."""

WORDS = """
everything-counted
    The tokens of the input and `[BOS]` are labels, too. They are given: nobody asks the model for them, and
    here only the output counts. Set the labels before the first word of the output to -100.
bos-asked-for
    The model is asked for `[BOS]` itself. `[BOS]` is given; it stands behind the input in every row: there is
    nothing to predict. Labels stand one place earlier than their tokens, so the first that counts is at
    place n_input, where `[BOS]` is read.
first-word-missed
    The first word of each output is not a label, so nobody learns to begin. At place n_input the model reads
    `[BOS]` and must say that word: there the first label counts. Given are the places below n_input, and no
    more.
two-words-missed
    The first words of each output are not labels. At place n_input the model reads `[BOS]` and must say the
    first word: there the first label counts.
end-missed
    `[EOS]` is no label in your answer. The model must learn to say it after the last word: one that never
    learned to end goes on until somebody stops it.
padding-counted
    Labels on padding must be -100. As it is, the loss counts every padded place as well, and a good part of
    what is learned is to say the padding.
padding-by-the-inputs
    You look for padding among the inputs, one place late: where a row has padding, its first still counts.
    Look for `pad_id` in the labels themselves.
mark-added
    You add -100 to the labels that must not count (or take it off). The mark is -100 itself, in place of the
    id: `masked_fill(mask, -100)` writes it.
output-left-out
    It is the wrong way round: the labels of the output are -100, and those before it count. `masked_fill`
    writes where its mask is True, so the mask must be True on what is given.
not-shifted
    Your labels are not shifted: at place t stands the very token that is read there, so the model could copy.
    Labels are the row one step later: `ids[:, 1:]` beside inputs `ids[:, :-1]`.
shifted-twice
    Your labels have moved two steps, so the model must say the token after next, and the first word of each
    output is no label. One step is enough: inputs `ids[:, :-1]`, labels `ids[:, 1:]`.
shifted-the-wrong-way
    Inputs and labels have moved the wrong way round: at each place the model reads the token that comes after
    its label. Inputs lack the last token of the row, labels the first.
last-token-kept
    Your inputs still have N + 1 places. The last token of a row is read and nothing follows it: leave out the
    last column, `ids[:, :-1]`.
first-row-for-all
    You use the first row's `n_input` for all rows. Each row has an input of its own length: make `n_input` a
    column, `n_input[:, None]`.
one-length-for-all
    You use one length of the input for all rows, the longest or the shortest. Each row has its own: make
    `n_input` a column, `n_input[:, None]`.
masked-by-value
    You leave out a word of the output because the same word stands in the input. What is given is decided by
    its place, not by its id: compare places with `n_input`.
zero-for-padding
    You look for 0, and padding need not be 0: its id is `pad_id`, another one in some of these inputs.
another-mark
    You mark what is not counted with another number. The mark of this course (and of PyTorch's loss) is -100,
    a number that no token can have.
output-not-read
    The labels are right, and the output has gone from your inputs. In training the model reads its words, up
    to the place where it must say the next one; that it does not look ahead is the mask's work.
input-not-read
    The labels are right, and the input has gone from your inputs. It must be read: it says what to write.
    That it does not count is said by the labels alone.
marks-in-the-inputs
    There is a -100 among your inputs. It is a mark for the loss, no token: an embedding has no row for it and
    raises an error. The inputs are the row as it is, without its last column.
marks-through-a-view
    The -100 of your labels stand in your inputs, too. Two slices of one tensor share its memory: what is
    written into `ids[:, 1:]` is written into `ids[:, :-1]` as well. Write into a copy, `ids[:, 1:].clone()`,
    or let `masked_fill` make a new tensor; the inputs stay the row as it is.
exchanged-and-everything-counted
    Two slips. The two come back in the other order: return `inputs, labels`. And the tokens of the input and
    `[BOS]` are labels: they are given, so set the labels before the first word of the output to -100.
exchanged
    Both are right, and they come back in the other order. Return `inputs, labels`.
"""
