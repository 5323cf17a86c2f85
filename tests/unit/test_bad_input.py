"""Bad input is named: which argument, what came, what was expected. Damaged files too."""

import json
from contextlib import nullcontext

import pytest
import torch
from torch import nn

from course_lib import experiments, metrics
from course_lib.attention import AdditiveAttention, DotProductAttention, scaled_dot_product_attention
from course_lib.experiments import records
from course_lib.masks import causal_mask, masked_softmax, padding_mask
from course_lib.models.seq2seq import Seq2Seq, Seq2SeqConfig
from course_lib.tasks import pronunciation, translation
from course_lib.text.batching import batches_by_length, pad
from course_lib.text.tokenizers import CharacterTokenizer, WordTokenizer
from course_lib.training import checkpoints
from course_lib.training.loop import train
from course_lib.training.objectives import token_loss
from course_lib.training.optim import WarmupThenCosine
from course_lib.training.recipe import train_in_stages
from course_lib.viz import diagrams
from course_lib.viz.attention import compare, heatmap
from course_lib.viz.curves import plot_seeds

ADDITIVE, DOT = AdditiveAttention(4, 6, 7), DotProductAttention(4, 6)
STATE, STATES, PROJECTED = torch.zeros(2, 3, 4), torch.zeros(2, 5, 6), torch.zeros(2, 5, 7)
MODEL = Seq2Seq(Seq2SeqConfig(11, 13, d_embed=4, d_hidden=4, d_attn=4))
SOURCE, TARGET = torch.tensor([[4, 5, 6]]), torch.tensor([[1, 4]])
WORDS = WordTokenizer(["a", "b"])
NAN = float("nan")


def fit(loss_of=lambda model, batch: model(batch).square().mean(), model=None, **options):
    """A line to fit, with batches that never end."""
    batch = torch.ones(3, 2)
    return train(model or nn.Linear(2, 1), iter(lambda: batch, None), loss_of, **{"steps": 2} | options)


CASES = [
    # attention and masks
    (lambda: causal_mask(-1), "n_queries = -1"),
    (lambda: padding_mask(torch.zeros(2, 3), 0), r"ids has dtype torch.float32, expected whole numbers"),
    (lambda: masked_softmax(torch.ones(2, 3, dtype=torch.long)), "scores has dtype torch.int64"),
    (lambda: masked_softmax(torch.ones(3), [True, False, True]), "allowed is a list, expected a tensor"),
    (lambda: scaled_dot_product_attention(*[torch.ones(4)] * 3), "expected two axes at least"),
    (lambda: ADDITIVE(STATE, STATES, STATES), r"projected_keys has shape .* with A = 7"),
    (lambda: ADDITIVE(torch.zeros(2, 3, 5), PROJECTED, STATES), "query has shape .* with D_q = 4"),
    (lambda: ADDITIVE(STATE, PROJECTED, STATES[:, 1:]), "projected_keys has 5 positions and values has 4"),
    (lambda: ADDITIVE.project_keys(STATE), r"keys has shape .*, expected \(B, S, D_k\) with D_k = 6"),
    (lambda: DOT(STATE[:, 0], STATES, STATES), r"query has shape \(2, 4\), expected \(B, T, D_q\)"),
    # metrics
    (lambda: metrics.links_from_weights(torch.ones(2, 3, 4)), r"weights has shape \(2, 3, 4\)"),
    (lambda: metrics.links_from_weights(torch.ones(2, 0)), "S ≥ 1"),
    (lambda: metrics.links_from_weights(torch.full((2, 2), NAN)), "weights holds NaN"),
    (lambda: metrics.share_out(torch.full((2, 2), NAN)), "weights holds NaN"),
    (lambda: metrics.share_out(torch.tensor([[-1.0, 2.0]])), "are these scores"),
    (lambda: metrics.share_out(torch.eye(2), -1), "rounds is -1"),
    (lambda: metrics.diagonal_links(0, 3), "n_source = 0"),
    (lambda: metrics.diagonal_links(3, -1), "n_target = -1"),
    (lambda: metrics.phoneme_error_rate([["K"]], [[]]), r"references\[0\] is empty"),
    (lambda: metrics.word_error_rate([["K", "AE"]], [["K", "AE"]]), "is a string, expected sequences"),
    (lambda: metrics.phoneme_error_rate(["K AE"], [[("K", "AE")]]), "is a string, expected sequences"),
    (lambda: pronunciation.kind_of_mistake(["K"], []), "ways is empty"),
    # the model
    (lambda: Seq2SeqConfig(0, 13), "source_vocab is 0"),
    (lambda: Seq2SeqConfig(11, 13, d_hidden=-3), "d_hidden is -3"),
    (lambda: Seq2SeqConfig(11, 13, dropout=1.5), "dropout is 1.5"),
    (lambda: MODEL(SOURCE.float(), TARGET), "source has dtype torch.float32"),
    (lambda: MODEL(SOURCE + 9, TARGET), "source holds ids from 13 to 15, expected 0 to 10"),
    (lambda: MODEL(SOURCE - 5, TARGET), "source holds ids from -1"),
    (lambda: MODEL(SOURCE, TARGET + 9), "target holds ids from 10 to 13, expected 0 to 12"),
    (lambda: MODEL(SOURCE, TARGET.float()), "target has dtype torch.float32"),
    (lambda: MODEL(SOURCE, TARGET[:, :0]), r"target has shape \(1, 0\)"),
    (lambda: MODEL(SOURCE, TARGET[0]), r"target has shape \(2,\)"),
    (lambda: MODEL(SOURCE, TARGET.repeat(2, 1)), "source has 1 rows and target has 2"),
    (lambda: MODEL(SOURCE[:0], TARGET[:0]), r"source has shape \(0, 3\)"),
    (lambda: MODEL(torch.tensor([[0, 4, 5]]), TARGET), r"\[PAD\] before a token"),
    # text
    (lambda: WordTokenizer(["a b"]), "tokens holds 'a b', expected single tokens"),
    (lambda: WordTokenizer([1]), "tokens holds 1"),
    (lambda: CharacterTokenizer(["ab"]), "tokens holds 'ab'"),
    (lambda: WORDS.encode([4, 5]), "text holds 4, expected a string"),
    (lambda: WORDS.decode([4, -100]), "ids holds -100, expected one row of whole numbers from 0 to 5"),
    (lambda: WORDS.decode([6]), "ids holds 6"),
    (lambda: WORDS.decode([4.0]), "ids holds 4.0"),
    (lambda: WORDS.decode(torch.tensor([[4, 5]])), "ids holds tensor"),
    (lambda: pad([[1.5, 2]]), r"sequences holds \[1.5, 2\], expected a list of ids"),
    (lambda: pad(["ab"]), "sequences holds 'ab'"),
    (lambda: list(batches_by_length([1, 2], 1, torch.Generator(), pool=0)), "pool is 0"),
    (lambda: list(batches_by_length([1, 2], 1, 0)), "generator is 0, expected a torch.Generator"),
    # training
    (lambda: fit(steps=-1), "steps is -1"),
    (lambda: fit(seconds=NAN, steps=None), "seconds is nan"),
    (lambda: fit(clip=0), "clip is 0"),
    (lambda: fit(save_every=0), "save_every is 0"),
    (lambda: fit(lambda model, batch: model(batch)), "expected one number with a gradient"),
    (lambda: fit(lambda model, batch: 1.0), "loss_of returned 1.0"),
    (lambda: fit(lambda model, batch: model(batch).mean().detach()), "expected one number with a gradient"),
    (lambda: WarmupThenCosine(200), "warmup is 200"),
    (lambda: token_loss(torch.zeros(1, 2, 3), torch.zeros(1, 3, dtype=torch.long)), "logits has shape"),
    (lambda: token_loss(torch.zeros(1, 2, 3), torch.full((1, 2), -100)), "nothing but -100"),
    (lambda: next(train_in_stages(MODEL, translation.RECIPE, translation.task(), [2, 1])), "stages is "),
    # experiments
    (lambda: experiments.run("query", steps=-1), "steps is -1"),
    (lambda: experiments.load("query").at(stepp=50), "no column 'stepp'"),
    # pictures
    (lambda: heatmap([[1.0]], ["a"], ["b"], title="t", links=[3]), "links must be pairs"),
    (lambda: compare([[[1.0]]], ["a"], ["b"], title="t"), "panels must be a dict"),
    (lambda: compare({"p": [[1.0]]}, ["a"], ["b"], title="t", columns=0), "columns is 0"),
    (lambda: plot_seeds([{"x": 1, "y": 2}, {"x": 1}], "x", "y", title="t"), "no column 'y'"),
    (lambda: plot_seeds([{"x": 1, "y": NAN}], "x", "y", title="t"), "column 'y' of rows has NaN"),
    (lambda: plot_seeds([{"x": 1, "y": "a"}], "x", "y", title="t"), "column 'y' of rows must be numbers"),
    (lambda: plot_seeds(None, "x", "y", title="t"), "rows must be dicts"),
    (lambda: diagrams.bottleneck([], []), "source is empty"),
    (lambda: diagrams.look_back([]), "source is empty"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "message"), CASES, ids=[message[:40] for _, message in CASES])
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_what_is_welcome_stays_welcome():
    assert WORDS.decode(torch.tensor([4, 5, 2, 4])) == "a b"
    assert pad([torch.tensor([5]), [6, 7], []]).tolist() == [[5, 0], [6, 7], [0, 0]]
    assert metrics.diagonal_links(3, 0) == set() and metrics.links_from_weights(torch.ones(0, 3)) == set()
    assert fit(clip=float("inf")).steps == 2 and fit(steps=0).steps == 0


@pytest.mark.parametrize("rows", [[], [{"step": 50}]])
def test_rows_of_nothing_are_not_compared(rows, monkeypatch):
    monkeypatch.delenv("COURSE_FAST", raising=False)
    with pytest.raises(ValueError, match="live has rows without"):
        experiments.compare(rows, experiments.load("query"))


@pytest.mark.parametrize("damage", ["half", "empty", "garbage", "list", "other model"])
def test_a_damaged_saved_run_is_named(tmp_path, damage):
    file = tmp_path / "run.state"
    fit(save_to=file)
    whole = file.read_bytes()
    contents = {"half": whole[: len(whole) // 2], "empty": b"", "garbage": b"\xff" * 99}
    file.write_bytes(contents.get(damage, whole))
    if damage == "list":
        torch.save([1], file)
    model = nn.Linear(2, 1, bias=False) if damage == "other model" else None
    with pytest.raises(ValueError, match=r"save_to is .*run.state, which does not hold a saved run"):
        fit(save_to=file, model=model)
    file.write_bytes(whole)
    assert fit(save_to=str(file)).steps == 2  # a path as text is a path too


def test_damaged_weights_are_named(tmp_path):
    path = checkpoints.save_checkpoint("small", MODEL, {}, tmp_path)
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"version https://git-lfs.github.com/spec/v1\n"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"small.safetensors is damaged .*train small"):
            checkpoints.load_weights("small", MODEL, tmp_path)
    path.write_bytes(whole)
    other = Seq2Seq(Seq2SeqConfig(11, 12, d_embed=4, d_hidden=4, d_attn=4))
    with pytest.raises(ValueError, match=r"model does not fit small.safetensors: .* config on the card"):
        checkpoints.load_weights("small", other, tmp_path)


@pytest.mark.parametrize("value", [1e6, NAN])
def test_weights_that_half_precision_cannot_hold_are_refused(tmp_path, value):
    model = Seq2Seq(MODEL.config)
    nn.init.constant_(model.start.weight, value)
    with pytest.raises(ValueError, match=r"NaN or infinite weights in start.weight"):
        checkpoints.save_checkpoint("small", model, {}, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", ['{"name": "sm', "[]", "{}", "\udcff"])
def test_a_damaged_card_is_named(tmp_path, content):
    (tmp_path / "small.json").write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(ValueError, match=r"small.json .*python -m course_lib train small"):
        checkpoints.load_card("small", tmp_path)


@pytest.mark.parametrize("damage", ["half", "list", "field missing", "nothing"])
def test_a_damaged_record_is_named(tmp_path, damage):
    text = (records.FOLDER / "query.json").read_text(encoding="utf-8")
    fields = json.loads(text)
    fields.pop("seeds")
    damaged = {"half": text[:300], "list": "[]", "field missing": json.dumps(fields), "nothing": text}[damage]
    (tmp_path / "query.json").write_text(damaged, encoding="utf-8")
    named = pytest.raises(ValueError, match=r"query.json is no record .*course_lib experiment query")
    with nullcontext() if damage == "nothing" else named:
        experiments.load("query", tmp_path)
