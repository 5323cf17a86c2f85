"""05.greedy: write the likeliest token at each step, with a state that is kept."""

import torch
from torch import nn

from course_lib.practice import ideas
from course_lib.practice.chapter_05.greedy_words import WORDS
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose
from course_lib.text.tokenizers import BOS_ID, EOS_ID, PAD_ID, UNK_ID


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


class FedAgain(ValueError):
    """More than the new token, on top of what the state holds."""


class FedFromTheStart(ValueError):
    """More than the first token at the first step."""


class Reciter(nn.Module):
    """A small model that writes: no parameters, and what it says depends on every token that it was fed.

    The first word of a source, minus 10, is the number of tokens that the row will get, `[EOS]` included.
    """

    vocab_size = 23

    def encode(self, source):
        return source, source[:, :0]  # the source, and what was fed so far: nothing

    def next_logits(self, tokens, state):
        if not (isinstance(state, tuple) and len(state) == 2):
            raise ValueError("state must be what `encode` or the last `next_logits` returned")
        source, fed = state
        if tokens.shape != (len(source), 1):
            given = f"tokens has shape {tuple(tokens.shape)}; expected ({len(source)}, 1)"
            if tokens.dim() == 2 and len(tokens) == len(source) and tokens.shape[1] > 1:
                kind = FedAgain if fed.shape[1] else FedFromTheStart
                raise kind(f"{given}: the new token of each row alone, as the state holds the earlier ones")
            raise ValueError(f"{given}: one new token for each row, as a column")
        fed = torch.cat([fed, tokens], dim=1)  # (B, n)
        n, spread = fed.shape[1], self.vocab_size - 4
        word = 4 + (3 * source[:, n % source.shape[1]] + 5 * fed[:, -1] + 7 * fed.sum(dim=1)) % spread
        word = torch.where(source[:, 0] - 10 == n, EOS_ID, word)  # (B,)
        height = (source.sum(dim=1) + 3 * n) % 7  # of the whole row: it changes no choice inside of it
        logits = (height[:, None] - (torch.arange(self.vocab_size) - word[:, None]).abs()).float()  # (B, V)
        weights = torch.softmax((source + n).float() % 5, dim=-1)  # (B, S)
        return logits, weights, (source, fed)

    def forward(self, *args):
        raise TypeError("this model writes by `model.encode(source)` and `model.next_logits(tokens, state)`")


def wrong(
    start=BOS_ID,
    choose=lambda logits, weights: logits.argmax(dim=-1),
    keep_state=True,
    feed=lambda ids, start: ids[-1][:, None],
    after=PAD_ID,
    over=lambda token, done: done.all(),
    steps=lambda max_new: max_new,
    early=False,
):
    """Greedy decoding with other parts; ``early``: a row is finished before its token is kept."""

    def written(model, source, max_new):
        first = state = model.encode(source)
        begin = torch.full((len(source), 1), start)
        tokens, done, ids = begin, torch.zeros(len(source), dtype=torch.bool), []
        for _ in range(steps(max_new)):
            logits, weights, new = model.next_logits(tokens, state)
            state = new if keep_state else first
            token = choose(logits, weights).expand(len(source))
            before, done = done, done | (token == EOS_ID)
            if after is not None:
                token = token.masked_fill(done if early else before, after)
            ids.append(token)
            if over(token, done):
                break
            tokens = feed(ids, begin)
        return torch.stack(ids, dim=1)

    return written


def whole(ids, start):
    return torch.cat([start, *(token[:, None] for token in ids)], dim=1)


def one_behind(ids, start):
    return ids[-2][:, None] if len(ids) > 1 else start


def never(token, done):
    return False


def with_begin(model, source, max_new):
    return torch.cat([torch.full((len(source), 1), BOS_ID), write(model, source, max_new)], dim=1)


def last_column_lost(no_ends, join):
    """The loop is left before the last step is kept; with ``no_ends`` earlier ends are padded over too."""

    def written(model, source, max_new):
        ids = write(model, source, max_new)
        ended = bool((ids == EOS_ID).any(dim=1).all())
        ids = ids.masked_fill(ids == EOS_ID, PAD_ID) if no_ends else ids
        return join(ids.T[: -1 if ended else None])  # an error where nothing is left

    return written


def by_cat(columns):
    return torch.cat([column[:, None] for column in columns], dim=1)


def by_stack(columns):
    return torch.stack(list(columns), dim=1)


def cases() -> list[Case]:
    def case(name: str, lengths: tuple[int, ...], S: int, max_new: int) -> Case:
        rows = [
            [10 + n, *(11 + (5 * n + 3 * s + 4 * row) % 12 for s in range(1, S))]
            for row, n in enumerate(lengths)
        ]
        sizes = {"B": len(lengths), "S": S, "T": min(max(lengths), max_new)}
        return Case(name, (Reciter(), torch.tensor(rows), max_new), sizes)

    return [
        case("three rows that end at different steps", (6, 2, 4), 8, 9),
        case("a limit that comes before the ends", (7, 9), 5, 3),
        case("one row", (4,), 3, 8),
        case("rows that end at once", (1, 1), 3, 5),
        case("a limit of one token", (1, 3, 2, 1), 2, 1),
        case("as many rows as steps, and one source word", (3, 1, 2), 1, 6),
        case("a first row that ends early", (2, 5), 4, 7),
    ]


WAYS = {
    "whole-text-again": wrong(feed=whole),
    "whole-text-from-the-start": wrong(feed=whole, keep_state=False),
    "state-forgotten": wrong(keep_state=False),
    "token-not-fed": wrong(feed=lambda ids, start: start),
    "one-step-behind": wrong(feed=one_behind),
    "first-row-for-all": wrong(choose=lambda logits, weights: logits[0].argmax()),
    "argmax-over-all": wrong(choose=lambda logits, weights: logits.argmax()),
    "logits-cut": tuple(
        wrong(choose=lambda logits, weights, i=i: logits[:, i].argmax(dim=-1)) for i in (0, -1)
    ),
    "lowest-chosen": wrong(choose=lambda logits, weights: logits.argmin(dim=-1)),
    "weights-chosen": wrong(choose=lambda logits, weights: weights.argmax(dim=-1)),
    "never-stops": wrong(over=never),
    "finished-rows-go-on": (wrong(after=None), wrong(after=None, over=never)),
    "ends-not-remembered": tuple(
        wrong(after=after, over=lambda token, done: (token == EOS_ID).all()) for after in (None, PAD_ID)
    ),
    "stops-with-the-first": tuple(
        wrong(after=after, over=lambda token, done: done.any()) for after in (PAD_ID, None)
    ),
    "end-lost": (
        wrong(early=True),
        wrong(early=True, over=never),
        *(last_column_lost(no_ends, join) for no_ends in (True, False) for join in (by_cat, by_stack)),
    ),
    "end-repeated": (wrong(after=EOS_ID), wrong(after=EOS_ID, over=never)),
    "begin-kept": with_begin,
    "another-start": tuple(wrong(start=start) for start in (PAD_ID, EOS_ID, UNK_ID)),
    "limit-missed": tuple(
        wrong(steps=steps) for steps in (lambda max_new: max_new + 1, lambda max_new: max(max_new - 1, 1))
    ),
    "steps-as-rows": lambda *args: write(*args).T,
}

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
    misconceptions=(*misconceptions(WORDS, WAYS), *ideas.squeezed(write)),
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
