"""Byte-level BPE (byte-pair encoding): tokens that a text itself suggests, and no unknown character.

    split    a text is cut into words (`presplit.py`); no token ever crosses the border of a word
    train    count all neighbouring pairs of tokens, make the most frequent one a token, repeat
    encode   inside each word, merge the pair that was learned first, repeat
    decode   put the bytes of the tokens side by side

Everything begins with the 256 bytes, so every text in every script has tokens, and comes back as it was.
Between two pairs that are equally frequent, the pair with the smaller ids is merged.

A special token (`[EOS]`, the markers of a chat) is an id that stands for no text. `encode` never gives one,
whatever a user types: put its id into the list yourself.

Sources: Sennrich et al. 2016, section 3.2 (BPE on words); Radford et al. 2019, section 2.2 (on bytes).
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property
from heapq import heapify, heappop, heappush
from itertools import pairwise
from pathlib import Path

from course_lib.files import write_whole
from course_lib.text.presplit import BYTES, LETTERS, byte_ids, printable, split, split_bytes
from course_lib.text.tokenizers import fingerprint, known_id

Pair = tuple[int, int]

# -- training --------------------------------------------------------------------------------------


def merge(ids: Sequence[int], pair: Pair, new: int) -> list[int]:
    """Put `new` in place of the pair wherever it stands, from left to right: in `aaa`, `aa` stands once."""
    merged, i = [], 0
    while i < len(ids):
        if i + 1 < len(ids) and (ids[i], ids[i + 1]) == pair:
            merged.append(new)
            i += 2
        else:
            merged.append(ids[i])
            i += 1
    return merged


def train_bpe(
    texts: str | Iterable[str], vocab_size: int, special_tokens: Sequence[str] = ()
) -> "BPETokenizer":
    """Learn the tokens of a text.

    A merge changes only the words that hold its pair. So the pairs are counted once, and after that only in
    those words. (A single word of many thousand letters is still rewritten at every merge.)

    Args:
        texts: one text, or several; no token goes from one to the next.
        vocab_size: how many tokens there will be: 256 bytes, the merged ones, the special ones. Fewer where
            every word has become one token before.
        special_tokens: their spellings; they get the last ids.

    Raises:
        ValueError: `vocab_size` has no room for the bytes and the special tokens.
    """
    n_merges = vocab_size - 256 - len(special_tokens)
    if n_merges < 0:
        raise ValueError(
            f"vocab_size is {vocab_size}, expected at least {256 + len(special_tokens)}: "
            "256 bytes and the special tokens"
        )
    counted = Counter(word for text in ([texts] if isinstance(texts, str) else texts) for word in split(text))
    words, times = [byte_ids(word) for word in counted], list(counted.values())
    counts: Counter[Pair] = Counter()  # how often a pair occurs in all texts
    where: dict[Pair, set[int]] = defaultdict(set)  # the words in which it does, or did
    for w, word in enumerate(words):
        for pair in pairwise(word):
            counts[pair] += times[w]
            where[pair].add(w)

    queue = [(-count, pair) for pair, count in counts.items()]  # most frequent first, then smallest ids
    heapify(queue)
    merges: list[Pair] = []
    while queue and len(merges) < n_merges:
        count, pair = heappop(queue)
        if counts[pair] != -count:  # other merges have taken some of them since: back into the queue
            if counts[pair]:
                heappush(queue, (-counts[pair], pair))
            continue
        new = 256 + len(merges)
        merges.append(pair)
        fresh = set()
        for w in where.pop(pair):
            for old in pairwise(words[w]):
                counts[old] -= times[w]
            words[w] = merge(words[w], pair, new)
            for now in pairwise(words[w]):
                counts[now] += times[w]
                if new in now:
                    where[now].add(w)
                    fresh.add(now)
        for now in fresh:
            heappush(queue, (-counts[now], now))
    return BPETokenizer(merges, special_tokens)


# -- encoding and decoding -------------------------------------------------------------------------


def pairs_of(named: Iterable[tuple[str, str]]) -> list[Pair]:
    """Merges in GPT-2's letters to pairs of ids: its first one, `("Ġ", "t")`, to `(220, 83)`.

    Raises:
        KeyError: one of what no earlier merge has made.
    """
    ids = {letter: i for i, letter in enumerate(LETTERS)}
    pairs: list[Pair] = []
    for left, right in named:
        pairs.append((ids[left], ids[right]))
        ids[left + right] = 255 + len(pairs)
    return pairs


def merge_by_rank(ids: Sequence[int], ranks: dict[Pair, int]) -> list[int]:
    """The tokens of one word: of all pairs that can be merged, always first the one that was learned first.

    The ids stand in a linked list and the possible merges in a heap, so the time grows as n log n: a word of
    100,000 letters takes about a second.

    Args:
        ids: of the bytes.
        ranks: pair -> id of its token. What was learned earlier has a smaller id.
    """
    n = len(ids)
    ids = [*ids, None]  # None: nothing. The place behind the last one is also the place before the first
    before, after = list(range(-1, n)), list(range(1, n + 2))
    queue = [(ranks[pair], i) for i, pair in enumerate(pairwise(ids)) if pair in ranks]
    heapify(queue)
    while queue:
        new, left = heappop(queue)
        right = after[left]
        if ids[left] is None or ranks.get((ids[left], ids[right])) != new:
            continue  # one of the two has been merged with its other neighbour
        ids[left], ids[right] = new, None
        after[left] = after[right]
        before[after[left]] = left
        for i, j in ((before[left], left), (left, after[left])):
            if (ids[i], ids[j]) in ranks:
                heappush(queue, (ranks[ids[i], ids[j]], i))
    return [i for i in ids if i is not None]


class _Known(dict):
    """Words that were encoded before: most words of a text are repetitions."""

    def __init__(self, ranks: dict[Pair, int]) -> None:
        self.ranks = ranks

    def __missing__(self, word: str) -> list[int]:
        ids = merge_by_rank(byte_ids(word), self.ranks)
        if len(self) < 100_000 and len(word) < 100:  # bounded memory, whatever is encoded
            self[word] = ids
        return ids


class BPETokenizer:
    """Text to ids and back.

    Args:
        merges: the pairs of ids in the order in which they were learned; pair i makes token 256 + i.
        special_tokens: their spellings; they get the last ids.

    Raises:
        ValueError: a pair that cannot be, or a special token that is empty or stands there twice.
    """

    def __init__(self, merges: Iterable[Pair], special_tokens: Sequence[str] = ()) -> None:
        self.merges = [(left, right) for left, right in merges]
        tokens = [bytes([byte]) for byte in BYTES]
        for pair in self.merges:
            if not all(0 <= i < len(tokens) for i in pair):
                raise ValueError(
                    f"merges holds {pair} as number {len(tokens) - 256}, expected ids below {len(tokens)}: "
                    "a pair is made of tokens that are there already"
                )
            tokens.append(tokens[pair[0]] + tokens[pair[1]])
        if len(set(tokens)) != len(tokens):
            twice = next(token for token, times in Counter(tokens).items() if times > 1)
            raise ValueError(f"merges makes {twice!r} twice, expected each token once")
        names = [] if isinstance(special_tokens, str) else list(special_tokens)
        if len(names) != len(special_tokens) or not all(names) or len(set(names)) != len(names):
            raise ValueError(
                f"special_tokens is {special_tokens!r}, expected a list of different strings, none empty"
            )
        self.special = {name: len(tokens) + i for i, name in enumerate(special_tokens)}
        self.tokens = tokens + [name.encode() for name in special_tokens]  # id -> bytes
        self._known = _Known({pair: 256 + i for i, pair in enumerate(self.merges)})

    def __len__(self) -> int:
        """The size of the vocabulary V, special tokens included."""
        return len(self.tokens)

    def encode(self, text: str | bytes) -> list[int]:
        """A text to ids, none of them special: `"[EOS]"` is five signs and letters like any others.

        Args:
            text: a string, or bytes, which need not be UTF-8.

        Raises:
            ValueError: half of a character.
        """
        words = split_bytes(text) if isinstance(text, bytes) else split(text)
        return [i for word in words for i in self._known[word]]

    def encode_with_special(self, text: str) -> list[int]:
        """As `encode`, but a special token that is spelled in the text becomes its id.

        For texts of your own, such as templates. **Never for what a user has typed.** Where one special
        token begins like another, the longest counts.
        """
        if not self.special:
            return self.encode(text)
        names = sorted(self.special, key=len, reverse=True)
        parts = re.split(f"({'|'.join(map(re.escape, names))})", text)  # text, special, text, …
        return [
            i for n, part in enumerate(parts) for i in ([self.special[part]] if n % 2 else self.encode(part))
        ]

    def decode_bytes(self, ids: Iterable[int], *, skip_special: bool = False) -> bytes:
        """Ids to the bytes that were encoded; special tokens are spelled, or left out.

        Raises:
            ValueError: not one row of ids of this vocabulary.
        """
        first_special = len(self) - len(self.special)
        known = [known_id(i, len(self)) for i in ids]
        return b"".join(self.tokens[i] for i in known if not skip_special or i < first_special)

    def decode(self, ids: Iterable[int], *, skip_special: bool = False) -> str:
        """Ids to text. One letter can be several tokens: where only a part of it is there, it becomes `�`.

        Raises:
            ValueError: as `decode_bytes`.
        """
        return self.decode_bytes(ids, skip_special=skip_special).decode("utf-8", "replace")

    # -- on disk -----------------------------------------------------------------------------------

    @cached_property
    def fingerprint(self) -> str:
        """Sixteen signs that differ when any id would mean another token."""
        return fingerprint("byte-level BPE", self.merges, list(self.special))

    def save(self, path: Path | str) -> None:
        """Write a JSON file that can be read: one merge a line, in GPT-2's letters."""
        names = [printable(token) for token in self.tokens]
        lines = [json.dumps([names[i], names[j]], ensure_ascii=False) for i, j in self.merges]
        head = {"what": "byte-level BPE", "vocab_size": len(self), "fingerprint": self.fingerprint}
        head["special_tokens"] = list(self.special)
        text = json.dumps(head, indent=1, ensure_ascii=False).removesuffix("\n}")
        text += ',\n "merges": [\n  ' + ",\n  ".join(lines) + "\n ]\n}\n"
        write_whole(Path(path), text.encode())

    @classmethod
    def load(cls, path: Path | str) -> "BPETokenizer":
        """Read what `save` has written.

        Raises:
            FileNotFoundError: no such file.
            ValueError: another kind of file, or one that was changed.
        """
        try:
            content = json.loads(Path(path).read_text(encoding="utf-8"))
            loaded = cls(pairs_of(content["merges"]), content["special_tokens"])
            same = loaded.fingerprint == content["fingerprint"]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path} is not a tokenizer that `save` has written: {error!r}") from error
        if not same:
            raise ValueError(f"{path} has merges that do not fit its fingerprint: was it changed by hand?")
        return loaded
