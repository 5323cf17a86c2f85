"""What a language model reads above what it must say: the same text, one word later."""

from collections.abc import Sequence

from course_lib.viz import colours
from course_lib.viz.sheet import arrow, box, heading_room, room_for, sheet, wrapped, write
from course_lib.viz.still import SMALL, Still, in_style, label, sentence, shown

BOX = 0.4  # inches: height of a word's box


@in_style
def next_words(inputs: Sequence[str], targets: Sequence[str], *, title: str) -> Still:
    """A row of inputs, and below each the word that must be said there.

    inputs, targets: T tokens each. A thin line joins each target to the same word where it stands among the
    inputs one place further on: the answer that a position must not see.
    Returns a Still. Raises ValueError when there are no inputs, or not as many targets.
    """
    if not inputs or len(inputs) != len(targets):
        raise ValueError(
            f"inputs has {len(inputs)} tokens and targets {len(targets)}; expected as many of one as of the "
            "other: one target below each input"
        )
    pairs = [(shown(here), shown(there)) for here, there in zip(inputs, targets, strict=True)]
    alt = f"{sentence(title)} {'; '.join(f'at “{here}” say “{there}”' for here, there in pairs)}."
    step = max(0.85, room_for([*inputs, *targets]) + 0.5)
    left, upper, lower = 1.2, 1.9, 0.65
    width = max(7.0, left + step * len(pairs) + 0.1)
    heading = wrapped(title, width)
    note = "arrow: what must be said next · dashed: the same word, where it comes in the text"
    still, ax = sheet(width, heading_room(heading) + 2.3, heading, alt, note)
    write(ax, 0.1, upper, "reads", colours.INK, ha="left")
    write(ax, 0.1, lower, "must say", colours.INK, ha="left")
    for t, (here, there) in enumerate(pairs):
        middle = left + step * (t + 0.5)
        for y, word, edge in ((upper, here, colours.SOFT_INK), (lower, there, colours.GOLD)):
            box(
                ax,
                middle - step / 2 + 0.1,
                y - BOX / 2,
                step - 0.2,
                BOX,
                label(word),
                edge=edge,
                size=SMALL + 1,
            )
        arrow(ax, (middle, upper - BOX / 2 - 0.04), (middle, lower + BOX / 2 + 0.04), colours.INK, 1.8)
        if t + 1 < len(pairs) and pairs[t + 1][0] == there:
            ends = [middle + 0.16, middle + step - 0.16], [lower + BOX / 2, upper - BOX / 2]
            ax.plot(*ends, color=colours.SOFT_INK, lw=1.1, ls=(0, (3, 3)), zorder=0)
    return still
