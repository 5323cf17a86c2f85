"""Every colour of the course, once: a thing keeps its colour in all chapters, still and live.

The base is the palette of Okabe and Ito (2008), which people with the common kinds of colour blindness
can tell apart, darkened where text in it would not read on white. No picture relies on colour alone.
"""

from matplotlib.colors import LinearSegmentedColormap, to_rgb, to_rgba_array

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

# Lines of one picture, in this order: hues that mean nothing else, read as text on white, and differ for
# people with each common kind of colour blindness. Each also gets a dash pattern and a label at its end.
SERIES = ("#5A2E1A", "#7662D8", "#46830E", "#A0626B", "#271476", "#402050")
DASHES = ("-", (0, (5, 2)), (0, (1, 1.4)), (0, (6, 2, 1.5, 2)), (0, (3, 1.5)), (0, (8, 3)))

# Heads of one layer, in this order: other hues than query, key and value, since every head has all three.
HEADS = ("#8A7A00", GENERATED, "#00788A", SOFT_INK)

# Weights: 0 is nearly the paper, 1 is dark. Lightness falls evenly, so it also reads in grey print.
WEIGHT_STOPS = ("#F7FAFC", "#CFE3F2", "#8FC1E3", "#3F8FC5", "#0A5C99", "#06304F")
WEIGHTS = LinearSegmentedColormap.from_list("course_weights", WEIGHT_STOPS).with_extremes(bad=PANEL)

# Other numbers: scores from the lowest to the highest, outputs likewise, and what arrives (0 is nothing).
SCORES = LinearSegmentedColormap.from_list("course_scores", (PAPER, WEIGHT_STOPS[2])).with_extremes(bad=PANEL)
OUTPUTS = LinearSegmentedColormap.from_list("course_outputs", (PAPER, "#BFE0D4"))
FLOW_STOPS = (WEIGHT_STOPS[0], "#BFE0D4", "#5FAE93", VALUE)
FLOW = LinearSegmentedColormap.from_list("course_flow", FLOW_STOPS)

# The sign of a number, where colour shows it: neither is a query's or a key's.
POSITIVE, NEGATIVE = "#6A4C93", "#8A7A00"  # violet, olive

# Numbers with a sign: 0 is nearly the paper, above it the tones of weights, below it olive.
SIGNED_STOPS = ("#A89B2C", "#CFC67F", "#E8E4BF", *WEIGHT_STOPS[:4])
SIGNED = LinearSegmentedColormap.from_list("course_signed", SIGNED_STOPS).with_extremes(bad=PANEL)

# bertviz's own colours, how its neuron_view quotes them, and ours in their place.
INSTEAD_OF_BERTVIZ = (
    ("#0c36d8", "'", POSITIVE),
    ("#ff6318", "'", NEGATIVE),
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
    "weight-0": WEIGHT_STOPS[0],
    "weight-1": WEIGHT_STOPS[-1],
    "series-1": SERIES[0],
    "series-2": SERIES[1],
    "positive": POSITIVE,
    "negative": NEGATIVE,
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
    "series-1": "#E0B49C",
    "series-2": "#B3A6F5",
    "positive": "#C3A9E8",
    "negative": "#CFC15A",
}

# The ramps of the live views: in a light page those of the stills, in a dark one from dark to bright. The
# browser draws a straight line through the stops, as matplotlib does.
RAMPS = {
    "weights": {
        "light": WEIGHT_STOPS,
        "dark": ("#1E252D", "#344351", "#4C6478", "#6587A1", "#7FACCD", "#9AD2FA"),
    },
    "signed": {
        "light": SIGNED_STOPS,
        "dark": ("#9C913B", "#69642F", "#3B3A29", "#1E252D", "#344351", "#4C6478", "#6587A1"),
    },
    "flow": {"light": FLOW_STOPS, "dark": ("#1E252D", "#315752", "#408F7A", "#4CCBA4")},
}

# Ink on a tone: the page's own where it can be read, else black or white, one of which always can.
ENOUGH = 4.5  # contrast ratio that text must have (WCAG 2, level AA)
INKS = {
    "light": (INK, PAPER, BLACK),
    "dark": (DARK["ink"], DARK["paper"], BLACK, PAPER),
}


def css_variables() -> str:
    """Both themes as CSS rules: `--course-query: …` for elements of class `course-view`.

    JupyterLab says on `<body>` whether its theme is light; elsewhere the light colours are taken.
    """

    def rule(selector: str, colours: dict[str, str], theme: str) -> str:
        ramps = {f"ramp-{name}": ", ".join(stops[theme]) for name, stops in RAMPS.items()}
        variables = {**colours, **ramps, "inks": ", ".join(INKS[theme]), "enough": ENOUGH}
        lines = "\n".join(f"  --course-{name}: {value};" for name, value in variables.items())
        return f"{selector} {{\n{lines}\n}}\n"

    dark = 'body[data-jp-theme-light="false"] .course-view, body.vscode-dark .course-view'
    return rule(".course-view", LIGHT, "light") + rule(dark, DARK, "dark")


def contrast(one, other) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2, relative luminance)."""
    low, high = sorted(_luminance(colour) + 0.05 for colour in (one, other))
    return high / low


def _luminance(colour) -> float:
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgba_array(colour)[0, :3]
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def ink_on(face, theme: str = "light") -> str:
    """The colour of text on a face of this colour: of INKS[theme], the first whose contrast is enough."""
    return next((ink for ink in INKS[theme] if contrast(ink, face) >= ENOUGH), INKS[theme][-1])


def text_on(weight: float) -> str:
    """The colour of a number written on a cell of this weight (0 to 1)."""
    return ink_on(WEIGHTS(float(weight)))


def tint(colour: str, share: float = 0.28) -> tuple[float, ...]:
    """A colour mixed with the paper; by default light enough for dark numbers on it."""
    return tuple(p + share * (c - p) for c, p in zip(to_rgb(colour), to_rgb(PAPER), strict=True))
