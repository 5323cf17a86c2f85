"""`bench gpt`: the table and its marks, what is counted, and that each contestant does its work."""

import itertools
import subprocess
from types import SimpleNamespace

import pytest
import torch
import warm_helpers

from course_lib.models.gpt import GPTConfig
from course_lib.tools import Problem
from course_lib.tools.bench import gpt, gpt_worker
from course_lib.tools.bench.gpt import Best
from course_lib.tools.bench.plain_gpt import PlainGPT

TINY = {"vocab_size": 11, "d_model": 8, "n_heads": 2, "n_layers": 2, "max_len": 16}
GOOD = {
    ("training", "ours"): Best(0.1, 100),
    ("training", "transformers"): Best(0.13, 150),
    ("training", "plain"): Best(0.1, 100),
    ("writing", "ours"): Best(0.1, 5),
    ("writing", "transformers"): Best(0.3, 6),
    ("writing", "uncached"): Best(0.2, 7),
    ("training, wide", "ours"): Best(0.5, 200),
    ("product", "512"): Best(0.003, 1),
    ("product", "1024"): Best(0.02, 1),
}


def run(monkeypatch, capsys, rows, *arguments):
    monkeypatch.setattr(gpt, "measure", lambda rounds, threads: GOOD | rows)
    return gpt.main([*arguments]), capsys.readouterr().out


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ({}, "1.30   at least 1.25 ✓"),
        ({("training", "transformers"): Best(0.12, 150)}, "1.20   at least 1.25 ✗"),
        ({("writing", "transformers"): Best(0.2, 6)}, "2.00   at least 2.5 ✗"),
    ],
)
def test_each_bound_can_be_kept_and_missed(monkeypatch, capsys, rows, said):
    code, out = run(monkeypatch, capsys, rows, "--check")
    assert code == bool(rows) and said in out and out.count("✗") == len(rows)
    assert "20,480      100 MB" in out  # 32 texts of 64 tokens in 0.1 s
    assert run(monkeypatch, capsys, rows)[0] == 0  # without --check the table is all


def test_the_peak_is_the_faster_product(monkeypatch, capsys):
    """2 · 1024³ operations in 0.02 s are more a second than 2 · 512³ in 0.003 s."""
    share = gpt.operations(gpt.WIDE, 32, 64) / 0.5 / (2 * 1024**3 / 0.02)
    assert f"{share:.2f}   (aim 0.70)" in run(monkeypatch, capsys, {})[1]


@pytest.mark.parametrize("length", [3, 16])
def test_operations_are_those_of_the_matrix_products(length):
    """Twice the parameters that multiply, times three, times tokens; and half of attention's products."""
    model = PlainGPT(GPTConfig(**TINY))
    multiply = sum(p.numel() for name, p in model.named_parameters() if p.dim() == 2) - 16 * 8  # positions
    tokens, attention = 5 * length, 2 * 2 * length * 8 * 2 / 2  # 2 products, 2 operations, d, 2 layers; half
    assert gpt.operations(TINY, 5, length) == 3 * tokens * (2 * multiply + attention)


def test_all_have_the_same_sizes():
    config = GPTConfig(**TINY)
    models = [gpt_worker._model(who, config) for who in ("ours", "transformers", "plain")]
    assert len({sum(p.numel() for p in model.parameters()) for model, _ in models}) == 1
    ids = torch.randint(11, (2, 5))
    assert {tuple(logits(ids).shape) for _, logits in models} == {(2, 5, 11)}


def test_the_plain_model_is_ours_with_the_exact_gelu():
    config = GPTConfig(**TINY, activation="gelu", init_std=0.3)
    ours, plain = config.build().eval(), PlainGPT(config).eval()
    found = {"tokens.weight": ours.token_embedding.weight, "positions.weight": ours.position_embedding.weight}
    for part in ("weight", "bias"):
        found[f"norm.{part}"] = getattr(ours.final_norm, part)
        for i, layer in enumerate(ours.layers):
            a, f = layer.self_attention, layer.feed_forward
            parts = {
                "norm_1": layer.around_self.norm, "norm_2": layer.around_feed_forward.norm,
                "out": a.W_o, "wide": f.W_1, "narrow": f.W_2,
            }  # fmt: skip
            found |= {f"layers.{i}.{name}.{part}": getattr(one, part) for name, one in parts.items()}
            three = torch.cat([getattr(one, part) for one in (a.W_q, a.W_k, a.W_v)])
            found[f"layers.{i}.qkv.{part}"] = three
    plain.load_state_dict(found)
    ids = torch.randint(11, (3, 16))
    torch.testing.assert_close(plain(ids), ours(ids)[0], atol=1e-5, rtol=0)


def copied(monkeypatch, first):
    """Let contestants be copies of a process that has torch: all, or from the second one on."""
    count = itertools.count()

    def popen(command, *, cwd, stdin, stdout, text):
        if first and next(count) == 0:
            return subprocess.Popen(command, cwd=cwd, stdin=stdin, stdout=stdout, text=text)
        _, flag, code, told = command
        assert flag == "-c" and text
        more = ["transformers.models.gpt2.modeling_gpt2"] if '"transformers"' in told else []
        return warm_helpers.start(code, told, imports=more, cwd=cwd, stdin=stdin, stdout=stdout)

    monkeypatch.setattr(gpt, "subprocess", SimpleNamespace(Popen=popen, PIPE=subprocess.PIPE))


def test_the_contestants_work_by_turns(monkeypatch):
    """A real run in small: everybody answers, and what is best is the fastest burst."""
    monkeypatch.setattr(gpt, "CONFIG", TINY)
    monkeypatch.setattr(gpt, "WIDE", TINY)
    monkeypatch.setattr(gpt, "NEW_TOKENS", 4)
    monkeypatch.setattr(gpt, "LENGTH", 8)
    copied(monkeypatch, first=True)
    found = gpt.measure(1, 1)
    assert found.keys() == GOOD.keys()
    assert all(0 < best.seconds < 60 and best.megabytes >= 0 for best in found.values())


def test_a_contestant_that_fails_is_told(monkeypatch, capfd):
    monkeypatch.setattr(gpt, "CONFIG", TINY | {"n_heads": 3})
    copied(monkeypatch, first=False)
    with pytest.raises(Problem, match="ended with an error"):
        gpt.measure(1, 1)
    assert "must be divisible by n_heads" in capfd.readouterr().err
