"""More words for a trained GPT: its embedding grows by rows, behind those that are there.

The mean of all rows is a token like any other: its score is the mean of the old scores, so n new words get
n / (V + n) of the probability at most, where rows of large random numbers could take nearly all of it. Noise
as wide as the old rows are makes the new words differ from one another, so that they are learnt sooner.

Source: Hewitt 2021, "Initializing New Word Embeddings for Pretrained Language Models".
"""

from dataclasses import replace

import torch

from course_lib.models.gpt import GPT

NOISE = 1.0


def extended(
    model: GPT, vocab_size: int, *, noise: float = NOISE, generator: torch.Generator | None = None
) -> GPT:
    """A copy of a model that knows more words; what it says of the old ones is as before.

    Args:
        model: stays as it is.
        vocab_size: of the copy; the new words have the last ids.
        noise: standard deviation of the noise, as a share of that of the old rows, feature by feature.
        generator: source of the noise; torch's own is then left as it is.

    Returns:
        a model in the same mode, whose logits of the old words are those of the old model.

    Raises:
        ValueError: fewer words than the model has, or a negative `noise`.
    """
    old = model.config.vocab_size
    if vocab_size < old:
        raise ValueError(f"vocab_size is {vocab_size}, expected at least the model's own, {old}")
    if not noise >= 0:
        raise ValueError(f"noise is {noise}, expected 0 or more")
    weights = model.state_dict()
    with torch.random.fork_rng(devices=[], enabled=generator is not None):
        new = replace(model.config, vocab_size=vocab_size).build().to(next(model.parameters()))
    grown = {"token_embedding.weight": None, "lm_head.weight": None}
    for name in grown:
        if name == "lm_head.weight" and model.config.tied:
            grown[name] = grown["token_embedding.weight"]
            continue
        rows = weights[name]  # (V, D)
        shape = (vocab_size - old, rows.shape[1])
        drawn = torch.randn(shape, generator=generator).to(rows)  # (n, D)
        spread = rows.std(0, correction=min(1, old - 1))  # (D,); 0 where there is one row alone
        grown[name] = torch.cat([rows, rows.mean(0) + noise * spread * drawn])  # (V + n, D)
    new.load_state_dict(weights | grown)
    return new.train(model.training)
