"""Chapter 01: what is asked before a run, and what later chapters ask at their door."""

from course_lib.practice.words import predictions, recall

PREDICTIONS = predictions("""
01.bottleneck
    A translator reads the whole English sentence into one vector of fixed length, and writes French from this
    vector alone. What happens to its translations when the sentences get longer?
    - Nothing: the vector is long enough for any sentence.
        The vector has the same length for 5 words and for 20, so each word's share of it shrinks. Some length
        must be too much; the picture shows where it begins here.
    + They get worse with length: more words must fit into the same vector.
        The vector does not grow with the sentence, so what it can say about each word shrinks. This is the
        bottleneck.
    - They get better: longer sentences hold more context.
        More context helps to understand a word, and here all of it must first pass through one vector. What
        is lost there cannot help.
    - They are equally bad at every length.
        That would be a weak model in general. A vector of fixed length is no problem for three words; it
        becomes one as the words become more.
01.untrained-map
    Before any training, all parameters of the model are small random numbers. What will the attention map of
    a sentence with S source words look like?
    - A diagonal: word 1 looks at word 1, word 2 at word 2.
        A diagonal would mean that the model knows about word order already. It has seen nothing yet.
    - A few dark cells at random places.
        Random, yes, but not dark. Small numbers give small scores, and the softmax turns scores that are
        close together into shares that are almost equal.
    - All cells 0: it has not learned to look at anything.
        Each row is a softmax and must sum to 1, trained or not. Attention has to go somewhere.
    + Almost even: every cell near 1/S.
        Scores near 0 differ little, and the softmax of equal scores is 1/S each. Training has to make the
        differences.
01.article
    'to the farm' becomes 'à la ferme'. At the moment when the model writes 'la', which English word does it
    look at most?
    - 'to'
        'to' is what 'à' translates, and 'à' stands there already. It says nothing about le, la or l'.
    - 'the': it is the word that 'la' translates.
        So one would think, and a plain 'la' often does look there. After 'à' the model mostly looks at the
        noun: the picture below counts.
    + 'farm': the noun.
        Its gender, its number and its first letter decide among au, à la, à l' and aux. After 'à' the model
        mostly looks there; a plain 'la' often does not, as the picture below counts.
    - All three alike.
        Rows can be that soft. This one has a clear question to ask, la or l', and one word answers it.
01.cost
    The source has S = 10 words and the decoder takes T = 12 steps. How many products U_a hⱼ are computed if
    every step computes its own, and how many if they are computed once and kept?
    - 22 and 10
        Steps and words do not add up, they multiply: each of the 12 steps would compute all 10 products.
    - 120 and 12
        120 is right. Kept, there is one product for each source word: 10. U_a hⱼ does not know of the
        decoder's steps.
    + 120 and 10
        12 steps times 10 words, or each word once. U_a hⱼ does not depend on the decoder's state, so nothing
        is lost by keeping it.
    - 120 and 120: the decoder's state changes at every step.
        The state changes, and with it W_a s. But U_a hⱼ holds only the source word, which stays the same.
01.scale
    A simpler score has one matrix and no tanh: s·(W h), divided by the square root of the number of features.
    It is called bilinear (Luong et al. 2015: "general"). Two translators differ in their score only, additive
    or bilinear. After the same 500 steps, how many sentences will each translate without a wrong word?
    - Additive is clearly better: it has a tanh and more parameters.
        The tanh can express more, but a match between two vectors needs little. Look at the spread of the
        seeds before you name a winner.
    - The bilinear score is clearly better: it is simpler.
        It is cheaper, and the picture shows that it finds the alignment sooner. The finished translations,
        though, differ by less than the seeds do.
    + About the same, within the spread of the seeds.
        After 500 steps both get 94 to 97 of 100 sentences right. The way there differs, and so do the maps:
        look at the picture.
    - The bilinear score cannot learn an alignment: it has no v_a.
        v_a is needed to turn A features into one number. The product s·(W h) is one number already.
01.lag
    The query for French word i is made of the state sᵢ₋₁. This state was made before the decoder read the
    word yᵢ₋₁ that it wrote last. One of these worries about the map is sound in theory. Which one? (Whether
    it shows in practice, the records below will say: it may not.)
    - None: sᵢ₋₁ has read yᵢ₋₁.
        The word yᵢ₋₁ was chosen with the help of sᵢ₋₁, and it goes into the cell only at the next step,
        together with the context. When the query is made, it has not been read.
    - The rows do not sum to 1.
        The softmax makes every row sum to 1, whatever the query is.
    - It could look ahead at French words that are not written yet.
        The map runs over source words only. Nothing in it can see the translation's future.
    + It has to look without knowing which word came last, so a row may be vague or off by a word.
        If several words were possible at i-1, the state only knows what was likely. The choice itself arrives
        one step late. The worry is sound, and the record below finds no difference: here it does not matter.
""")

RECALL = recall("""
What is the difference between scores and weights?
    Scores come before the softmax and can be any number. Weights come after it: they are between 0 and 1, and
    each row sums to 1.
In eᵢⱼ = v_aᵀ tanh(W_a sᵢ₋₁ + U_a hⱼ): which part can be computed once for the whole translation, and why?
    U_a hⱼ. It depends on the source word only, and the source does not change while the decoder writes.
A batch holds sentences of different lengths. What happens to the scores of padding, and when?
    They are set to -inf before the softmax. Then padding gets a weight of exactly 0 and the words share the
    whole 1.
What is the bottleneck of a translator without attention?
    Everything the decoder knows of the source must fit into one vector of fixed length, however long the
    sentence is.
What is the context vector, and is it the same at every step?
    The weighted sum of the encoder states. Each step has its own weights, so each step has its own context.
How do we know whether an attention map is right?
    We compare it with known links between the words: the alignment error rate counts how far the guessed
    links are from the true ones. 0 is perfect.
""")
