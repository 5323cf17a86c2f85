"""What 02.retrieval says of wrong queries and keys, and what it measures before it says so."""

import torch

WORDS = """
too-quiet
    Every query looks most at the key it wants, but not clearly enough: one row puts {share:.2f} there with
    {n} keys. Dot products must differ by more. Make the queries longer than they are: here {times} times as
    long is enough. With more keys, or with more features (raw scores are divided by √K), more may be needed,
    and 1,000 times does no harm.
one-number
    Your queries for {at} all look most at the last key, position {last}. Is the position itself, or a
    multiple of it, your one feature? Then a score grows with i · j, and a product is no comparison: for each
    query above 0 the largest number wins. Give each key a direction of its own, for example a row of
    `torch.eye(n_keys)`.
wanted-unused
    `wanted` has no effect: with `wanted` = {wanted} your queries look at {seen}, the positions of the queries
    themselves{before}. Query i must look like the key at position wanted[i]: `k[wanted]` picks these rows.
off-by-one
    With `wanted` = {wanted} your queries look at {seen}: {who} one too {way}{ring}. Positions are counted
    from 0, and `wanted` counts so too.
sign-reversed
    The sign is reversed: each query avoids the key that it wants, and all others share the weight. A large
    dot product means a good fit.
keys-chosen
    You pick the keys by `wanted`, not the queries. It runs only where T = S, and answers the question turned
    round: 'who wants me?' The keys say who they are; the queries say what they want. (Or do you return `k,
    q`? The order is `q, k`.)
one-wish-for-all
    All queries ask for the same: every row of weights is equal. Each row of `q` belongs to another query: row
    i must look like the key at wanted[i].
all-scores-equal
    Every row is even: all keys get the same score, or nearly so. Keys that are equal, or queries that fit
    all keys alike, cannot be told apart. Give each key a vector of its own.
infinite
    Some weights are NaN. Is there an infinity? ∞ · 0 is NaN, and so is the whole row; a large number is
    enough: a score that is 10 above the others counts e¹⁰ ≈ 22,000 times as much. Or is something divided by
    0, such as a vector of zeros by its length? 0/0 is NaN, too.
another-wins
    Some query does not score the key that it wants highest: another one gets as much or more. The dot product
    of a query with its key is not enough: it must beat the dot products with all others. Keys of equal length
    that point in different directions do it; the rows of `torch.eye(n_keys)` are the easiest.
"""


def itself(wanted, n_keys):
    return torch.arange(len(wanted)) % n_keys


def shifted(step):
    return lambda wanted, n_keys: (wanted + step) % n_keys


def listed(positions: torch.Tensor) -> str:
    return ", ".join(map(str, positions.tolist()))


def long_enough(expected, got, args):
    """How much there is on the wanted key, and how many times as long the queries would have to be here."""
    logits = got.double().clamp(min=1e-300).log()  # up to a number for each row, these are the scores
    enough = (
        times
        for size in range(6)
        for times in (2 * 10**size, 5 * 10**size, 10 ** (size + 1))
        if bool(((torch.softmax(times * logits, -1) * expected).sum(-1) >= 0.99).all())
    )
    # two digits, and from 0.985 on rounded down: the bar is 0.99, and this row is below it
    share = (got * expected).sum(-1).min().clamp(max=0.9849)
    return {"share": share, "n": args[1], "times": f"{next(enough):,}"}


def looks(expected, got, args):
    """Which positions the queries want, which they look at, and which of them miss."""
    seen = got.argmax(dim=-1)
    return args[0], seen, seen != args[0]


def all_at_the_last(expected, got, args):
    """Several queries that do not want the last key and give it the most."""
    wanted, seen, missing = looks(expected, got, args)
    at = wanted[missing & (seen == args[1] - 1)].unique()
    if len(at) < 2:
        raise ValueError(f"{len(at)} queries look at the last key; at least 2 are needed to say so")
    return {"at": f"{listed(at[:-1])} and {at[-1]}", "last": args[1] - 1}


def at_their_own_place(expected, got, args):
    wanted, seen, _ = looks(expected, got, args)
    own = bool((seen == itself(*args)).all())
    return {"wanted": listed(wanted), "seen": listed(seen), "before": "" if own else ", or one before"}


def one_beside(expected, got, args):
    """In which direction the queries that miss look beside, and whether the row of keys closes to a ring."""
    wanted, seen, missing = looks(expected, got, args)
    step = next(d for d in (-1, 1) if (seen == shifted(d)(*args))[missing].all())
    over = ((wanted + step < 0) | (wanted + step >= args[1]))[missing].any()
    ends = ", and below 0 you are back at the last key" if step < 0 else ", and past the last key back at 0"
    return {
        "wanted": listed(wanted),
        "seen": listed(seen),
        "who": "each" if missing.all() else "those that miss look",
        "way": "low" if step < 0 else "high",
        "ring": ends if over else "",
    }
