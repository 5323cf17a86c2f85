"""Many sources at once: sorted by length, cut into batches, and put back in their order."""

from collections.abc import Sequence

from course_lib.text.batching import batches_by_length, pad
from course_lib.text.tokenizers import WordTokenizer

from .beam_search import beam
from .sampling import greedy
from .writers import Writer


def decode_all(
    model: Writer,
    sources: Sequence[Sequence[int]],
    target: WordTokenizer,
    *,
    max_new_tokens: int = 40,
    batch_size: int = 512,
    beam_size: int = 1,
    length_penalty: float = 0.6,
) -> list[list[str]]:
    """The outputs for many sources, in their order.

    Args:
        model: one that reads a source.
        sources: lists of ids.
        target: turns ids into tokens.
        max_new_tokens: the longest output.
        batch_size: sources decoded at a time.
        beam_size: 1 decodes greedily, more by beam search.
        length_penalty: of the beam search.

    Returns:
        for each source its output tokens.
    """
    outputs: list[list[str]] = [[] for _ in sources]
    for rows in batches_by_length([len(s) for s in sources], batch_size):
        batch = pad([sources[i] for i in rows])
        if beam_size == 1:
            ids, _ = greedy(model, batch, max_new_tokens)
        else:
            ids, _ = beam(model, batch, max_new_tokens, beam_size=beam_size, length_penalty=length_penalty)
        for i, row in zip(rows, ids.tolist(), strict=True):
            outputs[i] = target.decode_tokens(row)
    return outputs
