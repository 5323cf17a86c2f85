"""Chapter 06: what is asked before a run, and what later chapters ask at their door."""

from course_lib.practice.words import predictions, recall

PREDICTIONS = predictions("""
06.sub-layers
    GPT is called decoder-only. A decoder layer of 2017 has three sub-layers. Which of them does a layer of
    GPT have?
    - All three; its cross-attention looks at the prompt.
        The prompt is the beginning of its own text, in the same stack. Self-attention looks at it; there is
        no second stack whose output could be looked at.
    - Cross-attention and the feed-forward network.
        Cross-attention needs the output of another stack, and there is none. What a word sees of the text
        before it comes through self-attention.
    + Self-attention under a causal mask and the feed-forward network.
        So a layer of GPT has the boxes of an encoder layer. What makes it a decoder is the mask: nobody sees
        what comes later.
    - Self-attention without a mask and the feed-forward network.
        These are the right boxes. Without a mask each word would see the next one, which it must say: in
        training it would copy, and in writing there would be nothing to copy.
06.cross
    The base model of 2017: d_model = 512, d_ff = 2048. One decoder layer loses its cross-attention. How many
    of the layer's parameters go with it?
    - None: it only looks at what the encoder has made.
        It looks with matrices of its own: for queries, for keys, for values and for the output.
    - A third: one sub-layer of three.
        Three sub-layers, and the feed-forward network is as large as the two attentions together.
    - About half: keys and values come from the encoder.
        Its keys and values need one matrix each, like those of self-attention. Count in parts of 512²: each
        attention has four, the feed-forward network eight.
    + About a quarter.
        Four of 4 + 4 + 8 = 16 matrices of 512 × 512. What is left has 12, as many as an encoder layer. Keep
        the widths, and the decoder of an encoder-decoder is one third larger than its encoder.
06.operations
    An encoder-decoder has 12 + 12 layers, a decoder-only model 12 layers of the same size (cross-attention
    left out of the count). The first has twice the parameters. How many operations does it need to read an
    input and write an output, compared with the second?
    - Twice as many: every parameter is used for every token.
        In a decoder-only model it is. Here a token of the input passes through the encoder alone, and a token
        of the output through the decoder alone.
    + About as many.
        Each token passes through 12 layers, in the one model as in the other. That is why T5 (section 3.2.2)
        counts twice: parameters, 2P against P, and operations, M for both. Whoever compares families must say
        which of the two is equal.
    - Half as many: two stacks work at the same time.
        The decoder needs the encoder's output before it begins. And what is counted here is work, not time.
    - Four times as many: twice the layers, and attention grows with the square.
        Attention grows with the square of the length. Two shorter texts make less of it than one long one.
06.targets
    One example has 8 words of input and 5 words of output. All families read both, `[BOS]` and `[EOS]`. Where
    only the output counts, how many targets does one reading give? (Of an encoder-only model 15 % of all
    words are blank.)
    - As many in each family: all of them read the same tokens.
        They read the same. A target is what must be said without having been seen, and how many of these
        there are depends on what the family hides.
    + Decoder-only and prefix-LM 6, encoder-only 2.
        Five words and `[EOS]`; and 15 % of 13 words. Trained on all of its text, a decoder-only model would
        have a target at every token: more than any other family gets from one reading.
    - Decoder-only 6, prefix-LM 14, encoder-only 13.
        A prefix-LM sees all of its input at once, so nothing of it is left to predict. And an encoder-only
        model can learn only where a word is hidden.
    - Encoder-only the most: it looks in both directions.
        It sees more for each target. For this very reason it gets few of them: what it must say must first be
        hidden from it.
06.copied
    A prefix-LM is trained with a loss on all tokens of the row, also those of its input. How will the loss on
    the input look after a while?
    + Close to 0, and nothing is learned from it that helps.
        All of the input is open to all of the input. At each place the next token can be seen, so it is
        copied. That is why a prefix-LM counts its output only.
    - As in a decoder-only model: the parameters are the same.
        The parameters are, the mask is not. In a decoder-only model the next token of the input is hidden.
    - Lower than in a decoder-only model, because more of the context helps to guess.
        Lower it is. But nothing is guessed where the answer stands in sight.
    - High: the input is given and cannot be predicted.
        It is given, and therefore open. A token that is in sight is the easiest of all to say.
06.opened
    One stack learns three jobs of Tiny Town, once under a causal mask and once with its input open (prefix).
    The first parameters, the examples and their order are the same; it is done with three seeds. T5 found
    seven points for the open input. Which of the two translates more sentences exactly?
    - The open input, with each of the three seeds.
        With one of the three it did. The open input lets a word see what comes after it; but the output sees
        all of the input in both models, and here that may be enough.
    - The causal one, with each of the three seeds.
        With two of the three it did, and once by 1 or 2 in 100. (In filling blanks the causal one was ahead
        each time.)
    - Exactly as many: they have the same parameters.
        The same first parameters. Then each learns under its own mask, and they part at the first step.
    + It changes with the seed: no winner.
        Of 100 sentences 35, 37 and 51 under the causal mask, 43, 36 and 29 with the open input. What three
        seeds leave open is open. T5's seven points come from much larger models, trained first on gaps in
        texts and then on short tasks: a small experiment need not show them.
06.read-open
    A decoder-only model translates 35 to 51 of 100 sentences exactly (three seeds). Now its input is opened,
    without further training: each word of the input may see all of the input. How many are exact?
    - More: every word of the input knows its neighbours on both sides.
        It gets more, and has never learned to use it. Each vector of the input now mixes in words that it
        never met in training.
    - As many: what the output may see has not changed.
        It has not. But what it finds there has: after the first layer the vectors of the input are different,
        and from the second on their keys and values.
    + 4 to 11.
        A model expects the mask under which it learned. The other way round it is milder: with an open input
        in training and a causal mask in reading, 29 to 43 of 100 become 14 to 25.
    - None: all vectors have changed.
        Most are. Its last word saw the whole input before, and in the first layer finds the same as ever.
06.start
    A decoder-only model has learned rows of `input [BOS] output [EOS]` and translates 35 to 51 of 100
    sentences exactly (three seeds). Now another token stands in the place of `[BOS]`: `[EOS]`, or `[PAD]`.
    How many are exact?
    - As many: a token without meaning says nothing.
        To this model it says something. `[BOS]` means: the input is over, the first word of the output comes.
    - With `[PAD]` as many, with `[EOS]` fewer.
        Some models do begin with the padding, T5 among them. They learned it so; this one never read `[PAD]`
        anywhere in a text.
    - About half: it recovers after the first word.
        It would have to say a right first word, and what it reads there it has never read at this place.
    + None.
        Not one of 300 sentences, with each of the seeds, with either token. Which token it is matters little
        before training; after it the one that was learned must stand there.
06.write
    An encoder-only model has learned to fill blanks, 15 % of the words of each row. Now it starts from blanks
    alone and must write sentences of Tiny Town, a word at a time: from left to right, most certain first, or
    filling again and again. Of 100 sentences that a decoder-only model of the same size writes, 80 to 85 make
    sense (three seeds). How many of this one's, in the best order for each seed?
    - As many, once the order is from left to right.
        In this order it has the same past as the other one. But beside it stand blanks and no words, and in
        training most of a text was there.
    + 5 to 11.
        It learned from texts in which 85 of 100 words stand. Of texts that are almost empty it knows next to
        nothing. A model that learned with any share of blanks writes 28 to 34.
    - About half as many: it knows both sides.
        It knows them when they are there. At the beginning there is nothing on either side.
    - None: it has no order in which to write.
        An order can be given from outside, and a few sentences come out. What it has not learned is to go on
        from little.
06.t5
    T5 compared families with the same data (Table 2, denoising, GLUE score). A causal model has 74.7. The
    same stack with the input open (prefix) has 81.8. Then come two stacks with shared parameters, an
    encoder-decoder of the same P. What does this last step add?
    - About 7 points again: two stacks, two steps.
        The first step changes who sees what of the input. The second one does not: in both models the input
        is read in both directions.
    - Nothing: it falls back to about 75.
        An encoder-decoder also reads its input in both directions, so it keeps what the open input has won.
    + About 1 point.
        82.8. With P parameters in both, the mask over the input counts for seven points and the second stack
        for one. All models were tuned on short tasks afterwards; of prompting at scale this says nothing.
    - About 4 points: the decoder has its own attention to the input.
        Cross-attention and self-attention over one row both reach every word of the input. The way to it is
        another one; what can be reached is the same.
06.chat
    A talk with an assistant goes on: a new question is added to a long text that the model has read and
    written. Under which mask may the keys and values of all earlier tokens be kept as they are?
    - Under both, causal and prefix: the old tokens have not changed.
        They have not, but if the new question belongs to an open input, old tokens now see it. Then their
        vectors change from the second layer on, and their keys and values with them.
    + Under the causal mask.
        No token sees what comes after it, so nothing that is added can change it. With the whole talk as an
        open input, each new question would change every vector above the first layer.
    - Under the prefix mask, if all that has been said so far counts as input.
        Then every old token would see the new question as well, and from the second layer on all keys and
        values would have to be made again.
    - Under neither: a longer text has other positions.
        Old tokens stay at their places, since what is new stands at the end.
""")

RECALL = recall("""
Which mask makes one stack encoder-only, decoder-only, a prefix-LM?
    All open; causal; causal, with the input open to everyone. The blocks and their parameters are the same.
Which boxes does an encoder-decoder have that no other family has?
    Cross-attention in each layer of its decoder: queries from the decoder, keys and values from the encoder.
A row is `input [BOS] output [EOS]`. Which tokens are given, which are predicted?
    The input and `[BOS]` are given, the words of the output and `[EOS]` are predicted: the first label counts
    where `[BOS]` is read.
Why can a prefix-LM not learn from the tokens of its input?
    They are open to each other: each place sees the next token and could copy it.
An encoder-decoder and a decoder-only model are compared. What must be said to be equal?
    Parameters or operations. With equal layers the encoder-decoder has about twice the parameters and about
    the same operations for each token (T5: 2P, M).
Why are big language models of today decoder-only, as far as this course could measure it?
    Each token of a text can be a target, and a causal text that grows changes none of its old keys and
    values.
""")
