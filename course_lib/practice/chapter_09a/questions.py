"""Chapter 09a: what is asked before a run, and what later chapters ask at their door."""

from course_lib.practice.words import predictions, recall

PREDICTIONS = predictions("""
09a.first-loss
    A GPT for V = 512 tokens and d_model 128, tied (the scores are made with the token embedding), has
    learned nothing yet. Its embeddings were drawn with a standard deviation of 0.02. About what is its first
    loss, in nats a token?
    - 0: it has not made a mistake yet.
        A loss of 0 means that every next token got the probability 1. It knows nothing, so it cannot.
    + 6.2
        ln 512 = 6.24. All scores are close to 0, so all tokens are about equally likely, 1/512 each. If your
        first loss is far from ln V, look for a mistake before you train.
    - 35
        So it would be with a standard deviation of 1: scores are then sums of 128 large products, and the
        model is very sure of something, and wrong. It costs the first steps of training to unlearn that.
    - 512
        The perplexity is about 512, exp of the loss: as if it chose among 512 equally likely tokens.
09a.next-document
    Two stories stand in one block, the second behind the end of the first. The model has a causal mask and
    nothing else. While it reads the second story, can it look at the first?
    - No: the token at the end of a story is a wall.
        It is a token like any other. The model may learn that what stands before it is of no use, and then
        gives it little weight. It is not forbidden.
    - Not if positions begin at 0 again with the second story.
        Positions say where a token stands, not who may look at it. Change a word of the first story, and the
        vectors of the second change, restarted positions or not.
    + Yes, at all of it.
        Only a mask forbids: with a document mask each token sees its own document alone. What that is worth
        can be measured, and the page does so.
    - At its last token only.
        A causal mask opens all that stands before, from the beginning of the block on.
09a.tenth
    One model has a loss of 1.2 nats a token on new stories, another 1.1. A story has 63 tokens. How much more
    probable is a whole story, on average (geometric mean), to the second one?
    - One tenth more.
        One tenth more, 10.5 %, is what each token gains on average. There are 63 of them, and their
        probabilities are multiplied.
    - About 6 times.
        63 · 0.1 = 6.3 is the difference in nats for a story. Nats are logarithms: e to this power is the
        factor.
    + About 500 times.
        exp(63 · 0.1) = exp(6.3) = 545. What looks small for a token is large for a story, in which
        everything has to fit together.
    - It cannot be said: a loss is no probability.
        It is minus the logarithm of one. For a whole text the logarithms are added, so the probabilities are
        multiplied.
09a.warm-up
    The first step of Adam, without warm-up, at the peak rate. The gradient of one parameter is 0.5, that of
    another one is a million times smaller. How far are the two moved?
    - Each by the rate times its gradient.
        That is plain gradient descent. Adam divides by a running size of the gradient.
    + Both by about the whole rate.
        In the first step the running mean and the running size come from the same one gradient, so their
        quotient is about 1 or -1, however small it is. All parameters take a full step in a direction that
        one batch happened to give. A small rate at the beginning makes these steps short.
    - The first by the rate, the second hardly at all.
        So it would be if a common size were divided out. Adam has a size for each parameter.
    - Neither: Adam waits until its running means are full.
        Its running means are corrected for having begun at 0, so they count from the first step on.
09a.floor
    The stories of the Town come from a program, so it is known what the best possible model would lose: 1.03
    nats a token on new stories. One shows a training loss of 0.8, over the last thousand steps. What has
    happened?
    - It has learned more than the program knows.
        Nothing in the stories says more than the program that made them. What is left is chance, and chance
        cannot be learned.
    - Nothing unusual: the floor is an average.
        Single stories lie below it, and a thousand steps are many stories. Their mean does not.
    - Its vocabulary is too small.
        With another vocabulary the floor is another one, too: it is a property of the stories as they are
        cut.
    + It has seen these stories before and knows them by heart, or something shows it the answer.
        On stories that are new the mean of many cannot go below the floor. Below it: too few stories that
        come again and again, or a mask or a shift that lets the next token be seen.
09a.greedy
    The Town's GPT writes 200 stories with temperature 0, each from the same first token. What do you get?
    + One story, 200 times.
        The same beginning has the same likeliest next token, and so on to the end. The likeliest tokens one
        by one make one story, which need not be the likeliest story. To see what a model knows, draw.
    - 200 stories that are all valid and all different.
        Temperature 0 takes the likeliest token at every place. Nothing is drawn, so nothing can differ.
    - 200 stories that all end at once.
        The likeliest token after a few words is not the end, as few stories in the data are that short.
    - An error: no score can be divided by 0.
        As a formula it could not. By agreement temperature 0 means: take the likeliest.
09a.longer
    A model was trained with a context of 192 tokens. Can it write a text of 500 tokens?
    - No: 192 is the largest number of tokens that it can write.
        Three numbers are often taken for one: how many tokens the model can see, how long the blocks of
        training were, and after how many new tokens you stop. Only the first is a property of the model.
    - Yes, and it remembers its whole text.
        It sees at most 192 tokens at a time. What is further back has no effect on the next one.
    + Yes: for each new token it reads the last 192.
        Each step needs at most a window of 192, and steps can go on for ever. Who was where 200 tokens ago is
        forgotten, and in a story that shows.
    - Yes, if it is trained once more on texts of 500.
        That would let it *see* 500. To write them one after the other it can already.
09a.key-of-3
    A text grows from 4 to 9 tokens, inside the context, and is read anew at each step. The first token is
    token 0. How often do the key and the value of token 3 change, in the second layer, say?
    + Never.
        Token 3 sees tokens 0 to 3, whatever comes behind. So each layer gives the same vector at its place,
        and a cache is exact: it does once what would be done again at each step.
    - At each step: token 3 is seen in a longer context.
        It would be, if token 3 could see what comes later. A causal mask forbids it.
    - In the first layer never, in the second at each step.
        The second layer's keys are made of what the first one gave at the same place. This did not change, so
        they do not.
    - Only if positions are rotary.
        A key is turned by its own position, and its position stays the same.
09a.window-edge
    A GPT with learned positions has filled its whole window and goes on writing: the oldest token falls out.
    What becomes of the cache?
    - Its first entry is dropped, and the rest is kept.
        The rest was made at other positions: what stood at place 1 stands at place 0 now and gets another
        vector added. It runs, and writes nonsense from here on.
    - It is kept, and its oldest entry goes on counting.
        Then the new token would see one more than the model has positions for.
    - It is kept: keys know nothing of positions.
        With learned positions a vector for the place is added at the bottom, and everything above is made of
        the sum.
    + Nothing in it can be used: the window has to be read anew.
        Every token that is left has moved by one place, so each key and each value is another one. Without a
        cache the same happens unseen.
09a.python
    Out of the Python standard library 8 lines are cut, from a line with `def` on, wherever the function ends.
    How many such pieces, written by people and known to run, does `ast.parse` accept as they stand?
    - All: it is working code.
        The files are. A piece ends after 8 lines, in the middle of a bracket or of a text in three quotation
        marks, or behind a `try:` without its `except`.
    - About 90 of 100.
        More of them are cut than one thinks: a docstring of more than seven lines is enough.
    + About half.
        So about half is what a perfect imitator would reach. A share means little until you know what the
        real thing has: measure that first.
    - Next to none.
        A function of up to 8 lines is whole, and many longer ones can be cut behind any line.
""")

RECALL = recall("""
Texts are packed into blocks of T tokens. What is the target of the last token of a block?
    The token that stands next in the long row: the first one of the next block. So T + 1 tokens of the row
    are needed for T inputs and their targets.
What should the first loss of a language model be, and why?
    About ln V: it knows nothing, so all V tokens are about equally likely.
A batch goes through the model in pieces of unequal length. How do they make one loss?
    The sum of all losses, divided by the number of all counted tokens; never a mean of means.
In which order do temperature, top-k and top-p act, and which two may change places?
    In this order. Temperature and top-k may change places; top-p counts with what the others have left.
Why may a KV cache keep keys and values, and when may it not?
    Under a causal mask an earlier token never sees a later one, so they stay what they were. Past the edge of
    the window every token moves to another position, and they are of no more use.
Can a token look at another document in the same block?
    Yes, at every one that stands before it, unless a document mask forbids it. Positions that begin anew
    forbid nothing.
""")
