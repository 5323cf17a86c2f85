"""06.strip: what a tutor says."""

WORDS = """
bos-predicted
    `[BOS]` is predicted in your strip, and it is given: it stands behind every input, and the model reads it.
    What it must say when it has read `[BOS]` is the first word of the output: that token has colour 2. Is
    each colour perhaps one place too early, where its token is said?
first-word-given
    The first word of the output is given in your strip. It stands right behind `[BOS]`, at place n_input + 1,
    and the model must say it.
end-given
    `[EOS]` is given in your strip. The model must say it after the last word, so it is predicted like the
    words: how else would it learn to end?
input-predicted
    Tokens of the input are predicted in your strip, in a family that writes. Here only the output counts: the
    input is there before anything is written, and nobody asks for it. (A decoder-only model can learn from
    each token of a text; that is another way to train it.)
encoder-as-the-others
    Your encoder-only model predicts the output like the others. It writes nothing from left to right: it
    predicts the words that are hidden from it, those in `blank`, wherever they stand.
blanks-in-all-families
    `blank` has an effect in families that write. Nothing is hidden from them: whatever `blank` holds, they
    predict the words of the output and `[EOS]`.
blanks-in-one-part-only
    You colour blanks in one part of the row only. An encoder-only model has no input that is given as a
    whole: a blank may stand on either side of `[BOS]`.
blanks-turned-round
    It is the wrong way round: in your encoder-only strip the words that it sees are predicted, and the hidden
    ones are given. True in `blank` means hidden, so predicted.
encoder-predicts-all
    Your encoder-only model predicts words that it sees. Where no blank stands the answer can be read, so
    nothing can be learned there: colour 2 belongs to the blanks alone.
bos-ignored
    `[BOS]` is ignored in your strip. Nobody asks for it, and still it is read: it says that the output
    begins. It is given, 1; ignored is padding alone.
input-ignored
    The input is ignored in your strip. It does not count in the loss, and still it is read: all that the
    model writes depends on it. It is given, 1; ignored is padding alone.
rest-ignored
    What is not blank is ignored in your encoder-only strip. It does not count in the loss, and still it is
    read: from it the model must find the hidden words. It is given, 1; ignored is padding alone.
given-ignored
    Your strip knows predicted and ignored only. What does not count in the loss is still read, and the
    predictions depend on it: it is given, 1. Ignored is padding alone.
padding-coloured
    Padding is not 0 in your strip. It belongs to no text: 0 wherever `ids` is `pad_id`.
zero-for-padding
    You look for 0, and padding need not be 0: its id is `pad_id`, another one in some of these inputs.
blanks-are-0
    In your encoder-only strip the blanks are 0. They are hidden from the model, and therefore it is asked for
    them: predicted, 2.
other-numbers
    Your strip holds other numbers than 0, 1 and 2: 0 is ignored, 1 given, 2 predicted.
colours-exchanged
    Colours are exchanged: 0 is ignored (padding), 1 is given, 2 is predicted.
first-row-for-all
    You use the first row's `n_input` for all rows. Each row has an input of its own length: make `n_input` a
    column, `n_input[:, None]`.
one-length-for-all
    You use one length of the input for all rows, the longest or the shortest. Each row has its own: make
    `n_input` a column, `n_input[:, None]`.
mask-said-one-earlier
    Each colour stands one place too early, in every family. A family that writes says a token one place
    before it, an encoder-only model says it where it is hidden; but the colour belongs to the token itself.
"""
