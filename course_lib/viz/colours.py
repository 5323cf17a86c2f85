"""Every colour of the course, once: a thing keeps its colour in all chapters, still and live.

The base is the palette of Okabe and Ito (2008), which people with the common kinds of colour blindness
can tell apart, darkened where text in it would not read on white. No picture relies on colour alone.
"""

from matplotlib.colors import LinearSegmentedColormap, to_rgb

# What a thing is. `generated` marks what a model wrote; `gold` marks the known right answer.
QUERY = "#0072B2"  # blue
KEY = "#C4500A"  # vermilion
VALUE = "#00614A"  # green
GENERATED = "#9C3F7C"  # purple
MASKED = "#B9BEC6"  # grey, always with hatching as well
GOLD = "#E8A200"  # outlines, never text
QUERY_TINT = "#E5F0F8"  # behind words about a query
VALUE_TINT = "#E6F3EF"  # behind words about a value
LEAK = "#B0123F"  # crimson: what gets through where it must not, always outlined or named as well
ACCENT = QUERY  # the one accent: what the picture is about

# Everything that only holds the picture together.
INK = "#1F2933"
SOFT_INK = "#5B6673"
LINE = "#C9CFD6"
PANEL = "#F4F6F8"
PAPER = "#FFFFFF"
BLACK = "#000000"  # words on a middle tone

# Lines of one picture, in this order. Each also gets its own dash pattern and a label at its end.
SERIES = (QUERY, KEY, VALUE, GENERATED, "#6B6100", SOFT_INK)
DASHES = ("-", (0, (5, 2)), (0, (1, 1.4)), (0, (6, 2, 1.5, 2)), (0, (3, 1.5)), (0, (8, 3)))

# Heads of one layer, in this order: other hues than query, key and value, since every head has all three.
HEADS = ("#8A7A00", GENERATED, "#00788A", SOFT_INK)

# Weights: 0 is nearly the paper, 1 is dark. Lightness falls evenly, so it also reads in grey print.
WEIGHT_STOPS = ("#F7FAFC", "#CFE3F2", "#8FC1E3", "#3F8FC5", "#0A5C99", "#06304F")
WEIGHTS = LinearSegmentedColormap.from_list("course_weights", WEIGHT_STOPS).with_extremes(bad=PANEL)

# Other numbers: scores from the lowest to the highest, outputs likewise, and what arrives (0 is nothing).
SCORES = LinearSegmentedColormap.from_list("course_scores", (PAPER, WEIGHT_STOPS[2])).with_extremes(bad=PANEL)
OUTPUTS = LinearSegmentedColormap.from_list("course_outputs", (PAPER, "#BFE0D4"))
FLOW = LinearSegmentedColormap.from_list("course_flow", (WEIGHT_STOPS[0], "#BFE0D4", "#5FAE93", VALUE))
READABLE = 4.5  # contrast of words on a tone, at least (WCAG 2, level AA)

# bertviz's own colours, how its neuron_view quotes them, and ours in their place.
INSTEAD_OF_BERTVIZ = (
    ("#0c36d8", "'", QUERY),
    ("#ff6318", "'", KEY),
    ("blue", "'", QUERY),
    ("blue", '"', QUERY),
    ("#478be8", '"', WEIGHT_STOPS[2]),
)

# The live views take the same meanings as CSS variables; the dark theme has lighter tones of the same hues.
LIGHT = {
    "query": QUERY,
    "key": KEY,
    "value": VALUE,
    "generated": GENERATED,
    "masked": MASKED,
    "gold": GOLD,
    "leak": LEAK,
    "accent": ACCENT,
    "ink": INK,
    "soft-ink": SOFT_INK,
    "line": LINE,
    "panel": PANEL,
    "paper": PAPER,
    "weight-0": "#EAF2FA",
    "weight-1": "#064F93",
}
DARK = {
    "query": "#6DB9EE",
    "key": "#FF9A5C",
    "value": "#4CCBA4",
    "generated": "#E29AC9",
    "masked": "#5A626D",
    "gold": "#FFC53D",
    "leak": "#FF6F91",
    "accent": "#6DB9EE",
    "ink": "#E6EAEE",
    "soft-ink": "#A9B3BE",
    "line": "#46505B",
    "panel": "#262C33",
    "paper": "#14181D",
    "weight-0": "#1E252D",
    "weight-1": "#9AD2FA",
}


def css_variables() -> str:
    """Both themes as CSS rules: `--course-query: …` for elements of class `course-view`.

    JupyterLab says on `<body>` whether its theme is light; elsewhere the light colours are taken.
    """

    def rule(selector: str, colours: dict[str, str]) -> str:
        lines = "\n".join(f"  --course-{name}: {value};" for name, value in colours.items())
        return f"{selector} {{\n{lines}\n}}\n"

    dark = 'body[data-jp-theme-light="false"] .course-view, body.vscode-dark .course-view'
    return rule(".course-view", LIGHT) + rule(dark, DARK)


def text_on(weight: float) -> str:
    """The colour of a number written on a cell of this weight (0 to 1)."""
    return PAPER if weight > 0.5 else INK


def contrast(one, other) -> float:
    """The contrast of two colours, 1 to 21, as WCAG 2 defines it."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def ink_on(tone) -> str:
    """The colour of words on any tone: ink or paper, whichever reads better; black where neither does."""
    ink = max((INK, PAPER), key=lambda colour: contrast(colour, tone))
    return ink if contrast(ink, tone) >= READABLE else BLACK


def _luminance(colour) -> float:
    parts = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour))
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))


def tint(colour: str, share: float = 0.28) -> tuple[float, ...]:
    """A colour mixed with the paper; by default light enough for dark numbers on it."""
    return tuple(p + share * (c - p) for c, p in zip(to_rgb(colour), to_rgb(PAPER), strict=True))
