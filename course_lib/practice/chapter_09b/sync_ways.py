"""09b.sync: other exchanges, other sums, and what a tutor says."""

import torch

from course_lib.practice.two_slips import listed, of_parts, single
from course_lib.practice.words import entries


def mean(held):
    return held.mean(0, keepdim=True).expand(held.shape)


def made(
    exchange=mean,
    when=lambda flags, p: flags[p],
    add=lambda held, new: held + new,
    end=lambda held, P: held,
):
    """Another exchange, at other pieces, another sum, something changed at the end."""

    def synced(gradients, flags):
        R, P, D = gradients.shape
        held = torch.zeros(R, D)
        for p in range(P):
            held = add(held, gradients[:, p])
            if when(flags, p):
                held = exchange(held)
        return end(held, P)

    return synced


def exchanged_first(gradients, flags):
    """What was held is exchanged, and the piece is added afterwards."""
    held = torch.zeros_like(gradients[:, 0])
    for p, flag in enumerate(flags):
        held = (mean(held) if flag else held) + gradients[:, p]
    return held


def newest_alone(gradients, flags):
    """The gradients of a piece are averaged, and not what was held before."""
    pieces = [mean(gradients[:, p]) if flag else gradients[:, p] for p, flag in enumerate(flags)]
    return torch.stack(pieces).sum(0)


def flagged_alone(gradients, flags):
    """Pieces without a flag are forgotten."""
    return sum(
        (mean(gradients[:, p]) for p, flag in enumerate(flags) if flag), torch.zeros_like(gradients[:, 0])
    )


def one_after_the_other(add_first):
    """The processes take their turns: the mean of each is made of rows of which some are changed already."""

    def synced(gradients, flags):
        held = list(torch.zeros_like(gradients[:, 0]))
        for p, flag in enumerate(flags):
            if add_first:
                held = [one + new for one, new in zip(held, gradients[:, p], strict=True)]
            for r in range(len(held)):
                held[r] = held[r] if add_first else held[r] + gradients[r, p]
                if flag:
                    held[r] = sum(held) / len(held)
        return torch.stack(held)

    return synced


def one_short(gradients, flags):
    return made()(gradients[:, :-1], flags[:-1])


def shrunk(gradients, flags):
    """The mean is one row, whoever holds it."""
    held = torch.zeros_like(gradients[:, 0])
    for p, flag in enumerate(flags):
        held = held + gradients[:, p]
        if flag:
            held = held.mean(0, keepdim=True)
    return held


PARTS = {
    "exchange": {
        "sum-for-mean": lambda held: held.sum(0, keepdim=True).expand(held.shape),
        "first-process-for-all": lambda held: held[:1].expand(held.shape),
        "mean-over-parameters": lambda held: held.mean(1, keepdim=True).expand(held.shape),
        "mean-over-everything": lambda held: held.mean().expand(held.shape),
    },
    "when": {
        "never": lambda flags, p: False,
        "always": (lambda flags, p: True, lambda flags, p: p == len(flags) - 1),
        "last-flag-alone": lambda flags, p: p == len(flags) - 1 and flags[-1],
        "flags-turned-round": lambda flags, p: not flags[p],
        "any-flag": lambda flags, p: p == len(flags) - 1 and any(flags),
        "one-piece-late": lambda flags, p: p > 0 and flags[p - 1],
        "one-piece-early": lambda flags, p: flags[min(p + 1, len(flags) - 1)],
    },
    "add": {
        "last-piece-alone": lambda held, new: new,
        "signs-reversed": lambda held, new: held - new,
    },
    "end": {
        "divided-by-pieces": lambda held, P: held / P,
        "mean-returned": (lambda held, P: held.mean(0), lambda held, P: held[0]),
    },
}
WAYS = {
    **single(PARTS, made),
    "exchanged-first": exchanged_first,
    "newest-alone": newest_alone,
    "flagged-alone": flagged_alone,
    "one-piece-short": one_short,
    "one-row-left": shrunk,
    "one-after-the-other": (one_after_the_other(False), one_after_the_other(True)),
}

WORDS = entries("""
sum-for-mean
    At an exchange each process gets the sum of what all hold. It is the mean: divide by R. (With sums,
    earlier exchanges would count again and again.)
first-process-for-all
    At an exchange all processes get what the first one holds, and the work of the others is lost. Each gets
    the mean of all.
mean-over-parameters
    Your mean runs over the D parameters. Each parameter keeps its own number: the mean runs over the
    processes, axis 0.
mean-over-everything
    Your mean runs over processes and parameters together. Each parameter keeps its own number: `mean(dim=0)`.
never
    The processes never exchange in your answer: `flags` has no effect. Where `flags[p]` is True each of them
    gets the mean of what all hold.
always
    In the end all processes hold the same, whatever `flags` says. (Whether they exchange after every piece or
    after the last one only makes no difference.) Where `flags[p]` is False each keeps its own.
last-flag-alone
    Only the last flag has an effect. At a piece in the middle the processes exchange, too, if its flag is
    True: then they hold the same up to there, whatever comes later.
flags-turned-round
    The wrong way round: the processes exchange where the flag is False.
any-flag
    The processes exchange once, after the last piece, if there is a flag at all. They exchange at the pieces
    whose flag is True, with what they hold then.
one-piece-late
    Your flags act one piece late. `flags[p]` belongs to piece p itself: add it, then exchange.
one-piece-early
    Your flags act one piece early. `flags[p]` belongs to piece p itself: add it, then exchange.
last-piece-alone
    Each piece writes over what a process held before. It is added: `held = held + …`.
signs-reversed
    You subtract the gradients. They are added to what a process holds.
divided-by-pieces
    You divide by the number of pieces. Nothing is said of that here: what is held is the sum over the pieces.
mean-returned
    You return one gradient for all. Each process holds its own, and they differ where the last pieces were
    not exchanged: (R, D).
exchanged-first
    You exchange before the piece is added, so its gradient stays at home. First add the piece, then exchange:
    that is how a flag comes too late.
newest-alone
    You average the gradients of the piece alone. What is exchanged is all that a process holds: its earlier
    pieces, which were not exchanged, become the same for all as well.
flagged-alone
    Pieces whose flag is False are lost in your answer. They are added to what a process holds; the flag only
    says whether it is exchanged.
one-piece-short
    The last piece is missing in what the processes hold: does a loop run one short?
one-after-the-other
    Your processes exchange one after the other, so the later ones average rows that have been changed
    already. First all add their piece; then one mean is made, and all get it.
one-row-left
    After an exchange one row is left where R are held. Each process holds the mean then: `expand(R, D)` makes
    R rows of it again.
""")
SKIP = {
    *((name, "never") for name in PARTS["exchange"]),
    *((name, "mean-returned") for part in ("exchange", "when") for name in PARTS[part]),
}
PAIRS = of_parts(listed(PARTS, made, SKIP), WORDS)
