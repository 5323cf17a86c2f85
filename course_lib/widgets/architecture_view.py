"""ArchitectureView: the whole Transformer, through which a real batch is sent, box by box.

One box after the other lights up, says what it does and which shape comes out. Buttons change the family:
what it does not have turns pale, and its parameters leave the total.
"""

import traitlets

from course_lib.families import FAMILIES, Description, Row, Sizes, describe, family_of
from course_lib.viz.diagrams.architecture import architecture, count_text, counted
from course_lib.viz.diagrams.blueprint import plan
from course_lib.viz.still import Still
from course_lib.widgets.architecture_words import missing, reading
from course_lib.widgets.front import LiveView, script, styles, with_still


class ArchitectureView(LiveView):
    """The Transformer as in Vaswani et al. 2017, figure 1, in our own drawing.

    `family`, `step` (1 is the first box; it may be set) and `norm_first` follow the reader. `description` is
    the table that is shown now.
    """

    _esm = script("architecture_view", "controls", "plan", "reading")
    _css = styles()

    title = traitlets.Unicode().tag(sync=True)
    family = traitlets.Unicode("encoder-decoder").tag(sync=True)
    norm_first = traitlets.Bool(False).tag(sync=True)
    step = traitlets.Int(1).tag(sync=True)
    switchable = traitlets.Bool(False).tag(sync=True)  # whether the reader may move the norms
    families = traitlets.List().tag(sync=True)  # name, known, about, masks
    plans = traitlets.Dict().tag(sync=True)  # "post" or "pre": where boxes and lines stand, wide and narrow
    tables = traitlets.Dict().tag(sync=True)  # "post encoder-only": what is said of each box

    def __init__(self, description: Description | None = None, *, family: str | None = None, title: str = ""):
        """description: of a real model and a real batch, `interpret.trace_shapes(model, source, target)`.

        Without one the view shows the paper's base model, and a switch moves its norms.
        family: which one is shown at first; the description's own when not given.
        Raises ValueError for another family, or for a model in the place of its description.
        """
        if not isinstance(description, Description | None):
            raise ValueError(
                f"description is a {type(description).__name__}, expected what "
                "course_lib.interpret.trace_shapes(model, source, target) returns"
            )
        self._given = description
        first = (description or describe()).family if family is None else family
        norms = (False, True) if description is None else (description.sizes.norm_first,)
        described = {
            (norm_first, name): self._description(name, norm_first)
            for norm_first in norms
            for name in FAMILIES
        }
        super().__init__(
            title=title
            or ("The Transformer" if description is None else "A batch on its way through the model"),
            family=family_of(first).name,
            norm_first=norms[0],
            switchable=description is None,
            families=[
                {"name": kind.name, "known": kind.known, "about": kind.about, "masks": kind.masks}
                for kind in FAMILIES.values()
            ],
            plans={_norm(n): {"wide": _spread(plan(n)), "narrow": _spread(plan(n, True))} for n in norms},
            tables={
                f"{_norm(norm_first)} {name}": table(
                    each, described[norm_first, "encoder-decoder"], each is description
                )
                for (norm_first, name), each in described.items()
            },
        )
        self.observe(self._stay_inside, names=["family", "norm_first"])

    def _description(self, family: str, norm_first: bool) -> Description:
        given = self._given
        if given is None:
            return describe(Sizes(norm_first=norm_first, final_norm=norm_first), family)
        return given if family == given.family else describe(given.sizes, family, given.batch)

    @property
    def description(self) -> Description:
        """The table of the family that is shown."""
        return self._description(self.family, self.norm_first)

    def _boxes(self) -> int:
        return len(self.tables[f"{_norm(self.norm_first)} {self.family}"]["order"])

    @traitlets.validate("family")
    def _known(self, proposal) -> str:
        return family_of(proposal.value).name

    @traitlets.validate("norm_first")
    def _has_it(self, proposal) -> bool:
        if self._given is not None and proposal.value != self._given.sizes.norm_first:
            raise ValueError(
                f"norm_first is {proposal.value}, expected {not proposal.value}: as the model has it"
            )
        return proposal.value

    @traitlets.validate("step")
    def _in_range(self, proposal) -> int:
        most = self._boxes() if self.tables else proposal.value
        if "step" in self._property_lock:
            return min(proposal.value, most)  # the browser changes family and step in one message
        if not 1 <= proposal.value <= most:
            raise ValueError(f"step is {proposal.value}, expected 1 to {most}")
        return proposal.value

    def _stay_inside(self, _change) -> None:
        self.step = min(self.step, self._boxes())

    def still(self) -> Still:
        """The family that is shown, with all parameters, for places where nothing is live."""
        return architecture(self.description)

    def _repr_mimebundle_(self, **kwargs) -> tuple[dict, dict]:
        return with_still(super()._repr_mimebundle_(**kwargs), self.still())


def table(description: Description, whole: Description, traced: bool = False) -> dict:
    """All that the browser shows of one description.

    whole: the encoder-decoder of the same sizes, from which the others leave something out.
    traced: the numbers come from a real forward pass.
    Returns boxes by their key, those that are missing, their order in a forward pass, and the sum.
    """
    counts = counted(description)
    first: dict[str, Row] = {}
    for row in description.rows:
        first.setdefault(row.box, row)
    every = [box.key for box in plan(description.sizes.norm_first).boxes]
    return {
        "order": list(first),
        "boxes": {key: _box(row, description, *counts[key]) for key, row in first.items()},
        "missing": {key: missing(key, description) for key in every if key not in first},
        "sum": ledger(description, whole),
        "total": f"{description.total:,}",
        "layers": layers_of(description),
        "prefix": description.batch[1],
        "residual": description.sizes.residual,
        "origin": (
            "shapes and parameters of a real forward pass: the total is sum(p.numel())"
            if traced
            else "worked out from the sizes"
        ),
    }


def _box(row: Row, description: Description, parameters: int, times: int) -> dict:
    part = row.box.partition(".")[2]
    bare = part in ("tokens", "softmax") or (part == "positions" and not parameters)
    found = reading(row, description) | {
        "count": str(row.output) if bare else count_text(parameters, times),
        "in": [str(shape) for shape in row.inputs],
        "inside": f"{'weights' if 'attention' in part else 'middle'} {row.inside}" if row.inside else "",
        "out": str(row.output),
        "parameters": "none" if not parameters else f"{parameters:,}",
    }
    if not parameters and part in ("embedding", "scores"):
        found["parameters"] = "none of its own: the matrix is shared"
    if parameters and times > 1:
        found["parameters"] = f"{parameters:,} in each layer, × {times} = {parameters * times:,}"
    if row.layer:
        found["layer"] = f"layer 1 of {times}" if times > 1 else "layer 1"
    return found


def layers_of(description: Description) -> dict[str, dict]:
    """For each stack of a family, how many layers it has and how many parameters are in each of them."""
    found = {}
    for side in FAMILIES[description.family].masks:
        rows = [row for row in description.rows if row.layer and row.box.startswith(side)]
        one = sum(row.parameters for row in rows if row.layer == 1)
        found[side] = {"times": max(row.layer for row in rows), "each": f"{one:,}"}
    return found


def ledger(description: Description, whole: Description) -> list[list[str]]:
    """The total as a sum: [what, how many], a line each; "—" for what the family does not have."""
    lines = [["Embeddings", _total(description, ("embedding", "positions"))]]
    for side in ("encoder", "decoder"):
        rows = [row for row in description.rows if row.layer and row.box.startswith(side)]
        one = sum(row.parameters for row in rows if row.layer == 1)
        other = sum(r.parameters for r in whole.rows if r.layer == 1 and r.box.startswith(side))
        layers = max((row.layer for row in rows), default=0)
        name = side.capitalize()
        if not rows:
            gone = sum(r.parameters for r in whole.rows if r.layer and r.box.startswith(side))
            lines.append([f"{name}: not in this family (−{gone:,})", 0])
            continue
        left_out = f", without cross-attention (−{other - one:,} each)" if one < other else ""
        lines.append([f"{name}: {layers} × {one:,}{left_out}", one * layers])
    lines.append(["Final norms", _total(description, ("final_norm",))])
    lines.append(["Scores", _total(description, ("scores",))])
    return [[what, f"{many:,}" if many else "—"] for what, many in lines]


def _total(description: Description, parts: tuple[str, ...]) -> int:
    return sum(row.parameters for row in description.rows if row.box.partition(".")[2] in parts)


def _norm(norm_first: bool) -> str:
    return "pre" if norm_first else "post"


def _spread(picture) -> dict:
    """A plan as the browser takes it."""
    return {
        "height": picture.height,
        **{name: [each._asdict() for each in getattr(picture, name)] for name in picture._fields[1:]},
    }
