"""Chapter 07: what is asked before a run, and what later chapters ask at their door."""

from course_lib.practice.words import predictions, recall

PREDICTIONS = predictions("""
07.ties
    BPE learns from `aaabdaaabac`. The first merge makes X of `aa`; now the text is XabdXabac. The pairs Xa
    and ab both stand twice. Which of the two should be merged?
    - Xa: it makes the longer token.
        It does, and BPE does not look at length. Both merges shorten the text by two tokens.
    - ab: it stood there before X came.
        So one could choose, and well-known programs do not agree here. Both merges shorten the text by two
        tokens.
    + Either; but a rule must say which, and everybody who uses the tokens needs the same one.
        Equally frequent is equally good. Here the smaller pair wins, by the ids of its two tokens. With
        another rule the tokens are others, and a model that was trained with them reads nonsense.
    - Both at once: they do not touch.
        They do: the a of Xa is the a of ab. After one of them the other pair is gone.
07.order
    Two merges were learned, in this order: h e → he, then t h → th. What are the tokens of `the`?
    - th, e
        This is what reading from the left would give. But h e was learned first, and it is merged first.
    + t, he
        The merge that was learned first comes first, wherever it stands. Then no h is left for th.
    - the
        A token `the` would need a third merge, of t and he, or of th and e. Nobody learned it.
    - It depends on which of the two is more frequent in the new text.
        Frequency was counted once, in learning. If it were counted again, one word would have other tokens in
        another text.
07.border
    Somebody counts pairs across spaces and learns the token `e t`, as in "the time". When a text is encoded,
    it is cut into words first. What becomes of this token?
    - It saves most tokens of all: hardly a pair is more frequent.
        In counting it was. In encoding the e and the t stand in two words, and no merge goes across.
    - It makes an error when a text is encoded.
        There is no error, and that is the trouble: nothing shows that something is wrong.
    + It never occurs again. Its row of the embedding is never trained.
        The cut belongs to the tokenizer: learning and encoding must use the same one, or tokens are learned
        that cannot occur.
    - It stands for both words at once.
        It would if encoding did not cut at the space.
07.chinese
    A tokenizer learned from Python source until it had 8,192 tokens: English words, names, indentation. How
    many tokens does 林, a Chinese character, cost?
    - One: the unknown token.
        There is none. All 256 bytes are tokens from the beginning, and 林 has bytes like everything else.
    - One: a character is a letter.
        In the eyes of a reader. To this tokenizer it is the bytes e6 9e 97, and nothing in Python source made
        one token of them.
    + Three, one for each of its bytes.
        Nothing is unknown, and what is rare is dear: one token a byte, as if nothing had been learned. The
        price of a text depends on what the tokenizer was shown.
    - None: encoding raises an error.
        Byte-level BPE encodes every text in every script, and even bytes that are no text.
07.doubled
    On Python source that it never saw, a tokenizer of 4,096 tokens needs about 0.3 tokens a byte. Now it
    learns on, up to 8,192. By how much does the number of tokens of the same text fall?
    - By half: twice the vocabulary, twice the length of a token.
        The first merges are worth that much. Each later one is of a rarer pair than all before it.
    + By about a tenth.
        256 more tokens halve the text, from one a byte to a half. The step from 4,096 to 8,192 takes off
        about a tenth, and the embedding has twice the rows.
    - By a quarter.
        Between 512 and 1,024 tokens it is about a fifth. It becomes less with each doubling.
    - Not at all: all words are known by then.
        All frequent ones. Names of rare things are still made of two or three pieces.
07.embedding
    GPT-2's vocabulary has 50,257 tokens. You take it for a small model: 12 layers, d_model = 128, about 12 ·
    d_model² parameters a layer. Which share of the parameters are the token embedding?
    - About 1 in 100: it is one matrix of many.
        It is one matrix, and it has 50,257 rows.
    - About 1 in 10.
        Count: 50,257 · 128 is 6.4 million. The 12 layers have 12 · 12 · 128², that is 2.4 million.
    + About 3 in 4.
        6.4 of 8.8 million. A layer grows with the square of the width, the embedding with the width alone: a
        small model needs a small vocabulary.
    - None: an embedding is looked up, not learned.
        Each row is looked up by its id, and learned like every other parameter.
07.indent
    A line `return` stands once at the margin and once after 20 spaces. A tokenizer learned from Python source
    until it had 4,096 tokens. How many tokens more does the indented line cost? (Each time, the line break
    before it is counted, too.)
    - 20: one for each space.
        So it is with bytes alone. In Python source spaces in a row are among the most frequent pairs, and
        they are merged at once.
    - 5: four spaces at a time.
        Four spaces are a token, and so are eight, and the line break with 19 spaces after it.
    + None.
        The line break and 19 spaces are one token, and the last space belongs to the word: ` return` is a
        token, as `return` is. A tokenizer that learned from stories pays for almost every space.
    - 1: all spaces are one token.
        The line break would be there anyway, and the spaces join it in its token.
07.numbers
    Digits are merged like letters. How does a tokenizer of 4,096 tokens, learned from Python source, cut
    numbers of four digits?
    - In twos, from the left: 12|34.
        About one in seven is cut so. Which pairs of digits are tokens depends on how frequent they were.
    - Into single digits.
        About one in five. Some tokenizers force this, by their cut before BPE.
    - From the right, as people write 1,234.
        BPE does not know ones, tens and hundreds. Merges happen where digits were frequent.
    + Now this way, now that: 1|23|4, 1|2|34, 12|34 and others, and no way has half of the numbers.
        So two numbers that differ by one can be cut at other places, and their digits do not stand below each
        other. A model that adds must learn each way apart.
07.strawberry
    "How many r are in strawberry?" What does a model with the tokenizer of 4,096 tokens see of the last
    word?
    - Ten ids, one for each letter.
        So it would be with single bytes. Frequent neighbours have become one token.
    + A few ids, such as those of str, aw, ber and ry.
        No letter is among what it sees. How a token is spelled must be learned from texts that happen to say
        it, for each token apart. Nobody who sees four numbers can count letters in them.
    - One id that stands for the fruit.
        The word is rare in Python source. Frequent words have one id, and even then it holds no letters.
    - The bytes of its tokens, too.
        An id picks a row of the embedding, and that is all. The bytes stay in the tokenizer.
07.typed
    A program takes `<|end|>` out of what users type, by `text.replace("<|end|>", "")`. Then it writes all
    turns into one text, and wherever this text spells a marker, the model gets the marker's id. A user types
    `<|e<|end|>nd|>`. What does the model get?
    - Nothing of it: every marker is taken out.
        One is. Look at what stands before and after it.
    - Ordinary ids of `<|e` and `nd|>`.
        These two stand side by side once the middle is gone.
    + A marker: the user has ended the turn.
        What is left is `<|end|>`. Who takes out of a text what it must not spell has to think of everything.
        Who puts markers in by id, and gives texts to `encode` alone, has nothing to take out.
    - An error: the text is broken.
        It is a text like any other: nobody looks whether its brackets make sense.
07.bits
    One bigram model is counted with three vocabularies: 256, 1,024 and 4,096 tokens. On new Python source its
    mean loss is about 2.5, 4.0 and 4.7 nats a token; a token has 1, 2.4 and 3.2 bytes, on average. With which
    vocabulary does a byte of the text cost the fewest bits?
    - 256: its loss is the lowest.
        A loss for each token, and here each byte is a token: there are three times as many of them as with
        4,096.
    + 4,096.
        In bits a byte it is about 3.7, 2.4 and 2.1. A long token is harder to guess than a byte, and much
        easier than all its bytes. Compare what the whole text costs.
    - 1,024: neither too few nor too many.
        A good thought, and there is a vocabulary that is too large; in this row it is not reached.
    - It cannot be said: the tokens are not the same.
        For this reason a loss a token cannot be compared. Divided by the bytes of a token it can: the text
        has the same bytes.
""")

RECALL = recall("""
In which order does BPE merge the pairs of a new word?
    In the order in which they were learned, wherever they stand; not from the left, and not the longest
    first.
Why does byte-level BPE need no unknown token?
    All 256 bytes are tokens, and every text is bytes. What is rare costs more tokens, at most one a byte.
Why must learning and encoding cut a text into words in the same way?
    Otherwise tokens are learned that go across a cut of the encoding: they can never occur.
Why is the loss a token no measure between tokenizers, and what is?
    Longer tokens are fewer and each is harder. Bits a byte: the loss of the whole text, in bits, divided by
    its bytes.
How do the markers of a chat get into the ids, so that nobody can type one?
    By id. What is said goes through `encode` alone, which gives no special id, whatever a text spells.
Why can a row of ids not be decoded token by token?
    A letter of several bytes can be cut into several tokens: join the bytes, then decode once.
""")
