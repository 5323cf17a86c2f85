"""Chapter 06's questions: three families, the same three jobs, the same examples in the same order.

The rate is constant, and the models of one stack begin with the same parameters. A row's `step` is a number
of steps of the decoder-only model: with `equal` "steps" the variant took as many itself, with "FLOPs" as many
as cost the same (`own_steps`).
"""

from collections.abc import Iterator, Sequence

from torch import nn

from course_lib.experiments.records import Experiment, Row, rounded
from course_lib.tasks import families
from course_lib.tasks.families import VARIANTS, Variant
from course_lib.text.tokenizers import EOS_ID, PAD_ID
from course_lib.training.recipe import new_model, train_in_stages

SEEDS = (0, 1, 2)
STEPS = 1000
LIVE_STEPS = 100
COMPARED = [name for name in VARIANTS if name != "encoder-only, any share"]
BLANKS = {"encoder-only": "15 %", "encoder-only, any share": "any share"}


def families_rows(seed: int, steps: int) -> list[Row]:
    """Every variant after as many steps, and after steps of as many operations."""
    return [row for name in COMPARED for row in variant_rows(name, seed, steps)]


def variant_rows(name: str, seed: int, steps: int) -> list[Row]:
    """The rows of one variant: how good at each job, and what it cost."""
    variant, wanted = VARIANTS[name], {}
    for step in points(steps):
        wanted.setdefault(step, []).append((step, "steps"))
        wanted.setdefault(families.equal_steps(variant, step), []).append((step, "FLOPs"))
    rows, flow = [], families.flow(variant)
    for own_steps, model in on_the_way(name, seed, sorted(wanted)):
        found = families.measure(model, variant.family, seed=seed) | _other_starts(model, variant)
        found |= {"targets_a_token": flow.targets / flow.tokens, "mflops_a_step": flow.flops / 1e6}
        for step, equal in wanted[own_steps]:
            row = {"seed": seed, "step": step, "variant": name, "equal": equal, "own_steps": own_steps}
            row["parameters"] = families.n_parameters(model)
            rows.append(row | rounded(found))
    return rows


def _other_starts(model: nn.Module, variant: Variant) -> dict[str, float]:
    """Translations that begin with another token than `[BOS]`, with which the model learned."""
    if variant.family == "encoder-only":
        return {}
    chosen, found = families.held_out_examples("translate"), {}
    for name, start in (("eos", EOS_ID), ("pad", PAD_ID)):
        texts = families.translate(model, variant.family, chosen, start=start)
        found[f"translate_from_{name}"] = families.exact_match(texts, chosen)
    return found


def prefix_rows(seed: int, steps: int) -> list[Row]:
    """The same first parameters under a causal and under a prefix mask; then each under the other's mask."""
    rows = []
    for trained in ("decoder-only", "prefix-LM"):
        for step, model in on_the_way(trained, seed, points(steps)):
            for read in ("decoder-only", "prefix-LM"):
                found = {
                    "loss": families.output_loss(model, VARIANTS[read]),
                    "fill_loss": families.output_loss(model, VARIANTS[read], "fill"),
                    **families.measure(model, read, seed=seed),
                }
                masks = {"trained": _MASK[trained], "read": _MASK[read]}
                masks["masks"] = (
                    masks["trained"] if trained == read else f"{_MASK[trained]}, read {_MASK[read]}"
                )
                rows.append({"seed": seed, "step": step, **masks, **rounded(found)})
    return rows


_MASK = {"decoder-only": "causal", "prefix-LM": "prefix"}


def encoder_rows(seed: int, steps: int) -> list[Row]:
    """Two encoder-only models write in four orders; beside them the decoder-only model of the same seed."""
    rows = []
    for name in ("decoder-only", *BLANKS):
        variant = VARIANTS[name]
        for step, model in on_the_way(name, seed, points(steps)):
            for order in families.ORDERS if name in BLANKS else ("the next word",):
                way = {"blanks": BLANKS.get(name, "none"), "order": order}
                way["way"] = f"{order} ({BLANKS[name]})" if name in BLANKS else name
                rows.append({"seed": seed, "step": step, **way, **_written(model, variant, order, seed)})
    return rows


def _written(model: nn.Module, variant: Variant, order: str, seed: int) -> Row:
    chosen = families.held_out_examples("translate")
    translations = families.translate(model, variant.family, chosen, order)
    told = families.tell(model, variant.family, order=order, seed=seed)
    return rounded(
        {"translate": families.exact_match(translations, chosen), **families.judge(told)._asdict()}
    )


def points(steps: int) -> tuple[int, ...]:
    """Where a run is measured: a short one at its end only."""
    return (LIVE_STEPS, STEPS) if steps == STEPS else (steps,)


def on_the_way(name: str, seed: int, stages: Sequence[int]) -> Iterator[tuple[int, nn.Module]]:
    """Train a variant, and stop on the way to be measured: (steps taken, model)."""
    recipe = families.recipe_of(VARIANTS[name], seed=seed)
    model = new_model(recipe)
    for step, _ in train_in_stages(model, recipe, families.task(VARIANTS[name]), stages):
        yield step, model


EXPERIMENTS = (
    Experiment(
        "families",
        "What does each family get from the same examples, at equal parameters and at equal operations?",
        families_rows,
        group="variant",
        measure="translate",
        seeds=SEEDS,
        steps=STEPS,
        live_steps=LIVE_STEPS,
        tolerance=0.1,
    ),
    Experiment(
        "prefix-or-causal",
        "The same first parameters under a causal or a prefix mask over the input: does it matter?",
        prefix_rows,
        group="masks",
        measure="loss",
        seeds=SEEDS,
        steps=STEPS,
        live_steps=LIVE_STEPS,
        tolerance=0.1,
    ),
    Experiment(
        "encoder-writes",
        "Can a model that only fills blanks write, if it is asked in the right order?",
        encoder_rows,
        group="way",
        measure="consistent",
        seeds=SEEDS,
        steps=STEPS,
        live_steps=LIVE_STEPS,
        tolerance=0.1,
    ),
)
