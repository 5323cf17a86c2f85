"""Of what each family of Transformers is made: its boxes, their parameters, the shapes that pass through.

    encoder-decoder    both stacks, joined by cross-attention        the Transformer of 2017, T5
    encoder-only       the encoder alone, everyone sees everyone     BERT
    decoder-only       the decoder without cross-attention           GPT
    prefix-LM          the same; its first tokens see one another    UniLM

All of it is worked out from sizes alone. `course_lib.interpret.trace_shapes` reads the same table off a real
model with a real batch.

Axes: B batch, S source positions, T target positions, N = S + T positions of a row that holds both,
D d_model, H heads, F features inside the feed-forward network, V vocabulary.

Source: Vaswani et al. 2017, figure 1; the families: Raffel et al. 2020 (T5), section 3.2.1.
"""

from dataclasses import dataclass, field
from typing import NamedTuple


@dataclass(frozen=True)
class Family:
    """A family as data.

    Args:
        name: as on its button.
        masks: its stacks ("encoder", "decoder"), each with the mask of its self-attention: "full", "causal"
            or "prefix".
        reads: what its first stack reads: "source", or "both": source and target as one text.
        known: a model of this family.
        about: what it is, in a sentence.
    """

    name: str
    masks: dict[str, str] = field(hash=False)
    reads: str
    known: str
    about: str

    @property
    def letter(self) -> str:
        """The axis along which its first stack reads: S, or N where source and target are one row."""
        return "S" if self.reads == "source" else "N"

    @property
    def cross(self) -> bool:
        """Whether the decoder looks at the encoder's output."""
        return len(self.masks) == 2


FAMILIES = {
    family.name: family
    for family in (
        Family(
            "encoder-decoder",
            {"encoder": "full", "decoder": "causal"},
            "source",
            "the Transformer of 2017",
            "The encoder reads the source, everyone sees everyone; the decoder writes and looks at both.",
        ),
        Family(
            "encoder-only",
            {"encoder": "full"},
            "source",
            "BERT",
            "One stack in which everyone sees everyone: it reads a text and fills its gaps.",
        ),
        Family(
            "decoder-only",
            {"decoder": "causal"},
            "both",
            "GPT",
            "One stack in which nobody sees the future: source and target are one text, which it continues.",
        ),
        Family(
            "prefix-LM",
            {"decoder": "prefix"},
            "both",
            "UniLM",
            "As decoder-only, but the tokens of the source all see one another.",
        ),
    )
}


def may_look(mask: str, query: int, key: int, n_prefix: int = 0) -> bool:
    """Whether `query` may look at `key` (positions from 0) under "full", "causal" or "prefix"."""
    return mask == "full" or key <= query or (mask == "prefix" and key < n_prefix)


def reach(family: str, n_input: int, n_tokens: int) -> list[list[bool]]:
    """Who may look at whom when a family reads an input and then an output.

    Of two stacks the decoder sees all of the encoder's output by cross-attention, and the encoder nothing of
    the decoder. So the same cells are open as in a prefix-LM.

    Args:
        family: one of FAMILIES.
        n_input: tokens of the input, which come first.
        n_tokens: all tokens.

    Returns:
        a row for each query: True where it may look at the key.

    Raises:
        ValueError: another family, or an input longer than all.
    """
    kind = family_of(family)
    if not 0 <= n_input <= n_tokens:
        raise ValueError(f"n_input is {n_input}, expected 0 to {n_tokens}: the input is a part of all tokens")
    mask = "prefix" if kind.cross else next(iter(kind.masks.values()))
    return [[may_look(mask, query, key, n_input) for key in range(n_tokens)] for query in range(n_tokens)]


@dataclass(frozen=True)
class Sizes:
    """What parameters and shapes depend on; names and defaults as in `TransformerConfig`: the base model.

    final_norm: whether each stack ends in a norm of its own. one_vocabulary: source and target have the same
    tokens; without it, a family that reads both as one text needs as many tokens as the two have together.
    """

    d_model: int = 512
    n_heads: int = 8
    d_ff: int = 2048
    encoder_layers: int = 6
    decoder_layers: int = 6
    source_vocab: int = 37_000
    target_vocab: int = 37_000
    one_vocabulary: bool = True
    shared: str | None = "all"
    norm_first: bool = False
    final_norm: bool = False
    norm: str = "layer"
    positions: str | None = "sinusoidal"
    max_len: int = 512
    residual: bool = True


class Shape(NamedTuple):
    """A shape with the names of its axes, one letter each: `Shape("BTD", (2, 7, 64))`."""

    axes: str
    sizes: tuple[int, ...]

    def __str__(self) -> str:
        return f"({', '.join(f'{axis}={size}' for axis, size in zip(self.axes, self.sizes, strict=True))})"


class Row(NamedTuple):
    """One box that a batch passes through."""

    box: str  # its stack and its part: "decoder.cross_attention"
    layer: int  # 1 to N; 0 outside of the layers
    inputs: tuple[Shape, ...]  # what comes in; for cross-attention also the encoder's output
    inside: Shape | None  # attention: its weights; feed-forward: its middle
    output: Shape
    parameters: int  # those that no earlier row has


class Description(NamedTuple):
    """A model, or a plan of one, as a table."""

    family: str
    sizes: Sizes
    batch: tuple[int, int, int]  # B texts, S source and T target positions
    rows: tuple[Row, ...]

    @property
    def total(self) -> int:
        """All parameters: `sum(p.numel() for p in model.parameters())`."""
        return sum(row.parameters for row in self.rows)


def describe(
    sizes: Sizes = Sizes(), family: str = "encoder-decoder", batch: tuple[int, int, int] = (2, 6, 7)
) -> Description:
    """The table of a family with blocks of these sizes.

    Args:
        sizes: as a model's.
        family: one of FAMILIES.
        batch: B texts, S source positions, T target positions.

    Returns:
        a row for each box, in the order in which a batch passes.

    Raises:
        ValueError: another family.
    """
    kind, (b, s, t) = family_of(family), batch
    if kind.cross:
        one = sizes.shared == "all"
        encoder = Stack(sizes, "encoder", "S", (b, s), sizes.source_vocab, sizes.encoder_layers)
        decoder = Stack(sizes, "decoder", "T", (b, t), sizes.target_vocab, sizes.decoder_layers, (b, s))
        rows = (*encoder.embedded(), *encoder.layers(), *decoder.embedded(counted=not one))
        rows += (*decoder.layers(), *decoder.scores())
    else:
        [side] = kind.masks
        n = s if kind.reads == "source" else s + t
        vocab = vocabulary(sizes, kind)
        n_layers = sizes.encoder_layers if side == "encoder" else sizes.decoder_layers
        stack = Stack(sizes, side, kind.letter, (b, n), vocab, n_layers)
        rows = (*stack.embedded(), *stack.layers(), *stack.scores())
    return Description(family, sizes, batch, rows)


def family_of(name: str) -> Family:
    """The family of this name. Raises ValueError when there is none."""
    if name not in FAMILIES:
        raise ValueError(f"family is {name!r}, expected one of {', '.join(map(repr, FAMILIES))}")
    return FAMILIES[name]


def vocabulary(sizes: Sizes, family: Family) -> int:
    """How many tokens the only stack of a family knows."""
    if family.reads == "source" or sizes.one_vocabulary:
        return sizes.source_vocab
    return sizes.source_vocab + sizes.target_vocab


@dataclass(frozen=True)
class Stack:
    """One stack on its batch: texts of `n[1]` tokens; `source`: batch and length of what it looks at."""

    sizes: Sizes
    side: str
    letter: str
    n: tuple[int, int]
    vocab: int
    n_layers: int
    source: tuple[int, int] | None = None

    @property
    def x(self) -> Shape:
        """What goes from box to box."""
        return Shape(f"B{self.letter}D", (*self.n, self.sizes.d_model))

    def row(self, part, parameters, *, layer=0, inputs=None, inside=None, output=None) -> Row:
        box = f"{self.side}.{part}"
        return Row(box, layer, inputs or (self.x,), inside, output or self.x, parameters)

    def embedded(self, counted: bool = True) -> list[Row]:
        """From ids to vectors with positions. counted: the matrix is not the other stack's."""
        d, ids = self.sizes.d_model, Shape(f"B{self.letter}", self.n)
        rows = [
            self.row("tokens", 0, inputs=(ids,), output=ids),
            self.row("embedding", self.vocab * d if counted else 0, inputs=(ids,)),
        ]
        if self.sizes.positions in ("sinusoidal", "learned"):
            learned = self.sizes.positions == "learned"
            rows.append(self.row("positions", self.sizes.max_len * d if learned else 0))
        return rows

    def layers(self) -> list[Row]:
        """All layers, and the final norm if there is one."""
        rows = [row for layer in range(1, self.n_layers + 1) for row in self._layer(layer)]
        return rows + ([self.row("final_norm", self._norm())] if self.sizes.final_norm else [])

    def scores(self) -> list[Row]:
        """A score for each token of the vocabulary, then probabilities."""
        scores = Shape(f"B{self.letter}V", (*self.n, self.vocab))
        own = 0 if self.sizes.shared else self.vocab * self.sizes.d_model
        return [
            self.row("scores", own, output=scores),
            self.row("softmax", 0, inputs=(scores,), output=scores),
        ]

    def _norm(self) -> int:
        return self.sizes.d_model * (2 if self.sizes.norm == "layer" else 1)

    def _layer(self, layer: int) -> list[Row]:
        d, f, (b, n) = self.sizes.d_model, self.sizes.d_ff, self.n
        attention, heads = 4 * (d * d + d), self.sizes.n_heads
        own = self.row(
            "self_attention", attention, layer=layer, inside=Shape(f"BH{self.letter * 2}", (b, heads, n, n))
        )
        rows = self._framed("self_norm", own)
        if self.source:
            memory = Shape("BSD", (*self.source, d))
            seen = Shape("BHTS", (b, heads, n, self.source[1]))
            cross = self.row("cross_attention", attention, layer=layer, inputs=(self.x, memory), inside=seen)
            rows += self._framed("cross_norm", cross)
        middle = Shape(f"B{self.letter}F", (b, n, f))
        forward = self.row("feed_forward", 2 * d * f + f + d, layer=layer, inside=middle)
        return rows + self._framed("feed_norm", forward)

    def _framed(self, name: str, part: Row) -> list[Row]:
        norm = self.row(name, self._norm(), layer=part.layer)
        return [norm, part] if self.sizes.norm_first else [part, norm]
