"""How many parameters a published GPT has: counted from its shape, beside what its paper prints.

Sources: those of `data/gpt_history`.
"""

from course_lib.data.gpt_history import GPT_1, MODELS, Published
from course_lib.models.gpt import GPTConfig, parameter_count


def shape(model: Published) -> GPTConfig | None:
    """The shape of a published model as a configuration of our class; None where it is not published.

    Heads change no parameter count, so a table's misprints in them do no harm: where they do not divide
    `d_model`, one head stands for all.
    """
    if None in (model.vocab_size, model.d_model, model.n_heads, model.n_layers, model.context):
        return None
    heads = 1 if model.d_model % model.n_heads else model.n_heads
    return GPTConfig(model.vocab_size, model.d_model, heads, model.n_layers, max_len=model.context)


def counted(model: Published) -> int | None:
    """The parameters of a published model, from its shape; None where that is not published.

    Scores share the matrix of the token embedding, positions are learned, and every layer has biases, in all
    of them. GPT-1 has its norms behind the sub-layers, and so none at the end.
    """
    config = shape(model)
    if config is None:
        return None
    parts = parameter_count(config)
    return sum(parts.values()) - (parts["final norm"] if model is GPT_1 else 0)


def table(models: tuple[Published, ...] = MODELS) -> str:
    """One line a model: year, shape, parameters as printed and as counted; "–" is not published."""
    lines = [
        f"{'':<13}{'year':>5}{'layers':>8}{'d_model':>9}{'heads':>7}{'context':>9}{'printed':>10}{'counted':>10}"
    ]
    for model in models:
        sizes = (model.n_layers, model.d_model, model.n_heads, model.context)
        cells = ["–" if size is None else str(size) for size in sizes]
        number = counted(model)
        cells += [_millions(model.printed), _millions(None if number is None else number / 1e6)]
        widths = (8, 9, 7, 9, 10, 10)
        row = "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
        lines.append(f"{model.name:<13}{model.year:>5}{row}")
    return "\n".join(lines)


def _millions(number: float | None) -> str:
    """Printed counts are whole millions, our own have four digits."""
    if number is None:
        return "–"
    unit, value = ("B", number / 1e3) if number >= 1e4 else ("M", number)
    return f"{value:.0f} {unit}" if isinstance(number, int) else f"{value:.1f} {unit}"
