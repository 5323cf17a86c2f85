"""What a tokenizer costs: measured on Python, English, French, Chinese and emoji.

    the tokenizer   byte-level BPE, learned from the source of Python's standard library (`text/bpe`)
    the texts       source that it never saw, its English docstrings, the French of Tiny Town, and a few
                    sentences of Chinese and of emoji, written for this course
    the model       counted pairs of tokens (a bigram model), compared in bits a byte

The library differs from one Python to the next, so what is measured here is a range, never one figure.
"""

import math
import random
from collections import Counter
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from course_lib import costs
from course_lib.data import python_library, town
from course_lib.text.bpe import BPETokenizer, merge, merge_by_rank, train_bpe
from course_lib.text.presplit import byte_ids, split

TRAINING_CHARACTERS, SAMPLE_CHARACTERS = 1_000_000, 100_000

CHINESE = """我的名字叫小林,今年十二岁。每天早上七点,我和妹妹一起走路去学校。路上有一家面包店,
老板总是笑着对我们说:“早上好!今天的面包还是热的。”昨天下了一场大雨,街上到处都是水,
我们只好坐公共汽车。车上的人很多,一位老奶奶站在门口,妹妹马上把座位让给了她。
老师说,学习语言就像种树:一天看不出变化,一年以后却能看到很高的树。
计算机不认识字,它只认识数字。所以我们要先把一句话分成小块,再给每一块一个号码。
晚上,爸爸一边做饭一边听音乐,我在桌子旁边写作业,妹妹画了一只蓝色的猫。窗外的月亮又大又圆。
"""
EMOJI = """See you at 8 🎉🎉🎉 I'll bring the cake 🍰🍰 and you bring the music 🎶😄
My week: 🌧️🌧️🌧️☀️☀️🌈☀️ and now 🏖️🌊🏄🏽‍♀️!!
Are you coming? 🤔🤔 👍🏽👍🏽👍🏻👍🏿 great 🚗💨🏁 see you there ❤️💛💚💙💜
The team: 👩‍💻👨‍🍳👩‍🚀👨‍👩‍👧‍👦 from 🇫🇷🇨🇳🇧🇷🇰🇪🇮🇳🇨🇦 😂😂😂🙏🏾
Lost my keys again 😱🔑❓❓ found them in the fridge 🧊🔑✅😅🤦🏻‍♂️
"""


@cache
def learned(vocab_size: int, n_characters: int = TRAINING_CHARACTERS) -> BPETokenizer:
    """The tokens of Python source, learned from the library's training modules."""
    return train_bpe(python_library.text("train", max_characters=n_characters), vocab_size)


def smaller(tokenizer: BPETokenizer, vocab_size: int) -> BPETokenizer:
    """The same tokenizer with fewer tokens: as tokens are learned one by one, it is one that stopped earlier.

    Raises:
        ValueError: more tokens than it has, or fewer than the bytes and the special tokens need.
    """
    least = len(tokenizer) - len(tokenizer.merges)
    if not least <= vocab_size <= len(tokenizer):
        raise ValueError(f"vocab_size is {vocab_size}, expected {least} to {len(tokenizer)}")
    return BPETokenizer(tokenizer.merges[: vocab_size - least], list(tokenizer.special))


@cache
def samples(n_characters: int = SAMPLE_CHARACTERS) -> dict[str, str]:
    """Name of a kind of text → some of it, none of which `learned` has seen; at most `n_characters` each."""
    stories = "\n".join(story.french for story in town.stories(n_characters // 100 + 1, seed=1))
    return {
        "Python": python_library.text("validation", max_characters=n_characters),
        "English": python_library.docstrings("validation", max_characters=n_characters),
        "French": stories[:n_characters],
        "Chinese": CHINESE[:n_characters],
        "emoji": EMOJI[:n_characters],
    }


def tokens_per_byte(tokenizer: BPETokenizer, text: str) -> float:
    """How many tokens a byte of UTF-8 costs: 1 without any merge; the smaller, the better.

    Raises:
        ValueError: an empty text.
    """
    if not text:
        raise ValueError("text is empty, expected at least one character")
    return len(tokenizer.encode(text)) / len(text.encode())


# -- two other encoders: one is slow, one is wrong -------------------------------------------------


def in_order(tokenizer: BPETokenizer, word: str) -> list[int]:
    """The tokens of one word by a walk through all merges, in the order in which they were learned.

    They are the tokenizer's own: a merge makes pairs only with its new token, and those were learned later.

    Args:
        tokenizer: with the merges.
        word: one piece of `split`.
    """
    ids = byte_ids(word)
    for i, pair in enumerate(tokenizer.merges):
        ids = merge(ids, pair, 256 + i)
    return ids


def longest_from_the_left(tokenizer: BPETokenizer, word: str) -> list[int]:
    """The tokens of one word if each time the longest token that fits is taken: **not** those of BPE.

    Args:
        tokenizer: with the tokens; special ones are not looked for.
        word: one piece of `split`.
    """
    known = {token: i for i, token in enumerate(tokenizer.tokens[: 256 + len(tokenizer.merges)])}
    left, ids = b"".join(tokenizer.tokens[i] for i in byte_ids(word)), []
    while left:
        n = next(n for n in range(len(left), 0, -1) if left[:n] in known)
        ids.append(known[left[:n]])
        left = left[n:]
    return ids


def walk_against_rank(tokenizer: BPETokenizer, words: Sequence[str]) -> float:
    """How many times as long `in_order` takes for some words as `merge_by_rank`, the library's way.

    Args:
        tokenizer: with the merges.
        words: pieces of `split`; none is remembered from before.

    Raises:
        ValueError: no words.
    """
    if not words:
        raise ValueError("words is empty, expected at least one word")
    ranks = {pair: 256 + i for i, pair in enumerate(tokenizer.merges)}
    seconds = costs.fastest(
        {
            "walk": lambda: [in_order(tokenizer, word) for word in words],
            "rank": lambda: [merge_by_rank(byte_ids(word), ranks) for word in words],
        },
        rounds=3,
    )
    return seconds["walk"] / seconds["rank"]


# -- what costs more than it seems -----------------------------------------------------------------


def indentation_costs(
    tokenizer: BPETokenizer, depths: Sequence[int] = (4, 8, 12, 16, 20), line: str = "return"
) -> dict[int, int]:
    """Depth in spaces → how many tokens more a line costs when it is indented so far.

    Args:
        tokenizer: what cuts the line.
        depths: in spaces.
        line: what stands on it.
    """
    flat = len(tokenizer.encode("\n" + line))
    return {depth: len(tokenizer.encode("\n" + " " * depth + line)) - flat for depth in depths}


def number_cuts(
    tokenizer: BPETokenizer, digits: int, n: int = 1000, seed: int = 0
) -> Counter[tuple[int, ...]]:
    """How numbers with so many digits are cut: the digits of each of its tokens → how many numbers.

    `(2, 1)` stands for numbers such as `12|7`.

    Args:
        tokenizer: what cuts them.
        digits: in a number.
        n: numbers, drawn at random.
        seed: of the draws.

    Raises:
        ValueError: `digits` below 1.
    """
    if digits < 1:
        raise ValueError(f"digits is {digits}, expected at least 1")
    draw = random.Random(seed)
    numbers = (draw.randrange(10 ** (digits - 1), 10**digits) for _ in range(n))
    return Counter(tuple(len(tokenizer.tokens[i]) for i in tokenizer.encode(str(one))) for one in numbers)


class WordCost(NamedTuple):
    """What words of a kind cost."""

    words: int  # different ones
    tokens_per_word: float
    letters_per_token: float
    example: list[str]  # the pieces of one of them


def word_costs(
    tokenizer: BPETokenizer, seen: str, new: str, bands: Sequence[int] = (0, 1, 10, 100, 1000)
) -> dict[str, WordCost]:
    """What the words of a new text cost, by how often the training text had them.

    Args:
        tokenizer: what cuts them.
        seen: the training text.
        new: where the words come from; words of ASCII letters with the space before them, each once.
        bands: where each kind begins.

    Returns:
        kind, such as "10 to 99 times" → its cost; kinds without a word are left out.
    """
    times = Counter(split(seen))
    words = sorted({word for word in split(new) if word[1:].isalpha() and word.isascii() and word[0] == " "})
    costs = {}
    for first, behind in pairwise([*bands, math.inf]):
        band = [word for word in words if first <= times[word] < behind]
        if not band:
            continue
        pieces = [tokenizer.encode(word) for word in band]
        name = "never" if behind == 1 else f"{first:,} times or more"
        if 1 < behind < math.inf:
            name = f"{first:,} to {behind - 1:,} times"
        n_tokens = sum(map(len, pieces))
        costs[name] = WordCost(
            len(band),
            n_tokens / len(band),
            sum(len(word) - 1 for word in band) / n_tokens,
            [tokenizer.decode([i]) for i in pieces[len(band) // 2]],
        )
    return costs


# -- one model, several vocabularies ---------------------------------------------------------------


class BigramScore(NamedTuple):
    """A bigram model on a text that it never saw."""

    vocab_size: int
    tokens: int  # of the test text
    nats_per_token: float
    bits_per_byte: float


def bigram_score(tokenizer: BPETokenizer, seen: str, new: str) -> BigramScore:
    """Count which token follows which, then measure the loss on a new text.

    A token a was followed n times, by t different tokens. Then `p(b | a) = (count(a, b) + t p(b)) / (n + t)`
    (Witten and Bell 1991, method C): the less is known of a, the more counts how frequent b is in general.
    `p(b)` is the share of b in the training text, where every count begins at one.

    The loss a token cannot be compared between vocabularies: a larger one has fewer tokens, each harder to
    guess. What can be compared is the loss of the whole text, divided by its bytes.

    Args:
        tokenizer: makes the tokens.
        seen: the training text.
        new: the test text.

    Raises:
        ValueError: a text with fewer than two tokens.
    """
    before, after = tokenizer.encode(seen), tokenizer.encode(new)
    if min(len(before), len(after)) < 2:
        raise ValueError("seen or new has fewer than two tokens, expected a token that follows another one")
    alone = Counter(before)
    pairs = Counter(pairwise(before))
    followed = Counter(before[:-1])
    different = Counter(a for a, _ in pairs)

    def chance(b: int) -> float:
        return (alone[b] + 1) / (len(before) + len(tokenizer))

    nats = -math.log(chance(after[0]))  # nothing stands before the first token
    for a, b in pairwise(after):
        if n := followed[a]:
            t = different[a]
            nats -= math.log((pairs[a, b] + t * chance(b)) / (n + t))
        else:
            nats -= math.log(chance(b))
    return BigramScore(len(tokenizer), len(after), nats / len(after), nats / math.log(2) / len(new.encode()))
