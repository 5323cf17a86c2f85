"""Chapter 05: what is asked before a run, and what later chapters ask at their door."""

from course_lib.practice.words import predictions, recall

PREDICTIONS = predictions("""
05.order
    An encoder of six layers gets no positions. It reads 'the dog bites the man', then 'the man bites the
    dog'. Which of its outputs change?
    - All of them: six layers mix every word with its neighbours.
        They mix every word with every other, and no word is a neighbour: all of them are one heap. Both
        sentences are the same heap.
    + None: each word keeps its vector, at another place. The decoder cannot tell who bites.
        Attention treats all places alike, and the other parts work on each token by itself. A decoder that
        looks at these vectors finds the same five in both sentences, so it gives the same translation.
    - Those of 'dog' and 'man', because they stand elsewhere.
        They would, if something said where they stand. Nothing does, so the dog at the end is the dog at the
        beginning.
    - The first layer's do not, and deeper ones do.
        If the first layer only shuffles its vectors, the second gets shuffled vectors and shuffles its own.
        So it goes on, through all six.
05.factor
    The numbers of an embedding start with variance 1 / d_model, because the same matrix also gives the
    scores at the end. d_model is 512. A position's vector holds sines and cosines. How long are the two
    vectors that are added, word and position?
    - Both about 1.
        The word's, yes: 512 numbers with mean square 1/512. But in the position's vector each sine and cosine
        of one clock have squares that sum to 1, and there are 256 clocks.
    - Word about 512, position about 16.
        512 times 1/512 is 1, so the word's vector has length 1 as it comes. The factor √512 ≈ 22.6 brings it
        to about 23; nothing brings it to 512.
    - It does not matter: a layer norm follows.
        The norm comes after the sum. What is small in the sum is small after the norm as well.
    + Word about 1, position exactly 16: without a factor the word would drown.
        √(512 · 1/512) is 1, and 256 clocks give √256 = 16. Times √d_model ≈ 22.6, the word is a little longer
        than its position. (The paper, section 3.4, names the factor and gives no reason.)
05.dropout
    A row of weights is 0.5, 0.25, 0.25. In training, dropout with p = 0.5 comes after the softmax: it sets
    weights to 0 at random and doubles those that stay. What does the row sum to?
    - Always 1: the doubling makes up for what is dropped.
        On average it does. In one step it need not: if one 0.25 alone stays, the row sums to 2 × 0.25 = 0.5;
        if 0.5 and 0.25 stay, to 1.5.
    + It changes from step to step, between 0 and 2; on average 1.
        All three may be dropped (0) or kept (2). Rows that do not sum to 1 are no error in training mode; the
        course shows weights before dropout.
    - Always 0.5: half of it is dropped.
        On average half is dropped, and what stays is doubled, so the average is 1 again. In one step anything
        from 0 to 2 can be left.
    - 1: the softmax shares the rest out again.
        The softmax is over before dropout begins; nobody shares anything out again.
05.residual
    Six encoder layers, and in each sub-layer only norm(f(x)): the `x +` is left out. Nothing is trained yet.
    A sentence goes through them. What comes out?
    - Nothing special: `x +` only helps the gradients.
        It helps them, too: without it the lower layers of the decoder get almost none. But look at what
        arrives at the top: a token's own vector is handed on by nobody.
    - Larger and larger numbers.
        Each norm brings every token back to one size. With `x +` and no norm they would grow.
    + Almost the same vector for every word.
        Each attention replaces a token by a mixture of all tokens, and mixtures are more alike than what was
        mixed. Six times, and nothing is left to tell the words apart. With `x +` each token keeps itself and
        adds what it found.
    - Zeros: the signal dies out.
        The norm keeps each token at one size. What dies out is the difference between the tokens.
05.where
    One encoder layer of the paper: d_model = 512, 8 heads, d_ff = 2048. Where are its parameters?
    + About two thirds in the feed-forward network.
        Two matrices of 512 × 2048 are 8 · 512²; attention's four are 4 · 512². So 8 of 12 parts, without
        anything that looks at other words. (In a decoder layer, with two attentions, it is one half.)
    - About two thirds in attention: it has four matrices.
        Four of 512 × 512. The feed-forward network has two of 512 × 2048, and each of these is four times as
        large.
    - Half and half: two sub-layers.
        Two sub-layers, yes, of different size: the inner width of the feed-forward network is four times
        d_model.
    - Almost all in the norms: there is one in every sub-layer.
        A norm has a gain and a bias for each feature: 1,024 numbers, of about 3.15 million in the layer.
05.parallel
    In training the true target is known. How many passes through the decoder does one sentence of T target
    words need, so that each of its words is predicted from the words before it?
    - T: one for each prefix.
        That is how the decoder writes, because then each word must be chosen before it can be read. In
        training all words are there already.
    - T · (T + 1) / 2: prefixes grow.
        This counts the tokens that T growing prefixes hold. With the causal mask no prefix needs a pass of
        its own.
    - Two: one to read and one to say.
        The decoder reads and says in the same pass: position t reads the tokens up to there and says the next
        one.
    + One.
        Under the causal mask, position t sees what prefix t holds and nothing more. So T prefixes are one
        pass, and every position has a loss of its own.
05.floor
    With label smoothing ε = 0.1 and 50 words, a training loss falls to 0.71 nats and hardly moves any more.
    Is the training stuck?
    - Yes: a loss that falls no further must be helped, for example by a larger rate.
        First ask how low it can get. The smoothed target is no certainty, and nobody can predict it with a
        loss of 0.
    - Yes: a good model's loss comes close to 0.
        With a target of 0 and 1 it could. Here 0.002 of the target lies on each of the 50 words, and even the
        perfect model pays for that.
    + No: even a perfect model has about 0.70.
        The floor is the entropy of the target: 0.902 on the right word and 0.002 on each of 49 others give
        0.702 nats. This loss is almost at it. Draw the floor into the picture.
    - One cannot know without the error rate.
        The error rate is worth a look. But the floor can be computed from ε and the number of words alone.
05.warmup
    Adam divides each parameter's step by the root of the mean square of its gradients so far. At the first
    step of a training, parameter A has a gradient 100 times smaller than parameter B. How far do they move?
    - A moves 100 times less.
        So it would be with plain gradient descent. Adam divides each by its own size, and one gradient
        divided by its own size is 1 or -1.
    - Neither moves: Adam has no average yet.
        Its averages begin at 0 and are corrected for that; after one step they are this one gradient and its
        square.
    + Equally far: each by the full rate.
        So in the first steps every parameter moves at full rate, in a direction that one batch has shown. A
        warm-up keeps these steps short until the averages mean something. How much it changes for which
        model, the record below shows.
    - A moves farther: small gradients mean that it is far away.
        A small gradient says nothing of distance. Divided by its own size, it is as large as any other.
05.beam
    A beam of 4 replaces greedy decoding. You add up the log-probabilities of each finished text. What may you
    expect?
    + Usually a text with a higher sum; whether it is a better answer is another question.
        The search is for the sum. Four texts look further than one, though no search of this kind promises
        the highest sum. What the sum rewards is seldom quite what we want: short texts come off too well, for
        example.
    - Better answers, always: more is searched.
        More of the model's own texts are searched. Whether the likeliest of them is the best answer is a
        question about the model, not about the search.
    - Longer texts: there is more room.
        The opposite is to be feared: every further word makes a sum of log-probabilities smaller, so a raw
        sum prefers short texts. A length penalty works against that.
    - The same text: the likeliest word is always part of the likeliest text.
        A likely first word may lead to words that are all unlikely. Then a text that begins worse ends
        better: that is what a beam is for.
05.words
    Chapter 01's GRU put one vowel for another, and got all else right, in about half of the words that it got
    wrong. Of the words that the Transformer gets wrong, in how many is it one vowel for another?
    - In about one of ten: vowels were the GRU's weakness, and attention cures it.
        English writes about fifteen vowel sounds with five letters, and often the spelling does not tell.
        What is not written, no architecture can read.
    - In about one of four.
        Whatever it learns better, it learns for consonants too. What is left looks much as before.
    + Again in about half.
        Another model, and the same kind of mistake: the spelling leaves the vowel open. Look at the
        examples: many guesses are what a reader would say who has never heard the word.
    - In nearly all.
        Most of what is left has to do with vowels. But names and foreign words break other rules too, and two
        sounds may be wrong at once.
""")

RECALL = recall("""
Why does a Transformer need positions, and where do they come in?
    Attention treats all places alike: words that change places only shuffle the outputs. A vector for each
    position is added to the word's vector at the bottom; rotary positions turn queries and keys instead.
What are the two sub-layers of an encoder layer, and what is the third one of a decoder layer?
    Self-attention and a feed-forward network, each with a residual connection and a norm. A decoder layer has
    cross-attention between the two: its queries come from the decoder, keys and values from the encoder.
What is the difference between post-norm and pre-norm?
    Post-norm, as in 2017: norm(x + f(x)). Pre-norm, as in most models today: x + f(norm(x)), so that a road
    without any norm leads from the bottom to the top, and one more norm stands at the end.
The target is 'la ferme [END]'. What does the decoder read in training, and what must it say?
    It reads '[BOS] la ferme' and must say 'la ferme [END]': the inputs stand one step later than the labels.
    Under the causal mask one pass gives all three predictions.
Why does a loss with label smoothing never reach 0?
    Its target is not certain: ε of it is spread over all words. The lowest loss is the entropy of this
    target, 0.70 nats for ε = 0.1 and 50 words.
What does a state (a cache of keys and values) save when a model writes?
    Each step feeds the newest token alone. Keys and values of all earlier ones are kept and not computed
    again.
""")
