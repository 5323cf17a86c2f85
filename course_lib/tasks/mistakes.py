"""What two pronouncers get wrong: which words, and by what kind of mistake."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from course_lib.data import cmudict
from course_lib.tasks import pronunciation

RIGHT = "right"  # what `kind_of_mistake` says of a right word


@dataclass(frozen=True)
class Mistakes:
    """Two models on the same words.

    Args:
        names: of the two models.
        entries: the words.
        guesses: for each model, its sounds for each word.
        found: for each model, the kind of mistake in each word, or "right".
    """

    names: tuple[str, str]
    entries: Sequence[cmudict.Entry]
    guesses: Mapping[str, list[list[str]]]
    found: Mapping[str, list[str]]

    @property
    def kinds(self) -> dict[str, tuple[float, float]]:
        """Kind of mistake → words with it, for each model, in % of all words; the commonest first."""
        counts = {name: Counter(self.found[name]) for name in self.names}
        order = [kind for kind, _ in sum(counts.values(), Counter()).most_common() if kind != RIGHT]
        return {kind: tuple(100 * counts[n][kind] / len(self.entries) for n in self.names) for kind in order}

    @property
    def wrong(self) -> dict[str, int]:
        """How many words are wrong: of one model alone, by its name, and "both"."""
        pairs = Counter(
            tuple(kind == RIGHT for kind in kinds)
            for kinds in zip(*(self.found[name] for name in self.names), strict=True)
        )
        first, second = self.names
        return {first: pairs[False, True], second: pairs[True, False], "both": pairs[False, False]}

    def share(self, name: str, kind: str) -> float:
        """Of the words that a model gets wrong, the share with this kind of mistake."""
        wrong = [found for found in self.found[name] if found != RIGHT]
        return wrong.count(kind) / len(wrong) if wrong else 0.0

    def examples(self, name: str, n: int) -> list[tuple[cmudict.Entry, list[str]]]:
        """Some `n` words that a model gets wrong, evenly over the alphabet, with what it says."""
        wrong = [i for i, kind in enumerate(self.found[name]) if kind != RIGHT]
        chosen = wrong[:: max(1, len(wrong) // n)][:n]
        return [(self.entries[i], self.guesses[name][i]) for i in chosen]


def compare(
    models: Mapping[str, pronunciation.Model], entries: Sequence[cmudict.Entry], beam_size: int = 1
) -> Mistakes:
    """Let two models say the same words, and sort what is wrong.

    Args:
        models: two of them, by name.
        entries: words with their listed pronunciations.
        beam_size: 1 decodes greedily.

    Raises:
        ValueError: not two models.
    """
    if len(models) != 2:
        raise ValueError(f"models has {len(models)} entries, expected two: name → model")
    guesses = {name: pronunciation.say(model, entries, beam_size) for name, model in models.items()}
    found = {
        name: [pronunciation.kind_of_mistake(g, e.pronunciations) for g, e in zip(said, entries, strict=True)]
        for name, said in guesses.items()
    }
    return Mistakes(tuple(models), entries, guesses, found)
