"""01.decoder-step: look, then step."""

import torch
from torch import nn

from course_lib.practice import ideas
from course_lib.practice.chapter_01.context import context_vectors
from course_lib.practice.chapter_01.scores import alignment_scores
from course_lib.practice.chapter_01.weights import attention_weights
from course_lib.practice.inputs import padded, random, seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def decoder_step(y_prev, s_prev, h, allowed, attend, cell):
    context, weights = attend(s_prev, h, allowed)  # (B, D_h), (B, S): look with the state we have
    s = cell(torch.cat([y_prev, context], dim=-1), s_prev)  # (B, D_s): then step to the next state
    return s, context, weights


def wrong(
    query=lambda y_prev, s_prev: s_prev,
    mask=lambda allowed: allowed,
    joined=lambda y_prev, context: [y_prev, context],
    state=lambda s_prev: (s_prev,),
    answer=lambda s, s_prev: s,
):
    """The step with some of its parts exchanged."""

    def step(y_prev, s_prev, h, allowed, attend, cell):
        context, weights = attend(query(y_prev, s_prev), h, mask(allowed))
        s = cell(torch.cat(joined(y_prev, context), dim=-1), *state(s_prev))
        return answer(s, s_prev), context, weights

    return step


def look_later(first, second):
    """Steps whose query is the new state; ``first``: another look before, ``second``: another step after."""

    def step(y_prev, s_prev, h, allowed, attend, cell):
        context = attend(s_prev, h, allowed)[0] if first else h.new_zeros(h.shape[0], h.shape[-1])
        s = cell(torch.cat([y_prev, context], dim=-1), s_prev)
        context, weights = attend(s, h, allowed)
        return cell(torch.cat([y_prev, context], dim=-1), s_prev) if second else s, context, weights

    return step


def make_attend(W_a, U_a, v_a):
    """The attention that a decoder step is given: ``attend(s (B, D_s), h (B, S, D_h), allowed (B, S))``.

    It returns (context (B, D_h), weights (B, S)), and is made of the three exercises before.
    """

    def attend(s, h, allowed=None):
        if allowed is None:
            allowed = torch.ones(h.shape[:2], dtype=torch.bool)
        scores = alignment_scores(s, h, W_a, U_a, v_a)  # (B, S)
        weights = attention_weights(scores[:, None, :], allowed)  # (B, 1, S)
        return context_vectors(weights, h)[:, 0], weights[:, 0]  # (B, D_h), (B, S)

    return attend


def make_cell(generator: torch.Generator, inputs: int, states: int) -> nn.GRUCell:
    """A GRU cell with random matrices and biases that are not zero; the global random state is left alone."""
    cell = nn.utils.skip_init(nn.GRUCell, inputs, states)
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.copy_(0.6 * random(generator, *parameter.shape))
    return cell


def cases() -> list[Case]:
    g = seeded(104)

    def case(name: str, lengths: tuple[int, ...], e: int, d: int, d_h: int, a: int) -> Case:
        b, s = len(lengths), max(lengths)
        attend = make_attend(1.5 * random(g, a, d), 1.5 * random(g, a, d_h), 2 * random(g, a))
        states = random(g, b, s, d_h)
        states[0, s - 1] = states[0, 0]  # a repeated word
        word, before = random(g, b, e), random(g, b, d)
        args = (word, before, states, padded(*lengths), attend, make_cell(g, e + d_h, d))
        return Case(name, args, {"B": b, "S": s, "E": e, "D_s": d, "D_h": d_h})

    return [
        case("three sentences, two of them padded", (5, 2, 4), e=4, d=6, d_h=7, a=8),
        case("word vectors as long as the states", (3, 6), e=4, d=4, d_h=5, a=7),
        case("one sentence", (4,), e=2, d=5, d_h=3, a=6),
        case("one source word", (1, 1), e=3, d=2, d_h=4, a=5),
        case("one feature everywhere", (2, 4, 3), e=1, d=1, d_h=1, a=2),
    ]


def zeros_at_padding(y_prev, s_prev, h, allowed, attend, cell):
    """The step on states that are 0 where padding stands, with all places open."""
    return decoder_step(y_prev, s_prev, h * allowed[..., None], torch.ones_like(allowed), attend, cell)


WORDS = """
query-is-new-state
    The new state sᵢ asks: you step first and look afterwards. In Bahdanau's decoder the old state
    sᵢ₋₁ looks, and what it finds goes into the cell that makes sᵢ. (Looking with sᵢ is Luong's way; the page
    runs both.)
second-look
    You look twice. `s` is right: the first look, with sᵢ₋₁, went into it. But the context and the weights
    that you return come from a second look, with the new state sᵢ. Leave the second look out, and return what
    the first one found.
context-first
    The two parts are joined in the other order: context, then word. The cell's columns were made for the
    word's vector first. The sizes add up both ways, so only the numbers tell.
context-unused
    The context never reaches the cell. You look at the source and then step without what you saw: the decoder
    is back at the bottleneck.
word-unused
    The previous word never reaches the cell, so the decoder does not know what it has written. Join `y_prev`
    and the context, in this order.
state-not-passed
    The cell gets no previous state, so it starts from zeros at every step and forgets the sentence so far.
    Pass `s_prev` as its second argument.
mask-inverted
    `allowed` reaches `attend` turned round, so it looks at padding alone. `attend` takes it as it is: True =
    may be looked at.
padding-open
    `allowed` does not reach `attend`, so padding takes part of the attention. The same sentence would be
    translated differently in a batch with longer ones. Pass it as the third argument.
padding-as-zeros
    You put zeros in the place of padding and let `attend` look at all places. Zeros are an ordinary vector:
    it gets a score and takes part of the attention. `attend` leaves padding out by itself: give it `h` and
    `allowed` as they are.
old-state-returned
    You return the old state, `s_prev`, so the decoder never moves on. Return what the cell gives.
word-as-query
    The previous word's vector asks. It runs where word vectors and states have the same length. The
    decoder's state must ask: it knows the whole sentence so far, the word alone does not.
"""

WAYS = {
    "query-is-new-state": (look_later(False, False), look_later(False, True)),
    "second-look": look_later(True, False),
    "context-first": wrong(joined=lambda y_prev, context: [context, y_prev]),
    "context-unused": wrong(joined=lambda y_prev, context: [y_prev, torch.zeros_like(context)]),
    "word-unused": wrong(joined=lambda y_prev, context: [torch.zeros_like(y_prev), context]),
    "state-not-passed": wrong(state=lambda s_prev: ()),
    "mask-inverted": wrong(mask=torch.logical_not),
    "padding-open": wrong(mask=torch.ones_like),
    "padding-as-zeros": zeros_at_padding,
    "old-state-returned": wrong(answer=lambda s, s_prev: s_prev),
    "word-as-query": wrong(query=lambda y_prev, s_prev: y_prev),
}

DECODER_STEP = Exercise(
    id="01.decoder-step",
    title="One decoder step",
    minutes=12,
    difficulty=2,
    statement=prose("""
        Write `decoder_step(y_prev, s_prev, h, allowed, attend, cell)`, one step of Bahdanau's decoder. First
        look at the source with the state before this step, sᵢ₋₁. Then feed the GRU cell with the previous
        word's vector followed by the context, and with sᵢ₋₁ as its state. Return `s, context, weights`.

        `attend(s, h, allowed)` takes one state for each sentence, `s (B, D_s)`, and gives `(context,
        weights)`: it is what the page calls `look`. `cell(input, state)` gives the next state.
    """),
    inputs={
        "y_prev": "B, E",
        "s_prev": "B, D_s",
        "h": "B, S, D_h",
        "allowed": "B, S",
        "attend": "a function, attend(s, h, allowed) -> (context, weights)",
        "cell": "a torch.nn.GRUCell from E + D_h features to D_s",
    },
    outputs=(Output("s", ("B", "D_s")), Output("context", ("B", "D_h")), Output("weights", ("B", "S"), True)),
    reference=decoder_step,
    cases=cases,
    hints=(
        prose("""
            Two things happen, and the order is the point. The new state needs the context; so what can look
            at the source when the new state is not there yet?
        """),
        lines("""
            context, weights = attend with s_prev as the state
            input = y_prev and context, joined along the last axis   (B, E + D_h)
            s     = cell of input and s_prev                         (B, D_s)
            return s, context, weights
        """),
    ),
    misconceptions=(
        *misconceptions(WORDS, WAYS),
        *ideas.other_order(decoder_step, "s", "context", "weights"),
    ),
    insight="Look with sᵢ₋₁, then step to sᵢ: the context is part of what the new state is made of.",
    advice=advice(r"""
must match the size with y_prev\s*\+|\+\s*y_prev
    The word's vector and the context are joined, not added: `torch.cat([y_prev, context], dim=-1)`, so that
    the cell sees both.
input_size|inconsistent
    `cell` takes (input, state). The input is `y_prev` followed by the context, E + D_h features; the state
    is `s_prev`, with D_s features.
"""),
)
