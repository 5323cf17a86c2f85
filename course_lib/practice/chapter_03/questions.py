"""Chapter 03: what is asked before a run, and what later chapters ask at their door."""

from course_lib.practice.words import predictions, recall

PREDICTIONS = predictions("""
03.two-lookups
    Each guest must name the left neighbour and the right one. A layer with one head is trained on both
    questions, eight times, each time from other random numbers. What does the head's row of weights look like
    at the end, most of the time?
    - Dark on the left neighbour first, then dark on the right one: it looks twice.
        A head looks once: it has one row of weights for each token, and the row sums to 1. A second look
        needs a second row.
    - Shared between the two neighbours: a mixture of both names.
        It is possible, and one of eight recorded trainings ended so. But the two names arrive added up, and
        the mixture does not say who sits where. The other seven ended otherwise.
    + All on one neighbour: one question is answered, the other one given up.
        So seven of eight recorded trainings ended, some on the left, some on the right: one answer is known
        for certain, the other is a guess. One row of weights gives little more.
    - On both neighbours, fully: the values can be made wide enough for two names.
        A wide value vector can carry much about one seat. But a row of weights sums to 1, and both values
        pass through the same W_v and are added up: width does not tell which is which.
03.view
    The queries q of a sentence of 4 tokens have 6 features for each token, shape (1, 4, 6). You want 2 heads
    of 3 features, and write `q.view(1, 2, 4, 3)`, with no transpose. What does the first head hold?
    - The first three features of all four tokens.
        So it should be. But `view` moves no number: it reads on in memory, where the six features of the
        first token stand side by side.
    - An error is raised: (4, 6) is no (2, 4, 3).
        Both hold 24 numbers, and that is all that `view` asks for. It cannot know which axis you meant.
    - Every second feature of all four tokens.
        That is what you get when features are cut as (K, H) and not as (H, K). `view` alone reads the memory
        in order, token after token.
    + All six features of the first two tokens.
        The first head takes the first 12 numbers in memory: two whole tokens, each broken into two rows. It
        never sees the other two tokens, and no error warns you.
03.cost
    A layer has 64 features and one head. You give it 8 heads of 8 features each. What happens to the number
    of parameters?
    + It stays the same.
        Each head has matrices of 8 × 64, and 8 of them below each other make 64 × 64, as before. W_o is 64 ×
        64 in both cases.
    - It becomes 8 times as large.
        It would, if each head kept all 64 features. The heads share them: 8 features for each.
    - It becomes an eighth.
        One head's matrices are an eighth as large, yes. There are 8 heads.
    - It grows a little: W_o is needed only when there are several heads.
        The layer has W_o with one head too, with 64 × 64 numbers in both cases.
03.too-many
    A layer has 16 features. You give it 16 heads, so each head has one feature: d_k = 1. What can one head
    still do?
    - As much as before: a head is a head.
        A head compares vectors of d_k numbers. With 16 numbers a query can point in many directions; with one
        number there are two: up and down.
    - Nothing: with one number there is no dot product.
        There is: the product of two numbers. It orders the keys, only in a very poor way.
    + Prefer the keys with the largest number, or those with the smallest; nothing in between.
        The score is q·k with two single numbers. If q is positive the largest k wins, if negative the
        smallest. No query can ask for a key in the middle, so heads must not be too small.
    - Look at exactly one token, because it has one feature.
        How many tokens a head looks at is decided by its scores and the softmax, and not by the number of
        features.
03.remove
    A layer with several heads has learned two look-ups. You remove one head after the other, each time with
    all others in place. What breaks?
    - Everything, whichever head you take: W_o has mixed them all.
        W_o adds up what the heads bring, each through columns of its own. What the others bring still
        arrives.
    + One of the two look-ups suffers, and the other hardly; how much depends on the head.
        Heads specialise, and not evenly. With two heads, each carries one look-up alone. With eight, several
        share one look-up, and some of them can go with hardly a trace.
    - Nothing: the other heads take over.
        A little, if another head looks at the same seat; but nothing is trained again, and what only this
        head looked up is gone.
    - Each time a little, and the same for every head: they share the work evenly.
        Nothing in training asks for even shares. Heads start from different random numbers, and the one that
        is useful first gets the larger gradients.
03.code
    A model with one layer of four heads has learned to write Python, one character at a time. Where do its
    heads look, more than even weights would?
    - At the same character, wherever it stood before.
        No head does: the same character gets no more than it would from even weights, or little more. To look
        up what followed last time, a place must first learn what stands before it, and that takes two layers
        (chapter 12).
    + At the word so far, most of all at the character just before.
        All four heads give at least twice as much of their weight to the word so far as even weights would,
        and one of them more than a third of it to the character just before.
    - At the last line break, and hardly anywhere else.
        It gets more than from even weights, in one head about five times as much. But that is still less than
        a third of the weight.
    - Everywhere alike: single characters mean nothing.
        Then every share would be that of even weights. What comes next depends most on what came just before,
        and this the heads have found.
03.one-mask
    Two sentences, two heads. The mask has shape (B, T, S): one for each sentence. The scores have shape (B,
    H, T, S), and you write `scores.masked_fill(~allowed, -inf)`. What happens?
    - Each sentence gets its own mask, in both heads.
        So it should be, and for that the mask needs an axis for the heads: `allowed[:, None]`, of shape (B,
        1, T, S).
    - An error: three axes do not fit four.
        Broadcasting lines axes up from the right and adds missing ones on the left. With another number of
        heads than sentences there would be an error; with two and two there is none.
    + It runs: the first head gets the mask of the first sentence, the second head the other one.
        Axes are lined up from the right, so B meets H. In both sentences, head h gets the mask of sentence h.
        It only runs because B = H (or B = 1): a small test would not notice.
    - Only the first head is masked.
        A missing axis is never taken as 'the first only': broadcasting repeats along it. Here the axis that
        is missing is the batch, because B has slipped to the place of H.
""")

RECALL = recall("""
Why is `q.view(B, H, T, K)` the wrong way to split heads?
    `view` reads the memory in order, so each head would get whole tokens from one part of the sentence. Cut
    the features first, (B, T, H, K), then exchange the axes T and H.
A layer with 64 features gets 8 heads in place of 1. What happens to its number of parameters?
    Nothing: each head has 8 features, and 8 matrices of 8 × 64 are one of 64 × 64.
What can two heads do that one head cannot?
    Look at two places for two reasons and keep the answers apart. One head has one row of weights for each
    token, so two values arrive added up.
Which shape has W_o, and what does it do?
    (H·d_v) × d_model: it takes the heads side by side and mixes them into one vector for each token.
By which number are the scores divided in a layer with d_model = 64 and 8 heads?
    By √8, the root of one head's d_k = 64 / 8. Dot products are taken inside a head.
""")
