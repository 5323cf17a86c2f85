"""Your own text: any file that an editor saves as plain text in UTF-8.

    text = own_text.read("notes.txt")
    learned, kept_away = own_text.parts(text)

What differs from machine to machine and means nothing is gone after reading: the mark that some editors put
at the front (U+FEFF), and the line ends of Windows and of old Macs. Nothing else is changed. What cannot be
text is refused, with the reason: an empty file, bytes of a program or a picture, another encoding.
"""

import codecs
from pathlib import Path

LARGEST = 50_000_000  # bytes read without being asked: a model of this course learns from far less
AT_ONCE = 1 << 20  # bytes
_OTHER_ENCODINGS = {
    codecs.BOM_UTF32_LE: "UTF-32",  # before UTF-16, with which it begins
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
_KINDS = {
    b"%PDF": "a PDF",
    b"PK\x03\x04": "a ZIP archive (.docx, .odt and .epub are such archives, too)",
    b"\x1f\x8b": "a gzip archive",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
}


def read(path: Path | str, *, max_characters: int | None = None) -> str:
    """The text of a file, with `\\n` at the end of each line.

    Args:
        path: the file; `~` is your own folder.
        max_characters: only so many from the beginning; a file of any size may then be given.

    Returns:
        the text; at least one character of it can be seen.

    Raises:
        FileNotFoundError: no such file.
        ValueError: a folder, an empty file, a file above 50 MB without `max_characters`, bytes that are no
            text in UTF-8, or `max_characters` below 1.
    """
    path = Path(path).expanduser()
    if max_characters is not None and max_characters < 1:
        raise ValueError(f"max_characters is {max_characters}, expected at least 1")
    if not path.exists():
        raise FileNotFoundError(
            f"path is {str(path)!r}, expected a file: there is none, seen from {Path.cwd()}"
        )
    if not path.is_file():
        raise ValueError(f"path is {str(path)!r}, expected a file: this is a folder or a device")
    size = path.stat().st_size
    if size > LARGEST and max_characters is None:
        raise ValueError(
            f"{path.name} has {size / 1e6:,.0f} MB, expected at most {LARGEST / 1e6:.0f}: give "
            "max_characters=… to read its beginning alone"
        )
    text = _decoded(path, max_characters)
    if not text.strip():
        raise ValueError(f"{path.name} is empty{' but for white space' * bool(text)}, expected a text")
    return text


def parts(text: str, kept_away: float = 0.1, least: int = 1) -> tuple[str, str]:
    """The beginning of a text to learn from, and its end, which is kept away.

    Args:
        text: from `read`.
        kept_away: share of its characters.
        least: characters that each part must have, such as one window of a model and one more.

    Raises:
        ValueError: a share that is not above 0 and below 1, or a text too short for two such parts.
    """
    if not 0 < kept_away < 1:
        raise ValueError(f"kept_away is {kept_away}, expected a share above 0 and below 1")
    at = len(text) - round(len(text) * kept_away)
    if min(at, len(text) - at) < max(1, least):
        raise ValueError(
            f"text has {len(text):,} characters, of which {len(text) - at:,} would be kept away "
            f"(kept_away = {kept_away}), expected at least {max(1, least):,} in each part: take a longer text"
        )
    return text[:at], text[at:]


def _decoded(path: Path, max_characters: int | None) -> str:
    """As much of the file as is asked for; no more of it is read."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    found, n, held = [], 0, ""
    with path.open("rb") as file:
        _refuse_other_kinds(path, file.read(4))
        file.seek(0)
        while max_characters is None or n < max_characters:
            raw = file.read(AT_ONCE)
            if b"\0" in raw:
                raise ValueError(
                    f"{path.name} holds bytes of 0, expected text in UTF-8: is it no text, or in UTF-16?"
                )
            try:
                piece = held + decoder.decode(raw, final=not raw)
            except UnicodeDecodeError as error:
                line = 1 + _breaks("".join(found) + held + error.object[: error.start].decode("utf-8"))
                raise ValueError(
                    f"{path.name} holds the byte 0x{error.object[error.start]:02x} in line {line}, where "
                    "UTF-8 has none, expected text in UTF-8: is it in an older encoding? Save it as UTF-8 in "
                    "your editor"
                ) from error
            held = "\r" if piece.endswith("\r") and raw else ""  # its "\n" may come with the next piece
            piece = _with_one_line_end(piece[: len(piece) - len(held)])
            found.append(piece if n else piece.removeprefix("\ufeff"))
            n += len(found[-1])
            if not raw:
                break
    return "".join(found)[:max_characters]


def _with_one_line_end(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _breaks(text: str) -> int:
    return _with_one_line_end(text).count("\n")


def _refuse_other_kinds(path: Path, raw: bytes) -> None:
    """What the first bytes give away."""
    for mark, name in _OTHER_ENCODINGS.items():
        if raw.startswith(mark):
            raise ValueError(f"{path.name} is in {name}, expected UTF-8: save it as UTF-8 in your editor")
    for mark, kind in _KINDS.items():
        if raw.startswith(mark):
            raise ValueError(f"{path.name} is {kind}, expected plain text: export it as text")
