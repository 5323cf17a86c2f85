"""Sequence to sequence with recurrent networks: read a sentence, then write another.

    encoder    a GRU reads the source in both directions: one state h_j for each source token
    attention  at each step the decoder asks which of these states matter now
    decoder    a GRU writes the target, token by token

One switch in the configuration takes the attention away: the decoder then sees one fixed vector, whatever the
length of the sentence. That is the model that attention was invented to mend.

Axes: B batch, S source positions, T target positions, M features of an encoder state, D of a decoder state.

Source: Bahdanau, Cho and Bengio 2015, section 3 and appendix A; the variant without attention follows
Cho et al. 2014, where the fixed vector goes into every decoder step.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from course_lib import checks
from course_lib.attention import AdditiveAttention, DotProductAttention
from course_lib.masks import padding_mask
from course_lib.text.tokenizers import PAD_ID


@dataclass(frozen=True)
class Seq2SeqConfig:
    """Sizes and choices of one model.

    Args:
        source_vocab, target_vocab: sizes of the two vocabularies.
        d_embed: features of a token embedding.
        d_hidden: features of the decoder state, and of the encoder state in each direction.
        d_attn: size of the space in which states are compared (additive score only).
        encoder_layers: GRU layers that read the source.
        score: "additive" (Bahdanau), "dot" (scaled, with one matrix), or None: no attention.
        query: which decoder state asks: "previous", s_{i-1} as in the paper, or "current", s_i.
        words_in_memory: put each source token's own embedding beside its encoder state.
        dropout: share of features dropped in training.
    """

    source_vocab: int
    target_vocab: int
    d_embed: int = 64
    d_hidden: int = 128
    d_attn: int = 128
    encoder_layers: int = 1
    score: Literal["additive", "dot"] | None = "additive"
    query: Literal["previous", "current"] = "previous"
    words_in_memory: bool = False
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if self.score not in ("additive", "dot", None):
            raise ValueError(f"score is {self.score!r}, expected 'additive', 'dot' or None (no attention)")
        if self.query not in ("previous", "current"):
            raise ValueError(f"query is {self.query!r}, expected 'previous' (s_i-1) or 'current' (s_i)")
        checks.at_least_1(
            source_vocab=self.source_vocab,
            target_vocab=self.target_vocab,
            d_embed=self.d_embed,
            d_hidden=self.d_hidden,
            d_attn=self.d_attn,
            encoder_layers=self.encoder_layers,
        )
        checks.share("dropout", self.dropout)

    def build(self) -> "Seq2Seq":
        """A model with random weights."""
        return Seq2Seq(self)


class Memory(NamedTuple):
    """What the decoder may look at: made once a sentence."""

    values: Tensor  # encoder states, (B, S, M)
    keys: Tensor  # U_a h_j, computed once, (B, S, A)
    allowed: Tensor  # False on padding, (B, 1, S)
    summary: Tensor  # one fixed vector: where each direction ended, (B, M)


class State(NamedTuple):
    """What the decoder carries from step to step."""

    s: Tensor  # decoder state, (B, D)
    context: Tensor  # context vector of the last step, (B, M)


class Encoder(nn.Module):
    """Reads the source in both directions."""

    def __init__(self, config: Seq2SeqConfig) -> None:
        super().__init__()
        self.embed = nn.Embedding(config.source_vocab, config.d_embed, padding_idx=PAD_ID)
        self.gru = nn.GRU(
            config.d_embed,
            config.d_hidden,
            num_layers=config.encoder_layers,
            bidirectional=True,
            batch_first=True,
            dropout=config.dropout if config.encoder_layers > 1 else 0.0,
        )
        self.dropout = nn.Dropout(config.dropout)
        self.words_in_memory = config.words_in_memory
        self.d_memory = 2 * config.d_hidden + config.words_in_memory * config.d_embed

    def forward(self, source: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Source ids `(B, S)` to states `(B, S, M)`, last states `(B, 2, D)`, words `(B, S, E)`."""
        words = self.dropout(self.embed(source))  # (B, S, E)
        lengths = (source != PAD_ID).sum(1).cpu()
        packed = pack_padded_sequence(words, lengths, batch_first=True, enforce_sorted=False)
        packed_states, last = self.gru(packed)  # last: (2 · layers, B, D)
        states, _ = pad_packed_sequence(packed_states, batch_first=True, total_length=source.shape[1])
        return self.dropout(states), last[-2:].transpose(0, 1), words


class Seq2Seq(nn.Module):
    """Encoder, attention and decoder in one model.

    Args:
        config: sizes and choices.
    """

    def __init__(self, config: Seq2SeqConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        d_memory, d_hidden = self.encoder.d_memory, config.d_hidden
        self.start = nn.Linear(d_hidden, d_hidden)  # s_0 = tanh(W_s h←_1)
        self.embed = nn.Embedding(config.target_vocab, config.d_embed, padding_idx=PAD_ID)
        if config.score == "additive":
            self.attention = AdditiveAttention(d_hidden, d_memory, config.d_attn)
        elif config.score == "dot":
            self.attention = DotProductAttention(d_hidden, d_memory)
        else:
            self.attention = None
        self.cell = nn.GRUCell(config.d_embed + d_memory, d_hidden)
        self.readout = nn.Sequential(
            nn.Linear(d_hidden + d_memory + config.d_embed, d_hidden),
            nn.Tanh(),
            nn.Dropout(config.dropout),
            nn.Linear(d_hidden, config.target_vocab),
        )
        self.dropout = nn.Dropout(config.dropout)

    def encode(self, source: Tensor) -> tuple[Memory, State]:
        """Read the source once.

        Args:
            source: ids `(B, S)`, padded with `[PAD]` on the right.

        Returns:
            the memory, and the decoder's first state.

        Raises:
            ValueError: `source` is not `(B, S)`, holds what is no id of the vocabulary, has a row with no
                token at all, or padding before a token.
        """
        checks.token_ids("source", source, "(B, S)", self.config.source_vocab)
        real = source != PAD_ID  # (B, S)
        if not real.any(1).all():
            raise ValueError(
                "source has a row of padding only, expected at least one token a row: an empty sentence?"
            )
        if (real[:, 1:] & ~real[:, :-1]).any():
            raise ValueError("source has [PAD] before a token, expected padding on the right only")
        states, last, words = self.encoder(source)  # (B, S, 2D), (B, 2, D), (B, S, E)
        summary = last.flatten(1)  # (B, 2D)
        if self.encoder.words_in_memory:
            states = torch.cat([states, words], dim=-1)  # (B, S, M)
            summary = torch.cat([summary, words.sum(1)], dim=-1)  # (B, M)
        keys = states if self.attention is None else self.attention.project_keys(states)  # (B, S, A)
        memory = Memory(states, keys, padding_mask(source, PAD_ID)[:, 0], summary)
        s_0 = torch.tanh(self.start(last[:, 1]))  # the backward direction ends at the first word, (B, D)
        context = torch.zeros_like(summary) if self.attention else summary
        return memory, State(s_0, context)

    def look_back(self, s: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Ask the memory with state `s` `(B, D)`: context `(B, M)` and weights `(B, S)`."""
        if self.attention is None:
            return memory.summary, memory.values.new_zeros(memory.values.shape[:2])
        context, weights = self.attention(s[:, None], memory.keys, memory.values, memory.allowed)
        return context[:, 0], weights[:, 0]

    def step(self, word: Tensor, state: State, memory: Memory) -> tuple[State, Tensor]:
        """One decoder step.

        Args:
            word: embedding of the target token before, `y_{i-1}`, `(B, E)`.
            state: the decoder's state after the step before.
            memory: what `encode` returned.

        Returns:
            the new state, and the attention weights of this step `(B, S)` (all 0 without attention).

        Source: Bahdanau et al. 2015, appendix A.2.2.
        """
        if self.config.query == "previous":
            context, weights = self.look_back(state.s, memory)  # s_{i-1} asks, before y_{i-1} is read
            s = self.cell(torch.cat([word, context], dim=-1), state.s)  # (B, D)
        else:
            s = self.cell(torch.cat([word, state.context], dim=-1), state.s)  # (B, D)
            context, weights = self.look_back(s, memory)  # s_i asks, after y_{i-1} was read
        return State(s, context), weights

    def forward(
        self, source: Tensor, target: Tensor, *, need_weights: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        """Scores for every next token, with the true tokens before it (teacher forcing).

        Args:
            source: ids `(B, S)`.
            target: ids of the decoder's inputs, `[BOS]` first, `(B, T)`.
            need_weights: return the attention weights too.

        Returns:
            logits `(B, T, V)`, and weights `(B, T, S)` or None.

        Raises:
            ValueError: as `encode`; or `target` is not `(B, T)` ids of its vocabulary, one row a source row.
        """
        memory, state = self.encode(source)
        checks.token_ids("target", target, "(B, T)", self.config.target_vocab)
        checks.same_batch("source", source, "target", target)
        words = self.dropout(self.embed(target))  # (B, T, E)
        states, weights = [], []
        for word in words.unbind(1):  # (B, E)
            state, row = self.step(word, state, memory)
            states.append(torch.cat([state.s, state.context], dim=-1))
            weights.append(row)
        logits = self.read_out(torch.stack(states, dim=1), words)  # (B, T, V)
        return logits, torch.stack(weights, dim=1) if need_weights else None

    def next_logits(
        self, tokens: Tensor, state: tuple[Memory, State]
    ) -> tuple[Tensor, Tensor, tuple[Memory, State]]:
        """One step of writing; see `course_lib.generation`.

        Args:
            tokens: ids written since the state was made, `(B, n)`, n ≥ 1; `[BOS]` at first.
            state: what `encode` returned, then what this function did.

        Returns:
            logits of the next token `(B, V)`, attention weights of the last step `(B, S)`, and the new state.

        Raises:
            ValueError: no token, no ids of the vocabulary, or another number of rows than the source has.
        """
        memory, inner = state
        checks.token_ids("tokens", tokens, "(B, n)", self.config.target_vocab)
        checks.same_batch("tokens", tokens, "the source", memory.values)
        for token in tokens.unbind(1):  # (B,)
            word = self.embed(token)  # (B, E)
            inner, weights = self.step(word, inner, memory)
        logits = self.read_out(torch.cat([inner.s, inner.context], dim=-1), word)  # (B, V)
        return logits, weights, (memory, inner)

    def read_out(self, states: Tensor, words: Tensor) -> Tensor:
        """Scores `(B, T, V)` from `[s_i; c_i]` `(B, T, D + M)` and `y_{i-1}` `(B, T, E)`."""
        return self.readout(self.dropout(torch.cat([states, words], dim=-1)))
