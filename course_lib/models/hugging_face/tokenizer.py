"""A folder's tokenizer, through the `tokenizers` library or in our own class."""

from pathlib import Path

from course_lib.models.hugging_face.folder import find, name_of
from course_lib.text.bpe import BPETokenizer
from course_lib.text.gpt2_files import MERGES, VOCAB, read_gpt2_files

THEIRS = "tokenizer.json"


def load_tokenizer(where: str | Path, *, download: bool = False):
    """A model's own tokenizer, as `tokenizers.Tokenizer`.

    It cuts nothing off and pads nothing, and a special token that is spelled in a text is text.

    Args:
        where: a folder with tokenizer.json, or a name on the Hugging Face hub.
        download: fetch it from the hub if it is not there yet.

    Raises:
        FileNotFoundError: nothing there; the message says what to do.
        ConnectionError: the hub cannot be reached.
        ValueError: a file that the library cannot read.
    """
    return read_tokenizer(find(where, download, [THEIRS]))


def read_tokenizer(folder: Path):
    """As `load_tokenizer`, from a folder that is there."""
    from tokenizers import Tokenizer  # late: few readers need it

    if not (folder / THEIRS).exists():
        raise FileNotFoundError(f"no {THEIRS} in {name_of(folder)}: expected the model's own tokenizer")
    try:
        tokenizer = Tokenizer.from_file(str(folder / THEIRS))
    except Exception as error:  # the library has no class of its own for it
        raise ValueError(f"{THEIRS} of {name_of(folder)} cannot be read ({error}): get it again") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.encode_special_tokens = True  # "[SEP]" in a reader's text is text
    return tokenizer


def load_bpe(where: str | Path, *, download: bool = False) -> BPETokenizer:
    """GPT-2's tokenizer in our own class, from its vocab.json and merges.txt; the rest as above."""
    return read_gpt2_files(find(where, download, [VOCAB, MERGES]))
