"""A beam search drawn: a column for each step, what was kept and dropped there, and the finished texts."""

import math

from matplotlib.patches import Rectangle

from course_lib.viz import colours
from course_lib.viz.search_tree import Hypothesis, SearchTree, search_tree
from course_lib.viz.sheet import box, heading_room, number, room_for, sheet, wrapped, write
from course_lib.viz.still import SMALL, Still, in_style, label, sentence

ROW, BOX, GAP = 0.52, 0.38, 0.34  # inches: from row to row, height of a box, between two columns
LEFT, HEADS, WIDEST = 0.75, 0.34, 10.9  # room for "start" and for the columns' names; width of a page


@in_style
def beam(
    trace, tokens, *, greedy=None, truth=None, length_penalty: float = 0.6, title: str = "A beam search"
) -> Still:
    """A search as a tree, and its finished texts in their order.

    trace, tokens, greedy, truth: as `course_lib.viz.search_tree.search_tree` takes them. length_penalty: α of
    the normalised scores. In a column the best raw sum stands at the top; a bar shows the probability of a
    token after those before it.
    Returns a Still. Raises ValueError for a search that cannot be read.
    """
    tree = search_tree(trace, tokens, greedy, truth)
    ranking = tree.finished(length_penalty)
    texts = [" ".join(tree.text(node)) for node, _ in ranking]
    box_width = max(0.6, room_for([node.token for node in tree.nodes]) + 0.24)
    column = box_width + GAP
    tree_size = LEFT + column * tree.n_steps, HEADS + ROW * max(node.rank for node in tree.nodes)
    list_size = 2.9 + max(1.2, room_for(texts or ["x"], whole=True)), HEADS + ROW * max(1, len(ranking))
    beside = tree_size[0] + list_size[0] <= WIDEST
    total = tree_size[0] + list_size[0] if beside else max(tree_size[0], list_size[0])
    heading = wrapped(title, total)
    height = max(tree_size[1], list_size[1]) if beside else tree_size[1] + list_size[1] + 0.2
    height += heading_room(heading) + 0.5
    note = "bar: probability of the token · dashed: dropped" + _note(tree)
    still, ax = sheet(total, height, heading, _alt(tree, ranking, length_penalty, title), note)
    top = height - heading_room(heading) - HEADS
    places = {node.id: place for place, (node, _) in enumerate(ranking, start=1)}
    middles = {
        node.id: (LEFT + column * (node.step - 1) + box_width / 2, top - ROW * (node.rank - 0.5))
        for node in tree.nodes
    }
    for step in range(tree.n_steps):
        place = LEFT + column * step + box_width / 2, top + 0.13
        write(ax, *place, f"step {step + 1}" if box_width > 0.68 else f"{step + 1}", colours.SOFT_INK)
    write(ax, 0.12, top - ROW / 2, "start", colours.SOFT_INK, ha="left")
    for node in tree.nodes:
        start = (
            (middles[node.parent][0] + box_width / 2, middles[node.parent][1]) if node.parent >= 0 else None
        )
        _edge(
            ax,
            node,
            start or (0.58, top - ROW / 2),
            (middles[node.id][0] - box_width / 2, middles[node.id][1]),
        )
        _hypothesis(ax, node, *middles[node.id], box_width, places.get(node.id))
    where = (tree_size[0] + 0.1, top) if beside else (0.2, top - tree_size[1] - 0.2)
    _finished(ax, list(zip(ranking, texts, strict=True)), *where, list_size[0] - 0.3, length_penalty)
    return still


def _edge(ax, node: Hypothesis, start, end) -> None:
    pen = {"color": colours.SOFT_INK, "lw": 1.4}
    if node.greedy:
        pen = {"color": colours.GENERATED, "lw": 3.0}
    elif node.status == "dropped":
        pen = {"color": colours.SOFT_INK, "lw": 0.8, "ls": (0, (3, 3))}
    ax.plot([start[0], end[0]], [start[1], end[1]], zorder=0, **pen)


def _hypothesis(ax, node: Hypothesis, x, y, width, place: int | None) -> None:
    """A box with the last token, its probability as a bar, and the place of a finished one."""
    left, low = x - width / 2, y - BOX / 2
    dropped, ended = node.status == "dropped", node.status == "finished"
    if node.truth:
        edges = (left - 0.05, low - 0.05), width + 0.1, BOX + 0.1
        ax.add_patch(Rectangle(*edges, fill=False, edgecolor=colours.GOLD, lw=2.6, zorder=3))
    edge = colours.GENERATED if node.greedy else colours.SOFT_INK
    box(ax, left, low, width, BOX, edge=edge, dashed=dropped, line=2.4 if node.greedy or ended else 1.4)
    ink = colours.SOFT_INK if dropped else colours.INK
    write(ax, x, y + 0.04, label(node.token), ink, SMALL + 1, bold=not dropped, zorder=4)
    _bar(ax, left + 0.08, low + 0.05, width - 0.16, math.exp(node.own))
    if ended:
        behind = {"facecolor": colours.PAPER, "edgecolor": "none", "pad": 1}
        write(ax, x + width / 2 + 0.07, y, f"{place}.", bold=True, ha="left", bbox=behind, zorder=5)


def _finished(ax, rows, left, top, width, length_penalty: float) -> None:
    """The finished texts in their order, with raw and normalised scores."""
    right = left + width
    write(ax, left, top + 0.13, "finished", colours.SOFT_INK, ha="left")
    write(ax, right - 1.45, top + 0.13, "raw sum", colours.SOFT_INK, ha="right")
    write(ax, right, top + 0.13, f"normalised, α {length_penalty:g}", colours.SOFT_INK, ha="right")
    for place, ((node, score), text) in enumerate(rows):
        y, first = top - ROW * (place + 0.5), place == 0
        if node.truth:
            edges = (left - 0.08, y - 0.2), width + 0.16, 0.4
            ax.add_patch(Rectangle(*edges, fill=False, edgecolor=colours.GOLD, lw=2.2))
        write(ax, left, y, f"{place + 1}.  {text}", colours.INK, SMALL, bold=first, ha="left")
        write(ax, right - 1.45, y, number(node.log_prob), colours.INK, SMALL, ha="right")
        write(ax, right, y, number(score), colours.INK, SMALL, bold=True, ha="right")
    if not rows:
        write(ax, left, top - ROW / 2, "none has ended", colours.SOFT_INK, SMALL, ha="left")


def _bar(ax, x, y, width, share) -> None:
    ax.add_patch(Rectangle((x, y), width, 0.05, facecolor=colours.PANEL, lw=0, zorder=3))
    ax.add_patch(Rectangle((x, y), width * min(share, 1), 0.05, facecolor=colours.INK, lw=0, zorder=4))


def _note(tree: SearchTree) -> str:
    greedy = " · thick: greedy’s path" if any(node.greedy for node in tree.nodes) else ""
    return greedy + (" · gold: the truth" if any(node.truth for node in tree.nodes) else "")


def _alt(tree: SearchTree, ranking, length_penalty: float, title: str) -> str:
    kept = "; ".join(
        f"step {step}: {', '.join(_seen(tree, node) for node in tree.nodes if node.step == step)}"
        for step in range(1, tree.n_steps + 1)
    )
    ends = "; ".join(
        f"“{' '.join(tree.text(node))}”{' (the truth)' if node.truth else ''} raw {number(node.log_prob)}, "
        f"normalised {number(score)}"
        for node, score in ranking
    )
    last = (
        f"Finished, by the normalised score with α {length_penalty:g}: {ends}." if ends else "None has ended."
    )
    return f"{sentence(title)} {kept}. {last}"


def _seen(tree: SearchTree, node: Hypothesis) -> str:
    dropped = " (dropped)" if node.status == "dropped" else ""
    return f"“{' '.join(tree.text(node))}” {number(node.log_prob)}{dropped}"
