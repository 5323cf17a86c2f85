"""Your own text: what a file may hold, and what is said of one that holds no text."""

import codecs

import pytest

from course_lib.data import own_text

TEXT = "Où est le chat ?\nOn the mat.\n\n  He sleeps. 🐈\n"


@pytest.fixture
def file(tmp_path):
    def make(content: bytes | str):
        path = tmp_path / "mine.txt"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return make


@pytest.mark.parametrize(
    "raw",
    [
        TEXT.encode(),
        codecs.BOM_UTF8 + TEXT.encode(),
        TEXT.replace("\n", "\r\n").encode(),
        TEXT.replace("\n", "\r").encode(),
        codecs.BOM_UTF8 + TEXT.replace("\n", "\r\n").encode(),
    ],
)
@pytest.mark.parametrize("at_once", [own_text.AT_ONCE, 1, 2, 7])
def test_bom_and_line_ends_leave_no_trace(file, monkeypatch, raw, at_once):
    """However the file is cut while it is read: inside a letter, between \\r and \\n."""
    monkeypatch.setattr(own_text, "AT_ONCE", at_once)
    assert own_text.read(file(raw)) == TEXT
    for n in (1, 2, 16, 17, 18, 1000):
        assert own_text.read(str(file(raw)), max_characters=n) == TEXT[:n]


def test_a_file_of_one_line_is_a_text(file):
    assert own_text.read(file("no end of line")) == "no end of line"
    assert own_text.read(file("x\r")) == "x\n"


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "mine.txt is empty, expected a text"),
        (codecs.BOM_UTF8, "is empty, expected"),
        (b" \n\r\n", "is empty but for white space"),
        (b"abc\0def", "holds bytes of 0"),
        ("abc".encode("utf-16"), "is in UTF-16, expected UTF-8: save it"),
        ("abc".encode("utf-32"), "is in UTF-32"),
        ("abc".encode("utf-16-le"), "bytes of 0, .* or in UTF-16"),
        (b"%PDF-1.7 ...", "is a PDF, expected plain text"),
        (b"PK\x03\x04....", "is a ZIP archive .*docx"),
        (b"\x89PNG\r\n", "is a picture"),
        ("one\r\ntwo\rthree déjà".encode("latin-1"), "holds the byte 0xe9 in line 3, .* Save it as UTF-8"),
        ("chat 🐈".encode()[:-1], "holds the byte 0xf0 in line 1"),  # cut inside a letter
    ],
)
def test_what_is_no_text_is_named(file, raw, words):
    with pytest.raises(ValueError, match=words):
        own_text.read(file(raw))


def test_the_line_of_a_wrong_byte_is_right_wherever_the_file_is_cut(file, monkeypatch):
    raw = b"one\r\ntwo\r\n\r\nfour\xff"
    for at_once in range(1, len(raw) + 1):
        monkeypatch.setattr(own_text, "AT_ONCE", at_once)
        with pytest.raises(ValueError, match="0xff in line 4"):
            own_text.read(file(raw))


def test_a_file_that_is_not_there_and_a_folder_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="expected a file: there is none"):
        own_text.read(tmp_path / "nowhere.txt")
    with pytest.raises(ValueError, match="this is a folder"):
        own_text.read(tmp_path)
    with pytest.raises(ValueError, match="max_characters is 0"):
        own_text.read(tmp_path / "nowhere.txt", max_characters=0)


def test_a_file_of_200_mb_is_refused_or_its_beginning_read(file):
    """A file with a hole: its size is 200 MB, and it takes no room on the disk."""
    path = file("the beginning\n" * 200_000)
    with path.open("r+b") as raw:
        raw.truncate(200_000_000)
    with pytest.raises(ValueError, match=r"mine.txt has 200 MB, expected at most 50: give max_characters=…"):
        own_text.read(path)
    assert own_text.read(path, max_characters=1_000) == ("the beginning\n" * 100)[:1_000]
    with pytest.raises(ValueError, match="holds bytes of 0"):  # it would come to the hole
        own_text.read(path, max_characters=3_000_000)


def test_parts_are_the_text():
    learned, kept = own_text.parts(TEXT * 10)
    assert learned + kept == TEXT * 10 and len(kept) == round(len(TEXT * 10) * 0.1)
    for text, asked, words in (
        ("a", {}, "text has 1 characters, of which 0 would be kept away"),
        ("abc" * 30, {"least": 65}, "expected at least 65 in each part: take a longer text"),
        (TEXT, {"kept_away": 0}, "kept_away is 0, expected a share above 0"),
        (TEXT, {"kept_away": 1.0}, "kept_away is 1.0, expected a share"),
    ):
        with pytest.raises(ValueError, match=words):
            own_text.parts(text, **asked)
