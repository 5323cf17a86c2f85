"""Beam search: greedy at one end, brute force at the other, and right about when to stop."""

import itertools
import math
from typing import NamedTuple

import pytest
import torch

from course_lib.generation import beam, choose_rows, decode_all, greedy, length_penalty_of
from course_lib.models.seq2seq import Seq2SeqConfig
from course_lib.models.transformer import TransformerConfig
from course_lib.tasks.lexicon import TRAP, Lexicon
from course_lib.text.batching import pad
from course_lib.text.tokenizers import BOS_ID, EOS_ID, PAD_ID, WordTokenizer

SOURCES = [[4, 5, 6], [7, 4], [5, 5, 8, 4, 6], [6]]


class Seen(NamedTuple):
    source: torch.Tensor
    nothing: None
    text: torch.Tensor


class Dice:
    """A writer whose next token depends on the source and the whole text before it, and on nothing else."""

    def __init__(self, vocab, seed=0, sharpness=1.0):
        self.vocab, self.seed, self.sharpness = vocab, seed, sharpness

    def encode(self, source):
        return (Seen(source, None, source[:, :0]), None)

    def next_logits(self, tokens, state):
        source, _, text = state[0]
        text = torch.cat([text, tokens], dim=1)
        rows = [self.logits(s, t) for s, t in zip(source.tolist(), text.tolist(), strict=True)]
        return torch.stack(rows), None, (Seen(source, None, text), None)

    def logits(self, source, text):
        words = [token for token in source if token != PAD_ID]
        mixed = hash((self.seed, *words, -1, *text)) % 2**31
        return self.sharpness * torch.randn(self.vocab, generator=torch.Generator().manual_seed(mixed))

    def every_text(self, source, longest, alpha):
        """Brute force: every finished text of at most `longest` tokens, with its score, the best first."""
        scores, inner = {}, [token for token in range(self.vocab) if token != EOS_ID]
        for length in range(1, longest + 1):
            for text in itertools.product(inner, repeat=length - 1):
                text, before, raw = (*text, EOS_ID), [BOS_ID], 0.0
                for token in text:
                    raw += self.logits(source, before).log_softmax(-1)[token].item()
                    before.append(token)
                scores[text] = raw / ((5 + length) / 6) ** alpha
        return sorted(scores.items(), key=lambda item: -item[1])


@pytest.mark.parametrize("length_penalty", [0.0, 0.6, 2.0])
def test_a_beam_of_one_is_greedy_token_for_token(length_penalty):
    lengths = set()
    for seed in range(8):
        writer = Dice(7, seed, sharpness=2.0)
        for sources in (SOURCES, *([source] for source in SOURCES)):
            expected, _ = greedy(writer, pad(sources), 9)
            ids, traces = beam(writer, pad(sources), 9, beam_size=1, length_penalty=length_penalty)
            assert ids.tolist() == expected.tolist()
            lengths |= {len(trace.steps) for trace in traces}
    assert len(lengths) >= 5  # texts that end early, and some that do not


@pytest.mark.parametrize("alpha", [0.0, 0.6, 1.5])
def test_a_beam_that_keeps_everything_is_brute_force(alpha):
    vocab, longest, lengths, wins = 4, 4, set(), 0
    for seed in range(12):
        writer = Dice(vocab, seed, sharpness=1.5)
        ids, (trace,) = beam(
            writer, torch.tensor([[4, 7]]), longest, beam_size=vocab**longest, length_penalty=alpha
        )
        (best, score), *_ = writer.every_text([4, 7], longest, alpha)
        assert tuple(ids[0].tolist()) == best == tuple(trace.ids())
        assert trace.nodes()[trace.best].normalised == pytest.approx(score, abs=1e-5)
        lengths.add(len(best))
        wins += best != tuple(greedy(writer, torch.tensor([[4, 7]]), longest)[0][0].tolist())
    assert len(lengths) >= 2 and wins  # not one answer for all, and not greedy's


@pytest.mark.parametrize("alpha", [0.0, 0.6])
def test_each_source_of_a_batch_gets_what_it_gets_alone(alpha):
    writer = Dice(9, sharpness=2.0)
    together, traces = beam(writer, pad(SOURCES), 8, beam_size=3, length_penalty=alpha)
    for source, row, trace in zip(SOURCES, together.tolist(), traces, strict=True):
        ids, (alone,) = beam(writer, torch.tensor([source]), 8, beam_size=3, length_penalty=alpha)
        assert trace == alone and row == ids[0].tolist() + [PAD_ID] * (len(row) - ids.shape[1])
    assert len({len(trace.steps) for trace in traces}) > 1  # some searches end before others


def test_rows_of_any_state_are_chosen_and_its_shape_stays():
    state = (Seen(torch.tensor([[1], [2], [3]]), None, torch.zeros(3, 0)), (None, torch.eye(3)))
    chosen = choose_rows(state, torch.tensor([2, 0, 0, 2]))
    assert isinstance(chosen[0], Seen) and chosen[0].nothing is None and chosen[1][0] is None
    assert chosen[0].source.tolist() == [[3], [1], [1], [3]] and chosen[0].text.shape == (4, 0)
    assert chosen[1][1].tolist() == torch.eye(3)[[2, 0, 0, 2]].tolist()
    with pytest.raises(ValueError, match="state holds a list"):
        choose_rows((torch.eye(2), [torch.eye(2)]), torch.tensor([0]))


def test_the_length_penalty_is_that_of_the_paper():
    assert length_penalty_of(1, 0.6) == 1  # (5 + 1)^α / (5 + 1)^α
    assert length_penalty_of(7, 1.0) == 2
    assert length_penalty_of(19, 0.5) == 2
    assert length_penalty_of(19, 0.0) == 1


def test_bad_input_of_a_beam_is_named():
    source = torch.tensor([[4]])
    for options, words in (
        ({"max_new_tokens": 0}, "max_new_tokens is 0"),
        ({"beam_size": 0}, "beam_size is 0"),
        ({"length_penalty": -0.1}, "length_penalty is -0.1"),
        ({"length_penalty": math.nan}, "length_penalty is nan"),
    ):
        with pytest.raises(ValueError, match=words):
            beam(Dice(5), source, **{"max_new_tokens": 3} | options)


def test_decode_all_takes_a_beam():
    tokenizer = WordTokenizer(["a", "b", "c", "d", "e"])
    for model in (
        Seq2SeqConfig(9, len(tokenizer), d_embed=6, d_hidden=8, d_attn=5).build(),
        TransformerConfig(
            d_model=8, n_heads=2, d_ff=8, encoder_layers=1, decoder_layers=2, source_vocab=9,
            target_vocab=len(tokenizer), shared="target", positions="rotary",
        ).build(),
    ):  # fmt: skip
        model.train()
        said = decode_all(model, SOURCES, tokenizer, max_new_tokens=6, beam_size=3, batch_size=3)
        ids = [beam(model, torch.tensor([s]), 6, beam_size=3)[0][0].tolist() for s in SOURCES]
        assert said == [tokenizer.decode_tokens(row) for row in ids] and model.training
        assert decode_all(model, SOURCES, tokenizer, max_new_tokens=6) == [
            tokenizer.decode_tokens(greedy(model, torch.tensor([s]), 6)[0][0].tolist()) for s in SOURCES
        ]


def careless(book, slip, beam_size=2, alpha=0.6, longest=8):
    """A beam search with one of the slips that are met in the wild; with None, without one."""
    running, finished = [(0.0, ())], []
    for length in range(1, longest + 1):
        longer = [
            ((raw + math.log(chance)) / (length if slip == "divides at each step" else 1), (*text, word))
            for raw, text in running
            for word, chance in book.table[text].items()
        ]
        best = sorted(longer, reverse=True)[:beam_size]
        running = [item for item in best if item[1][-1] != "[EOS]"]
        ended = [item for item in best if item[1][-1] == "[EOS]"]
        if slip != "divides at each step":
            ended = [(raw / length_penalty_of(length, alpha), text) for raw, text in ended]
        finished += ended
        enough = {"takes the first that ends": 1, "takes the k shortest": beam_size}.get(slip, math.inf)
        if not running or len(finished) >= enough:
            break
    return " ".join(max(finished)[1][:-1])


def test_the_trap_catches_careless_searches_and_not_ours():
    book, nothing = Lexicon(TRAP), torch.zeros(1, 1, dtype=torch.long)
    assert careless(book, None) == "yes please come in"
    assert careless(book, "takes the first that ends") == "no"
    assert careless(book, "takes the k shortest") == "no"
    assert careless(book, "divides at each step") == "yes please come in now"
    assert " ".join(book.text(greedy(book, nothing, 8)[0][0].tolist())) == "no"
    every = {text: book.probability(text) for text in TRAP if book.probability(text)}
    for alpha, wanted in ((0.0, "no"), (0.6, "yes please come in")):
        ids, (trace,) = beam(book, nothing, 8, beam_size=2, length_penalty=alpha)
        scores = {
            text: math.log(chance) / length_penalty_of(len(text.split()) + 1, alpha)
            for text, chance in every.items()
        }
        assert " ".join(book.text(ids[0].tolist())) == wanted == max(scores, key=scores.get)
        for node in trace.finished():
            assert node.normalised == pytest.approx(scores[" ".join(book.text(trace.ids(node.id)))], abs=1e-5)


@pytest.mark.parametrize("alpha", [0.0, 0.6])
def test_the_search_stops_when_nothing_can_win_and_not_before(alpha):
    """Cut or not by the rule, the answer is that of the same beam followed to the end."""
    reasons = set()
    for seed in range(25):
        writer, source = Dice(6, seed, sharpness=2.0), torch.tensor([[4, 8]])
        ids, (trace,) = beam(writer, source, 7, beam_size=3, length_penalty=alpha)
        (best, score), *_ = followed_to_the_end(writer, [4, 8], 7, 3, alpha) or [((), None)]
        reasons.add(trace.stopped)
        if score is not None:
            assert tuple(ids[0].tolist()) == best
            assert trace.nodes()[trace.best].normalised == pytest.approx(score, abs=1e-5)
        ends, reach = trace.finished(), trace.steps[-1].reachable
        if trace.stopped == "none running":
            assert reach is None
        if trace.stopped == "none can win":
            assert ends[0].normalised >= reach
        if trace.stopped == "max_new_tokens":
            assert len(trace.steps) == 7 and (not ends or ends[0].normalised < reach)
        for before, step in itertools.pairwise(trace.steps):
            so_far = [e.normalised for e in ends if e.length <= before.nodes[0].length]
            assert before.reachable is not None and all(score < before.reachable for score in so_far)
            assert step.reachable is None or step.reachable <= before.reachable  # it only falls
    assert {"none can win", "max_new_tokens"} <= reasons or alpha == 0


def followed_to_the_end(writer, source, longest, beam_size, alpha):
    """The same beam without any stopping rule: all finished texts with their scores, the best first."""
    running, finished = [(0.0, ())], []
    for length in range(1, longest + 1):
        longer = []
        for raw, text in running:
            chances = writer.logits(source, [BOS_ID, *text]).log_softmax(-1).tolist()
            longer += [(raw + chance, (*text, token)) for token, chance in enumerate(chances)]
        best = sorted(longer, reverse=True)[:beam_size]
        finished += [
            (text, raw / length_penalty_of(length, alpha)) for raw, text in best if text[-1] == EOS_ID
        ]
        running = [item for item in best if item[1][-1] != EOS_ID]
    return sorted(finished, key=lambda item: -item[1])


def test_a_trace_is_a_tree_in_plain_numbers():
    _, traces = beam(Dice(8, 3, sharpness=2.0), pad(SOURCES), 6, beam_size=3)
    for trace in traces:
        nodes = trace.nodes()
        assert [node.id for node in nodes] == list(range(len(nodes)))
        for t, step in enumerate(trace.steps, start=1):
            kept = [node for node in step.nodes if node.status != "dropped"]
            dropped = [node for node in step.nodes if node.status == "dropped"]
            assert 1 <= len(kept) <= 3 and len(dropped) <= 3 and step.nodes == (*kept, *dropped)
            sums = [node.log_prob for node in step.nodes]
            assert sums == sorted(sums, reverse=True) and all(type(value) is float for value in sums)
            for node in step.nodes:
                assert type(node.token) is int and node.length == t
                assert (node.parent is None) == (t == 1)
                if node.parent is not None:
                    parent = nodes[node.parent]
                    assert parent.status == "running" and parent.length == t - 1
                    assert node.log_prob <= parent.log_prob
                assert (node.status == "finished") == (node.token == EOS_ID and node in kept)
                expected = node.log_prob / length_penalty_of(t, 0.6) if node.status == "finished" else None
                assert node.normalised == expected
        ends = trace.finished()
        assert not ends or ends[0].id == trace.best
        assert ends == sorted(ends, key=lambda node: -node.normalised)


def test_a_text_that_has_not_ended_is_returned_only_where_none_has():
    class Endless(Dice):
        def logits(self, source, text):
            return super().logits(source, text).index_fill(0, torch.tensor([EOS_ID]), -torch.inf)

    ids, (trace,) = beam(Endless(5, sharpness=2.0), torch.tensor([[4]]), 4, beam_size=2)
    assert trace.stopped == "max_new_tokens" and not trace.finished()
    assert ids.shape == (1, 4) and trace.ids() == ids[0].tolist()
    last = [node for node in trace.steps[-1].nodes if node.status == "running"]
    assert trace.best == max(last, key=lambda node: node.log_prob).id
