"""08.corrupt: what a tutor says."""

from course_lib.practice.words import entries

READS_TOLD = entries("""
all-tokens-hidden
    In `reads` tokens are hidden, or replaced, that were not chosen. The throw decides between the three for
    chosen tokens alone: 80, 10 and 10 % are shares of the chosen ones, not of all. Whatever is not chosen is
    read as it is.
others-hidden
    In `reads` it is the wrong way round: what was chosen stays, and what was not chosen is hidden.
all-masked
    In `reads` every chosen token is `[MASK]`. That happens where its throw is below 0.8; from 0.8 to below
    0.9 the drawn word stands there, and from 0.9 on the token itself. (Where nobody will ever read `[MASK]`
    again, a model should also have learned to read words.)
random-never
    No drawn word stands in your `reads`. From 0.8 to below 0.9 a chosen token is replaced by it. (If a
    comparison with 0.1 decides about it, a throw that is not below 0.8 never gets there.)
kept-never
    In `reads` the drawn word also stands where the throw is 0.9 or more. There the token stays as it is:
    `[MASK]`, a drawn word and the token itself have 80, 10 and 10 %.
masked-or-masked
    No drawn word stands in your `reads`: from 0.8 to below 0.9 you still set `[MASK]`.
same-range-twice
    In `reads` the drawn words take the place of some masks: one throw is compared with 0.8 and then, from 0
    again, with 0.1. So 70 % are masked, 10 % replaced and 20 % kept. The second range begins where the first
    one ends, at 0.8.
last-two-exchanged
    In `reads` the last two are exchanged. From 0.8 to below 0.9 stands the drawn word, from 0.9 on the token
    itself. (The shares would be the same; here the throws are given.)
masks-and-words-exchanged
    In `reads` masks and drawn words are exchanged: drawn words stand where the throw is below 0.8, and
    `[MASK]` from 0.8 to below 0.9.
kept-most
    In `reads` chosen tokens stay as they are where the throw is below 0.8. There `[MASK]` belongs.
words-most
    In `reads` drawn words stand where the throw is below 0.8. There `[MASK]` belongs.
from-the-other-end
    In `reads` you count the throws from the other end: `[MASK]` stands where the throw is 0.2 or more. Here
    it stands where the throw is below 0.8, the drawn word from 0.8 to below 0.9, and from 0.9 on the token
    itself.
drawn-in-order
    In `reads` drawn words stand at other places than in `drawn`: you take its first ones, one after the
    other. Each place has a word of its own: `reads[where] = drawn[where]`.
nothing-hidden
    Your `reads` are the tokens as they were: nothing is hidden, so every label can be read off.
masks-never
    There is no `[MASK]` in your `reads`. It stands for a chosen token whose throw is below 0.8. (Its id is
    `mask_id`. A method such as `masked_fill` returns a new tensor: did you keep it? And is a mask written
    over by a later line?)
one-word-for-all
    You use one drawn word for several places. Each place has a word of its own in `drawn`; with one for all,
    the same wrong word would stand everywhere.
another-mask-id
    You write another id than `mask_id` for `[MASK]`. It is 103 in one vocabulary and another number in the
    next; and -100 is a mark for the loss, not a token.
rest-not-read
    What was not chosen has gone from your `reads`. It must be read: from it the model is to find the hidden
    words. That it does not count is said by the labels alone.
""")

LABELS_TOLD = entries("""
everything-counted
    In `labels` every token is asked for. Those that were not chosen can be read off, and nothing is learned
    from them: their label is -100.
read-for-said
    Your `labels` are made of what is read. So where `[MASK]` is read, `[MASK]` is asked for. The label is the
    id that stood there before: take it from `ids`, before anything is hidden.
labels-on-masks-alone
    In `labels` only masked tokens are asked for. Replaced and kept ones were chosen, too, and count like
    them: a label wherever `chosen` is True.
kept-without-label
    In `labels` the chosen tokens that stay as they are have none. They were chosen, and count like the
    others: a label wherever `chosen` is True. (So the model is also asked for a word that it reads, and
    cannot know that it is the right one.)
another-mark
    In `labels` another number than -100 marks what does not count. The mark of this course (and of PyTorch's
    loss) is -100, a number that no token can have.
mark-added
    You add -100 to labels (or take it off). The mark is -100 itself, in place of the id:
    `masked_fill(~chosen, -100)` writes it.
zero-without-label
    A chosen word with the id 0 has no label in your answer. 0 is a word like any other in some of these
    inputs: whether a token counts is said by `chosen`, not by its id.
labels-turned-round
    Your `labels` are the wrong way round: -100 stands where a token was chosen, and the others are asked for.
    `masked_fill` writes where its mask is True: `~chosen`.
drawn-for-label
    In `labels` a replaced token has the drawn word. That is what the model reads; it must say the id that was
    there before, from `ids`.
yes-or-no
    Your `labels` say that a token was chosen, and not which it was. A label is an id: the one that stood
    there before.
""")

TOLD = {
    **READS_TOLD,
    **LABELS_TOLD,
    **entries("""
one-tensor
    `reads` and `labels` are one tensor in your function: each -100 and each `[MASK]` stands in both. `a = b`
    gives a second name to the same tensor; `.clone()` makes another one.
exchanged
    Both are right, and they come back in the other order. Return `reads, labels`.
chosen-unused
    Every token is hidden by its throw, chosen or not. 80, 10 and 10 % are shares of the chosen tokens, and
    these are 15 % of the words: what is not chosen is read as it is, and its label is -100.
"""),
}
