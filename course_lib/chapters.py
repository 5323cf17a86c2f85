"""The chapters of the course in one table: what the map, README, recall, progress and pages' headers read."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Chapter:
    """One chapter.

    Args:
        number: two digits, as in `recall("02")`; a chapter of two pages has "a" and "b" behind them.
        title: as at the top of its page.
        question: the one that it answers.
        minutes: to read and to run the page; all exercises come on top.
        page: its file in notebooks/.
        written: whether the page is there; the others are coming.
    """

    number: str
    title: str
    question: str
    minutes: int
    page: str
    written: bool


WRITTEN = 13  # so many chapters, from 00 on, have their page; the others are coming
# number title | question | minutes | name of the page
_COURSE = """
00 Start here | What will I be able to build? | 25 | start_here
01 Bahdanau attention | How can a translator look back at the sentence? | 90 | bahdanau_attention
02 Queries, keys, values | What is left of attention when the recurrent network is gone? | 95 | qkv_attention
03 Multi-head attention | Why ask the same sentence several questions at once? | 90 | multi_head_attention
04 Masking | Who may look at whom? | 90 | masking
05 The Transformer | What does it take to drop recurrence altogether? | 95 | transformer
06 Three families | Encoder, decoder, or both? | 80 | three_families
07 Tokenization | What is a token? | 85 | tokenization
08 BERT | What can be learned by filling blanks? | 90 | bert_mlm
09a GPT pretraining | How does predicting the next token become a language model? | 85 | gpt_pretraining
09b GPT, faster | What makes the same training faster, and how far does more help? | 75 | gpt_faster
10a Instruction tuning | How does a text predictor become an assistant? | 95 | instruction_tuning
10b Preferences and rewards | How does it learn which answers are better? | 95 | preferences_and_rewards
11 Beyond text | How does a language model get eyes and ears? | 90 | beyond_text
12 Looking inside | What did it learn, and does attention tell? | 90 | looking_inside
"""
CHAPTERS = {
    number: Chapter(number, title, question, int(minutes), f"{number}_{name}.ipynb", n < WRITTEN)
    for n, row in enumerate(_COURSE.split("\n")[1:-1])
    for number, rest in [row.split(" ", 1)]
    for title, question, minutes, name in [rest.split(" | ")]
}


def number_of(page: str) -> str:
    """The number of the chapter to which a page belongs, by its file's name."""
    return page.partition("_")[0]


def find(number: str) -> Chapter:
    """The chapter with this number. Raises ValueError for a number that the course does not have."""
    if number not in CHAPTERS:
        raise ValueError(
            f'chapter is {number!r}; expected two digits from "00" to "{max(CHAPTERS)}", as in "02", or "09a"'
        )
    return CHAPTERS[number]


def following(number: str) -> Chapter | None:
    """The chapter after this one; None after the last. Raises ValueError as `find` does."""
    numbers = list(CHAPTERS)
    after = numbers.index(find(number).number) + 1
    return CHAPTERS[numbers[after]] if after < len(numbers) else None
