"""A writer from a table: its probabilities are the table's, and the trap is one."""

import pytest
import torch

from course_lib.generation import beam, greedy
from course_lib.tasks.lexicon import TRAP, Lexicon
from course_lib.text.tokenizers import BOS_ID

NOTHING = torch.zeros(1, 1, dtype=torch.long)


def said(book, ids):
    return " ".join(book.text(ids.tolist()))


def test_probabilities_of_all_texts_sum_to_1_and_the_trap_s_are_those_of_the_page():
    book = Lexicon(TRAP)
    assert sum(book.probability(text) for text in TRAP) == pytest.approx(1)
    assert book.probability("no") == pytest.approx(0.24)
    assert book.probability("yes please come in") == pytest.approx(0.18144)
    assert book.probability("in no") == 0


def test_next_logits_are_the_table_s_row_after_the_whole_text():
    book = Lexicon(TRAP)
    state, tokens = book.encode(NOTHING.expand(2, 1)), torch.full((2, 1), BOS_ID)
    for words in (["no", "yes"], ["thanks", "please"]):
        _, _, state = book.next_logits(tokens, state)
        tokens = torch.tensor([[book.words.ids[word]] for word in words])
    logits, weights, state = book.next_logits(tokens, state)
    chances = logits.exp()
    assert weights is None and state.shape == (2, 3)
    assert chances.sum(-1).tolist() == pytest.approx([1, 1])
    assert chances[1, book.words.ids["come"]] == pytest.approx(0.8)


def test_the_trap_catches_whoever_stops_at_the_first_end():
    book = Lexicon(TRAP)
    assert said(book, greedy(book, NOTHING, 8)[0][0]) == "no"
    for alpha, wanted in ((0.0, "no"), (0.6, "yes please come in")):
        ids, (trace,) = beam(book, NOTHING, 8, beam_size=2, length_penalty=alpha)
        assert said(book, ids[0]) == wanted
        ends = [node for step in trace.steps for node in step.nodes if node.status == "finished"]
        assert said(book, torch.tensor(trace.ids(ends[0].id))) == "no"  # the first that ended


@pytest.mark.parametrize(
    ("table", "complaint"),
    [({"": {"a": 0.5, "[EOS]": 0.4}}, "sums to 0.9"), ({"": {"a": 1.0}}, "no row for 'a'")],
)
def test_a_table_that_is_none_is_refused(table, complaint):
    with pytest.raises(ValueError, match=complaint):
        Lexicon(table)
