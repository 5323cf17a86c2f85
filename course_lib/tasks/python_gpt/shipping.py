"""The GPT of Python that comes with the course: how it is made, measured and loaded."""

import sys
import zlib
from dataclasses import asdict
from functools import partial
from pathlib import Path
from statistics import median

from course_lib.models.gpt import GPT, GPTConfig
from course_lib.tasks.python_gpt.library import NAME, RECIPE, modules, stream, task, tokens
from course_lib.tasks.python_gpt.memory import longest_matches, training_files
from course_lib.tasks.python_gpt.scores import bits_per_byte, nats, text_of, together
from course_lib.tasks.python_gpt.writing import judge, write_blocks
from course_lib.training import checkpoints, distributed
from course_lib.training.optim import WarmupStableDecay
from course_lib.training.recipe import Recipe, new_model, train, vary

# Chosen by what each size can read in half an hour of one core: 1.05 million parameters 8 million tokens, 1.6
# million 6, 2.2 million 4. By Chinchilla's rule of 20 tokens a parameter even the first is too large for that
# time. A plateau and then a fall: the training could end whenever the time was over.
SHIPPED = vary(
    RECIPE,
    d_model=128,
    n_layers=4,
    max_len=256,
    steps=3_500,
    schedule=WarmupStableDecay(50, 1_200, 3_500),
)
TEMPERATURES = (1.0, 0.7)


def load(folder: Path = checkpoints.FOLDER) -> GPT:
    """The shipped GPT, ready to use.

    Raises:
        FileNotFoundError: it is not there.
        ValueError: a damaged file, or one that was trained with other tokens.
    """
    model = GPTConfig(**checkpoints.load_card(NAME, folder)["config"]).build()
    checkpoints.load_weights(NAME, model, folder, tokenizers=[tokens()])
    return model


def provenance() -> dict:
    """Which library this is: another version of Python has other modules, and other figures."""
    kept = text_of(modules("kept away"))
    return {
        "python": ".".join(map(str, sys.version_info[:3])),
        "kept_away_modules": len(modules("kept away")),
        "kept_away_bytes": len(kept),
        "kept_away_crc32": zlib.crc32(kept),
        "training_modules": len(modules("training")),
        "training_tokens": len(stream("training")),
    }


def told(model: GPT) -> dict[str, float]:
    """Bits a byte on each module that was kept away."""
    return bits_per_byte(partial(nats, model), modules("kept away"))


def measure(model: GPT, bits: dict[str, float], n: int = 300) -> dict[str, float]:
    """Bits a byte of all kept-away modules as one text, and what the parser says of written blocks.

    Args:
        model: a trained model.
        bits: what `told` gave.
        n: blocks that it writes at each temperature.
    """
    metrics = {"bits_per_byte": together(bits, modules("kept away"))}
    for temperature in TEMPERATURES:
        written = write_blocks(model, n, temperature=temperature)
        shares = judge(written)._asdict()
        metrics |= {f"{kind}_at_{temperature}": share for kind, share in shares.items()}
        metrics[f"longest_match_at_{temperature}"] = median(longest_matches(written, training_files()))
    return metrics


def ship(work: Path, folder: Path = checkpoints.FOLDER, recipe: Recipe = SHIPPED) -> dict:
    """Train, store, measure with the stored parameters, and write the card; goes on where it was stopped.

    Args:
        work: where unfinished training is kept.
        folder: where the checkpoint and its tokens go.
        recipe: what to train.

    Returns:
        the card; of several processes only the first one writes it.
    """
    model = new_model(recipe)

    def report(step: int, loss: float) -> None:
        if step % 100 == 0 and distributed.is_first():
            print(f"step {step:6,} of {recipe.steps:,} · loss {loss:.3f} nats a token", flush=True)

    history = train(model, recipe, task(), on_step=report, save_to=work / f"{NAME}.state")
    card = {
        "what": "writes Python: a small GPT, trained on the source of the standard library",
        "command": f"python -m course_lib train {NAME}",
        "data": "training modules of the library (course_lib/tasks/python_gpt/library.py), read on the spot",
        "library": provenance(),
        "scored": "bits_per_byte: on modules that were kept away, each one in `modules`; parses, cut, wrong: "
        "what the parser says of blocks of 8 lines; longest_match: with a training file, in characters, "
        "median over the blocks",
        "recipe": asdict(recipe),
        "seed": recipe.seed,
        "steps": history.steps,
    }
    if not distributed.is_first():
        return card
    tokens().save(folder / f"{NAME}.bpe")
    checkpoints.save_checkpoint(NAME, model, card, folder, tokenizers=[tokens()])
    stored = load(folder)
    card["modules"] = {name: round(bits, 4) for name, bits in told(stored).items()}
    card["metrics"] = {key: round(value, 4) for key, value in measure(stored, card["modules"]).items()}
    checkpoints.save_checkpoint(NAME, stored, card, folder, tokenizers=[tokens()])
    return card
