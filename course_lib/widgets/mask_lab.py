"""MaskLab: your own text under any mask; the weights beside what really arrives, measured.

The numbers are those of one small attention with random vectors: `viz.arithmetic.attend` computes them here,
the browser computes the same from the same vectors.
"""

from collections.abc import Callable

import numpy as np
import traitlets

from course_lib.viz.arithmetic import WHERE, Attended, attend
from course_lib.viz.masks import weights_and_leak
from course_lib.viz.still import Still, as_allowed, shown
from course_lib.widgets.front import Array, LiveView, script, styles, with_still
from course_lib.widgets.lab_model import answer_still, ask
from course_lib.widgets.lab_texts import BOS, MOST_TOKENS, PAD, PADS, vectors, words

KINDS = ("self", "cross", "causal", "padding", "prefix", "window", "hand")
PARTS = ("rules", "arithmetic", "text_box", "changes", "path", "missions", "next_word", "verdict")
TITLE = "Mask lab: who may look at whom, and what really arrives"
TITLE_WITH_MODEL = "Mask lab: a trained model reads under your mask"


class MaskLab(LiveView):
    """A text, a mask, and two matrices: attention weights, and the measured leak ∂output_i/∂input_j.

    `kind` chooses the mask; a click on a cell makes it "hand". `where` says where the mask acts: "before" the
    softmax, "after" it (a mistake that leaks), or "none". `tokens` (queries), `key_tokens`, `allowed`,
    `weights`, `output` and `leak` are what the lab shows now; `allowed` can be set.
    """

    _esm = script("mask_lab", "grid", *PARTS)
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
    drawn = Array(bool, sync=True)  # the last mask by hand, kept while another kind is looked at
    drawn_sides = traitlets.Unicode("self").tag(sync=True)
    start = traitlets.Dict().tag(sync=True)  # what "Reset" brings back
    done = traitlets.List(traitlets.Unicode()).tag(sync=True)  # names of the missions that are done

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

    # with a trained model behind the lab, the browser asks and Python replies
    asked = traitlets.Int(0).tag(sync=True)  # how many questions the browser has asked
    replied = traitlets.Int(0).tag(sync=True)  # which of them the rest answers
    vocabulary = traitlets.List(traitlets.Unicode()).tag(sync=True)  # V words; none without a model
    probabilities = Array(float, sync=True)  # (T, V), of the word after each token
    heads = traitlets.List(traitlets.Unicode()).tag(sync=True)  # N names, "layer.head"
    head_weights = Array(float, sync=True)  # (N, T, T)
    head = traitlets.Int(-1).tag(sync=True)  # which of them `weights` is; -1: their mean

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
        model: Callable | None = None,
        title: str = "",
    ):
        """text: words between spaces (a Chinese character is a token of its own), at most 16.

        kind: "self" (everything allowed), "cross" (keys from `other`), "causal", "padding" (up to `pad_to`
            tokens), "prefix" (the first `n_prefix` are seen by all), "window" (`window` keys), "hand".
        diagonal: shifts the causal mask, as in torch.tril: 0 is right, 1 lets each token see the next one.
        d_model: features of the random vectors; seed: which random vectors.
        model: a trained language model in their place, for example `town_lm.under_masks(writer)`: a function
            `(tokens, allowed, where)` to words (V), probabilities of the next word (T, V) and weights
            (layers, heads, T, T). "[BOS]" then stands before the text; beside the weights stands what the
            model says next, and there is no "cross". What it cannot read it refuses with a ValueError.
        Raises ValueError for an empty text, an unknown kind, sizes out of range, or words that `model`
        refuses.
        """
        if not 1 <= d_model <= 64:
            raise ValueError(f"d_model is {d_model}, expected 1 to 64")
        n_words = len(words(text, "text"))
        if pad_to is not None and not min(n_words, MOST_TOKENS) <= pad_to <= MOST_TOKENS:
            raise ValueError(
                f"pad_to is {pad_to}, expected {n_words} (the tokens of the text) to {MOST_TOKENS}"
            )
        words(other, "other")
        if model is not None and kind == "cross":
            raise ValueError(
                "kind is 'cross', expected one that a language model has: it reads one text only"
            )
        self._seed, self._pad_to, self._model = seed, pad_to, model
        draw = np.random.default_rng(seed)
        w_q, w_k, w_v = (draw.normal(size=(d_model, d_model)) / np.sqrt(d_model) for _ in range(3))
        super().__init__(
            title=title or (TITLE if model is None else TITLE_WITH_MODEL),
            text=text,
            other=other,
            kind=kind,
            n_prefix=n_prefix,
            window=window,
            diagonal=diagonal,
            where=where,
            start={
                "kind": kind,
                "where": where,
                "n_prefix": n_prefix,
                "window": window,
                "diagonal": diagonal,
            },
            w_q=w_q,
            w_k=w_k,
            w_v=w_v,
        )
        if model is not None:
            tokens = [BOS, *words(text, "text")][:MOST_TOKENS]
            ask(model, tokens, np.ones((len(tokens),) * 2, bool), "none")
        self._read_texts()
        self.observe(self._read_texts, names=["text", "other"])
        self.observe(self._apply_kind, names=["kind", "n_prefix", "window", "diagonal"])
        self.observe(self._by_hand, names="allowed")
        self.observe(self._compute, names=["allowed", "where", "head", "asked"])

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

    @traitlets.validate("head")
    def _one_of_the_heads(self, proposal) -> int:
        if not -1 <= proposal.value < len(self.heads):
            heads = f"-1 (their mean) to {len(self.heads) - 1}" if self.heads else "-1: this lab has no heads"
            raise ValueError(f"head is {proposal.value}, expected {heads}")
        return proposal.value

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
            own, others = words(self.text, "text"), words(self.other, "other")
        except ValueError:
            with self.hold_sync():
                self.message, self.answered = "Type a word: the lab keeps the last text.", answered
            return
        own = [BOS, *own] if self._model else own
        cut = [
            f"the {name} has {len(tokens)} tokens; the first {MOST_TOKENS} are shown"
            for name, tokens in (("text", own), ("second text", others))
            if len(tokens) > MOST_TOKENS
        ]
        own, others = own[:MOST_TOKENS], others[:MOST_TOKENS]
        if self._model and (refused := self._refusal(own)):
            with self.hold_sync():
                self.message, self.answered = refused, answered
            return
        length = min(MOST_TOKENS, max(len(own), self._pad_to or len(own) + PADS))
        padded = self._padded = own + [PAD] * (length - len(own))
        d_model = len(self.w_q)
        with self.hold_sync():
            self.padded, self.n_words = [shown(word) for word in padded], len(own)
            self.other_words = [shown(word) for word in others]
            self.inputs = vectors(padded, d_model, self._seed)
            self.other_inputs = vectors(others, d_model, self._seed)
            self.message, self.answered = "; ".join(cut), answered
            self._apply_kind()

    def _refusal(self, tokens: list[str]) -> str:
        """What the model says when it cannot read these tokens; "" when it can."""
        try:
            ask(self._model, tokens, np.ones((len(tokens),) * 2, bool), "none")
        except ValueError as error:
            return str(error)
        except Exception as error:  # a broken model must not leave the view silent
            return f"The model stopped with {type(error).__name__}: {error}"
        return ""

    def _apply_kind(self, _change=None) -> None:
        """The mask of the chosen kind; a mask by hand keeps the cells that still exist."""
        self.allowed = self._mask(self._set_tokens())
        if self.kind == "hand" and self.drawn is not None:
            self.drawn = self.allowed  # over another text, what still fits
        self._compute()  # also when the mask stays equal: its tokens may be others

    def _set_tokens(self) -> tuple[int, int]:
        """Whose tokens stand at rows and columns; returns (T, S). A mask by hand keeps the sides it had."""
        if self.kind != "hand":
            self.sides = self.kind if self.kind in ("cross", "padding") else "self"
        elif self.drawn is not None:
            self.sides = self.drawn_sides
        self.tokens = self.padded if self.sides == "padding" else self.padded[: self.n_words]
        self.key_tokens = self.other_words if self.sides == "cross" else self.tokens
        return len(self.tokens), len(self.key_tokens)

    def _mask(self, shape: tuple[int, int]) -> np.ndarray:
        """allowed (T, S) of the kind that is chosen."""
        everything = np.ones(shape, bool)
        query, key = np.indices(shape)
        if self.kind == "hand":
            by_hand = self.allowed if self.drawn is None else self.drawn
            if by_hand is not None:
                rows, columns = (min(a, b) for a, b in zip(shape, by_hand.shape, strict=True))
                everything[:rows, :columns] = by_hand[:rows, :columns]
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
            self.drawn, self.drawn_sides = self.allowed, self.sides
            self.kind = "hand"

    def numbers(self, allowed=None) -> Attended:
        """Weights (T, S), output (T, D) and leak (T, S) of the current text under `allowed`.

        Of the random vectors: a lab with a model computes by its model, and raises ValueError here.
        """
        if self._model:
            raise ValueError("this lab has a model: its weights are `weights`, it has no random vectors")
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

    def _compute(self, change=None) -> None:
        if self._model:
            asked = "asked" in self._property_lock  # one message of the browser changes several traits
            if not asked or (change and change["name"] == "asked"):
                self._reply()
            return
        found = self.numbers()
        self.weights, self.output, self.leak = found.weights, found.output, found.leak

    def _reply(self) -> None:
        """What the model makes of the text under this mask."""
        tokens = self._padded[: len(self.tokens)]
        self._answer = answer = ask(self._model, tokens, self.allowed, self.where)
        with self.hold_sync():
            self.vocabulary, self.heads = answer.vocabulary, answer.heads
            self.probabilities, self.head_weights = answer.probabilities, answer.weights
            self.replied = self.asked
        self.weights = answer.weights.mean(0) if self.head < 0 else answer.weights[self.head]

    def still(self) -> Still:
        """Weights and leak side by side, or weights and next words, for places where nothing is live."""
        kinds = {"prefix": f"prefix of {self.n_prefix}", "window": f"window of {self.window}"}
        if self.diagonal:
            kinds["causal"] = f"causal, diagonal {self.diagonal:+d}"
        where = {"before": "", "after": ", multiplied on after the softmax", "none": ", not applied"}
        title = f"{self.title} · {kinds.get(self.kind, self.kind)}{where[self.where]}"
        if self._model:
            return answer_still(self._answer, self.weights, self.tokens, self.allowed, title)
        return weights_and_leak(
            self.weights, self.leak, self.tokens, self.key_tokens, allowed=self.allowed, title=title
        )

    def _repr_mimebundle_(self, **kwargs) -> tuple[dict, dict]:
        return with_still(super()._repr_mimebundle_(**kwargs), self.still())
