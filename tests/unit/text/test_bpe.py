"""Byte-level BPE: equal to Hugging Face `tokenizers`, and every text comes back as it was."""

import sys
import time
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers, trainers
from tokenizers.pre_tokenizers import ByteLevel

from course_lib.data import python_library, town
from course_lib.text.bpe import BPETokenizer, merge, merge_by_rank, train_bpe
from course_lib.text.presplit import BYTES, LETTERS, byte_ids, printable, split

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"  # as it was released
FRENCH = "L'été dernier, « Où est-ce ? » demanda-t-elle ; l'œuvre coûtait 12 000 €… déjà vu, n'est-ce pas ? "
CHINESE = "今天天气很好,我们去公园散步。他说:“你好!”二〇二六年十一月,她买了3本书。我们今天很好。"
EMOJI = "I 👍🏽 it 😀😀😀 👩‍👩‍👧‍👦 🇫🇷🇨🇳 ok!! ❤️❤️ — e\u0301 naïve\r\n\t x\u00a0y\u2003z  "


def stories(language: str, n: int = 300) -> str:
    return "\n".join(getattr(story, language) for story in town.stories(n, seed=3))


CORPORA = {  # name -> (text to learn from, text to encode)
    "Town": lambda: (stories("english"), stories("english", 40)),
    "French Town": lambda: (stories("french"), stories("french", 40)),
    "Python": lambda: (
        python_library.text(max_characters=150_000),
        python_library.text("validation", max_characters=50_000),
    ),
    "English": lambda: (ENGLISH * 3, ENGLISH[::-1]),
    "French": lambda: (FRENCH * 5, FRENCH[::-1]),
    "Chinese": lambda: (CHINESE * 5, CHINESE[::-1]),
    "emoji": lambda: (EMOJI * 5, EMOJI[::-1]),
    "one letter": lambda: ("aaaaaaaaa aaaa aaa aa " * 3, "aaaaa aaaaaaaaaaaaaaaa"),
}
ENGLISH = (
    sys.copyright
    + " "
    + "Hello, it's John's; they'll say \"we've won\"! He'd I'm you're CAN'T. 'round 1,234.50 "
)


def theirs(texts: list[str], vocab_size: int) -> Tokenizer:
    """The same training in `tokenizers`."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size, initial_alphabet=ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


@pytest.mark.parametrize("name", CORPORA)
@pytest.mark.parametrize("vocab_size", [256, 300, 1500])
def test_merges_and_ids_are_those_of_tokenizers(name, vocab_size):
    text, new = CORPORA[name]()
    ours, reference = train_bpe(text, vocab_size), theirs([text], vocab_size)
    vocabulary = {printable(token): i for i, token in enumerate(ours.tokens)}
    assert vocabulary == reference.get_vocab()  # each merge has the next id: the order is the same, too
    for one in (text, new, new * 2, ""):
        assert ours.encode(one) == reference.encode(one).ids
        assert ours.decode(reference.encode(one).ids) == one


def test_texts_apart_are_those_of_tokenizers_too():
    texts = [stories("english", 30), FRENCH, CHINESE]
    ours, reference = train_bpe(iter(texts), 600), theirs(texts, 600)
    assert {printable(token): i for i, token in enumerate(ours.tokens)} == reference.get_vocab()
    assert train_bpe(["ab", "ab"], 300).tokens[256:] == [b"ab"]  # nothing from one text to the next


def test_the_order_of_learning_is_known():
    """Ties: the pair with the smaller ids; what stands first in the text does not matter."""
    assert train_bpe("aaabdaaabac", 260).tokens[256:] == [b"aa", b"ab", b"aaab", b"ac"]
    for text in ("bbbaaaddddcccc", "aaabbbccccdddd"):
        assert train_bpe(text, 260).tokens[256:] == [b"cc", b"dd", b"aa", b"bb"]
    assert train_bpe("ab", 1000).tokens[256:] == [b"ab"]  # nothing more to learn


def test_the_bytes_are_the_first_ids_and_the_printable_ones_come_first():
    bpe = train_bpe("", 256)
    assert bpe.encode("a!") == byte_ids("a!") == [64, 0] and len(bpe) == 256
    assert sorted(BYTES) == list(range(256)) and bpe.tokens == [bytes([b]) for b in BYTES]
    assert sorted(LETTERS) == sorted(ByteLevel.alphabet()) == LETTERS  # ids are in the letters' order
    assert printable(b" the\n") == "ĠtheĊ"


# -- words -----------------------------------------------------------------------------------------

# Python's table of characters is older than that of `tokenizers`: what it does not know is left out
characters = st.characters(codec="utf-8", exclude_categories=["Cn", "Cs"])
tricky = st.sampled_from([*" \n\t\r'’srtvemld_19²½一〇é!.\x1c\x85\xa0\u200b\u2003\u3000", "'ll", "'re"])
texts = st.lists(st.one_of(tricky, characters), max_size=30).map("".join)


@given(texts)
@settings(max_examples=200)
def test_words_are_those_of_the_released_pattern_and_of_tokenizers(text):
    import regex

    words = split(text)
    assert words == regex.findall(GPT2, text) and "".join(words) == text
    cut = ByteLevel(add_prefix_space=False).pre_tokenize_str(text)
    assert [printable(word.encode()) for word in words] == [word for word, _ in cut]


def test_every_character_is_cut_as_in_tokenizers():
    """Each character known to this Python, between letters, digits, signs and spaces."""
    assigned = [
        c for c in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(c) not in ("Cn", "Cs", "Co")
    ]
    text = "".join(f"a{c}1{c} {c}?{c}  {c}" for c in assigned[::23])
    cut = ByteLevel(add_prefix_space=False).pre_tokenize_str(text)
    assert [printable(word.encode()) for word in split(text)] == [word for word, _ in cut]
    assert len(assigned) > 140_000


def test_what_is_no_text_is_named():
    with pytest.raises(ValueError, match="text is a list, expected a string: are these ids already"):
        split([1, 2])
    with pytest.raises(ValueError, match=r"text holds '\\ud800', half of a character"):
        train_bpe("", 256).encode("a\ud800")


@pytest.mark.parametrize("half", ["\ud83d", "\udc80", "\udcff", "\ude3a"])
def test_half_of_a_character_is_never_encoded(half):
    """Those from \udc80 to \udcff were once taken for bytes: the second half of 💀 became `b"\x80"`."""
    tokenizer = train_bpe("", 256)
    for call in (tokenizer.encode, split, lambda text: train_bpe(text, 300)):
        with pytest.raises(ValueError, match="half of a character, expected whole ones"):
            call(f"a {half}")
    for raw in (b"\x80", b"\xff", "💀".encode()[:2]):  # bytes need not be UTF-8
        assert tokenizer.decode_bytes(tokenizer.encode(b"a " + raw)) == b"a " + raw


# -- there and back --------------------------------------------------------------------------------

MIXED = train_bpe(
    [stories("english", 50), ENGLISH, FRENCH * 2, CHINESE * 2, EMOJI * 2], 900, ["[EOS]", "[EOS]s"]
)


@given(st.text())
@settings(max_examples=200)
def test_every_text_comes_back(text):
    assert MIXED.decode(MIXED.encode(text)) == text


@given(texts)
@settings(max_examples=200)
def test_tricky_texts_come_back_and_are_encoded_as_in_tokenizers(text):
    reference = mixed_reference()
    assert MIXED.decode(MIXED.encode(text)) == text and MIXED.encode(text) == reference.encode(text).ids


def mixed_reference(tokenizer=[]) -> Tokenizer:  # noqa: B006, made once
    if not tokenizer:
        names = [printable(token) for token in MIXED.tokens[: len(MIXED) - 2]]
        merges = [(names[i], names[j]) for i, j in MIXED.merges]
        tokenizer.append(Tokenizer(models.BPE({name: i for i, name in enumerate(names)}, merges)))
        tokenizer[0].pre_tokenizer = ByteLevel(add_prefix_space=False)
    return tokenizer[0]


@given(st.binary())
@settings(max_examples=200)
def test_any_bytes_come_back(content):
    assert MIXED.decode_bytes(MIXED.encode(content)) == content


@given(
    st.lists(st.sampled_from([" ", "  ", "\n", "\t", "\r\n", "x", "    ", "\u00a0"]), max_size=20).map(
        "".join
    )
)
def test_white_space_comes_back(text):
    assert MIXED.decode(MIXED.encode(text)) == text


def test_a_part_of_a_letter_is_shown_as_a_question_and_joined_it_is_the_letter():
    bpe = train_bpe("", 256)
    ids = bpe.encode("é")
    assert len(ids) == 2 and [bpe.decode([i]) for i in ids] == ["�", "�"] and bpe.decode(ids) == "é"


@pytest.mark.alone
@pytest.mark.parametrize(
    "word", ["a" * 100_000, "abcdefghij" * 10_000, "".join(f"{n:b}" for n in range(7000)) + "x"]
)
def test_a_very_long_word_takes_seconds(word):
    bpe = train_bpe([stories("english", 50), "aaaa" * 8, "10110 " * 9], 700)
    start = time.process_time()
    ids = bpe.encode(word)
    assert time.process_time() - start < 5
    assert bpe.decode(ids) == word and len(ids) < len(word)


# -- merging ---------------------------------------------------------------------------------------


def plain(ids: list[int], ranks: dict) -> list[int]:
    """Encoding as it is told: look for the pair that was learned first, merge it everywhere, again."""
    while found := [pair for pair in pairwise(ids) if pair in ranks]:
        first = min(found, key=ranks.get)
        ids = merge(ids, first, ranks[first])
    return ids


@given(st.text("abc", max_size=30), st.lists(st.text("abc", min_size=1, max_size=12), min_size=1, max_size=6))
@settings(max_examples=200)
def test_the_heap_gives_what_the_plain_rule_gives(word, corpus):
    bpe = train_bpe(corpus, 280)
    ranks = {pair: 256 + i for i, pair in enumerate(bpe.merges)}
    in_order = byte_ids(word)  # one merge after another, in the order of learning: the same once more
    for pair, new in ranks.items():
        in_order = merge(in_order, pair, new)
    assert merge_by_rank(byte_ids(word), ranks) == plain(byte_ids(word), ranks) == in_order


def test_merging_goes_from_left_to_right():
    assert merge([1, 1, 1], (1, 1), 9) == [9, 1] and merge([1, 1, 1, 1], (1, 1), 9) == [9, 9]
    assert merge([], (1, 2), 9) == [] and merge([2, 1, 2], (1, 2), 9) == [2, 9]


@given(st.lists(st.text("ab'rel ", max_size=25), max_size=5), st.integers(257, 300))
def test_learning_recounted_at_each_merge_is_the_same(corpus, vocab_size):
    words = [byte_ids(word) for text in corpus for word in split(text)]
    merges = []
    while len(merges) < vocab_size - 256:
        counts: dict = {}
        for word in words:
            for pair in pairwise(word):
                counts[pair] = counts.get(pair, 0) + 1
        if not counts:
            break
        merges.append(min(counts, key=lambda pair: (-counts[pair], pair)))
        words = [merge(word, merges[-1], 255 + len(merges)) for word in words]
    assert train_bpe(corpus, vocab_size).merges == merges


@pytest.mark.parametrize("name", ["Python", "Town", "French Town", "Chinese", "emoji"])
def test_every_token_can_be_reached(name):
    """Alone, a token is one token; one that is cut inside a letter may need the rest of some letter."""
    text, _ = CORPORA[name]()
    bpe = train_bpe(text, 1500)
    for i in range(256, len(bpe)):
        token = bpe.tokens[i]
        if bpe.encode(token) != [i]:
            inside = token.strip(bytes(range(0x80, 0x100)))
            before = HEADS if token[0] >= 0x80 else [b""]
            behind = TAILS if token[-1] >= 0x80 else [b""]
            assert inside != token, token
            assert any(i in bpe.encode(head + token + tail) for head in before for tail in behind), token


# what may stand before the rest of a letter, and behind its beginning, in UTF-8
HEADS = [b"", *(bytes([b]) for b in range(0xC2, 0xF0)), *(bytes([0xF0, b]) for b in range(0x90, 0xC0))]
TAILS = [b"", *(bytes([b]) * n for b in range(0x80, 0xC0) for n in (1, 2, 3))]


# -- special tokens --------------------------------------------------------------------------------

CHAT = train_bpe(stories("english", 50), 400, ["<|end|>", "<|user|>", "<|user|>!", "<|u"])


@given(
    st.lists(st.one_of(st.sampled_from([*CHAT.special, "<|", "|>", "end", "user"]), st.text(max_size=5))).map(
        "".join
    )
)
@settings(max_examples=200)
def test_a_user_can_never_spell_a_special_token(text):
    ids = CHAT.encode(text)
    assert not set(ids) & set(CHAT.special.values())
    assert CHAT.decode(ids) == CHAT.decode(ids, skip_special=True) == text
    spelled = CHAT.encode_with_special(text)
    assert CHAT.decode(spelled) == text
    assert set(spelled) & set(CHAT.special.values()) or not any(name in text for name in CHAT.special)


@given(st.lists(st.sampled_from([*CHAT.special, "<|", " hi", "!"])).map("".join))
def test_in_tokenizers_the_spelling_is_enough(text):
    """The default of a common library reads special tokens out of any text; ours does so when asked."""
    reference = Tokenizer(
        models.BPE(
            {printable(t): i for i, t in enumerate(CHAT.tokens[:396])},
            [(printable(CHAT.tokens[i]), printable(CHAT.tokens[j])) for i, j in CHAT.merges],
        )
    )
    reference.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    reference.add_special_tokens([AddedToken(name, special=True) for name in CHAT.special])
    assert CHAT.encode_with_special(text) == reference.encode(text).ids
    reference.encode_special_tokens = True
    assert CHAT.encode(text) == reference.encode(text).ids


def test_the_longest_special_token_counts():
    ids = CHAT.special
    assert list(ids.values()) == [396, 397, 398, 399] and len(CHAT) == 400
    assert CHAT.encode_with_special("<|user|>!<|user|><|u<|end|>") == [398, 397, 399, 396]
    assert CHAT.decode([397, *CHAT.encode("hi"), 396]) == "<|user|>hi<|end|>"
    assert CHAT.decode([397, *CHAT.encode("hi"), 396], skip_special=True) == "hi"
    plain_bpe = train_bpe("ab", 257)
    assert plain_bpe.encode_with_special("ab<|end|>") == plain_bpe.encode("ab<|end|>")


# -- on disk, and what is refused ------------------------------------------------------------------


def test_a_tokenizer_comes_back_from_its_file(tmp_path):
    path = tmp_path / "mixed.json"
    MIXED.save(path)
    again = BPETokenizer.load(path)
    assert again.tokens == MIXED.tokens and again.merges == MIXED.merges and again.special == MIXED.special
    assert again.fingerprint == MIXED.fingerprint and len(again.fingerprint) == 16
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") > len(MIXED.merges) and '\n  ["Ġ", "t"],\n' in text and '"[EOS]"' in text
    empty = train_bpe("", 256)
    empty.save(path)
    assert BPETokenizer.load(path).tokens == empty.tokens


def test_a_fingerprint_knows_every_change():
    base = BPETokenizer([(64, 65), (66, 67)], ["[EOS]", "[PAD]"])
    others = [
        BPETokenizer([(66, 67), (64, 65)], ["[EOS]", "[PAD]"]),
        BPETokenizer([(64, 65)], ["[EOS]", "[PAD]"]),
        BPETokenizer([(64, 65), (66, 67)], ["[PAD]", "[EOS]"]),
        BPETokenizer([(64, 65), (66, 67)]),
    ]
    assert len({one.fingerprint for one in [base, *others]}) == 5
    assert BPETokenizer(base.merges, list(base.special)).fingerprint == base.fingerprint


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: "no JSON", "is not a tokenizer that `save` has written"),
        (lambda text: "[]", "is not a tokenizer"),
        (lambda text: text.replace('["Ġ", "t"]', '["Ġ", "ø"]'), "is not a tokenizer|was it changed by hand"),
        (lambda text: text.replace("[EOS]s", "[END]"), "was it changed by hand"),
        (lambda text: text.replace('["Ġ", "t"]', '["Ġ", "no token"]'), "is not a tokenizer"),
    ],
)
def test_a_changed_file_is_refused(tmp_path, change, message):
    path = tmp_path / "mixed.json"
    MIXED.save(path)
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        BPETokenizer.load(path)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: train_bpe("a", 255), "vocab_size is 255, expected at least 256"),
        (lambda: train_bpe("a", 257, ["[A]", "[B]"]), "vocab_size is 257, expected at least 258"),
        (lambda: train_bpe([b"a"], 300), "text is a bytes, expected a string"),
        (lambda: train_bpe("a", 300, "[EOS]"), "special_tokens is '.EOS.', expected a list"),
        (lambda: train_bpe("a", 300, ["[A]", "[A]"]), "expected a list of different strings"),
        (lambda: BPETokenizer([(1, 256)]), r"merges holds \(1, 256\) as number 0, expected ids below 256"),
        (lambda: BPETokenizer([(64, 64), (64, 64)]), "merges makes b'aa' twice"),
        (lambda: MIXED.decode([5, -100]), "ids holds -100, expected one row of whole numbers from 0 to"),
        (lambda: MIXED.decode([len(MIXED)]), "from 0 to 883"),
        (lambda: MIXED.decode([[1, 2]]), r"ids holds \[1, 2\]"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
