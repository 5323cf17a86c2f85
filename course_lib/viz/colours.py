"""Every colour of the course, once: a thing keeps its colour in all chapters, still and live.

The base is the palette of Okabe and Ito (2008), which people with the common kinds of colour blindness
can tell apart, darkened where text in it would not read on white. No picture relies on colour alone.
"""

from matplotlib.colors import LinearSegmentedColormap

# What a thing is. `generated` marks what a model wrote; `gold` marks the known right answer.
QUERY = "#0072B2"  # blue
KEY = "#C4500A"  # vermilion
VALUE = "#00614A"  # green
GENERATED = "#9C3F7C"  # purple
MASKED = "#B9BEC6"  # grey, always with hatching as well
GOLD = "#E8A200"  # outlines, never text
LEAK = "#B0123F"  # crimson: what gets through where it must not, always outlined or named as well
ACCENT = QUERY  # the one accent: what the picture is about

# Everything that only holds the picture together.
INK = "#1F2933"
SOFT_INK = "#5B6673"
LINE = "#C9CFD6"
PANEL = "#F4F6F8"
PAPER = "#FFFFFF"

# Lines of one picture, in this order. Each also gets its own dash pattern and a label at its end.
SERIES = (QUERY, KEY, VALUE, GENERATED, "#6B6100", "#5B6673")
DASHES = ("-", (0, (5, 2)), (0, (1, 1.4)), (0, (6, 2, 1.5, 2)), (0, (3, 1.5)), (0, (8, 3)))

# Heads of one layer, in this order: other hues than query, key and value, since every head has all three.
HEADS = ("#8A7A00", "#9C3F7C", "#00788A", "#5B6673")

# Weights: 0 is nearly the paper, 1 is dark. Lightness falls evenly, so it also reads in grey print.
WEIGHT_STOPS = ("#F7FAFC", "#CFE3F2", "#8FC1E3", "#3F8FC5", "#0A5C99", "#06304F")
WEIGHTS = LinearSegmentedColormap.from_list("course_weights", WEIGHT_STOPS).with_extremes(bad=PANEL)

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
