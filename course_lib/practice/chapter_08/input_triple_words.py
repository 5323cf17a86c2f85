"""08.input-triple: what a tutor says."""

from course_lib.practice.words import entries

TOLD = entries("""
no-cls
    `[CLS]` is missing. It stands first in every row: where it stood, BERT's last layer leaves C, the vector
    that speaks for the whole row.
no-sep-between
    No `[SEP]` stands between the two texts. It ends a text, so there is one behind each of them:
    `[CLS] a [SEP] b [SEP]`.
no-sep-after-two
    In your rows of two texts the second one has no `[SEP]` behind it. `[SEP]` does not only part two texts,
    it ends each of them: `[CLS] a [SEP] b [SEP]`.
no-sep-at-any-end
    No row of yours ends with `[SEP]`. It does not only part two texts, it ends each of them:
    `[CLS] a [SEP] b [SEP]`, and `[CLS] a [SEP]` where the row holds one text.
no-sep
    There is no `[SEP]` in your rows. It ends each text: `[CLS] a [SEP] b [SEP]`.
a-sep-without-a-text
    Where `second` is None you still set the `[SEP]` of a second text. One text has one `[SEP]`:
    `[CLS] a [SEP]`, and then padding.
cls-before-both
    Both texts begin with `[CLS]`. It stands once, at the beginning of the row, and speaks for both texts;
    what parts them is `[SEP]`.
two-seps-between
    Two `[SEP]` stand between the texts. One is enough: `[CLS] a [SEP] b [SEP]`. (Other models of this kind do
    set two; BERT sets one.)
texts-exchanged
    The second text stands in front of the first. Their order matters: whether the second follows the first is
    what BERT is asked.
all-in-segment-0
    All your segments are 0. So nothing but one `[SEP]` says where the second text begins. It has segment 1,
    with the `[SEP]` that ends it.
segments-from-1
    Your segments begin with 1. They pick a row of a small table, the segment embedding, and rows are counted
    from 0: 0 for the first text, 1 for the second.
segments-exchanged
    Your segments are exchanged: 0 is the first text, with `[CLS]` and its `[SEP]`, and 1 the second.
first-sep-in-segment-1
    The `[SEP]` that ends the first text has segment 1 in your rows. It belongs to the text that it ends: 0.
segments-count-the-seps
    Your segments change at the first `[SEP]`, that one included, and padding does not go back to 0. A `[SEP]`
    belongs to the text that it ends, so the first one has 0; padding has 0, too.
last-sep-in-segment-0
    The `[SEP]` that ends the second text has segment 0 in your rows. It belongs to the text that it ends: 1.
special-tokens-in-other-segments
    In your rows `[CLS]` or `[SEP]` has another segment than the text to which it belongs. `[CLS]` and the
    first `[SEP]` belong to the first text, 0, and the last `[SEP]` to the second, 1.
words-from-1
    The words of your rows have segments 1 and 2, and the special tokens 0. There are two segments: 0 for the
    first text with `[CLS]` and its `[SEP]`, 1 for the second text with its `[SEP]`.
padding-in-segment-1
    Padding has segment 1 in your rows of two texts, and the statement asks for 0. (Nobody may look at
    padding, so a model would say the same. But a 1 behind the last `[SEP]` reads as if the second text went
    on.)
padding-in-a-segment-of-its-own
    Padding has a segment of its own in your rows. The table of segments has two rows, one for each text; a
    third number is an error there, and -1 or -100 too. Padding gets 0.
mask-for-segments
    Your second row is the mask: 1 on every token, 0 on padding. Segments say which text a token belongs to: 0
    for the first, 1 for the second, and 0 again on padding. Return `ids, segments, allowed`.
segments-for-the-mask
    Your mask is made from the segments, so in a row of two texts one of them is closed. `allowed` does not
    ask which text a token belongs to, only whether it is a token: True on both texts and all special tokens,
    False on padding.
mask-inverted
    Your mask is turned round: True on padding. Some functions of PyTorch want it so; in this course True =
    may be looked at, so tokens are True and padding is False.
padding-open
    Padding is open in your mask. No word stands there, and a vector is made of it all the same: it would be
    mixed into those of the words. `allowed` is False on padding.
mask-without-special-tokens
    `[CLS]` and `[SEP]` are closed in your mask. They are tokens like others: `[CLS]` gathers what is said of
    the row, and words may look at both. Only padding is False.
mask-of-numbers
    Your mask holds 0 and a very low number, made to be added to the scores. Here it is boolean, True = may be
    looked at.
zero-for-padding
    You take 0 for padding. Its id is `pad_id`, another one in some of these rows; and 0 may be a word.
padded-on-the-left
    Your padding stands in front. Then `[CLS]` is no longer at place 0, where C is read, and each word has a
    position that depends on the padding. Padding goes to the end.
not-padded
    Your rows are not filled up: they end with the last token. All three must have `length` places, so that
    rows of other lengths fit into one batch with them.
length-of-padding
    You add `length` places of padding. `length` is the length of the whole row: what is missing is `length`
    minus the number of tokens.
positions-for-the-mask
    One of your three rows counts the places, 0, 1, 2, …. BERT adds a vector for each position itself, from
    the order of the row. Asked for are ids, segments and the mask.
""")

BESIDE = {
    **TOLD,
    "all-in-segment-0": "All your segments are 0. The second text has segment 1, with its `[SEP]`.",
}
