"""A GPT that writes Python, trained on the standard library's source, beside n-grams and compressors."""

from course_lib.models.ngrams import NGrams
from course_lib.tasks.python_gpt.library import (
    END,
    NAME,
    RECIPE,
    SIDES,
    VOCAB_SIZE,
    batches,
    learned,
    modules,
    next_token_loss,
    side_of,
    stream,
    task,
    tokens,
)
from course_lib.tasks.python_gpt.memory import longest_matches, training_files
from course_lib.tasks.python_gpt.reading import Reading, reader
from course_lib.tasks.python_gpt.scores import (
    bits_per_byte,
    counted_ngrams,
    nats,
    of_compressors,
    of_gpt,
    of_ngrams,
    together,
)
from course_lib.tasks.python_gpt.shipping import SHIPPED, load, measure, provenance, ship
from course_lib.tasks.python_gpt.writing import (
    Shares,
    blocks_of,
    go_on,
    judge,
    real_blocks,
    verdict,
    write_blocks,
)

__all__ = [
    "END",
    "NAME",
    "RECIPE",
    "SHIPPED",
    "SIDES",
    "VOCAB_SIZE",
    "NGrams",
    "Reading",
    "Shares",
    "batches",
    "bits_per_byte",
    "blocks_of",
    "counted_ngrams",
    "go_on",
    "judge",
    "learned",
    "load",
    "longest_matches",
    "measure",
    "modules",
    "nats",
    "next_token_loss",
    "of_compressors",
    "of_gpt",
    "of_ngrams",
    "provenance",
    "reader",
    "real_blocks",
    "ship",
    "side_of",
    "stream",
    "task",
    "together",
    "tokens",
    "training_files",
    "verdict",
    "write_blocks",
]
