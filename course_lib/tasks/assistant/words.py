"""The assistant's vocabulary: the Town's, then new words and digits, then the markers of a chat.

The ids of the Town's GPT stay as they are, so its embedding grows by rows behind the old ones
(`models.gpt_words.extended`).
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from course_lib.data import town
from course_lib.data.town.questions import new_words
from course_lib.tasks.town_gpt import WORDS as TOWN_WORDS
from course_lib.text.chat import ChatWords
from course_lib.text.tokenizers import SPECIAL_TOKENS

DIGITS = frozenset("0123456789")


class AssistantWords(ChatWords):
    """Any text to words, signs and single digits; and ids to a text in which digits of a number touch."""

    def split(self, text: str) -> list[str]:
        """Text to tokens: `Where is Tom? 17*2` is where, is, tom, ?, 1, 7, ×, 2."""
        signs = {"*": "×", "·": "×", "/": "÷", "−": "-"}
        return [signs.get(token, token) for token in town.tokenise(text)]

    def decode(self, ids: Iterable[int]) -> str:
        """Ids to text, up to the first `[EOS]`: `that is 42 .`"""
        return written(self.decode_tokens(ids))


def written(tokens: Sequence[str]) -> str:
    """Tokens as a text, with spaces between all but the digits of a number."""
    if not tokens:
        return ""
    gaps = ("" if {a, b} <= DIGITS else " " for a, b in pairwise(tokens))
    return "".join(part for pair in zip(tokens, (*gaps, ""), strict=True) for part in pair)


WORDS = AssistantWords([*TOWN_WORDS.tokens[len(SPECIAL_TOKENS) :], *new_words()])
END_ID = WORDS.special["<|end|>"]
