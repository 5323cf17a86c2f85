"""A reader's own text, or two, as one row of the Town's words: what chapter 08's views show.

[CLS]  anna  is  at  the  farm  .  [SEP]  she  sees  tom  .  [SEP]
"""

import re
from typing import NamedTuple

from course_lib.data import town
from course_lib.text.segments import MASK, MASK_ID, SegmentTokenizer, join
from course_lib.text.tokenizers import UNK_ID

WORDS = SegmentTokenizer(town.vocabulary("english"))
VOCABULARY = [WORDS.tokens[i] for i in WORDS.words]  # W ordinary words, in the order of their ids
MOST_CHARACTERS = 160  # of each text


class TownRow(NamedTuple):
    """T places: the special tokens around the texts, and what was typed between them."""

    typed: list[str]  # as the reader wrote it, in lower case; special tokens in their places
    ids: list[int]  # [UNK] for what is no word of the Town's
    n_first: int  # tokens of the first text

    @property
    def tokens(self) -> list[str]:
        """What each id means."""
        return [WORDS.tokens[i] for i in self.ids]

    @property
    def is_word(self) -> list[bool]:
        """Whether each place holds an ordinary word."""
        return [i in WORDS.words for i in self.ids]

    @property
    def refused(self) -> list[str]:
        """What the Town does not know."""
        return [typed for typed, i in zip(self.typed, self.ids, strict=True) if i == UNK_ID]


def row_of(first: str, second: str = "", *, blanks: bool = False) -> TownRow:
    """`[CLS] first [SEP]`, or `[CLS] first [SEP] second [SEP]`.

    Args:
        first, second: texts; a second one without a token is none.
        blanks: `[MASK]` in a text makes a blank; else it is unknown, as everything that is no word.
    """
    texts = [_tokens(text, blanks) for text in (first, second)]
    ids = [
        [MASK_ID if blanks and token == MASK else WORDS.encode([token])[0] for token in text]
        for text in texts
    ]
    row = join(ids[0], ids[1] or None).ids
    typed = iter(texts[0] + texts[1])
    own = {0, len(texts[0]) + 1} | ({len(row) - 1} if texts[1] else set())  # places of the special tokens
    return TownRow(
        [WORDS.tokens[i] if n in own else next(typed) for n, i in enumerate(row)], row, len(texts[0])
    )


def checked(text: str, name: str) -> str:
    """A text that the views take.

    Raises:
        ValueError: too long, or half of a character.
    """
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"{name} has {len(text)} characters, expected at most {MOST_CHARACTERS}")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError(f"{name} holds half of a character, expected whole ones")
    return text


def _tokens(text: str, blanks: bool) -> list[str]:
    tokens: list[str] = []
    parts = re.split(re.escape(MASK), text, flags=re.IGNORECASE) if blanks else [text]
    for i, part in enumerate(parts):
        tokens += [MASK] * (i > 0) + list(town.tokenise(part))
    return tokens
