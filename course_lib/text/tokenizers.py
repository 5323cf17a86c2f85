"""Text to token ids and back: by characters or by words.

Four special tokens stand first in every vocabulary. Padding has an id of its own; it never ends a text.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from functools import cached_property
from operator import index

PAD, BOS, EOS, UNK = "[PAD]", "[BOS]", "[EOS]", "[UNK]"
SPECIAL_TOKENS = (PAD, BOS, EOS, UNK)
PAD_ID, BOS_ID, EOS_ID, UNK_ID = range(4)


def fingerprint(*content: object) -> str:
    """Sixteen signs that differ when the content does: lists, texts and numbers that say what each id means.

    A checkpoint's card carries them, so that nobody reads its model through another tokenizer.
    """
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


def known_id(i: int, vocab_size: int) -> int:
    """An id as a whole number; a tensor or an array of one whole number is welcome.

    Raises:
        ValueError: no id of a vocabulary of this size.
    """
    try:
        number = index(i)
    except TypeError:
        number = -1
    if not 0 <= number < vocab_size:
        raise ValueError(
            f"ids holds {i!r}, expected one row of whole numbers from 0 to {vocab_size - 1}: "
            "are these labels, in which -100 is not counted, or a whole batch?"
        )
    return number


class WordTokenizer:
    """Tokens are what stands between spaces: words of a sentence, sounds of a word.

    Args:
        tokens: every token that has an id, without the special ones; order gives the ids.

    Raises:
        ValueError: a token occurs twice, is empty, is spelled like a special token, or would be split.
    """

    separator = " "

    def __init__(self, tokens: Iterable[str]) -> None:
        self.tokens = SPECIAL_TOKENS + tuple(tokens)
        self.ids = {token: i for i, token in enumerate(self.tokens)}
        if "" in self.ids:
            raise ValueError(
                "tokens holds an empty string, expected visible tokens: was a line split at '\\n'?"
            )
        if len(self.ids) != len(self.tokens):
            twice = next(token for i, token in enumerate(self.tokens) if self.ids[token] != i)
            raise ValueError(
                f"tokens holds {twice!r} twice, expected each once; {', '.join(SPECIAL_TOKENS)} are built in"
            )
        for token in self.tokens[len(SPECIAL_TOKENS) :]:
            if not isinstance(token, str) or self.split(token) != [token]:
                raise ValueError(
                    f"tokens holds {token!r}, expected single tokens: in a text it would be split"
                )

    def __len__(self) -> int:
        """The size of the vocabulary V, special tokens included."""
        return len(self.tokens)

    @cached_property
    def fingerprint(self) -> str:
        """Sixteen signs that differ when any id would mean another token."""
        return fingerprint(self.separator, self.tokens)

    def split(self, text: str) -> list[str]:
        """Text to tokens."""
        return text.split()

    def encode(self, text: str | Sequence[str], *, bos: bool = False, eos: bool = False) -> list[int]:
        """Text, or tokens already split, to ids.

        Args:
            text: a string, or a sequence of tokens.
            bos, eos: put `[BOS]` before, `[EOS]` behind.

        Returns:
            ids; a token that is not in the vocabulary becomes `[UNK]`. A user's text can never make a special
            token: `[EOS]` typed in a text is unknown.

        Raises:
            ValueError: the sequence holds something else than strings.
        """
        tokens = self.split(text) if isinstance(text, str) else list(text)
        strange = next((token for token in tokens if not isinstance(token, str)), None)
        if strange is not None:
            raise ValueError(f"text holds {strange!r}, expected a string or strings: are these ids already?")
        ids = [UNK_ID if token in SPECIAL_TOKENS else self.ids.get(token, UNK_ID) for token in tokens]
        return [BOS_ID] * bos + ids + [EOS_ID] * eos

    def decode_tokens(self, ids: Iterable[int]) -> list[str]:
        """Ids to tokens, up to the first `[EOS]`; `[PAD]` and `[BOS]` are left out.

        Raises:
            ValueError: not one row of ids of this vocabulary.
        """
        tokens = []
        for i in (known_id(i, len(self)) for i in ids):
            if i == EOS_ID:
                break
            if i not in (PAD_ID, BOS_ID):
                tokens.append(self.tokens[i])
        return tokens

    def decode(self, ids: Iterable[int]) -> str:
        """Ids to text, up to the first `[EOS]`; raises as `decode_tokens`."""
        return self.separator.join(self.decode_tokens(ids))


class CharacterTokenizer(WordTokenizer):
    """Tokens are single characters.

    Args:
        characters: the alphabet, as one string or several characters.
    """

    separator = ""

    def split(self, text: str) -> list[str]:
        """Text to characters."""
        return list(text)
