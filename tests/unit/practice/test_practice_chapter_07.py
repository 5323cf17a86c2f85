"""Practice of chapter 07: learners' own ways of being wrong and right, and the facts in the tutor's words."""

import heapq
import math
import random
import re
from collections import Counter, defaultdict
from itertools import pairwise

import numpy
import pytest
import torch

from course_lib.chapters import CHAPTERS
from course_lib.data import python_library
from course_lib.practice import cards, checking, desk, repairing
from course_lib.practice import chapter_07 as seven
from course_lib.practice.chapter_07 import two_slips
from course_lib.practice.chapter_07.encode_ways import longest
from course_lib.tasks import tokenization
from course_lib.text import bpe, chat
from course_lib.text.presplit import BYTE_IDS, BYTES

EXERCISES = {e.id.removeprefix("07."): e for e in seven.EXERCISES}


def run(name, function):
    return checking.run_check(EXERCISES[name], function)


# --- references and solutions -------------------------------------------------------------------------------


def all_cases(name):
    return [case.args for case in (*EXERCISES[name].cases(), *EXERCISES[name].further())]


def test_merging_is_the_library_s():
    for args in all_cases("merge"):
        assert seven.MERGE.reference(*args) == bpe.merge(*args)


def test_learning_is_the_library_s():
    """On letters: their order by byte is that by id."""
    for words, n_merges in all_cases("learn"):
        letters = {tuple(97 + one if one < 33 else one for one in word): n for word, n in words.items()}
        merges = seven.LEARN.reference(letters, n_merges)
        mine = [tuple(BYTE_IDS[one] if one < 256 else one for one in pair) for pair in merges]
        text = [bytes(word).decode() for word, n in letters.items() for _ in range(n)]
        assert mine == bpe.train_bpe(text, 256 + n_merges).merges


def test_encoding_is_the_library_s():
    for ids, merges in all_cases("encode"):
        ranks = {pair: 256 + i for i, pair in enumerate(merges)}
        assert seven.ENCODE.reference(ids, merges) == bpe.merge_by_rank(ids, ranks)


def test_chats_are_the_library_s():
    tokenizer = bpe.BPETokenizer([], chat.CHAT_TOKENS)
    for turns, _, _ in all_cases("chat-ids"):
        assert seven.CHAT_IDS.reference(turns, tokenizer.special, tokenizer.encode) == chat.encode_chat(
            turns, tokenizer
        )


def test_special_tokens_are_found_as_the_library_finds_them():
    for text, special, _ in all_cases("special"):
        tokenizer = bpe.BPETokenizer([], list(special))
        mine = seven.SPECIAL.reference(text, tokenizer.special, tokenizer.encode)
        assert mine == tokenizer.encode_with_special(text)


def test_decoding_is_the_library_s():
    tokenizer = bpe.BPETokenizer([(0, 1), (256, 64)])
    for ids in ([64, 65, 256, 257], [BYTE_IDS[b] for b in "é林👍".encode()], [BYTE_IDS[0xFF], 64]):
        assert seven.DECODE.reference(ids, tokenizer.tokens) == tokenizer.decode(ids)


def test_bits_are_the_library_s():
    score = tokenization.bigram_score(bpe.BPETokenizer([]), "élan, élan", "né lent")
    mine = seven.BITS.reference(score.nats_per_token, score.tokens, "né lent")
    assert mine == pytest.approx(score.bits_per_byte)


# --- right in other ways ------------------------------------------------------------------------------------


def with_a_counter(words):
    counts = Counter()
    for word, times in words.items():
        for pair in pairwise(word):
            counts[pair] += times
    return counts


def with_zeros(words):
    counts = defaultdict(int)
    for word in words:
        for pair in pairwise(word):
            counts[pair[::-1]] += 0
            counts[pair] += words[word]
    return counts


def in_tensors(words):
    return {pair: torch.tensor(n) for pair, n in with_a_counter(words).items()}


def earliest_pair(ids, merges):
    """One place at a time: slow, and right."""
    ids, rank = list(ids), {pair: i for i, pair in enumerate(merges)}
    while True:
        known = [(rank[p], i) for i, p in enumerate(pairwise(ids)) if p in rank]
        if not known:
            return ids
        r, i = min(known)
        ids[i : i + 2] = [256 + r]


def earliest_pair_by_index(ids, merges):
    ids = list(ids)
    while len(ids) > 1:
        pair = min(pairwise(ids), key=lambda p: merges.index(p) if p in merges else math.inf)
        if pair not in merges:
            break
        ids = bpe.merge(ids, pair, 256 + merges.index(pair))
    return ids


def by_a_heap(ids, merges):
    return bpe.merge_by_rank(ids, {pair: 256 + i for i, pair in enumerate(merges)})


def as_a_tensor(ids, merges):
    return torch.tensor(seven.ENCODE.reference(ids, merges), dtype=torch.long)


def as_a_tuple(ids, merges):
    return tuple(numpy.int64(i) for i in seven.ENCODE.reference(ids, merges))


def learn_by_a_heap(words, n_merges):
    rows = [[list(word), n] for word, n in words.items()]
    merges = []
    for step in range(n_merges):
        counts = Counter()
        for word, n in rows:
            for pair in pairwise(word):
                counts[pair] += n
        heap = [(-n, pair) for pair, n in counts.items()]
        if not heap:
            break
        heapq.heapify(heap)
        merges.append(heap[0][1])
        for row in rows:
            row[0] = bpe.merge(row[0], merges[-1], 256 + step)
    return [list(pair) for pair in merges]


def one_pattern(text, special, encode):
    if not special:
        return encode(text)
    names = sorted(special, key=len, reverse=True)
    ids = []
    for part in re.split("(" + "|".join(re.escape(n) for n in names) + ")", text):
        if part in special:
            ids.append(special[part])
        else:
            ids.extend(encode(part))
    return ids


def from_bytes(ids, tokens):
    raw = b""
    for i in ids:
        raw += tokens[i]
    return str(raw, "utf-8", "replace")


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("count-pairs", with_a_counter),
        ("count-pairs", with_zeros),
        ("count-pairs", in_tensors),
        ("encode", earliest_pair),
        ("encode", earliest_pair_by_index),
        ("encode", by_a_heap),
        ("encode", as_a_tensor),
        ("encode", as_a_tuple),
        ("learn", learn_by_a_heap),
        ("special", one_pattern),
        ("decode", from_bytes),
        (
            "bits",
            lambda nats, n, text: torch.tensor(nats * n * math.log2(math.e) / len(bytes(text, "utf-8"))),
        ),
    ],
)
def test_right_is_right_however_it_is_written(name, function):
    result = run(name, function)
    assert result.passed, result


# --- learners' own slips ------------------------------------------------------------------------------------


def for_loop_merge(ids, pair, new):
    out = []
    for i in range(len(ids)):
        if i < len(ids) - 1 and ids[i] == pair[0] and ids[i + 1] == pair[1]:
            out.append(new)
        else:
            out.append(ids[i])
    return out


def list_against_tuple(ids, pair, new):
    out, i = [], 0
    while i < len(ids):
        if ids[i : i + 2] == pair:
            out.append(new)
            i += 2
        else:
            out.append(ids[i])
            i += 1
    return out


def greedy_pieces(ids, merges):
    spelled = {}
    for i, (left, right) in enumerate(merges):
        spelled[256 + i] = spelled.get(left, [left]) + spelled.get(right, [right])
    out, at = [], 0
    while at < len(ids):
        fits = [(len(s), i) for i, s in spelled.items() if ids[at : at + len(s)] == s]
        if fits:
            n, token = max(fits)
        else:
            n, token = 1, ids[at]
        out.append(token)
        at += n
    return out


def until_nothing_changes(ids, merges):
    """From the left, again and again."""
    ids = list(ids)
    again = True
    while again:
        again = False
        for i in range(len(ids) - 1):
            if (ids[i], ids[i + 1]) in merges:
                ids[i : i + 2] = [256 + merges.index((ids[i], ids[i + 1]))]
                again = True
                break
    return ids


def max_of_pairs(words, n_merges):
    merges = []
    words = {tuple(word): n for word, n in words.items()}
    for step in range(n_merges):
        pairs = with_a_counter(words)
        if not pairs:
            break
        pair = max(pairs)
        merges.append(pair)
        words = {tuple(bpe.merge(word, pair, 256 + step)): n for word, n in words.items()}
    return merges


def most_common(words, n_merges):
    merges = []
    for step in range(n_merges):
        pairs = with_a_counter(words)
        if not pairs:
            break
        pair = pairs.most_common(1)[0][0]
        merges.append(pair)
        words = {tuple(bpe.merge(word, pair, 256 + step)): n for word, n in words.items()}
    return merges


def template(turns, special, encode):
    text = ""
    for role, said in turns:
        text += f"<|{role}|>{said}<|end|>"
    pattern = "(" + "|".join(re.escape(marker) for marker in special) + ")"
    ids = []
    for part in re.split(pattern, text):
        ids += [special[part]] if part in special else encode(part)
    return ids


@pytest.mark.parametrize(
    ("name", "function", "told"),
    [
        ("count-pairs", lambda words: dict(Counter(p for w in words for p in pairwise(w))), "times-ignored"),
        ("merge", for_loop_merge, "not-skipped"),
        ("merge", list_against_tuple, "nothing-merged"),
        ("encode", greedy_pieces, "longest-from-the-left"),
        ("encode", until_nothing_changes, "first-pair-from-the-left"),
        ("learn", max_of_pairs, "largest-pair"),
        ("learn", most_common, "first-of-equals"),
        (
            "decode",
            lambda ids, tokens: "".join(tokens[i].decode("utf8", "replace") for i in ids),
            "token-by-token",
        ),
        ("chat-ids", template, "written-and-read"),
        ("bits", lambda nats, n, text: nats / math.log(2) * len(text.encode()) / n, "turned-round"),
    ],
)
def test_a_learner_s_slip_is_known_by_its_name(name, function, told):
    assert run(name, function).misconception == told


def test_other_numbers_for_the_new_tokens_are_known_by_their_answer():
    def learn(words, n_merges):
        named = {256 + i: 3000 + 7 * i for i in range(n_merges)}
        right = seven.LEARN.reference(words, n_merges)
        return [tuple(named.get(token, token) for token in pair) for pair in right]

    assert run("learn", learn).misconception == "ids-begin-elsewhere"


# --- the plain difference, and other types ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "function", "says"),
    [
        (
            "merge",
            lambda ids, pair, new: [*ids, 5],
            "is [5, 1, 2, 6, 1, 2, 7, 5]; expected [5, 256, 6, 256, 7].",
        ),
        ("merge", lambda ids, pair, new: 7, "check expects a list of whole numbers"),
        ("merge", lambda ids, pair, new: ["a"], "a list with a str at place 0"),
        ("merge", lambda ids, pair, new: [ids], "a list with a list at place 0"),
        ("merge", lambda ids, pair, new: (i for i in ids), "`list(…)` makes a list of it"),
        ("merge", lambda ids, pair, new: numpy.array(ids), "`.tolist()` makes a list of it"),
        ("learn", lambda words, n: [1] * n, "a list with an int at place 0 (counted from 0)"),
        ("learn", lambda words, n: [(1, 2, 3)], "a list with 3 things at place 0"),
        ("count-pairs", lambda words: {(5, 6): 3}, "your answer has no (6, 7); expected 5 of it."),
        ("count-pairs", lambda words: [(5, 6)], "check expects a dict: pair → how often"),
        ("count-pairs", lambda words: {(5, 6): "3"}, "a dict that holds a str"),
        ("decode", lambda ids, tokens: b"the", "check expects a text"),
        ("decode", lambda ids, tokens: "The cat", "your answer is 'The cat'; expected 'the cat, the cat'."),
    ],
)
def test_what_differs_is_shown(name, function, says):
    result = run(name, function)
    assert not result.passed and says in result.message, result.message


def test_the_input_is_shown_and_a_long_one_is_not():
    message = run("merge", lambda ids, pair, new: [*ids, 5]).message
    assert message.endswith("It was called with ids = [5, 1, 2, 6, 1, 2, 7], pair = (1, 2), new = 256.")
    message = run(
        "encode", lambda ids, merges: [] if len(ids) > 99 else seven.ENCODE.reference(ids, merges)
    ).message
    assert "has 0 ids; expected" in message and "It was called with" not in message


def test_an_error_is_shown_with_its_input_and_advice():
    def half(ids, pair, new):
        return [new if (ids[i], ids[i + 1]) == pair else ids[i] for i in range(len(ids))]

    message = run("merge", half).message
    assert "IndexError" in message and "ids = [5, 1, 2" in message and "has no right neighbour" in message


def test_an_input_that_is_merged_in_place_is_told():
    def merge(ids, pair, new):
        i = 0
        while i < len(ids) - 1:
            if (ids[i], ids[i + 1]) == pair:
                ids[i : i + 2] = [new]
            i += 1
        return ids

    result = run("merge", merge)
    assert result.kind == "changed-input" and "`list(…)`" in result.message


def test_one_small_change_is_told_where_it_helps():
    def bits_per_byte(nats_per_token, n_tokens, text):
        return nats_per_token * n_tokens / math.log(2) / (len(text.encode()) + 1)

    assert "your function is right on every input that was tried" in run("bits", bits_per_byte).message


def test_the_card_says_what_comes_back():
    for name, says in (
        ("merge", "merged: a list of whole numbers"),
        ("decode", "text: a text"),
        ("bits", "bits"),
    ):
        assert says in cards.exercise_card(EXERCISES[name], "7.1").text


@pytest.mark.parametrize("exercise", seven.EXERCISES, ids=lambda e: e.id)
def test_further_inputs_are_others(exercise):
    known = [repr(case.args) for case in exercise.cases()]
    assert any(repr(case.args) not in known for case, _ in repairing.further(exercise))


# --- questions ----------------------------------------------------------------------------------------------


def answer(id):
    one = next(one for one in seven.PREDICTIONS if one.id == id)
    return one.options[one.right].text


def test_longest_match_is_another_method():
    draw, alike = random.Random(7), 0
    for _ in range(300):
        words = {tuple(draw.choices(b"abc", k=draw.randint(2, 9))): draw.randint(1, 4) for _ in range(6)}
        merges, ids = seven.LEARN.reference(words, 6), draw.choices(b"abc", k=12)
        alike += longest(from_left=True)(ids, merges) == seven.ENCODE.reference(ids, merges)
    assert 30 < alike < 270


def test_the_order_of_two_merges():
    assert seven.ENCODE.reference(list(b"the"), [(ord("h"), ord("e")), (ord("t"), ord("h"))]) == [116, 256]
    assert answer("07.order") == "t, he"


def test_ties_in_a_word_that_is_often_shown():
    words = {tuple(b"aaabdaaabac"): 1}
    assert seven.LEARN.reference(words, 4) == [(97, 97), (97, 98), (256, 257), (97, 99)]  # aa, ab, aaab, ac
    left = seven.MERGE.reference(list(b"aaabdaaabac"), (97, 97), 256)
    counts = Counter(pairwise(left))
    assert counts[256, 97] == counts[97, 98] == 2 == max(counts.values())


def test_what_is_taken_out_can_leave_a_marker():
    assert "<|e<|end|>nd|>".replace("<|end|>", "") == "<|end|>" and "A marker" in answer("07.typed")


def test_the_embedding_of_a_small_model():
    table, layers = 50_257 * 128, 12 * 12 * 128**2
    assert (
        table / (table + layers) == pytest.approx(3 / 4, abs=0.03)
        and answer("07.embedding") == "About 3 in 4."
    )


@pytest.fixture(scope="module")
def learned():
    big = tokenization.learned(8192)
    return {size: tokenization.smaller(big, size) for size in (256, 512, 1024, 4096, 8192)}


def test_what_is_said_of_chinese_was_measured(learned):
    assert "林".encode() == bytes.fromhex("e69e97") and len(learned[8192].encode("林")) == 3
    assert tokenization.tokens_per_byte(learned[8192], tokenization.CHINESE) > 0.95
    assert answer("07.chinese").startswith("Three")


def test_what_is_said_of_vocabularies_was_measured(learned):
    text = tokenization.samples(60_000)["Python"]
    cost = {size: tokenization.tokens_per_byte(one, text) for size, one in learned.items()}
    assert 0.25 < cost[4096] < 0.4 and 0.4 < cost[512] < 0.6
    assert 0.05 < 1 - cost[8192] / cost[4096] < 0.15 < 1 - cost[1024] / cost[512] < 0.25
    assert answer("07.doubled") == "By about a tenth."
    seen = python_library.text("train", max_characters=500_000)
    scores = [tokenization.bigram_score(learned[size], seen, text) for size in (256, 1024, 4096)]
    assert [s.nats_per_token for s in scores] == pytest.approx([2.5, 4.0, 4.7], abs=0.3)
    assert [s.bits_per_byte for s in scores] == pytest.approx([3.7, 2.4, 2.1], abs=0.3)
    assert (
        scores[2].bits_per_byte < scores[1].bits_per_byte and 2.5 < scores[0].tokens / scores[2].tokens < 3.8
    )
    assert answer("07.bits") == "4,096."


def test_what_is_said_of_indentation_was_measured(learned):
    one = learned[4096]
    assert one.encode("\n" + " " * 20 + "return") == [
        one.tokens.index(b"\n" + b" " * 19),
        one.tokens.index(b" return"),
    ]
    assert tokenization.indentation_costs(one, (20,))[20] <= 0 and answer("07.indent") == "None."
    assert {b" " * 4, b" " * 8} <= set(one.tokens)


def test_what_is_said_of_numbers_was_measured(learned):
    cuts = tokenization.number_cuts(learned[4096], 4)
    assert max(cuts.values()) < 500 and {(1, 2, 1), (1, 1, 2), (2, 2)} <= cuts.keys()
    assert cuts[2, 2] == pytest.approx(1000 / 7, abs=70) and cuts[1, 1, 1, 1] == pytest.approx(200, abs=80)
    assert "no way has half" in answer("07.numbers")


def test_what_is_said_of_strawberry_was_measured(learned):
    for word in ("strawberry", " strawberry"):
        assert 2 <= len(learned[4096].encode(word)) <= 6
    assert answer("07.strawberry").startswith("A few ids")


def test_pairs_across_a_cut_never_occur():
    token = bpe.BPETokenizer([(BYTE_IDS[ord("e")], BYTE_IDS[ord(" ")]), (256, BYTE_IDS[ord("t")])])
    assert not {256, 257} & {*token.encode("see the time, the tea")} and BYTES[64] == ord("a")


def test_it_is_asked_with_the_page_and_not_before():
    names = ("count-pairs", "merge", "learn", "encode", "decode", "special", "chat-ids", "bits")
    assert tuple(EXERCISES) == names
    assert ("07" in desk.CHAPTERS) == CHAPTERS["07"].written
    assert all(one.id.startswith("07.") for one in seven.PREDICTIONS) and len(seven.PREDICTIONS) >= 8
    assert len({one.right for one in seven.PREDICTIONS}) >= 3


def test_at_the_door_three_questions_of_earlier_chapters():
    asked = desk.recall_questions("07")
    earlier = [q for number in ("05", "06") for q in desk.CHAPTERS[number].RECALL]
    assert len(asked) == 3 and all(q in earlier for q in asked)
    assert len(seven.RECALL) >= 4 and not set(seven.RECALL) & set(earlier)


# --- two slips at once --------------------------------------------------------------------------------------


def log_of_the_loss_by_letters(nats_per_token, n_tokens, text):
    return (torch.log2(torch.tensor(float(nats_per_token))) * n_tokens / len(text)).item()


def said_and_stripped(turns, special, encode):
    ids = []
    for role, text in turns:
        if text.strip():
            ids += [special[f"<|{role}|>"], *encode(text.strip()), special["<|end|>"]]
    return ids


def a_dict_of_turns(turns, special, encode):
    ids = []
    for role, text in dict(turns).items():
        ids += [special[f"<|{role}|>"], *encode(text), special["<|end|>"]]
    return ids


def as_in_merging(words):
    counts = Counter()
    for word, times in words.items():
        i = 0
        while i < len(word) - 2:
            counts[word[i], word[i + 1]] += times
            i += 2 if word[i] == word[i + 1] else 1
    return counts


def one_after_the_other(ids, tokens):
    try:
        return b"".join(tokens[i] for i in ids).decode()
    except UnicodeDecodeError:
        return "".join(tokens[i].decode("utf-8", "replace") for i in ids)


def one_place_each_from_257(ids, merges):
    for i, pair in enumerate(merges, 1):
        for j in range(len(ids) - 1):
            if (ids[j], ids[j + 1]) == pair:
                ids = [*ids[:j], 256 + i, *ids[j + 2 :]]
                break
    return ids


def smallest_candidate(ids, merges):
    ids = list(ids)
    while known := [pair for pair in pairwise(ids) if pair in merges]:
        ids = bpe.merge(ids, min(known), 256 + merges.index(min(known)))
    return ids


def learned_with(best, new=lambda merges: 256 + len(merges) - 1):
    def learn(words, n_merges):
        merges = []
        for _ in range(n_merges):
            counts = with_a_counter(words)
            if not counts:
                break
            merges.append(best(counts))
            words = {tuple(bpe.merge(word, merges[-1], new(merges))): n for word, n in words.items()}
        return merges

    return learn


def right_choice(counts):
    return min(counts, key=lambda pair: (-counts[pair], pair))


def in_any_order_of_the_old_row(ids, pair, new):
    merged = []
    for i, token in enumerate(ids):
        if i and sorted(ids[i - 1 : i + 1]) == sorted(pair):
            merged[-1] = new
        else:
            merged.append(token)
    return merged


def stripped_without_an_end(text, special, encode):
    ids, waiting, i = [], "", 0
    while i < len(text):
        name = max((one for one in special if text.startswith(one, i)), key=len, default="")
        if name:
            ids += [*encode(waiting.strip()), special[name]]
            waiting = ""
        else:
            waiting += text[i]
        i += len(name) or 1
    return ids


@pytest.mark.parametrize(
    ("name", "function", "told"),
    [
        ("bits", log_of_the_loss_by_letters, "letters + logarithm"),
        ("chat-ids", said_and_stripped, "stripped + empty-turns-lost"),
        ("chat-ids", a_dict_of_turns, "one-text-a-role"),
        ("count-pairs", as_in_merging, "last-pair-lost + two-steps-after-equal"),
        ("decode", one_after_the_other, "token-by-token-where-broken"),
        (
            "decode",
            lambda ids, tokens: str(b" ".join(tokens[i] for i in ids)),
            "as-python-writes-it + spaces-between",
        ),
        (
            "decode",
            lambda ids, tokens: b" ".join(tokens[i] for i in ids).decode("utf-8", "ignore"),
            "broken-left-out + spaces-between",
        ),
        ("encode", one_place_each_from_257, "first-place-only + ids-from-elsewhere"),
        ("encode", smallest_candidate, "smallest-pair-first"),
        (
            "learn",
            learned_with(lambda counts: min(counts, key=lambda p: (-counts[p], str(p)))),
            "compared-as-text",
        ),
        ("learn", learned_with(right_choice, lambda merges: 256), "always-256"),
        ("learn", learned_with(right_choice, lambda merges: 256 + len(merges)), "ids-begin-elsewhere"),
        ("merge", in_any_order_of_the_old_row, "old-list + both-orders"),
        ("special", stripped_without_an_end, "stripped + tail-lost"),
    ],
)
def test_slips_that_come_together_are_both_named(name, function, told):
    result = run(name, function)
    assert result.misconception == told, result.message
    assert result.message.startswith("Two slips. (1) ") == ("+" in told)


WHITE = {"special": ("whitespace-dropped", "whole-text-stripped"), "chat-ids": ("each-turn-once",)}


@pytest.mark.parametrize("exercise", seven.EXERCISES, ids=lambda e: e.id)
def test_each_slip_alone_is_refused_and_has_no_hole(exercise):
    """The first of the slips' ways; a pair is told in the words of its slips."""
    alone = {m.name: m for m in exercise.two_slips() if " + " not in m.name}
    for one in alone.values():
        for way in one.ways:
            result = checking.run_check(exercise, way)
            assert not result.passed and len(result.message) > 20, one.name
    for two in exercise.two_slips():
        if " + " in two.name:
            a, b = two.name.split(" + ")
            assert two.sentence == f"Two slips. (1) {alone[a].sentence} (2) {alone[b].sentence}"
            assert not {"obviously", "simply", "just"} & set(two.sentence.lower().split())


@pytest.mark.parametrize("name", WHITE)
def test_what_was_once_accepted_is_refused_by_its_name(name):
    ways = {m.name: m.ways for m in EXERCISES[name].two_slips()}
    for told in WHITE[name]:
        assert all(run(name, way).misconception == told for way in ways[told])


def test_names_of_parts_and_words_are_the_same():
    with pytest.raises(ValueError, match="'b'"):
        list(two_slips.slips(lambda **parts: len, {"a": {}}, "a\n    Words.\nb\n    More."))
