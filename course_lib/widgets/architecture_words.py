"""What ArchitectureView says about each box: what it does, its equation, where the paper has it."""

from course_lib.families import FAMILIES, Description, Row
from course_lib.viz.diagrams.architecture import name_of

PAPER = "Vaswani et al. 2017"
EQUATIONS = {
    "tokens": "",
    "embedding": "x = E[id] · √d_model",
    "positions": "x + p(position)",
    "attention": "head = softmax(Q Kᵀ / √d_k) V, output = [head 1 … head h] W_o",
    "feed_forward": "max(0, x W₁ + b₁) W₂ + b₂",
    "norm": "(x − mean) / √(variance + ε) · gain + bias",
    "rms": "x / √(mean of x² + ε) · gain",
    "scores": "x Eᵀ",
    "softmax": "p = exp(score) / Σ exp(score)",
}
SECTIONS = {
    "tokens": "section 3.1",
    "embedding": "section 3.4",
    "positions": "section 3.5",
    "self_attention": "sections 3.2.2 and 3.2.3, eq. 1",
    "cross_attention": "sections 3.2.2 and 3.2.3, eq. 1",
    "feed_forward": "section 3.3, eq. 2",
    "scores": "section 3.4",
    "softmax": "section 3.4",
}
MASKS = {
    "full": "Each position looks at all positions of its text.",
    "causal": "Each position looks at itself and at what stands before it; the future is forbidden.",
    "prefix": "The source sees all of itself; each later position looks at what stands before it.",
}


def reading(row: Row, description: Description) -> dict[str, str]:
    """The words about one box: name (on the box, and whole), what it does in a sentence, equation, source."""
    part = row.box.partition(".")[2]
    sizes, pre = description.sizes, description.sizes.norm_first
    equation = EQUATIONS.get("attention" if "attention" in part else "norm" if "norm" in part else part, "")
    source = f"{PAPER}, {SECTIONS.get(part, 'section 3.1')}"
    if "norm" in part:
        equation = EQUATIONS["norm" if sizes.norm == "layer" else "rms"]
        if part == "final_norm":
            source = "not in the paper of 2017; in pre-norm: Xiong et al. 2020"
        elif pre:
            source = "not here in the paper of 2017; before the sub-layer: Xiong et al. 2020"
    name = name_of(row.box, description.family)
    return {
        "name": name,
        "whole": "Masked self-attention" if name == "Masked attention" else name,
        "says": _says(row, description),
        "equation": equation,
        "source": source,
    }


def missing(key: str, description: Description) -> dict[str, str]:
    """The words about a box that is not there."""
    part, sizes = key.partition(".")[2], description.sizes
    name, family = name_of(key, description.family), description.family
    if part == "final_norm" and key.partition(".")[0] in FAMILIES[family].masks:
        says = "This model has no norm at the end of a stack: its last sub-layer ends in one."
    elif part == "positions" and key.partition(".")[0] in FAMILIES[family].masks:
        says = "No vector is added: " + (
            "each self-attention turns its queries and keys by their positions (rotary)."
            if sizes.positions == "rotary"
            else "this model does not know where a token stands."
        )
    else:
        says = f"A model of the family {family} does not have this box, and not its parameters."
    return {"name": name, "whole": name, "says": says, "equation": "", "source": ""}


def _says(row: Row, description: Description) -> str:
    side, _, part = row.box.partition(".")
    family, sizes = FAMILIES[description.family], description.sizes
    b, s, t = description.batch
    if part == "tokens":
        if family.reads == "both":
            return f"Each text is {s} source and then {t} target tokens, as one row of ids."
        if side == "encoder":
            return f"{b} texts of {s} tokens come in as ids."
        return "The target comes in one place later, behind a start token: no position sees its own answer."
    if part == "embedding":
        if not row.parameters:
            return "Each id picks its row of the same matrix that the source uses."
        return "Each id picks its row of a matrix: a vector of d_model numbers, times √d_model."
    if part == "positions":
        kind = "fixed sines and cosines" if sizes.positions == "sinusoidal" else "learned"
        return f"A vector for each position is added ({kind}): attention alone does not know the order."
    if part == "self_attention":
        return f"{MASKS[family.masks[side]]} {sizes.n_heads} heads do so side by side."
    if part == "cross_attention":
        normed = " The norm before it is for the queries alone." if sizes.norm_first else ""
        return (
            "Queries come from the target, keys and values from the encoder's output: each target position "
            f"looks at all source positions.{normed}"
        )
    if part == "feed_forward":
        return f"At each position alone: to {sizes.d_ff} numbers, bend, back to {sizes.d_model}."
    if part == "final_norm":
        return "One more norm at the end of the stack" + (
            ": the sums on the residual line have never been normalised." if sizes.norm_first else "."
        )
    if part.endswith("_norm"):
        what = "mean 0 and variance 1" if sizes.norm == "layer" else "mean square 1"
        if sizes.norm_first:
            return f"What the next sub-layer reads is brought to {what}; the residual line stays as it is."
        if not sizes.residual:
            return f"The sub-layer's output is brought to {what}. (This model has no residual line.)"
        return f"What came in is added to the sub-layer's output; the sum is brought to {what}."
    if part == "scores":
        own = "a matrix of its own" if row.parameters else "the embedding's own matrix, turned"
        return f"Each position gets a score for each token of the vocabulary, by {own}."
    return "Scores become probabilities: at each position they sum to 1."
