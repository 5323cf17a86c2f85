"""05.greedy: write the likeliest token at each step, with a state that is kept."""

import torch

from course_lib.practice import ideas
from course_lib.practice.chapter_05.greedy_ways import WAYS
from course_lib.practice.chapter_05.greedy_words import WORDS
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.reciter import Reciter
from course_lib.practice.words import advice, lines, misconceptions, prose
from course_lib.text.tokenizers import BOS_ID, EOS_ID, PAD_ID


def write(model, source, max_new):
    state = model.encode(source)
    tokens = torch.full((len(source), 1), BOS_ID)  # (B, 1): what the model hears next
    done = torch.zeros(len(source), dtype=torch.bool)  # (B,)
    ids = []
    for _ in range(max_new):
        logits, _, state = model.next_logits(tokens, state)  # (B, V)
        token = logits.argmax(dim=-1).masked_fill(done, PAD_ID)  # (B,)
        ids.append(token)
        done = done | (token == EOS_ID)
        if done.all():
            break
        tokens = token[:, None]  # (B, 1): the new token alone
    return torch.stack(ids, dim=1)  # (B, T)


def likeliest(got, args):
    """The id with the highest logit after what stands before it, for each place of the answer (B, T)."""
    model, source, _ = args
    state, heard, best = model.encode(source), torch.full((len(source), 1), BOS_ID), []
    for column in got.T:
        logits, _, state = model.next_logits(heard, state)
        best.append(logits.argmax(dim=-1))
        heard = column[:, None]
    return torch.stack(best, dim=1)


def live(got):
    """The places up to a row's first `[EOS]`, itself included, (B, T)."""
    ends = (got == EOS_ID).long()
    return ends.cumsum(dim=1) - ends == 0


def other_choices(expected, got, args):
    """Ends, padding and length are as they must be; so what is wrong are choices."""
    if (
        got.dim() != 2
        or not 1 <= got.shape[1] <= args[2]
        or len(got) != len(args[1])
        or got.is_floating_point()
    ):
        return False
    if not bool(((got >= 0) & (got < args[0].vocab_size)).all()):
        return False
    words, ended = live(got), (got == EOS_ID).any(dim=1).all()
    tidy = bool((got[~words] == PAD_ID).all()) and bool(words[:, -1].any())
    return tidy and bool(ended or got.shape[1] == args[2])


def choice(expected, got, args):
    best, words = likeliest(got, args), live(got)
    other = (best != got) & words
    row, step = other.nonzero()[0].tolist()
    places = {"other": int(other.sum()), "words": int(words.sum()), "row": row, "step": step}
    return {**places, "theirs": got[row, step].item(), "best": best[row, step].item()}


def case(name: str, lengths: tuple[int, ...], S: int, max_new: int) -> Case:
    rows = [
        [10 + n, *(11 + (5 * n + 3 * s + 4 * row) % 12 for s in range(1, S))] for row, n in enumerate(lengths)
    ]
    sizes = {"B": len(lengths), "S": S, "T": min(max(lengths), max_new)}
    return Case(name, (Reciter(), torch.tensor(rows), max_new), sizes)


def cases() -> list[Case]:
    return [
        case("three rows that end at different steps", (6, 2, 4), 8, 9),
        case("a limit that comes before the ends", (7, 9), 5, 3),
        case("one row", (4,), 3, 8),
        case("rows that end at once", (1, 1), 3, 5),
        case("a limit of one token", (1, 3, 2, 1), 2, 1),
        case("as many rows as steps, and one source word", (3, 1, 2), 1, 6),
        case("a first row that ends early", (2, 5), 4, 7),
    ]


def further() -> list[Case]:
    """Other lengths, sources and limits."""
    return [
        case("other rows", *one) for one in (((2, 7, 3, 5), 4, 9), ((5,), 2, 3), ((1,), 3, 4), ((3, 6), 7, 6))
    ]


GREEDY = Exercise(
    id="05.greedy",
    title="Greedy decoding with a state",
    minutes=18,
    difficulty=3,
    statement=prose("""
        Write `write(model, source, max_new)`: greedy decoding for all B rows of `source` at once.
        `model.encode(source)` reads the source and gives the first state. `model.next_logits(tokens, state)`
        takes the one new token of each row, (B, 1), and gives `(logits, weights, state)`: the logits of the
        next token, (B, V); where it looked, (B, S); and the new state, which holds all that was fed so far.

        Feed `BOS_ID` first, then always the token that was chosen last. A row ends with `EOS_ID`, which is
        kept; after it the row holds `PAD_ID`. Stop when all rows have ended, or after `max_new` tokens.
        Return the chosen ids, (B, T), for the T steps that were taken.
    """),
    inputs={
        "model": "a model with encode(source) and next_logits(tokens, state)",
        "source": "B, S",
        "max_new": "the largest T",
    },
    outputs=(Output("ids", ("B", "T")),),
    reference=write,
    cases=cases,
    further=further,
    hints=(
        prose("""
            Three things live from step to step: the state, the newest tokens, and which rows have ended. Do
            one step by hand for two rows: what goes in, what comes out, and which of the three must change
            before the next step?
        """),
        lines("""
            state = encode the source;  tokens = a column of BOS_ID;  done = False for each row
            at most max_new times:
                logits, weights, state = next_logits of tokens and state
                token = the index of the highest logit in each row, but PAD_ID where done     (B,)
                keep token;  done = done or token is EOS_ID;  all done: stop
                tokens = token as a column                                                    (B, 1)
            return the kept tokens, one step in each column                                   (B, T)
        """),
    ),
    misconceptions=(
        *misconceptions(
            WORDS,
            WAYS,
            {"not-the-likeliest": choice},
            {"not-the-likeliest": other_choices},
            any_shape=("not-the-likeliest",),
        ),
        *ideas.squeezed(write),
    ),
    insight="Each step feeds one token, and the state remembers the rest: T tokens for T steps.",
    advice=advice(r"""
values to unpack
    `next_logits` gives three things: `logits, weights, state = model.next_logits(tokens, state)`.
as a column
    A row of B tokens becomes a column with `token[:, None]`, (B, 1).
alone, as the state holds
    Do not join the tokens before you feed them: keep the text in a list of your own.
this model writes by|encode
    First `state = model.encode(source)`, once; then `model.next_logits(tokens, state)` at each step.
Boolean value
    Each row ends by itself: keep one True or False for each row, and ask `done.all()`.
stack expects|non-empty
    No token was kept: is the loop entered, and is each step's token appended to the list?
"""),
)
