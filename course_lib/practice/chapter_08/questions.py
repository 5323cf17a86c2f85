"""Chapter 08: what is asked before a run, and what later chapters ask at their door."""

from course_lib.practice.words import predictions, recall

PREDICTIONS = predictions("""
08.counted
    A text has 1,000 words. It is prepared for BERT once, with the paper's shares. Of how many words will the
    loss speak, about, and how many of these does the model read as `[MASK]`?
    - All 1,000; 150 are `[MASK]`.
        A word that was not chosen stands there to be read: it would be copied. The loss speaks of the chosen
        ones alone.
    - 120, and all of them are `[MASK]`.
        So many are masked. Words that were replaced and words that were kept were chosen, too, and count like
        them.
    + 150; of these 120 are `[MASK]`.
        15 % are chosen, and 80 % of these are masked. Of the other 30, 15 are replaced by another word and 15
        stay. All 150 are asked for, and none of the other 850.
    - 1,000; 800 are `[MASK]`.
        80 % are meant of the chosen words. With 800 of 1,000 hidden there would be little left to read.
08.in-turn
    Why not hide one word at a time, and every word in turn? Then each would be asked for once, with all the
    others in sight. A text of 100 words is to give 100 questions. How many readings of the text does it take,
    one word at a time, and how many with 15 words chosen in each?
    - 100 readings in both cases: 100 questions are 100 questions.
        One reading answers all questions that its row holds. With 15 chosen there are 15 in one.
    + 100 readings, and about 7.
        Each reading costs the same. With more words chosen there are more questions in it, and less is left
        to read for each: the page tries 5, 15 and 40 %.
    - 1 reading, and 15.
        One reading in which every word is hidden would be a row of blanks. Each word that is asked for must
        be hidden, and the others must be seen.
    - 100 readings, and 85.
        85 words are left to be read in each. What counts here is how many are asked for at once: 15.
08.all-masked
    Devlin et al. also trained a BERT for which every chosen word became `[MASK]`. Then both learned from
    labels, all parameters: does one sentence follow from another (MNLI)? The usual 80/10/10 has 84.2 of 100
    right. What has 100/0/0?
    - About 74: it never learned to read words as they are.
        Of 100 words it reads 85 as they are, in every row. What it never had to do is to say something about
        them.
    + 84.3.
        Fine-tuning changes all parameters, and mends what was missing. Where BERT stays frozen and its
        vectors are used as they are, names in a text are found with 94.0 in place of 94.9 (Table 8).
    - About 82: without `[MASK]` in the text it is a little lost.
        None of the mixtures that they tried lost so much: 84.4 without random words, 83.6 with random words
        alone. "Fine-tuning is surprisingly robust", say the authors, and this is the place.
    - Nothing: it would answer `[MASK]` to everything.
        `[MASK]` is never a label. What is asked for is always the word that stood there.
08.frozen
    Which words of a news text belong to a name? A fine-tuned BERT-base reaches 96.4. (Of 100: names found
    and names invented both count. The test is called CoNLL-2003, the measure F1.) Now BERT stays frozen: a
    new model learns to find names in the vectors of its top four layers, and BERT learns nothing more. What
    does this reach?
    - About 50: BERT has learned to fill blanks, not to find names.
        To fill blanks well it had to know which words are names, and of what. No label told it so.
    - About 85: its layers are tuned to `[MASK]`.
        A little of that can be measured: the last layer alone does worse than the four together. The
        difference is 1.2.
    - 96.4: fine-tuning only moves the head.
        Fine-tuning moves every parameter. Here it gains little all the same.
    + 96.1.
        0.3 less (Devlin et al. 2019, Table 7). The vectors of its last layer alone give 94.9, the token
        embeddings, which know no context, 91.0. The new model is no single layer: it reads the vectors of the
        whole text, from both sides.
08.plateau
    In many trainings the loss of the hidden words falls quickly in the first steps, then stays level for a
    while, and people ask whether something is broken. What has the model learned when the level begins?
    - Nothing: the level is ln V, where all V words are equally likely.
        It begins near ln V, before the first step. The level lies clearly below it.
    - To copy: it says the word that it reads.
        Of ten chosen words it reads one as it is. For the other nine the copy is wrong.
    + How frequent each word is, whatever stands around the blank.
        Then its loss is about that of the word counts (unigram), which can be computed without any model:
        draw this line and the next one, of word pairs. What falls below them is learned from context.
    - The order of the words: positions are learned first.
        Where a word stands can help, too. But first comes what needs no look at the row at all: which words
        are frequent.
08.moved
    In a batch a short row is filled up with padding. Somebody puts another word in the place of one padding
    token, and `allowed` stays as it was: it closes this place. Which of the last layer's vectors change?
    - All of the row: every token sees every other one.
        Every token sees those that `allowed` opens to it. This one is closed as a key, for all queries.
    - None: what is closed does not exist.
        As a key it does not. As a query it is still there: it has an embedding and passes through all layers.
    + The one at this place, and no other.
        Its own vector is another one, and nobody reads it: no label, no head, no neighbour. That is the test
        to make: change a padding token, and nothing that counts may move.
    - C, because it speaks for the whole row.
        C is the vector of one token. It looks where every token may look.
08.two-blanks
    "Tom goes to the `[MASK]` `[MASK]` ." A trained BERT reads this row once, and each blank gets its
    likeliest word. In the training data "train station" and "bus stop" are equally frequent here. What may
    come out?
    - Always one of the two, whole.
        Then one blank would have to know what the other one gets. Both are read off the same reading, in
        which both are empty.
    + "train stop" or "bus station", too.
        BERT gives a distribution for each blank, not for both together. Each is filled as if the other were
        unknown. Fill one, read again, fill the next: then the second word sees the first.
    - The same word twice.
        It knows what kind of word stands in front of another one. That the two must fit is what one reading
        cannot give.
    - An error: a row holds one `[MASK]` only.
        A row may hold many. In training most rows held several, and each was filled without the others.
08.which-number
    You load a BERT from a library and ask whether a second text follows the first. It has two scores, and the
    larger one is number 0. What does it say?
    - "No": 0 is no and 1 is yes.
        So it is in this course. Others have agreed otherwise.
    - "Yes": the first of two answers is the positive one.
        In Hugging Face's BERT 0 does mean "is the next". That is written in its documentation, and cannot be
        read off the scores.
    + It cannot be known from the number: read what the labels mean there.
        A number is a place in a table. Here labels go by name, and the one table that translates from and to
        another library has a test.
    - Nothing: with two scores one has to compare each with one half.
        These are scores, not probabilities. The larger one is the answer; the question is what it is called.
08.shared-ignore
    Somebody uses one loss function for both objectives, with `ignore_index=0`, because padding has the id 0.
    The pairs have labels 0 ("random") and 1 ("next"), half of each. What is seen of next-sentence prediction
    during training?
    - A loss near ln 2 that does not fall.
        That would be seen of somebody who knows nothing and is asked both. Here only one kind is asked.
    + A loss that falls to 0, and an accuracy of one half.
        A label 0 is not counted, so every pair that counts is "next", and the model learns to say "next"
        always. The loss alone looks wonderful. Print the accuracy beside it.
    - A loss and an accuracy as they should be: labels of pairs are no padding.
        They are not. But the function sees numbers, and leaves out every 0.
    - An error: there are two classes and one is missing.
        Nothing in PyTorch asks for all classes to occur.
08.follows
    BERT's authors found next-sentence prediction useful: without it MNLI (does one sentence follow from
    another?) falls from 84.4 to 83.9. The authors of RoBERTa tried it again. Two pieces of text in a row,
    with the question whether the second follows, give 84.0. What do long texts give, without the question?
    + 84.7.
        "Full sentences" and "doc sentences", both without it, have 84.7 (Liu et al. 2019, Table 2). One
        reading of both papers: it is short inputs that hurt, and leaving the question out helps if the data
        change with it.
    - About 82: they lose what BERT's authors lost, and more.
        Of their four rows, the one with short inputs (single sentences in pairs) lost, with the question:
        82.9.
    - 83.5, half a point less.
        That is the difference that BERT's authors measured. RoBERTa's goes the other way.
    - 84.0: the question neither helps nor hurts.
        Their differences are small. On one task (SST-2) the rows without the question are a little behind; on
        this one and on three others they are ahead or equal.
08.word-head
    The head that fills blanks gives a score to each of BERT-base's 30,522 words, from a vector of 768
    numbers. The encoder with its pooler has 109 million parameters. How many more does this head bring?
    - 23 million: 30,522 · 768.
        So large is the matrix that makes the scores. But there is one of this size already, with a row for
        each word.
    - None: every parameter is shared with the embedding.
        Almost. A small layer comes before it, 768 · 768 and some more, and each word has a bias.
    - 47 million: one matrix in, one matrix out.
        One matrix does both: its row for a word is the word's vector, and the word's score is a product with
        it.
    + About 0.6 million.
        Its large matrix is the token embedding itself, used a second time. New are one dense layer, a norm,
        and one number for each word.
""")

RECALL = recall("""
Of 100 words, how many are chosen in BERT's training, and what becomes of them?
    About 15. Of these 12 become `[MASK]`, 1 or 2 another word, 1 or 2 stay. All chosen ones are asked for,
    and no others.
Why are not all chosen words replaced by `[MASK]`?
    So that the model cannot trust the words that it reads, and must make a vector from the context for each.
    Where nobody writes `[MASK]` and BERT stays frozen, it shows.
What is the label of a word that was not chosen, and why not 0?
    -100, which is not counted. 0 is the id of a token: it would be asked for, or a real word would be left
    out.
Which three embeddings are added at each place of BERT's input?
    Token, position and segment: which word, where, and in which of the two texts.
What is C, and when does it know something about the whole row?
    What the last layer leaves at `[CLS]`. It knows what training asked it: next-sentence prediction, or the
    labels of fine-tuning.
Why can BERT not write a text as a decoder-only model does?
    It learned to fill few blanks among many words, not to say the first word of what is to come; and blanks
    that are filled at once do not know of each other.
""")
