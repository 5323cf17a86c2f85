"""Chapter 02: what is asked before a run, and what later chapters ask at their door."""

from course_lib.practice.words import predictions, recall

PREDICTIONS = predictions("""
02.lookup
    A soft dictionary holds four keys. A query fits two of them equally well and the other two hardly at all.
    What comes back?
    - The value of the first of the two, as in a list that is searched from the front.
        A search stops at the first hit. A soft dictionary does not search: it scores all keys, and equal
        scores get equal shares, wherever they stand.
    - An error: the query is no key of the dictionary.
        That is what a Python dict would say (KeyError). A dot product exists for every pair of vectors, so a
        soft dictionary always has an answer.
    + A value halfway between the values of the two.
        The softmax gives each of the two keys nearly one half, and the weighted sum is then nearly the mean
        of their values. It need not be a value that the dictionary holds.
    - One of the two values, drawn at random.
        The shares look like probabilities, and nothing is drawn. Each value is multiplied by its share and
        all of them are added: the same answer every time.
02.variance
    The 64 numbers of a query and the 64 numbers of a key are drawn independently, each with mean 0 and
    variance 1. What is the variance of their dot product?
    - About 1: it is made of numbers with variance 1.
        One product of two such numbers has variance 1. The dot product adds 64 of them, and variances of
        independent numbers add up.
    - About 8.
        8 is the standard deviation: √64. The variance is its square.
    - About 4096.
        64² would come from adding the same number 64 times. These 64 products are independent: many cancel
        each other, and the variances add up to 64, not to 64².
    + About 64.
        Each of the 64 products has variance 1, and variances of independent numbers add up. So the standard
        deviation is 8, and dividing by √64 = 8 brings the variance back to 1.
02.saturated
    A softmax over two scores. For 0 and 0, a small push on the first score changes its weight by 0.25 times
    the push. How large is this factor for the scores 8 and -8?
    - About 0.25 too: a softmax treats all scores alike.
        The factor is a·(1 - a), where a is the weight. At a = 0.5 it is 0.25, its largest value. Here a is
        almost 1, so 1 - a is almost 0.
    + About 0.0000001.
        The factor is a·(1 - a), and 1 - a is about one ten-millionth here. Almost no gradient passes, so what
        made these scores learns almost nothing. This is saturation.
    - About 0.03: scores of 8, so an eighth of 0.25.
        The gradient does not shrink in step with the scores. The exponential is in it: with a gap of 16 it
        falls to about e⁻¹⁶.
    - About 16: large scores give large gradients.
        In a linear layer large numbers do that. A softmax flattens out: once the winner has all the weight,
        pushing its score further changes nothing.
02.axis
    3 queries look at 5 keys: the scores are a table with 3 rows and 5 columns. Somebody takes the softmax
    over the wrong axis, `dim=0` in place of `dim=-1`. What sums to 1 now?
    + Each column: every key shares itself out among the queries.
        `dim` names the axis that is summed over. Over axis 0 the three queries compete for each key. The
        whole table then sums to 5, not to 3, and some query may get next to nothing.
    - Each row, as before: a softmax always sums to 1 over the keys.
        A softmax does not know what your axes mean. It sums to 1 over the axis that you name, and here that
        axis holds the queries.
    - The whole table.
        That would be a softmax over all 15 numbers at once, for example over `scores.flatten()`. With one
        axis named, the sums run along this axis only.
    - Nothing: PyTorch raises an error, because the axis does not fit.
        Every axis fits, and that is the danger: shapes and types stay right, and no error comes. Only the
        sums tell.
02.permute
    Self-attention reads the vectors of 'the dog bites the man', without any sign of position. Then dog and
    man change places, and it reads again. What happens to the outputs?
    - Nothing: output 1 stays output 1, and so on.
        Output i belongs to the word that stands at place i. Another word stands there now, with another
        query.
    - They all change: each word has new neighbours.
        Neighbours mean nothing here: each query scores all keys, and a sum does not care about the order of
        its terms.
    + Each word keeps its output vector; the vectors are shuffled as the words are.
        The scores of a pair depend on the two words only, and a sum does not care about order. This is
        permutation equivariance. Who bites whom makes no difference to such a layer; so positions must be
        added.
    - They become one and the same vector: without order all words look alike.
        The words still have different vectors, so they ask different questions and get different mixtures.
        What is lost is where they stand.
02.tied
    In self-attention you use one matrix for queries and keys: W_q = W_k, without biases. What can the layer
    no longer do?
    - Nothing is lost: one matrix is enough, and it has fewer parameters.
        Fewer parameters, yes. But now q_i · k_j = q_j · k_i for every pair, and many relations between words
        run in one direction only.
    - Look at its own position.
        The opposite: a word's query equals its key now, and a vector's dot product with itself is its squared
        length. It is never negative, so looking at itself becomes easy.
    - Give every row a sum of 1.
        The softmax does that, whatever the scores are. It also makes the weights of i for j and of j for i
        differ in general: the scores are symmetric, the weights need not be.
    + Score 'i looks for j' differently from 'j looks for i'.
        Query and key of a word are the same vector now, so the table of scores is symmetric. What a word
        looks for and what it offers can no longer be two things.
02.cost
    A sentence gets twice as long, and all vectors keep their size. How much more work is it to compute all
    scores of self-attention?
    - The same: all scores are computed in parallel.
        Parallel work is still work: it needs more processors or more time, and the table of scores must fit
        in memory.
    + Four times as much.
        Twice as many queries, each scored against twice as many keys: the table has T² cells, each a dot
        product of d_k numbers. This is the T² d of chapter 02.
    - Twice as much: twice as many words.
        So it is for a recurrent network, which takes one step for each word. Here each new word is a query
        that is scored against all keys, and a key for all queries.
    - Eight times as much.
        8 = 2³ would be right if the vectors had become twice as long too. They keep their size, so only the
        two axes of the table grow.
""")

RECALL = recall("""
What are query, key and value in Bahdanau's translator?
    The query is made of the decoder state: W_a sᵢ₋₁. Keys and values come from the encoder states: U_a hⱼ is
    a key, which is scored; hⱼ itself is a value, which is summed.
Why are raw scores divided by √d_k?
    A dot product of d_k independent products has variance d_k. Dividing by √d_k brings it back to about 1, so
    the softmax does not saturate and gradients pass. It is not regularization.
Which five steps make scaled dot-product attention, in which order?
    MatMul (queries with keys), scale, mask, softmax over the keys, MatMul (weights with values).
The words of a sentence are shuffled. What does self-attention without positions do?
    It gives each word the same output as before, in the shuffled order: permutation equivariance. So
    positions must be added to the vectors.
What does the axis of the softmax decide?
    Who shares: over the keys (the last axis), each query shares its attention out and each row sums to 1.
    Over the queries, the keys would share themselves out.
Why are W_q and W_k two matrices?
    With one matrix the scores are symmetric: i looks for j exactly as j looks for i. With two, what a word
    looks for and what it offers can differ.
""")
