"""`bench bpe`: how fast the tokenizer learns and encodes, beside two others in the same run.

    tokenizers   Hugging Face's library, written in Rust; ours has its merges and its ids
    textbook     counts all pairs anew at each merge, over the different words and how often each occurs
                 (Sennrich et al. 2016, Algorithm 1)

Each works on one core, and what counts is how long a core worked for it, not what the clock on the wall says:
other programs disturb that little. All must learn the same merges and give the same ids, or it is an error.
"""

import os
import time
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar

from course_lib.data import python_library
from course_lib.text.bpe import BPETokenizer, Pair, merge, train_bpe
from course_lib.text.presplit import byte_ids, printable, split
from course_lib.tools import parser

CHARACTERS, VOCAB_SIZE = 1_000_000, 4096
PART = 0.15  # of the text, for half as many tokens: on all of it the textbook takes minutes
LONG = 100_000  # letters without a space
Result = TypeVar("Result")
ROUNDS = 5  # of what takes less than a second; the fastest counts


class Seconds(NamedTuple):
    """One row: the same work by each; nan where it was not asked."""

    ours: float
    tokenizers: float
    textbook: float = float("nan")


def main(arguments: list[str]) -> int:
    """Print the table; with `--check`, exit code 1 where a bound is missed."""
    asked = parser("bench")
    asked.prog += " bpe"
    asked.add_argument("--check", action="store_true", help="exit code 1 where a bound is missed")
    asked.add_argument("--characters", type=int, default=CHARACTERS, help=f"of text (default {CHARACTERS:,})")
    asked.add_argument("--vocab-size", type=int, default=VOCAB_SIZE, help=f"tokens (default {VOCAB_SIZE:,})")
    options = asked.parse_args(arguments)
    text = python_library.text(max_characters=options.characters)
    size = len(text.encode()) / 1e6
    print(f"{size:.2f} MB of Python source, {options.vocab_size:,} tokens; seconds of work of one core")
    print(f"{'':36}{'ours':>10}{'tokenizers':>12}{'textbook':>10}", flush=True)
    rows = measure(text, options.vocab_size)
    for name, row in rows.items():
        figures = f"{row.ours:10.3f}{row.tokenizers:12.3f}{row.textbook:10.2f}"
        print(f"  {name:34}{figures.replace('nan', '   ')}", flush=True)
    print(f"  (a part: {PART:.0%} of the text, {max(257, options.vocab_size // 2):,} tokens)")
    learn, part, warm = rows["learn"], rows["learn from a part"], rows["encode, words known"]
    long = rows[f"encode {LONG:,} letters"]
    verdicts = (  # what, how much, the bound, whether it is kept, what we aim at
        ("seconds to learn from a megabyte", per := learn.ours / size, "at most 10", per <= 10, "aim 3"),
        (
            "times as fast to learn as textbook",
            ratio := part.textbook / part.ours,
            "at least 30",
            ratio >= 30,
            "",
        ),
        ("megabytes a second, words known", speed := size / warm.ours, "at least 1", speed >= 1, "aim 3"),
        (f"seconds for {LONG:,} letters", long.ours, "at most 5", long.ours <= 5, ""),
    )
    for what, value, bound, kept, aim in verdicts:
        print(f"{what:38}{value:8.2f}   {bound} {'✓' if kept else '✗'}{aim and f' ({aim})'}")
    return 1 if options.check and not all(kept for *_, kept, _ in verdicts) else 0


def measure(text: str, vocab_size: int) -> dict[str, Seconds]:
    """The rows of the table.

    Raises:
        RuntimeError: one of the three learns other merges, or gives other ids.
    """
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # one core for each
    ours, learn = _time(lambda: train_bpe(text, vocab_size))
    theirs, learn_theirs = _time(lambda: _their_training(text, vocab_size))
    _same("vocabularies", _names(ours), theirs.get_vocab())
    rows = {"learn": Seconds(learn, learn_theirs)}

    part, fewer = text[: int(len(text) * PART)], max(257, vocab_size // 2)
    small, learn = _time(lambda: train_bpe(part, fewer))
    small_theirs, learn_theirs = _time(lambda: _their_training(part, fewer))
    plain, learn_plain = _time(lambda: textbook(part, fewer))
    _same("merges", small.merges, plain)
    _same("vocabularies", _names(small), small_theirs.get_vocab())
    rows["learn from a part"] = Seconds(learn, learn_theirs, learn_plain)

    fresh = BPETokenizer(ours.merges)
    ids, first = _time(lambda: fresh.encode(text))
    their_ids, first_theirs = _time(lambda: theirs.encode(text).ids)
    _same("ids", ids, their_ids)
    rows["encode, the first time"] = Seconds(first, first_theirs)
    turns = [
        (_time(lambda: fresh.encode(text))[1], _time(lambda: theirs.encode(text))[1]) for _ in range(ROUNDS)
    ]
    rows["encode, words known"] = Seconds(*map(min, zip(*turns, strict=True)))
    word = "".join(chr(ord("a") + i * i % 26) for i in range(LONG))
    ids, long = _time(lambda: fresh.encode(word))
    their_ids, long_theirs = _time(lambda: theirs.encode(word).ids)
    _same("ids", ids, their_ids)
    rows[f"encode {LONG:,} letters"] = Seconds(long, long_theirs)
    return rows


def textbook(text: str, vocab_size: int) -> list[Pair]:
    """The merges, as textbooks find them: all pairs are counted anew for each."""
    words = [(byte_ids(word), times) for word, times in Counter(split(text)).items()]
    merges: list[Pair] = []
    while len(merges) < vocab_size - 256:
        counts: Counter[Pair] = Counter()
        for word, times in words:
            for pair in pairwise(word):
                counts[pair] += times
        if not counts:
            break
        most = max(counts.values())
        merges.append(min(pair for pair, count in counts.items() if count == most))
        words = [(merge(word, merges[-1], 255 + len(merges)), times) for word, times in words]
    return merges


def _their_training(text: str, vocab_size: int) -> Any:
    """`tokenizers` is there for tests and benches only, so it is imported only here."""
    from tokenizers import Tokenizer, models, trainers
    from tokenizers.pre_tokenizers import ByteLevel

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    alphabet = ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=vocab_size, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator([text], trainer)
    return tokenizer


def _names(tokenizer: BPETokenizer) -> dict[str, int]:
    return {printable(token): i for i, token in enumerate(tokenizer.tokens)}


def _time(work: Callable[[], Result]) -> tuple[Result, float]:
    start = time.process_time()
    result = work()
    return result, time.process_time() - start


def _same(what: str, ours: object, theirs: object) -> None:
    if ours != theirs:
        raise RuntimeError(f"the {what} differ: their times are not comparable")
