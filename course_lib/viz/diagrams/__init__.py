"""How the parts fit together, drawn: one file a drawing or a family of them.

`translation` (crossing words, the bottleneck, looking back), `four_steps`, `additive` (where query and key
meet), `pipeline` (the five steps), `lookups` (who finds what), `plane` (one look-up as arrows), `heads` (how
a tensor is cut into heads, and what each does), `directions` (what a head of one or two features can ask
for), `next_words` (inputs above shifted targets), `course_map` (the Transformer with its chapters).
`table` draws the round table and the quarter turn; `positions` clocks, their vectors and turned pairs;
`residual` where norms stand; `architecture` the whole Transformer with its parameters, on the plan of
`blueprint`; `beam` a beam search as a tree; `family_masks` who sees whom in the four families;
`merge_table` a moment of BPE training; `token_rows` a text as coloured tokens; `masked_row` what BERT reads
and must say; `filled_blanks` what it fills in; `next_token` what temperature, top-k and top-p remove;
`told_story` a story that is being told, with verdicts; `loss_strip` a chat with what of it is trained;
`answer_group` answers with rewards and advantages; `chats_beside` one question to several models;
`preference_margins` what DPO does, step by step.
"""

from course_lib.viz.diagrams import heads
from course_lib.viz.diagrams.additive import new_axis, tanh_meets
from course_lib.viz.diagrams.answer_group import answer_group
from course_lib.viz.diagrams.architecture import architecture
from course_lib.viz.diagrams.beam import beam
from course_lib.viz.diagrams.chats_beside import chats_beside
from course_lib.viz.diagrams.course_map import transformer_map
from course_lib.viz.diagrams.directions import directions
from course_lib.viz.diagrams.family_masks import family_masks
from course_lib.viz.diagrams.filled_blanks import filled_blanks
from course_lib.viz.diagrams.four_steps import four_steps
from course_lib.viz.diagrams.lookups import fetch, score_tables
from course_lib.viz.diagrams.loss_strip import loss_strip
from course_lib.viz.diagrams.masked_row import masked_row
from course_lib.viz.diagrams.merge_table import merge_table
from course_lib.viz.diagrams.next_token import next_token
from course_lib.viz.diagrams.next_words import next_words
from course_lib.viz.diagrams.pipeline import pipeline
from course_lib.viz.diagrams.plane import lookup_plane
from course_lib.viz.diagrams.positions import clocks, turned_pairs, waves
from course_lib.viz.diagrams.preference_margins import preference_margins
from course_lib.viz.diagrams.residual import norm_places
from course_lib.viz.diagrams.table import quarter_turn, seating
from course_lib.viz.diagrams.token_rows import token_rows
from course_lib.viz.diagrams.told_story import told_story
from course_lib.viz.diagrams.translation import bottleneck, crossings, look_back

__all__ = [
    "answer_group",
    "architecture",
    "beam",
    "bottleneck",
    "chats_beside",
    "clocks",
    "crossings",
    "directions",
    "family_masks",
    "fetch",
    "filled_blanks",
    "four_steps",
    "heads",
    "look_back",
    "lookup_plane",
    "loss_strip",
    "masked_row",
    "merge_table",
    "new_axis",
    "next_token",
    "next_words",
    "norm_places",
    "pipeline",
    "preference_margins",
    "quarter_turn",
    "score_tables",
    "seating",
    "tanh_meets",
    "token_rows",
    "told_story",
    "transformer_map",
    "turned_pairs",
    "waves",
]
