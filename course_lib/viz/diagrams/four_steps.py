"""The four steps of attention with numbers that a pencil can check."""

from collections.abc import Sequence

from course_lib.viz import colours
from course_lib.viz.sheet import CELL_HEIGHT, arrow, box, number, numbers, room_for, sheet, token, write
from course_lib.viz.still import FONT_SIZE, SMALL, Still, as_array, as_weights, in_style, sentence, shown

CELL, ROW = 0.66, 0.56  # inches: width of a number's cell, from row to row


@in_style
def four_steps(
    scores,
    weights,
    states,
    context,
    *,
    tokens: Sequence[str] | None = None,
    title: str = "Score, softmax, weight, sum: four steps to a context vector",
) -> Still:
    """The four steps of attention with the actual numbers, small enough for a pencil.

    scores (S,), weights (S,), states (S, D), context (D,). Raises ValueError when sizes do not fit.
    """
    states = as_array(states, "states", 2)
    n_states, size = states.shape
    tokens = list(tokens or [f"h{j + 1}" for j in range(n_states)])
    scores = as_array(scores, "scores", 1)
    if len(scores) != n_states or len(tokens) != n_states:
        raise ValueError(
            f"scores ({len(scores)}), tokens ({len(tokens)}) and states ({n_states}) differ in number"
        )
    weights = as_weights([as_array(weights, "weights", 1)], ["query"], tokens)[0]
    context = as_array(context, "context", 1)
    if len(context) != size:
        raise ValueError(f"context has {len(context)} numbers; expected {size}, as many as each state")

    x_state = 0.5 + max(0.45, 1.14 * room_for(tokens))
    x_score = x_state + size * CELL + 0.45
    x_weight = x_score + 1.45
    x_part = x_weight + 1.3
    height = ROW * (n_states + 1) + 1.55
    rows = "; ".join(
        f"state {shown(t)}: score {number(e)}, weight {number(w)}"
        for t, e, w in zip(tokens, scores, weights, strict=True)
    )
    alt = f"{sentence(title)} {rows}. The context is ({', '.join(number(c) for c in context)})."
    still, ax = sheet(x_part + size * CELL + 0.3, height, title, alt)
    top = height - 1.15
    for x, text, colour in (
        (x_state + size * CELL / 2, "encoder states", colours.KEY),
        (x_score + 0.42, "1  score", colours.INK),
        (x_weight + 0.36, "2  softmax", colours.INK),
        (x_part + size * CELL / 2, "3  weight × state", colours.VALUE),
    ):
        write(ax, x, top + 0.17, text, colour, SMALL + 0.5, bold=True, va="bottom")
    for j in range(n_states):
        y = top - ROW * (j + 1) + 0.08
        middle = y + CELL_HEIGHT / 2
        token(ax, x_state - 0.16, middle, tokens[j], ha="right")
        numbers(ax, x_state, y, states[j], CELL, colours.KEY)
        arrow(ax, (x_state + size * CELL + 0.05, middle), (x_score + 0.02, middle))
        write(ax, x_score + 0.42, middle, number(scores[j]), size=FONT_SIZE)
        arrow(ax, (x_score + 0.86, middle), (x_weight - 0.05, middle))
        face, ink = colours.WEIGHTS(weights[j]), colours.text_on(weights[j])
        box(ax, x_weight, y, 0.72, CELL_HEIGHT, number(weights[j]), face=face, ink=ink)
        arrow(ax, (x_weight + 0.77, middle), (x_part - 0.05, middle))
        numbers(ax, x_part, y, weights[j] * states[j], CELL, colours.LINE)
    y = top - ROW * (n_states + 1) - 0.12
    ax.plot([x_part, x_part + size * CELL], [y + 0.54, y + 0.54], color=colours.INK, lw=1.4)
    write(ax, x_part - 0.16, y + 0.21, "4  sum = context", colours.VALUE, SMALL + 0.5, bold=True, ha="right")
    write(ax, x_weight + 0.36, y + 0.62, f"sum {weights.sum():.2f}", colours.SOFT_INK)
    numbers(ax, x_part, y, context, CELL, colours.VALUE, face=colours.VALUE_TINT)
    return still
