"""Three families on the same three jobs, with the same data: what does each get from its wiring?

Read the files in this order: `examples` (the jobs, the rows, what counts in the loss, the blanks), `wiring`
(the families by mask and wiring, and what they learn), `price` (parameters, operations, targets), `writing`
(how each writes, and how an encoder-only model is made to), `scores` (how good, how fast), `shipping`
(trained models as small files), `switching` (one example under all four, for a live view).
"""

from course_lib.tasks.town_lm import judge

from .examples import (
    BOS_ID,
    JOBS,
    MASK_ID,
    WORDS,
    Example,
    Rows,
    blanks,
    example,
    examples,
    held_out,
    output_labels,
    rows,
    training_examples,
)
from .price import Flow, counted_flops, equal_steps, flow, n_parameters, training_flops
from .scores import (
    Speed,
    exact_match,
    fill_accuracy,
    held_out_examples,
    measure,
    output_loss,
    speeds,
    tell,
    town_fill_accuracy,
    translate,
)
from .shipping import SHIPPED, load, ship, shipped
from .switching import Expected, Switch, shown_examples, switches
from .wiring import (
    RECIPE,
    VARIANTS,
    SharedConfig,
    Variant,
    allowed_in,
    batch_for,
    batches,
    loss_of,
    recipe_of,
    row_logits,
    task,
)
from .writing import ORDERS, NextWord, fill_in, first_words, under_family, write, writer_of

__all__ = [
    "BOS_ID",
    "JOBS",
    "MASK_ID",
    "ORDERS",
    "RECIPE",
    "SHIPPED",
    "VARIANTS",
    "WORDS",
    "Example",
    "Expected",
    "Flow",
    "NextWord",
    "Rows",
    "SharedConfig",
    "Speed",
    "Switch",
    "Variant",
    "allowed_in",
    "batch_for",
    "batches",
    "blanks",
    "counted_flops",
    "equal_steps",
    "exact_match",
    "example",
    "examples",
    "fill_accuracy",
    "fill_in",
    "first_words",
    "flow",
    "held_out",
    "held_out_examples",
    "judge",
    "load",
    "loss_of",
    "measure",
    "n_parameters",
    "output_labels",
    "output_loss",
    "recipe_of",
    "row_logits",
    "rows",
    "ship",
    "shipped",
    "shown_examples",
    "speeds",
    "switches",
    "task",
    "tell",
    "town_fill_accuracy",
    "training_examples",
    "training_flops",
    "translate",
    "under_family",
    "write",
    "writer_of",
]
