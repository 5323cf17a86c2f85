"""What stands before BPE: a text is cut into words, and a word into bytes.

    split        text → words, by GPT-2's rule
    byte_ids     word → ids of its bytes
    printable    bytes → letters that can be seen

Training and encoding both come through here. If they cut differently, some tokens could never occur.

Source: Radford et al. 2019, section 2.2 (bytes; merges stay inside words), and the code released with it
(the pattern, and the order of the bytes).
"""

import regex

# The 256 bytes as tokens: first those that Latin-1 can print ('!' has id 0, 'a' has 64), then the others.
# GPT-2 writes the others as the letters from Ā on, so that every token can be printed: Ġ is a space.
PRINTABLE = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
BYTES = bytes([*PRINTABLE, *(byte for byte in range(256) if byte not in PRINTABLE)])  # id -> byte
BYTE_IDS = bytes(BYTES.index(byte) for byte in range(256))  # byte -> id
LETTERS = [chr(byte) for byte in PRINTABLE] + [chr(256 + i) for i in range(256 - len(PRINTABLE))]

# GPT-2's rule: 's 't 'm 'd 're 've 'll, or one space at most and then letters, digits, or other signs, or
# white space. Of several white spaces, the last one is left to the word behind it.
_WORDS = regex.compile(r"'(?:[stmd]|re|ve|ll)| ?(?:\p{L}+|\p{N}+|[^\s\p{L}\p{N}]+)|\s+(?!\S)|\s+")


def split(text: str) -> list[str]:
    """A text to words, by GPT-2's rule; joined, they are the text.

    Raises:
        ValueError: no text, or half of a character (a lone surrogate), which UTF-8 cannot write.
    """
    if not isinstance(text, str):
        raise ValueError(f"text is a {type(text).__name__}, expected a string: are these ids already?")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"text holds {text[error.start]!r}, half of a character, expected whole ones: was a text in "
            "UTF-16 cut in the middle? What is no UTF-8 can be encoded as bytes"
        ) from error
    return _WORDS.findall(text)


def split_bytes(text: bytes) -> list[str]:
    """Bytes to words, by the same rule.

    What is no UTF-8 stands in a word as Python's surrogateescape writes it; `byte_ids` takes it back.
    """
    return _WORDS.findall(text.decode("utf-8", "surrogateescape"))


def byte_ids(word: str) -> list[int]:
    """A word to the ids of its bytes in UTF-8: `"a!"` to `[64, 0]`."""
    return list(word.encode("utf-8", "surrogateescape").translate(BYTE_IDS))


def printable(token: bytes) -> str:
    """The bytes of a token in GPT-2's letters, all of which can be seen: `b" the"` to `"Ġthe"`."""
    return "".join(LETTERS[i] for i in token.translate(BYTE_IDS))
