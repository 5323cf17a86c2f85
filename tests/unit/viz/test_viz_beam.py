"""A beam search as a tree and as a picture: who goes on from whom, ranks, marks, what is refused."""

import math
from types import SimpleNamespace

import pytest
import torch

from course_lib.generation import beam as decode_by_beam
from course_lib.tasks.lexicon import TRAP, Lexicon
from course_lib.viz import colours
from course_lib.viz.diagrams import beam
from course_lib.viz.search_tree import penalty, search_tree, texts

NAMES = ["[EOS]", "a", "b", "c"]


def node(id, parent, token, log_prob, length, status):
    return {
        "id": id,
        "parent": parent,
        "token": token,
        "log_prob": log_prob,
        "length": length,
        "status": status,
    }


# Beam 2: greedy takes “a”, and what begins with “b” is likelier in the end.
STEPS = [
    [node(0, None, 1, -0.6, 1, "running"), node(1, None, 2, -0.9, 1, "running")],
    [
        node(3, 1, 3, -1.0, 2, "running"),
        node(4, 0, 0, -1.5, 2, "finished"),
        node(5, 0, 3, -1.6, 2, "dropped"),
    ],
    [node(6, 3, 0, -1.12, 3, "finished"), node(7, 3, 1, -4.0, 3, "running")],
]
STEPS[0].append(node(2, None, 0, -3.0, 1, "dropped"))
TRACE = [{"nodes": nodes} for nodes in STEPS]


def test_a_tree_knows_texts_ranks_and_the_last_tokens_part():
    tree = search_tree(TRACE, NAMES)
    assert tree.n_steps == 3 and [one.rank for one in tree.nodes] == [1, 2, 3, 1, 2, 3, 1, 2]
    assert tree.text(tree.nodes[6]) == ("b", "c", "[EOS]")
    assert tree.nodes[3].own == pytest.approx(-0.1) and tree.nodes[1].own == -0.9
    as_objects = SimpleNamespace(
        steps=[SimpleNamespace(nodes=[SimpleNamespace(**one) for one in nodes]) for nodes in STEPS]
    )
    assert search_tree(as_objects, dict(enumerate(NAMES))) == tree
    shuffled = [{"nodes": nodes[::-1]} for nodes in STEPS]
    assert [one.rank for one in search_tree(shuffled, NAMES).nodes] == [one.rank for one in tree.nodes]


def test_the_penalty_is_that_of_wu_et_al_and_ranks_anew():
    assert penalty(1, 0.6) == 1 and penalty(7, 0) == 1 and penalty(13, 1) == 3
    long = [
        [node(0, None, 1, -0.5, 1, "running"), node(1, None, 0, -1.0, 1, "finished")],
        [node(2, 0, 1, -0.9, 2, "running")],
        [node(3, 2, 0, -1.2, 3, "finished")],
    ]
    tree = search_tree([{"nodes": nodes} for nodes in long], NAMES)
    assert [one.id for one, _ in tree.finished(0.0)] == [1, 3]
    assert [one.id for one, _ in tree.finished(1.0)] == [3, 1]
    assert tree.finished(1.0)[0][1] == pytest.approx(-1.2 / (8 / 6))


@pytest.mark.parametrize("greedy", ["a [EOS]", [1, 0], ["a"], "a"])
def test_greedy_and_truth_are_marked_along_their_paths(greedy):
    tree = search_tree(TRACE, NAMES, greedy, truth=[["b", "c"], [3]])
    assert [one.id for one in tree.nodes if one.greedy] == [0, 4]
    assert [one.id for one in tree.nodes if one.truth] == [1, 3, 6]


def test_texts_in_every_form():
    assert texts(None, NAMES) == texts([], NAMES) == []
    assert texts("a b", NAMES) == texts([1, 2], NAMES) == texts([[1, 2]], NAMES) == [("a", "b")]
    assert texts([["a", "b"], [3]], NAMES) == [("a", "b"), ("c",)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"status": "gone"}, "status 'gone'"),
        ({"token": 9}, "no name for token 9"),
        ({"parent": 2}, "does not go on"),
        ({"parent": 99}, "parent 99"),
        ({"parent": None}, "only those of step 1"),
        ({"log_prob": 0.5}, "at most 0"),
        ({"log_prob": math.nan}, "at most 0"),
    ],
)
def test_what_cannot_be_read_is_named(change, message):
    broken = [STEPS[0], [{**STEPS[1][0], **change}]]
    with pytest.raises(ValueError, match=message):
        search_tree([{"nodes": nodes} for nodes in broken], NAMES)
    for nothing in ([], [{"nodes": []}]):
        with pytest.raises(ValueError, match="no nodes"):
            search_tree(nothing, NAMES)
    with pytest.raises(ValueError, match="without 'length'"):
        search_tree([{"nodes": [{k: v for k, v in STEPS[0][0].items() if k != "length"}]}], NAMES)


def test_the_picture_says_and_draws_the_search():
    still = beam(TRACE, NAMES, greedy="a", truth="b c", length_penalty=1.0, title="Two kept")
    assert "step 1: “a” −0.60, “b” −0.90, “[EOS]” −3.00 (dropped)" in still.alt
    assert (
        "“b c [EOS]” (the truth) raw −1.12, normalised −0.84; “a [EOS]” raw −1.50, normalised −1.29"
        in still.alt
    )
    ax = still.axes[0]
    assert len(ax.lines) == 8, "one line from each hypothesis to what it goes on from"
    assert sum(line.get_color() == colours.GENERATED for line in ax.lines) == 2
    words = [text.get_text() for text in ax.texts]
    assert "1.  b c [EOS]" in words and "2.  a [EOS]" in words and words.count("[EOS]") == 3
    assert still.png()[:4] == b"\x89PNG"
    unfinished = beam(TRACE[:1], NAMES, title="Begun")
    assert unfinished.alt.endswith("None has ended.")


def test_a_search_of_the_library_is_read_as_it_is():
    """The trap: a short text leads, and which one is first hangs on the length penalty."""
    book = Lexicon(TRAP)
    _, [trace] = decode_by_beam(book, torch.zeros(1, 1, dtype=torch.long), 8, beam_size=4, length_penalty=0.6)
    tree = search_tree(trace, book.words.tokens, greedy="no", truth="yes please come in")
    found = [(tree.text(one)[:-1], score) for one, score in tree.finished(0.6)]
    theirs = [(book.text(trace.ids(end.id)), end.normalised) for end in trace.finished()]
    assert [text for text, _ in found] == [text for text, _ in theirs]
    assert [score for _, score in found] == pytest.approx([score for _, score in theirs])
    for one in tree.nodes:
        if one.status == "finished":
            text = " ".join(tree.text(one)[:-1])
            assert math.exp(one.log_prob) == pytest.approx(book.probability(text), rel=1e-5)
    assert [one.token for one in tree.nodes if one.greedy] == ["no", "[EOS]"]
