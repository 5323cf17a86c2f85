"""Chapter 09a's question to real text: how well is Python told that nobody has shown, and does it parse?

One model learns for about a minute, from another seed each time. Beside it stand what learns nothing more:
counted n-grams, two compressors, the GPT that comes with the course, and the library itself.
"""

from functools import cache
from statistics import median

from course_lib.experiments.records import Experiment, Row, rounded
from course_lib.generation import Writer
from course_lib.models.gpt import GPT
from course_lib.tasks import python_gpt
from course_lib.training.recipe import new_model, train, vary

SEEDS = (0, 1, 2)
STEPS = python_gpt.RECIPE.steps
BLOCKS = 200
TEMPERATURE = 0.7
NGRAMS = {"bigram": 2, "5-gram": 5}
COMPRESSORS = {  # as they are called in the record: what `of_compressors` calls them
    "zlib": "zlib, kept-away modules alone",
    "xz": "xz, kept-away modules alone",
    "xz, after the training modules": "xz, kept-away after training modules",
    "zlib, whole library": "zlib, whole library",
    "xz, whole library": "xz, whole library",
}


def python_rows(seed: int, steps: int) -> list[Row]:
    """Bits a byte on modules kept away, the parser's verdict on written blocks, and their longest matches.

    A row has what its model has: a compressor writes nothing, and the library is not told by itself.
    """
    learner = new_model(recipe := vary(python_gpt.RECIPE, seed=seed, steps=steps))
    train(learner, recipe, python_gpt.task())
    writers: dict[str, Writer] = {"a minute": learner, "shipped": shipped()}
    writers |= {name: python_gpt.counted_ngrams(order) for name, order in NGRAMS.items()}
    bits = {"a minute": python_gpt.of_gpt(learner)} | bits_of_the_others()
    blocks = {
        name: python_gpt.write_blocks(model, BLOCKS, temperature=TEMPERATURE, seed=seed)
        for name, model in writers.items()
    }
    blocks["the library"] = python_gpt.real_blocks(BLOCKS, seed=seed)
    found = {name: {"bits": bits[name]} if name in bits else {} for name in (*bits, "the library")}
    for name, matches in longest(blocks).items():
        found[name] |= python_gpt.judge(blocks[name])._asdict()
        found[name] |= {"match": median(matches), "longest_match": max(matches)}
    return [{"seed": seed, "step": steps, "model": name, **rounded(row)} for name, row in found.items()]


def longest(blocks: dict[str, list[str]]) -> dict[str, list[int]]:
    """The longest matches of each model's blocks with a training file; the files are read once for all."""
    texts = [block for some in blocks.values() for block in some]
    lengths = iter(python_gpt.longest_matches(texts, python_gpt.training_files()))
    return {name: [next(lengths) for _ in some] for name, some in blocks.items()}


@cache
def shipped() -> GPT:
    """The GPT that comes with the course."""
    return python_gpt.load()


@cache
def bits_of_the_others() -> dict[str, float]:
    """Bits a byte of all that no seed changes."""
    packed = python_gpt.of_compressors()
    return {
        "shipped": python_gpt.of_gpt(shipped()),
        **{name: python_gpt.of_ngrams(order) for name, order in NGRAMS.items()},
        **{name: packed[long] for name, long in COMPRESSORS.items()},
    }


def about() -> str:
    """Which library this is: another version of Python has other modules."""
    return (
        "standard library of Python {python}: {training_modules} modules to learn from, {kept_away_modules} "
        "kept away ({kept_away_bytes:,} bytes, CRC-32 {kept_away_crc32})".format(**python_gpt.provenance())
    )


EXPERIMENTS = (
    Experiment(
        name="python-bits",
        question="How many bits does a byte of unseen Python take, and how much of what is written parses?",
        rows=python_rows,
        group="model",
        measure="bits",
        seeds=SEEDS,
        steps=STEPS,
        live_steps=STEPS,
        tolerance=0.1,
        about=about,
    ),
)
