"""BpeStepper and ColouredTokens without a browser; their scripts give our ids where Node can run them."""

import json
import random
import shutil
import subprocess

import pytest
import regex

from course_lib.text.bpe import BPETokenizer, train_bpe
from course_lib.text.presplit import LETTERS, split
from course_lib.text.tokenizers import CharacterTokenizer
from course_lib.viz.tokens import token_cells
from course_lib.widgets import BpeStepper, ColouredTokens
from course_lib.widgets.front import BROWSER

SIGNS = "aaabcd  'stre\n\t\r.,_12é猫👍🏽\u00a0\u2003\u0085\ufeff\u200d\u0301٣Ⅷ\x1c\u2028"
CORPUS = (
    "a cat and a hat, the cat's hat, the 猫 and the 猫猫, été, l'été 12 123\n\n    the cat\n    aaaa aaab"
)
BPE, BYTES_ONLY = train_bpe(CORPUS * 3, 300), train_bpe("", 256)


def browser_sends(widget, **state) -> None:
    """What arrives when the browser has changed these traits, in one message."""
    widget.set_state(state)


def test_the_stepper_is_the_librarys_training():
    view = BpeStepper(step=5)
    bpe = train_bpe(view.text, 261)
    assert view.merges() == bpe.merges and view.tokenizer().fingerprint == bpe.fingerprint
    assert (view.step, view.picks, view.start) == (5, [], {"text": view.text, "step": 5, "picks": []})
    assert view.states[0].ties == 1 and any(state.ties > 1 for state in view.states)
    view.step = 0
    assert view.merges() == [] and view.still().alt.endswith("Next merge: “a” + “t”.")


def test_the_tie_of_the_known_example_and_the_other_way():
    view = BpeStepper("aaabdaaabac", step=4)
    assert [view.tokenizer().decode([256 + i]) for i in range(4)] == ["aa", "ab", "aaab", "ac"]
    view.picks = [0, 1]
    assert view.merges()[:2] == [(64, 64), (256, 64)] and view.tokenizer().decode([257]) == "aaa"
    assert "“aa” + “a”" not in view.still().alt
    view.step = 1
    assert "2 pairs tie. Next merge: “aa” + “a”." in view.still().alt
    view.step = len(view.states) - 1
    assert "No merge follows." in view.still().alt


def test_another_text_keeps_the_step_inside_and_the_browser_changes_all_at_once():
    view = BpeStepper("the cat the hat", step=3)
    browser_sends(view, text="ab", step=7, picks=[])
    assert (view.text, view.step) == ("ab", 1)
    view.text = "x"
    assert view.step == 0 and view.merges() == []
    view.text = ""
    assert view.still().alt.startswith("BPE learns tokens, one merge after another. Words as tokens: none.")
    assert "⟨c3⟩ | ⟨a9⟩ × 1" in BpeStepper("é").still().alt


def test_what_the_stepper_refuses():
    with pytest.raises(ValueError, match="text has 601 characters, expected at most 600"):
        BpeStepper("a" * 601)
    with pytest.raises(ValueError, match="half of a character"):
        BpeStepper("a\ud83d")
    with pytest.raises(ValueError, match="step is 9, expected 0 to 1: the merges of this text"):
        BpeStepper("ab", step=9)
    with pytest.raises(ValueError, match="n_merges is 0, expected at least 1"):
        BpeStepper(n_merges=0)


def test_coloured_tokens_hold_ids_cells_and_merges():
    view = ColouredTokens({"learned": BPE, "bytes": BYTES_ONLY}, "the 猫", examples={"French": "été"})
    assert view.encoded() == {"learned": BPE.encode("the 猫"), "bytes": BYTES_ONLY.encode("the 猫")}
    assert [cell.shown for cell in view.cells()["bytes"]] == ["t", "h", "e", "·", "⟨e7⟩", "⟨8c⟩", "⟨ab⟩"]
    assert view.examples == [["French", "été"]] and view.start == {"text": "the 猫", "ids": False}
    assert view.packed[1] == b"" and len(view.packed[0]) == 8 * len(BPE.merges)
    assert view.packed[0][:4] == BPE.merges[0][0].to_bytes(4, "little")
    view.text = "été"
    assert "bytes: 5 tokens for 5 bytes, 1.00 a byte" in view.still().alt
    assert ColouredTokens(BPE, "").names == ["tokens"] and "0 tokens" in ColouredTokens(BPE, "").still().alt


def test_no_text_makes_a_special_token():
    special = BPETokenizer(BPE.merges, ["[EOS]"])
    view = ColouredTokens(special, "[EOS]")
    assert view.encoded()["tokens"] == BPE.encode("[EOS]") and special.special["[EOS]"] == len(BPE)


def test_what_coloured_tokens_refuse():
    with pytest.raises(ValueError, match="expected one tokenizer, or name → tokenizer, 1 to 4 of them"):
        ColouredTokens({}, "a")
    with pytest.raises(
        ValueError, match=r"tokenizers\['letters'\] is a CharacterTokenizer, expected a BPETok"
    ):
        ColouredTokens({"letters": CharacterTokenizer("abc")}, "a")
    with pytest.raises(ValueError, match="text has 2001 characters, expected at most 2000"):
        ColouredTokens(BPE, "a" * 2001)
    with pytest.raises(ValueError, match=r"examples\['x'\] holds half of a character"):
        ColouredTokens(BPE, "a", examples={"x": "\ud83d"})


# The scripts themselves. The browser tests ask the same of Chromium.

NODE = shutil.which("node")
ASK = """
const asked = JSON.parse(require("fs").readFileSync(0, "utf8"));
const view = (bytes) => new DataView(Uint8Array.from(bytes).buffer);
const tokenizers = asked.packed.map((bytes) => tokenizerOf(unpackedMerges(view(bytes))));
const isSpace = (c) => /\\p{White_Space}/u.test(String.fromCodePoint(c));
const pairOf = ({ left, right, count, words, tied }) => [left, right, count, [...words], tied];
const stateOf = ({ words, pairs, pick, ties }) => ({ words, pick, ties, pairs: pairs.map(pairOf) });
console.log(JSON.stringify({
  spaces: range(0, 0x10ffff).filter(isSpace), words: asked.texts.map(splitWords),
  ids: tokenizers.map((one) => asked.texts.map(one.encode)),
  cells: asked.bytes.map(cellOf),
  trainings: asked.trainings.map(([text, picks]) => mergeStates(text, 12, picks).states.map(stateOf)),
  whole: wholeText("a\\ud83d"),
}));
"""


@pytest.fixture(scope="module")
def drawn_texts() -> list[str]:
    draw = random.Random(0)
    texts = ["".join(draw.choices(SIGNS, k=draw.randrange(30))) for _ in range(300)]
    return [
        *texts,
        CORPUS,
        "",
        "  a",
        "a  b\n\n c",
        "can can can't",
        "strawberry RR",
        "a" * 300,
        "x'S 'll 'LL",
    ]


@pytest.fixture(scope="module")
def answers(drawn_texts) -> dict:
    if NODE is None:
        pytest.skip("without Node the scripts run in the browser tests only")
    parts = ("bpe/encoding", "bpe_stepper/merging")
    source = "\n".join((BROWSER / f"{part}.js").read_text("utf-8") for part in parts) + ASK
    draw = random.Random(1)
    asked = {
        "texts": drawn_texts,
        "packed": [list(ColouredTokens(one, "").packed[0]) for one in (BPE, BYTES_ONLY)],
        "bytes": [list(token) for token in tokens_to_draw()],
        "trainings": [
            [text, [draw.randrange(4) for _ in range(draw.randrange(12))]] for text in drawn_texts[:120]
        ],
    }
    done = subprocess.run(
        [NODE, "-e", source], input=json.dumps(asked), capture_output=True, text=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    return {**json.loads(done.stdout), "asked": asked}


def tokens_to_draw() -> list[bytes]:
    draw = random.Random(2)
    texts = ["".join(draw.choices(SIGNS, k=6)).encode() for _ in range(200)]
    cut = [text[draw.randrange(4) : draw.randrange(4, 12)] for text in texts]
    broken = [
        bytes(draw.choices([0x61, 0x80, 0xBF, 0xC0, 0xC3, 0xE0, 0xED, 0xA0, 0xF0, 0xF4, 0xF8], k=5))
        for _ in texts
    ]
    return [*BPE.tokens, *cut, *broken, "\ufeffa\u202eb".encode()]


def test_the_browser_splits_and_encodes_as_python(answers, drawn_texts):
    assert answers["spaces"] == [ord(c) for c in regex.findall(r"\s", "".join(map(chr, range(0x110000))))]
    assert answers["words"] == [split(text) for text in drawn_texts]
    for ids, tokenizer in zip(answers["ids"], (BPE, BYTES_ONLY), strict=True):
        assert ids == [tokenizer.encode(text) for text in drawn_texts]
    assert max(map(max, filter(None, answers["ids"][0]))) > len(BPE) - 4  # late merges, too
    assert answers["whole"] == "a\ufffd"


def test_the_browser_draws_tokens_as_python(answers):
    tokens = tokens_to_draw()
    expected = [cell._asdict() for cell in token_cells(range(len(tokens)), tokens)]
    for mine, cell in zip(answers["cells"], expected, strict=True):
        cell.pop("id")
        assert mine == cell


def test_the_browser_trains_as_python(answers):
    ids = {letter: i for i, letter in enumerate(LETTERS)}
    seen = set()
    for (text, picks), states in zip(answers["asked"]["trainings"], answers["trainings"], strict=True):
        view = BpeStepper(text, picks=picks, n_merges=12)
        python = view.states
        assert len(states) == len(python)
        known = ids | {token: 256 + n for n, token in enumerate(python[-1].learned)}
        for mine, state in zip(states, python, strict=True):
            assert mine["words"] == [[known[token] for token in word] for word in state.words]
            assert mine["pairs"] == [
                [known[pair.left], known[pair.right], pair.count, list(pair.words), pair.tied]
                for pair in state.pairs
            ]
            assert mine["ties"] == state.ties
            seen.add(mine["pick"])
    assert {0, 1, 2} <= seen
