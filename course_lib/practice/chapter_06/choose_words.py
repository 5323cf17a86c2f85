"""06.choose: tasks, reasons, and what a tutor says."""

from course_lib.practice.words import entries

TASKS = entries("""
reviews
    say whether a film review is good or bad.
names
    mark each word of a sentence that belongs to a name.
search
    give each paragraph of a library one vector, so that similar paragraphs are found.
novels
    learn from a million novels, with every token as a target, and continue any text.
talk
    answer in a talk that grows turn by turn; old turns are long, and must not be read again.
speech
    turn recorded sound (vectors, no tokens) into a text, written word by word.
translation
    translate sentences, each read in both directions first; one or two stacks, as you like.
summary
    sum up a report, read in both directions first, in three sentences; memory for one stack.
""")

REASONS = entries("""
both sides
    each token is read with what stands on both sides of it, and nothing has to be written.
goes on
    there is no input apart: one text goes on, and each of its tokens can be a target.
old stays
    what is added changes no vector of what has been read; keys and values can be kept.
read, then write
    the input is whole before the first word is written, and is read in both directions.
one stack
    the input is read in both directions, and the same stack then writes.
two kinds
    input and output are of different kinds, so each has a stack of its own.
""")

INTRODUCED = """
one-family-for-all
    One family for all eight tasks: {right} of 8 are right.{each}
encoder-writes
    {right} of 8 are right, and a model that only fills gaps is to write.{each}
decoder-reads
    {right} of 8 are right, and a causal model is to read where nothing is written.{each}
another-family
    {right} of 8 are right.{each}
reason-not-true
    {right} of 8 are right; families are good, a reason is not true of its family.{each}
reason-does-not-decide
    {right} of 8 are right; families are good, a reason does not decide.{each}
"""

_FILLS = (
    "something is written here, word by word. An encoder-only model learns to fill gaps in a text that is "
    "there; it has no first word to begin with, and the page shows what comes out when it must write."
)
_TWO_STACKS = (
    "nothing is written here. The encoder would do the work, and decoder and cross-attention would have "
    "parameters and nothing to do. (T5 does let its decoder write the answer as a word.)"
)
_ALL_INPUT = (
    "nothing is written here, so the whole text would be input and all of it open. A prefix-LM with nothing "
    "but input is an encoder-only model: call it by that name."
)
_ONE_SIDE = "A decoder-only model closes to each token what stands after it, and nothing is gained by that: "
_HALF = (
    "the input has to be read in both directions, and in a decoder-only model its words see only what stands "
    "before them. (Large ones translate and sum up all the same; here the task says how it is read.)"
)
_SPLIT = (
    "only the tokens of an output would be targets, and a novel has no input apart. Every token can be a "
    "target where one text goes on under a causal mask."
)

NOT_THIS_FAMILY = {
    "reviews": {
        "decoder-only": _ONE_SIDE + "the review is whole, and no word of the answer has to wait for another.",
        "prefix-LM": _ALL_INPUT,
        "encoder-decoder": _TWO_STACKS,
    },
    "names": {
        "decoder-only": _ONE_SIDE + "often the next word tells whether this one belongs to a name.",
        "prefix-LM": _ALL_INPUT,
        "encoder-decoder": _TWO_STACKS,
    },
    "search": {
        "decoder-only": _ONE_SIDE + "a paragraph is whole before it gets its vector.",
        "prefix-LM": _ALL_INPUT,
        "encoder-decoder": _TWO_STACKS,
    },
    "novels": {"encoder-only": _FILLS, "prefix-LM": _SPLIT, "encoder-decoder": _SPLIT},
    "talk": {
        "encoder-only": _FILLS,
        "prefix-LM": "a new question joins the open input, and then every old token sees it: from the second "
        "layer on all keys and values must be computed again.",
        "encoder-decoder": "a new question joins what the encoder reads, in both directions: all old tokens "
        "see it, and must be read again.",
    },
    "speech": {
        "encoder-only": _FILLS,
        "decoder-only": "one stack reads one row of tokens, and sound is no token of its vocabulary.",
        "prefix-LM": "one stack reads one row of tokens, and sound is no token of its vocabulary.",
    },
    "translation": {"encoder-only": _FILLS, "decoder-only": _HALF},
    "summary": {
        "encoder-only": _FILLS,
        "decoder-only": _HALF,
        "encoder-decoder": "it reads and writes as it should, with two stacks. There is memory for one.",
    },
}

NOT_TRUE = {
    "both sides": "its tokens do not all see both sides, or it writes as well. That is said of a family that "
    "only reads.",
    "goes on": "that is said of a family without an input apart, in which each token can be a target.",
    "old stays": "here what is added can be seen by what has been read. It is kept only where nothing sees "
    "what comes after it.",
    "read, then write": "that is said of a family that reads an input in both directions and then writes.",
    "one stack": "that is said of one stack which reads its input in both directions and then writes.",
    "two kinds": "that is said of a family with two stacks.",
}

ASKED = {
    "reviews": "look at what is written here.",
    "names": "look at what is written here.",
    "search": "look at what is written here.",
    "novels": "look at what is a target here.",
    "talk": "look at what must not be done again.",
    "speech": "look at what comes in and what goes out.",
    "translation": "both sides are tokens of a language. Look at how the sentence is read.",
    "summary": "look at how the report is read, and at the memory.",
}
