"""MaskLab: your own text under any mask; the weights beside what really arrives, measured.

The numbers are those of one small attention with random vectors: `viz.arithmetic.attend` computes them here,
the browser computes the same from the same vectors.
"""

import re
from collections.abc import Sequence

import numpy as np
import traitlets

from course_lib.viz.arithmetic import WHERE, Attended, attend
from course_lib.viz.masks import weights_and_leak
from course_lib.viz.still import Still, as_allowed, shown
from course_lib.widgets.front import Array, LiveView, script, styles, with_still

KINDS = ("self", "cross", "causal", "padding", "prefix", "window", "hand")
PAD = "[PAD]"
MOST_TOKENS = 16
PADS = 3  # how many pads are added when `pad_to` does not say


class MaskLab(LiveView):
    """A text, a mask, and two matrices: attention weights, and the measured leak ∂output_i/∂input_j.

    `kind` chooses the mask; a click on a cell makes it "hand". `where` says where the mask acts: "before" the
    softmax, "after" it (a mistake that leaks), or "none". `tokens` (queries), `key_tokens`, `allowed`,
    `weights`, `output` and `leak` are what the lab shows now; `allowed` can be set.
    """

    _esm = script("mask_lab", "grid")
    _css = styles()

    title = traitlets.Unicode().tag(sync=True)
    text = traitlets.Unicode().tag(sync=True)
    other = traitlets.Unicode().tag(sync=True)  # the second text: the keys of "cross"
    kind = traitlets.Unicode("causal").tag(sync=True)
    sides = traitlets.Unicode("self").tag(sync=True)  # whose tokens: "self", "cross" or "padding"
    n_prefix = traitlets.Int(2).tag(sync=True)
    window = traitlets.Int(3).tag(sync=True)
    diagonal = traitlets.Int(0).tag(sync=True)  # of "causal": 0 is right, +1 sees the next token
    where = traitlets.Unicode("before").tag(sync=True)
    allowed = Array(bool, sync=True)  # (T, S), True = may attend

    tokens = traitlets.List(traitlets.Unicode())
    key_tokens = traitlets.List(traitlets.Unicode())
    weights = Array(float)  # (T, S)
    output = Array(float)  # (T, D)
    leak = Array(float)  # (T, S)

    # what the browser computes with: the words of the text and then pads, and the words of the second text
    answered = traitlets.List(traitlets.Unicode()).tag(sync=True)  # the two texts that the rest belongs to
    message = traitlets.Unicode().tag(sync=True)
    padded = traitlets.List(traitlets.Unicode()).tag(sync=True)
    n_words = traitlets.Int().tag(sync=True)
    other_words = traitlets.List(traitlets.Unicode()).tag(sync=True)
    inputs = Array(float, sync=True)  # (words + pads, D)
    other_inputs = Array(float, sync=True)  # (other words, D)
    w_q = Array(float, sync=True)  # (D, D)
    w_k = Array(float, sync=True)
    w_v = Array(float, sync=True)

    def __init__(
        self,
        text: str = "the cat sat on the mat",
        *,
        kind: str = "causal",
        other: str = "le chat est assis",
        pad_to: int | None = None,
        n_prefix: int = 2,
        window: int = 3,
        diagonal: int = 0,
        d_model: int = 8,
        seed: int = 0,
        where: str = "before",
        title: str = "",
    ):
        """text: words between spaces (a Chinese character is a token of its own), at most 16.

        kind: "self" (everything allowed), "cross" (keys from `other`), "causal", "padding" (up to `pad_to`
            tokens), "prefix" (the first `n_prefix` are seen by all), "window" (`window` keys), "hand".
        diagonal: shifts the causal mask, as in torch.tril: 0 is right, 1 lets each token see the next one.
        d_model: features of the random vectors; seed: which random vectors.
        Raises ValueError for an empty text, an unknown kind, or sizes out of range.
        """
        if not 1 <= d_model <= 64:
            raise ValueError(f"d_model is {d_model}, expected 1 to 64")
        n_words = len(_words(text, "text"))
        if pad_to is not None and not min(n_words, MOST_TOKENS) <= pad_to <= MOST_TOKENS:
            raise ValueError(
                f"pad_to is {pad_to}, expected {n_words} (the tokens of the text) to {MOST_TOKENS}"
            )
        _words(other, "other")
        self._seed, self._pad_to = seed, pad_to
        draw = np.random.default_rng(seed)
        w_q, w_k, w_v = (draw.normal(size=(d_model, d_model)) / np.sqrt(d_model) for _ in range(3))
        super().__init__(
            title=title or "Mask lab: who may look at whom, and what really arrives",
            text=text,
            other=other,
            kind=kind,
            n_prefix=n_prefix,
            window=window,
            diagonal=diagonal,
            where=where,
            w_q=w_q,
            w_k=w_k,
            w_v=w_v,
        )
        self._read_texts()
        self.observe(self._read_texts, names=["text", "other"])
        self.observe(self._apply_kind, names=["kind", "n_prefix", "window", "diagonal"])
        self.observe(self._by_hand, names="allowed")
        self.observe(self._compute, names=["allowed", "where"])

    # What may be set, and what not.

    @traitlets.validate("kind", "where")
    def _known(self, proposal) -> str:
        name, value = proposal.trait.name, proposal.value
        choices = KINDS if name == "kind" else WHERE
        if value not in choices:
            raise ValueError(f"{name} is {value!r}, expected one of {', '.join(map(repr, choices))}")
        return value

    @traitlets.validate("n_prefix", "window")
    def _in_range(self, proposal) -> int:
        name, value = proposal.trait.name, proposal.value
        least = 0 if name == "n_prefix" else 1
        if value < least:
            raise ValueError(f"{name} is {value}, expected {least} or more tokens")
        return value

    @traitlets.validate("allowed")
    def _fits(self, proposal) -> np.ndarray:
        shape = self._set_tokens()
        if "allowed" in self._property_lock and proposal.value.shape != shape:
            return self._mask(shape)  # the browser drew on a text that is no longer there
        return np.array(as_allowed(proposal.value, shape))

    # From texts and kind to tokens, mask and numbers.

    def _read_texts(self, _change=None) -> None:
        """New tokens and their vectors; what cannot be used becomes a sentence in the view."""
        answered = [self.text, self.other]
        try:
            words, others = _words(self.text, "text"), _words(self.other, "other")
        except ValueError:
            with self.hold_sync():
                self.message, self.answered = "Type a word: the lab keeps the last text.", answered
            return
        cut = [
            f"the {name} has {len(tokens)} tokens; the first {MOST_TOKENS} are shown"
            for name, tokens in (("text", words), ("second text", others))
            if len(tokens) > MOST_TOKENS
        ]
        words, others = words[:MOST_TOKENS], others[:MOST_TOKENS]
        length = min(MOST_TOKENS, max(len(words), self._pad_to or len(words) + PADS))
        padded = words + [PAD] * (length - len(words))
        d_model = len(self.w_q)
        with self.hold_sync():
            self.padded, self.n_words = [shown(word) for word in padded], len(words)
            self.other_words = [shown(word) for word in others]
            self.inputs = _vectors(padded, d_model, self._seed)
            self.other_inputs = _vectors(others, d_model, self._seed)
            self.message, self.answered = "; ".join(cut), answered
            self._apply_kind()

    def _apply_kind(self, _change=None) -> None:
        """The mask of the chosen kind; a mask by hand keeps the cells that still exist."""
        self.allowed = self._mask(self._set_tokens())
        self._compute()  # also when the mask stays equal: its tokens may be others

    def _set_tokens(self) -> tuple[int, int]:
        """Whose tokens stand at rows and columns; returns (T, S). A mask by hand keeps the sides it had."""
        if self.kind != "hand":
            self.sides = self.kind if self.kind in ("cross", "padding") else "self"
        self.tokens = self.padded if self.sides == "padding" else self.padded[: self.n_words]
        self.key_tokens = self.other_words if self.sides == "cross" else self.tokens
        return len(self.tokens), len(self.key_tokens)

    def _mask(self, shape: tuple[int, int]) -> np.ndarray:
        """allowed (T, S) of the kind that is chosen."""
        everything = np.ones(shape, bool)
        query, key = np.indices(shape)
        if self.kind == "hand" and self.allowed is not None:
            rows, columns = (min(a, b) for a, b in zip(shape, self.allowed.shape, strict=True))
            everything[:rows, :columns] = self.allowed[:rows, :columns]
            return everything
        return {
            "causal": key <= query + self.diagonal,
            "padding": key < self.n_words,
            "prefix": (key <= query) | (key < self.n_prefix),
            "window": (key <= query) & (key > query - self.window),
        }.get(self.kind, everything)

    def _by_hand(self, _change) -> None:
        """A mask that is not the one of its kind was drawn by hand."""
        if not np.array_equal(self.allowed, self._mask(self.allowed.shape)):
            self.kind = "hand"

    def numbers(self, allowed=None) -> Attended:
        """Weights (T, S), output (T, D) and leak (T, S) of the current text under `allowed`."""
        inputs = self.inputs[: len(self.tokens)]
        looked_at = self.other_inputs if self.sides == "cross" else inputs
        mask = as_allowed(self.allowed if allowed is None else allowed, (len(inputs), len(looked_at)))
        return attend(
            inputs @ self.w_q,
            looked_at @ self.w_k,
            looked_at @ self.w_v,
            self.w_k,
            self.w_v,
            mask,
            self.where,
        )

    def _compute(self, _change=None) -> None:
        found = self.numbers()
        self.weights, self.output, self.leak = found.weights, found.output, found.leak

    def still(self) -> Still:
        """Weights and leak side by side, for places where nothing is live."""
        kinds = {"prefix": f"prefix of {self.n_prefix}", "window": f"window of {self.window}"}
        if self.diagonal:
            kinds["causal"] = f"causal, diagonal {self.diagonal:+d}"
        where = {"before": "", "after": ", multiplied on after the softmax", "none": ", not applied"}
        title = f"{self.title} · {kinds.get(self.kind, self.kind)}{where[self.where]}"
        return weights_and_leak(
            self.weights, self.leak, self.tokens, self.key_tokens, allowed=self.allowed, title=title
        )

    def _repr_mimebundle_(self, **kwargs) -> tuple[dict, dict]:
        return with_still(super()._repr_mimebundle_(**kwargs), self.still())


def _words(text: str, name: str) -> list[str]:
    """Tokens: what stands between spaces; every Chinese or Japanese character on its own."""
    east = "\u3040-\u30ff\u3400-\u9fff"
    words = re.findall(rf"[{east}]|[^\s{east}]+", text)
    if not words:
        raise ValueError(f"{name} is {text!r}, expected at least one word")
    return words


def _vectors(tokens: Sequence[str], d_model: int, seed: int) -> np.ndarray:
    """(T, D): a random vector for each word, the same wherever it stands, plus a wave for its position."""
    position = np.arange(len(tokens))[:, None]
    feature = np.arange(d_model)[None]
    wave = np.sin(position / 10 ** (2 * (feature // 2) / d_model) + (feature % 2) * np.pi / 2)  # (T, D)
    words = [
        np.random.default_rng([seed, *token.encode("utf-8", "surrogatepass")]).normal(size=d_model)
        for token in tokens
    ]
    return np.stack(words) + 0.7 * wave
