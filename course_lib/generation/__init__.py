"""Writing with a trained model, one token after another.

Read the files in this order: `writers` (the protocol that every model speaks which writes), `filters` (from
logits to one token: temperature, top-k, top-p), `next_token` (one such step, to be looked at), `sampling`
(greedy, or drawn), `beam_search` (several texts side by side) and `many_sources`.
"""

from .beam_search import BeamNode, BeamStep, BeamTrace, beam, choose_rows, length_penalty_of
from .filters import ORDER, check_settings, draw, keep_top_k, keep_top_p, with_temperature
from .many_sources import decode_all
from .next_token import NextTokenTrace, Stage, trace_draw
from .sampling import greedy, sample
from .writers import WholeText, Writer

__all__ = [
    "ORDER",
    "BeamNode",
    "BeamStep",
    "BeamTrace",
    "NextTokenTrace",
    "Stage",
    "WholeText",
    "Writer",
    "beam",
    "check_settings",
    "choose_rows",
    "decode_all",
    "draw",
    "greedy",
    "keep_top_k",
    "keep_top_p",
    "length_penalty_of",
    "sample",
    "trace_draw",
    "with_temperature",
]
