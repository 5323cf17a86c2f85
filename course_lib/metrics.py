"""How good is it? Numbers for alignments, pronunciations and translations.

Every rate is 'errors divided by what should have been there', over the whole test set: never a mean of means.
"""

from collections.abc import Callable, Collection, Sequence

import torch
from torch import Tensor

Link = tuple[int, int]  # (source position, target position)


def alignment_error_rate(guessed: Sequence[Collection[Link]], sure: Sequence[Collection[Link]]) -> float:
    """Share of word links that are missing or wrong, over a whole test set.

    Args:
        guessed: for each sentence, the links A that the model proposes.
        sure: for each sentence, the true links S.

    Returns:
        `1 − 2 |A ∩ S| / (|A| + |S|)`, from 0 (perfect) to 1; 0 when there are no links at all.

    Raises:
        ValueError: not one guess for each sentence.

    Source: Och and Ney 2003; every true link is sure here, so their possible links P equal S.
    """
    _same_length(guessed, sure, "guessed", "sure")
    right = total = 0
    for guess, truth in zip(guessed, sure, strict=True):
        guess, truth = set(guess), set(truth)
        right += len(guess & truth)
        total += len(guess) + len(truth)
    return 1 - 2 * right / total if total else 0.0


def links_from_weights(weights: Tensor) -> set[Link]:
    """Attention weights to word links: each target token points at the source token it looked at most.

    Args:
        weights: `(T, S)`, rows are target tokens.

    Returns:
        T links (source position, target position).

    Raises:
        ValueError: not `(T, S)`, no source token, or NaN among the weights.
    """
    _check_weights(weights)
    return {(int(source), target) for target, source in enumerate(weights.argmax(-1))}


def share_out(weights: Tensor, rounds: int = 5) -> Tensor:
    """Let target tokens compete for source tokens: rows and columns are brought to sum 1 by turns.

    Softmax makes each *row* sum to 1, so several target tokens may look at one source token while another is
    looked at by none. Balancing the columns too gives every source token to those who look at it most.

    Args:
        weights: `(T, S)`, rows sum to 1.
        rounds: how often columns, then rows, are divided by their sums.

    Returns:
        balanced weights `(T, S)`; rows sum to 1.

    Raises:
        ValueError: not `(T, S)`, NaN or negative weights, or negative `rounds`.

    Source: Sinkhorn and Knopp 1967.
    """
    _check_weights(weights)
    if (weights < 0).any():
        raise ValueError("weights holds negative numbers, expected 0 to 1: are these scores?")
    if rounds < 0:
        raise ValueError(f"rounds is {rounds}, expected 0 or more")
    weights = weights + 1e-4  # a column of zeros has nothing to share
    for _ in range(rounds):
        weights = weights / weights.sum(0, keepdim=True)
        weights = weights / weights.sum(1, keepdim=True)
    return weights


def diagonal_links(n_source: int, n_target: int) -> set[Link]:
    """The guess of somebody who knows only the two lengths: token t goes with the token as far along.

    Args:
        n_source, n_target: tokens in the two sentences.

    Returns:
        one link for each target token.

    Raises:
        ValueError: a negative length, or target tokens with no source token to go with.
    """
    if n_target < 0 or n_source < (n_target > 0):
        raise ValueError(
            f"n_source = {n_source}, n_target = {n_target}, expected lengths with at least one source token: "
            "an empty sentence?"
        )
    return {(min(int((t + 0.5) * n_source / n_target), n_source - 1), t) for t in range(n_target)}


def leak_matrix(attend: Callable[[Tensor], Tensor], inputs: Tensor) -> Tensor:
    """Who reaches whom, measured: the size of ∂output_i / ∂input_j for every i and j.

    A mask says who *should* see whom; this asks the function itself. Where the size is exactly 0, a small
    change of input j does not move output i at all.

    Args:
        attend: any function from `(S, D)` to `(T, D_out)` that torch can differentiate.
        inputs: where the derivative is taken, `(S, D)`.

    Returns:
        Frobenius norms of the blocks of the Jacobian, `(T, S)`.

    Raises:
        ValueError: `inputs` or the output has not two axes.
    """
    if inputs.dim() != 2:
        raise ValueError(f"inputs has shape {tuple(inputs.shape)}, expected (S, D): one sentence, no batch")
    jacobian = torch.autograd.functional.jacobian(attend, inputs.detach())  # (T, D_out, S, D)
    if jacobian.dim() != 4:
        raise ValueError(
            f"attend returned {jacobian.dim() - 2} axes, expected (T, D_out): one row of features a position"
        )
    # The square of 1e-23 is 0 in float32, and 0 is to mean that nothing comes through.
    return jacobian.double().square().sum(dim=(1, 3)).sqrt().to(jacobian.dtype)  # (T, S)


def edit_distance(guess: Sequence[str], truth: Sequence[str]) -> int:
    """Fewest tokens to insert, delete or replace to turn `guess` into `truth` (Levenshtein)."""
    row = list(range(len(truth) + 1))  # distances from an empty guess
    for i, g in enumerate(guess, start=1):
        diagonal, row[0] = row[0], i
        for j, t in enumerate(truth, start=1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (g != t))
    return row[-1]


def differences(guess: Sequence[str], truth: Sequence[str]) -> list[tuple[str, str]]:
    """The fewest edits that turn `guess` into `truth`, one by one.

    Returns:
        `(guessed, true)` tokens that differ; `("", true)` is a missing token, `(guessed, "")` one too many.
    """
    table = [[0] * (len(truth) + 1) for _ in range(len(guess) + 1)]  # distances between all beginnings
    for i in range(len(guess) + 1):
        for j in range(len(truth) + 1):
            if i == 0 or j == 0:
                table[i][j] = i + j
            else:
                same = table[i - 1][j - 1] + (guess[i - 1] != truth[j - 1])
                table[i][j] = min(same, table[i - 1][j] + 1, table[i][j - 1] + 1)
    i, j, found = len(guess), len(truth), []
    while i or j:
        if i and j and table[i][j] == table[i - 1][j - 1] + (guess[i - 1] != truth[j - 1]):
            i, j = i - 1, j - 1
            if guess[i] != truth[j]:
                found.append((guess[i], truth[j]))
        elif i and table[i][j] == table[i - 1][j] + 1:
            i -= 1
            found.append((guess[i], ""))
        else:
            j -= 1
            found.append(("", truth[j]))
    return found[::-1]


def phoneme_error_rate(
    guesses: Sequence[Sequence[str]], references: Sequence[Sequence[Sequence[str]]]
) -> float:
    """Wrong, missing and added sounds for each sound that should be said.

    Args:
        guesses: one sequence of sounds a word.
        references: for each word, its listed pronunciations; the nearest one counts.

    Returns:
        total edit distance / total sounds of the nearest references; can exceed 1.

    Raises:
        ValueError: not one guess for each word, a word with no reference, or text where sounds are expected.
    """
    _check_pronunciations(guesses, references)
    errors = sounds = 0
    for guess, ways in zip(guesses, references, strict=True):
        distance, length = min((edit_distance(guess, way), len(way)) for way in ways)
        errors += distance
        sounds += length
    return errors / sounds if sounds else 0.0


def word_error_rate(guesses: Sequence[Sequence[str]], references: Sequence[Sequence[Sequence[str]]]) -> float:
    """Share of words with at least one wrong sound; a word is right if it matches any listed pronunciation.

    Args, raises: as `phoneme_error_rate`.

    Returns:
        a share from 0 to 1.
    """
    _check_pronunciations(guesses, references)
    wrong = sum(
        tuple(g) not in {tuple(way) for way in ways} for g, ways in zip(guesses, references, strict=True)
    )
    return wrong / len(guesses) if guesses else 0.0


def _check_weights(weights: Tensor) -> None:
    if weights.dim() != 2 or weights.shape[1] == 0:
        raise ValueError(
            f"weights has shape {tuple(weights.shape)}, expected (T, S) with S ≥ 1: "
            "take one sentence out of the batch, without its padding"
        )
    if weights.isnan().any():
        raise ValueError("weights holds NaN, expected numbers: was a softmax taken over a row of only −∞?")


def _check_pronunciations(guesses: Sequence, references: Sequence) -> None:
    _same_length(guesses, references, "guesses", "references")
    for i, (guess, ways) in enumerate(zip(guesses, references, strict=True)):
        if not ways:
            raise ValueError(f"references[{i}] is empty, expected at least one pronunciation")
        if any(isinstance(sounds, str) for sounds in (guess, *ways)):
            raise ValueError(
                f"guesses[{i}] or one of references[{i}] is a string, expected sequences of sounds "
                "(each word has a list of pronunciations): split it, as in 'K AE T'.split()"
            )


def _same_length(a: Sequence, b: Sequence, name_a: str, name_b: str) -> None:
    if len(a) != len(b):
        raise ValueError(f"{name_a} has {len(a)} items and {name_b} has {len(b)}, expected one for one")
