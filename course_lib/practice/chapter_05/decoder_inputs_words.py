"""05.decoder-inputs: what a tutor says."""

WORDS = """
no-shift
    The inputs are not shifted: at each position the decoder reads the very token that it must say there. It
    learns to copy: the loss falls to almost 0 in a few steps, and when it writes there is nothing to copy.
    Let every input stand one step later, behind `bos_id`.
first-word-replaced
    You write `bos_id` over the first token, and all others stay where they were: from position 1 on the
    decoder reads what it must say. Put it in front, so that everything moves one step to the right.
shifted-to-the-left
    Your inputs are moved to the left: at each position stands the token after the one that must be said.
    Move them to the right: position t holds the target's token t - 1, and position 0 holds `bos_id`.
last-token-kept
    `bos_id` stands in front, and nothing was left out at the end: your rows have T + 1 inputs. The last token
    of a full row is its end; after it nothing is to be said, so it need not be read. Leave out the last
    column.
start-omitted
    Nothing stands in front of the first word, so nothing asks for it: your rows have T - 1 inputs and
    T - 1 labels. That cut fits targets that begin with the start token, and these do not: the first word
    would never be learned. Put `bos_id` in front.
labels-moved-alone
    You moved the labels to the left, and the inputs are the target itself. That fits targets that begin with
    the start token, and these do not: `bos_id` is never read, so the decoder never learns to begin. The
    labels are the target as it stands; put `bos_id` in front of the inputs.
another-start
    Your inputs begin with another token than `bos_id`, such as the padding or the row's own end. (Some models
    do begin so.) What stands there while a model learns must stand there when it writes: here that is
    `bos_id`.
rolled-round
    You move every token one step to the right, and what falls off at the end comes in at the front, as `roll`
    does it: the decoder begins with padding or with an end. In column 0 stands `bos_id`.
labels-shifted-too
    Inputs and labels have both been moved, against each other, so that they are two steps apart: the decoder
    must say the word after next. Move one of them. The target is what must be said: it stays as it is.
start-in-the-labels
    Your labels are moved together with the inputs: the decoder must say `bos_id` first, and never the last
    token of a full row. Labels are the target as it stands; the inputs alone move.
padding-counted
    Padding in the labels must be -100. As it is, the loss counts every padded position as well, and a good
    part of what is learned is to say the padding.
another-mark
    You mark the padding in the labels with another number. The mark of this course (and of PyTorch's loss) is
    -100, a number that no token can have.
zero-for-padding
    You look for 0, and padding need not be 0: its id is `pad_id`, another one in some of these inputs.
one-label-too-many
    The labels are masked by the inputs, one step late: where a row has padding, its first still counts. Look
    for `pad_id` in the target itself, since labels stand where the target stands.
words-masked
    It is the wrong way round: the words have become -100, and the padding is counted. `masked_fill` writes
    where its mask is True: `target == pad_id`.
end-not-learned
    The end token is missing among your labels, in some rows or in all. The decoder must learn to say it: a
    model that never learned to end goes on until somebody stops it.
first-word-replaced-end-missed
    Two slips. You write `bos_id` over the first token, and all others stay where they were: put it in front,
    so that everything moves one step to the right. And the end token is missing among your labels: the
    decoder must learn to say it.
marks-in-the-inputs
    There is a -100 among your inputs. It is a mark for the loss, no token: an embedding has no row for it and
    raises an error. Make the inputs from the target, and mark the labels only.
exchanged-and-padding-counted
    Two slips. The two come back in the other order: return `inputs, labels`. And padding in the labels must
    be -100, or the loss counts it.
"""
