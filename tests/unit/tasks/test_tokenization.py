"""What a tokenizer costs: each function on a case that can be counted by hand, then on real text."""

import math
import random
from collections import Counter

import pytest

from course_lib.data import python_library
from course_lib.tasks import tokenization
from course_lib.tasks.tokenization import bigram_score, learned, samples, smaller
from course_lib.text.bpe import BPETokenizer, train_bpe
from course_lib.text.presplit import split

BYTES = BPETokenizer([])
AB = train_bpe("abab", 258)  # ab, abab


def test_fewer_tokens_are_an_earlier_stop():
    text = python_library.text(max_characters=30_000)
    big = train_bpe(text, 600, ["[EOS]", "[PAD]"])
    cut = smaller(big, 400)
    stopped = train_bpe(text, 400, ["[EOS]", "[PAD]"])
    assert cut.tokens == stopped.tokens and cut.special == stopped.special
    assert smaller(big, 600).fingerprint == big.fingerprint and len(smaller(big, 258)) == 258
    for size in (257, 601):
        with pytest.raises(ValueError, match=f"vocab_size is {size}, expected 258 to 600"):
            smaller(big, size)


def test_tokens_a_byte():
    assert tokenization.tokens_per_byte(BYTES, "é我👍a") == 1
    assert tokenization.tokens_per_byte(AB, "abab") == 1 / 4
    with pytest.raises(ValueError, match="text is empty"):
        tokenization.tokens_per_byte(AB, "")


@pytest.mark.parametrize("seed", range(20))
def test_a_walk_through_the_merges_is_right_and_the_longest_token_is_not(seed):
    """On words of few letters, in which merges meet often."""
    draw = random.Random(seed)
    text = " ".join("".join(draw.choices("abc", k=draw.randrange(1, 12))) for _ in range(300))
    bpe = train_bpe(text, 290, ["[EOS]"])
    words = {"".join(draw.choices(" abcé", k=draw.randrange(1, 15))) for _ in range(100)}
    pieces = [piece for word in words for piece in split(word)]
    longest = [tokenization.longest_from_the_left(bpe, piece) for piece in pieces]
    assert [tokenization.in_order(bpe, piece) for piece in pieces] == [bpe.encode(piece) for piece in pieces]
    assert longest != [bpe.encode(piece) for piece in pieces]
    assert [bpe.decode(ids) for ids in longest] == pieces


def test_the_two_encoders_by_hand():
    the = BPETokenizer([(71, 68), (83, 71)])  # h e, t h
    assert [the.decode([i]) for i in tokenization.in_order(the, "the")] == ["t", "he"]
    assert [the.decode([i]) for i in tokenization.longest_from_the_left(the, "the")] == ["th", "e"]
    assert tokenization.in_order(the, "") == tokenization.longest_from_the_left(the, "") == []
    special = BPETokenizer([], ["ab"])
    assert tokenization.longest_from_the_left(special, "ab") == [64, 65]  # no text makes a special token


def test_the_walk_is_slow_where_there_are_many_merges():
    assert tokenization.walk_against_rank(learned(1500, 200_000), [" return", " self"]) > 5
    with pytest.raises(ValueError, match="words is empty"):
        tokenization.walk_against_rank(AB, [])


def test_indentation_by_hand():
    assert tokenization.indentation_costs(BYTES, (4, 8)) == {4: 4, 8: 8}
    spaces = train_bpe("\n       \n       \n x", 270)
    assert tokenization.indentation_costs(spaces, (8,), "x") == {8: 0}  # one token instead of the line break


def test_numbers_are_cut_as_pairs_of_digits_were_learned():
    assert tokenization.number_cuts(BYTES, 3, 50) == {(1, 1, 1): 50}
    twelve = train_bpe("12 12", 257)
    cuts = tokenization.number_cuts(twelve, 2, 9000)
    assert cuts.keys() == {(2,), (1, 1)} and 50 < cuts[2,] < 160  # one in ninety numbers is 12
    assert (
        cuts == tokenization.number_cuts(twelve, 2, 9000) != tokenization.number_cuts(twelve, 2, 9000, seed=1)
    )
    assert tokenization.number_cuts(BYTES, 1, 10) == {(1,): 10}
    with pytest.raises(ValueError, match="digits is 0"):
        tokenization.number_cuts(BYTES, 0)


def test_rare_words_by_hand():
    seen = " the" * 12 + " cat"
    bpe = train_bpe(seen, 258)
    costs = tokenization.word_costs(bpe, seen, " the the cat dog d0g élan")
    assert list(costs) == ["never", "1 to 9 times", "10 to 99 times"]
    assert costs["never"] == (2, 3.0, 4 / 6, [" ", "d", "o", "g"])  # dog, and d
    assert costs["1 to 9 times"][:2] == (1, 4.0) and costs["10 to 99 times"] == (1, 2.0, 1.5, [" ", "the"])
    assert list(tokenization.word_costs(bpe, " cat" * 2000, " cat")) == ["1,000 times or more"]


def test_the_bigram_model_by_hand():
    """`aab` seen: a is followed by a once and by b once; b by nothing."""
    score = bigram_score(BYTES, "aab", "aba")
    alone = {"a": 3 / 259, "b": 2 / 259}
    after_a = (1 + 2 * alone["b"]) / (2 + 2)
    nats = -math.log(alone["a"]) - math.log(after_a) - math.log(alone["a"])
    assert score.tokens == 3 and score.nats_per_token == pytest.approx(nats / 3)
    assert score.bits_per_byte == pytest.approx(nats / math.log(2) / 3)
    with pytest.raises(ValueError, match="fewer than two tokens"):
        bigram_score(BYTES, "a", "aba")


@pytest.mark.parametrize("bpe", [BYTES, AB])
@pytest.mark.parametrize("first", ["a", "z"])  # seen, and never seen
def test_the_bigram_model_s_chances_sum_to_one(bpe, first, monkeypatch):
    """Over every token that may come next."""
    [known] = bpe.encode(first)
    encode, total = bpe.encode, 0.0
    for i in range(len(bpe)):
        monkeypatch.setattr(bpe, "encode", lambda text, i=i: [known, i] if text == "?" else encode(text))
        seen = encode(SEEN)
        start = (Counter(seen)[known] + 1) / (len(seen) + len(bpe))
        total += math.exp(-2 * bigram_score(bpe, SEEN, "?").nats_per_token) / start
    assert total == pytest.approx(1)


SEEN = "abaab ab abb a aab ababab"


def test_real_text_a_larger_vocabulary_is_cheaper_on_what_it_has_seen():
    big = learned(1500, 200_000)
    text = samples(20_000)
    assert set(text) == {"Python", "English", "French", "Chinese", "emoji"} and all(text.values())
    per_byte = {
        name: [tokenization.tokens_per_byte(smaller(big, size), one) for size in (256, 500, 1500)]
        for name, one in text.items()
    }
    for name, (first, middle, last) in per_byte.items():
        assert first == 1 and last <= middle <= first, name
    assert per_byte["Python"][2] < 0.5 < 0.9 < per_byte["Chinese"][2]  # it was learned from Python source
    scores = [
        bigram_score(smaller(big, size), python_library.text(max_characters=200_000), text["Python"])
        for size in (256, 500, 1500)
    ]
    assert scores[0].nats_per_token < scores[1].nats_per_token < scores[2].nats_per_token  # a loss a token …
    assert scores[0].bits_per_byte > scores[1].bits_per_byte > scores[2].bits_per_byte  # … says the opposite
    assert [score.vocab_size for score in scores] == [256, 500, 1500]
