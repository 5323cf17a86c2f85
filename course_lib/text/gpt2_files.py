"""GPT-2's tokenizer as it was released, two files, into our own class.

    merges.txt    the merges in the order in which they were learned, one a line, in letters that can be seen
    vocab.json    each token and its id

Bytes have their ids in the order of `presplit.BYTES`, then come the merged tokens, then the special ones. So
merges.txt alone says every id but the special tokens', and vocab.json is held beside it.
"""

import json
from pathlib import Path

from course_lib.text.bpe import BPETokenizer, pairs_of
from course_lib.text.presplit import printable

VOCAB, MERGES = "vocab.json", "merges.txt"


def read_gpt2_files(folder: Path | str) -> BPETokenizer:
    """A tokenizer from vocab.json and merges.txt.

    Tokens that no merge makes are special: they have an id, and no text is ever encoded as one.

    Args:
        folder: where the two files lie.

    Raises:
        FileNotFoundError: one of them is missing.
        ValueError: a damaged file, or ids in another order than GPT-2's.
    """
    folder = Path(folder)
    for name in (VOCAB, MERGES):
        if not (folder / name).exists():
            raise FileNotFoundError(f"no {name} in {folder.name}: expected {VOCAB} and {MERGES}, as of GPT-2")
    try:
        ids = json.loads((folder / VOCAB).read_text(encoding="utf-8"))
        names = sorted(ids, key=ids.get)  # id → token
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"{VOCAB} is damaged: expected tokens with their ids; get it again") from error
    pairs = _read_merges(folder / MERGES)
    ours = BPETokenizer(pairs, names[256 + len(pairs) :])
    n_texts = len(ours) - len(ours.special)
    for i, token in enumerate(ours.tokens):
        name = printable(token) if i < n_texts else token.decode()
        if ids.get(name) != i:
            raise ValueError(
                f"{VOCAB} gives {name!r} the id {ids.get(name)}, expected {i}: 256 bytes in GPT-2's order, "
                "then the merged tokens, then the special ones; is it the tokenizer of another model?"
            )
    return ours


def _read_merges(path: Path) -> list[tuple[int, int]]:
    """The merges as pairs of ids. Only the first line can be a remark: later ones may well merge `#`."""
    lines = path.read_text(encoding="utf-8").split("\n")
    merges = [line.split(" ") for line in lines[lines[0].startswith("#version") :] if line]
    try:
        return pairs_of(merges)
    except (ValueError, KeyError) as error:
        raise ValueError(
            f"{path.name} is damaged ({error!r}): expected two tokens a line, each a byte or merged before"
        ) from error
