"""Two optimizers that step as one: Muon for the matrices inside the layers, AdamW for the rest."""

import pytest
import torch

from course_lib.tasks import translation
from course_lib.training import loop
from course_lib.training.optim import Together, muon_and_adamw
from course_lib.training.recipe import new_model, train, train_in_stages, vary

SMALL = vary(translation.TRANSFORMER, steps=4, batch_size=4, d_model=16, d_ff=32, weight_decay=0.1)


def test_each_parameter_has_one_optimizer():
    model = new_model(SMALL)
    both = muon_and_adamw(model, lr=1e-3)
    muon, adamw = both.optimizers
    names = {id(p): name for name, p in model.named_parameters()}
    by_muon = {names[id(p)] for group in muon.param_groups for p in group["params"]}
    by_adamw = {names[id(p)] for group in adamw.param_groups for p in group["params"]}
    assert by_muon | by_adamw == set(names.values()) and not by_muon & by_adamw
    assert "encoder.layers.0.self_attention.W_q.weight" in by_muon
    assert "decoder.layers.1.feed_forward.W_2.weight" in by_muon
    assert not [name for name in by_muon if "embedding" in name or "norm" in name or "bias" in name]
    assert "embed_source.token_embedding.weight" in by_adamw


def test_one_step_of_both_is_one_step_of_each():
    together, apart = new_model(SMALL), new_model(SMALL)
    both, (muon, adamw) = muon_and_adamw(together, 1e-3, 0.1), muon_and_adamw(apart, 1e-3, 0.1).optimizers
    batch = next(translation.batches(SMALL))
    for model in (together, apart):
        translation.task().loss(model, batch).backward()
    both.step()
    muon.step()
    adamw.step()
    for a, b in zip(together.parameters(), apart.parameters(), strict=True):
        assert torch.equal(a, b)
    both.zero_grad()
    assert all(p.grad is None for p in together.parameters())


def test_a_rate_that_is_set_reaches_both():
    both = muon_and_adamw(new_model(SMALL), lr=1e-3)
    for group in both.param_groups:
        group["lr"] = 0.5
    assert [group["lr"] for optimizer in both.optimizers for group in optimizer.param_groups] == [0.5, 0.5]


def test_stages_with_an_optimizer_of_ones_own():
    model, plain = new_model(SMALL), new_model(SMALL)
    stages = train_in_stages(model, SMALL, translation.task(), (1, 4), muon_and_adamw(model, 1e-2))
    losses = [loss for _, history in stages for loss in history.losses]
    others = train(plain, SMALL, translation.task()).losses
    assert len(losses) == 4 and losses[0] == others[0] and losses[1:] != others[1:]


def test_a_run_that_was_stopped_goes_on(tmp_path):
    def run(steps, save_to=None):
        model = new_model(SMALL)
        optimizer = muon_and_adamw(model, 1e-2)
        task = translation.task()
        history = loop.train(
            model, task.batches(SMALL), task.loss, steps=steps, optimizer=optimizer, save_to=save_to
        )
        return history.losses

    run(2, tmp_path / "run.state")
    assert run(4, tmp_path / "run.state") == run(4)


def test_a_model_without_layers_is_refused():
    with pytest.raises(ValueError, match="without a matrix in `layers`"):
        muon_and_adamw(torch.nn.Linear(3, 3), lr=1e-3)
    assert isinstance(muon_and_adamw(new_model(SMALL), lr=1e-3), Together)
