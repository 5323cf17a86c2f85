"""vocab.json and merges.txt, as GPT-2's tokenizer was released, in our own class."""

import json

import pytest
from tokenizers import Tokenizer, models
from tokenizers.pre_tokenizers import ByteLevel

from course_lib.data import town
from course_lib.text.bpe import train_bpe
from course_lib.text.gpt2_files import read_gpt2_files
from course_lib.text.presplit import printable

END, PAD = "<|endoftext|>", "<|pad 小|>"
TEXTS = [story.french for story in town.stories(80, seed=3)] + ["# ## ###\n" * 9, "小小 👍🏽 👍🏽"]


@pytest.fixture(scope="module")
def trained():
    return train_bpe(TEXTS, 420, [END, PAD])


@pytest.fixture
def folder(trained, tmp_path):
    """Written here by hand, in the form in which GPT-2's were released."""
    names = [printable(token) for token in trained.tokens]
    lines = ["#version: 0.2", *(f"{names[i]} {names[j]}" for i, j in trained.merges), ""]
    (tmp_path / "merges.txt").write_text("\n".join(lines), encoding="utf-8")
    n_texts = len(trained) - 2
    ids = {name: i for i, name in enumerate(names[:n_texts])} | trained.special
    (tmp_path / "vocab.json").write_text(json.dumps(ids), encoding="utf-8")
    return tmp_path


def test_the_same_tokenizer_comes_back(trained, folder):
    ours = read_gpt2_files(folder)
    assert ours.fingerprint == trained.fingerprint
    assert ours.special == {END: 418, PAD: 419}
    assert any(token == b"##" for token in ours.tokens)  # its line begins with the sign of a remark


def test_ids_are_those_of_tokenizers_from_the_same_files(folder):
    theirs = Tokenizer(models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt")))
    theirs.pre_tokenizer = ByteLevel(add_prefix_space=False)
    ours = read_gpt2_files(folder)
    for text in (*TEXTS, f"a{END}b", "  \r\n\tno, it's ÿ\u0085\u2028 x", ""):
        assert ours.encode(text) == theirs.encode(text).ids
    assert 418 not in ours.encode(f"a{END}b")


def test_windows_line_ends(folder, trained):
    content = (folder / "merges.txt").read_bytes()
    (folder / "merges.txt").write_bytes(content.replace(b"\n", b"\r\n"))
    assert read_gpt2_files(folder).fingerprint == trained.fingerprint


def test_missing_and_damaged_files(folder):
    vocab, merges = folder / "vocab.json", folder / "merges.txt"
    good = merges.read_text(encoding="utf-8").split("\n")
    for bad, said in (
        (good[:1] + good[9:], "KeyError"),  # what later merges are made of is missing
        ([*good[:3], "a b c", *good[3:]], "damaged.*expected two tokens a line"),
    ):
        merges.write_text("\n".join(bad), encoding="utf-8")
        with pytest.raises(ValueError, match=said):
            read_gpt2_files(folder)
    merges.write_text("\n".join(good), encoding="utf-8")
    for bad in ("[1, 2]", "{", '{"a": [1]}', '{"a": 1, "b": "c"}'):
        vocab.write_text(bad)
        with pytest.raises(ValueError, match=r"vocab.json (is damaged|gives)"):
            read_gpt2_files(folder)
    vocab.unlink()
    with pytest.raises(FileNotFoundError, match=r"no vocab.json in .*expected vocab.json and merges.txt"):
        read_gpt2_files(folder)


def test_ids_in_another_order_are_named(folder):
    """As in files of models whose special tokens come first."""
    vocab = folder / "vocab.json"
    ids = json.loads(vocab.read_text(encoding="utf-8"))
    vocab.write_text(json.dumps({name: (i + 2) % 420 for name, i in ids.items()}))
    with pytest.raises(ValueError, match=r"vocab.json gives '!' the id 2, expected 0: 256 bytes in GPT-2's"):
        read_gpt2_files(folder)
    vocab.write_text(json.dumps({name: i for name, i in ids.items() if i != 300}))
    with pytest.raises(ValueError, match=r"the id None, expected 300"):
        read_gpt2_files(folder)
