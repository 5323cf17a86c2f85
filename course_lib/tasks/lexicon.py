"""A model that writes from a table: every probability is given by hand, so every text's is known.

    book = Lexicon({"": {"no": 0.6, "yes": 0.4}, "no": {"[EOS]": 1.0}, "yes": {"[EOS]": 1.0}})

It follows the protocol of `course_lib.generation`, and reads no source: a search can be tried on it where a
pencil can check what it should find.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from course_lib.text.tokenizers import EOS, EOS_ID, SPECIAL_TOKENS, WordTokenizer

Text = tuple[str, ...]

# A short text that is likely, and a longer one that begins less well. "no" leads after one word and is worth
# 0.6 · 0.4 = 0.24 when it ends at once; "yes please come in" is worth 0.4 · 0.9 · 0.8 · 0.9 · 0.7 = 0.18.
# By raw sums "no" wins. Normalised with α = 0.6 the longer text wins; whoever takes what greedy decoding
# says, what ends first, or the first two that end, does not find it.
TRAP = {
    "": {"no": 0.6, "yes": 0.4},
    "no": {EOS: 0.4, "thanks": 0.3, "way": 0.3},
    "no thanks": {EOS: 1.0},
    "no way": {EOS: 1.0},
    "yes": {"please": 0.9, EOS: 0.1},
    "yes please": {"come": 0.8, EOS: 0.2},
    "yes please come": {"in": 0.9, EOS: 0.1},
    "yes please come in": {EOS: 0.7, "now": 0.3},
    "yes please come in now": {EOS: 1.0},
}


class Lexicon:
    """A writer whose next word depends on a table alone.

    Args:
        table: the text so far, words between spaces → next word → probability; "[EOS]" ends.

    Raises:
        ValueError: a row that does not sum to 1, or a word after which the table ends without "[EOS]".
    """

    def __init__(self, table: Mapping[str, Mapping[str, float]]) -> None:
        self.table = {tuple(text.split()): dict(row) for text, row in table.items()}
        for text, row in self.table.items():
            if abs(sum(row.values()) - 1) > 1e-6 or min(row.values()) < 0:
                raise ValueError(
                    f"table[{' '.join(text)!r}] sums to {sum(row.values()):g}, expected probabilities: sum 1"
                )
            for word in row:
                if word != EOS and (*text, word) not in self.table:
                    longer = " ".join((*text, word))
                    raise ValueError(f"table has no row for {longer!r}, expected one, with an end")
        found = {word for row in self.table.values() for word in row} - set(SPECIAL_TOKENS)
        self.words = WordTokenizer(sorted(found))

    def encode(self, source: Tensor) -> Tensor:
        """The state before the first word: nothing written, `(B, 0)`; the source is not read."""
        return torch.zeros(len(source), 0, dtype=torch.long)

    def next_logits(self, tokens: Tensor, state: Tensor) -> tuple[Tensor, None, Tensor]:
        """Log-probabilities of the next word `(B, V)`, and the text so far as the new state `(B, t)`."""
        written = torch.cat([state, tokens], dim=1)  # (B, t), `[BOS]` first
        logits = torch.zeros(len(tokens), len(self.words))  # (B, V)
        for line, ids in zip(logits, written.tolist(), strict=True):
            row = {EOS: 1.0} if EOS_ID in ids else self.table[self.text(ids)]
            for word, chance in row.items():
                line[EOS_ID if word == EOS else self.words.ids[word]] = chance
        return logits.log(), None, written

    def text(self, ids: list[int]) -> Text:
        """Ids as words, up to the first `[EOS]`."""
        return tuple(self.words.decode_tokens(ids))

    def probability(self, text: str) -> float:
        """Of a whole text, its end included."""
        words, chance = text.split(), 1.0
        for t, word in enumerate([*words, EOS]):
            chance *= self.table.get(tuple(words[:t]), {}).get(word, 0.0)
        return chance
