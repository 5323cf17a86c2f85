"""Writing with a BERT: it fills as many blanks as it is given, in an order that somebody else chooses.

    [CLS] [MASK] [MASK] [MASK] [MASK] [SEP]   →   [CLS] tom is asleep . [SEP]

In training it has read two texts a row and 15 % blanks; here it reads one sentence, and at first only blanks.

Axes: B batch, N positions of a row, V vocabulary.
"""

import torch
from torch import Tensor

from course_lib import checks
from course_lib.blanks import ORDERS, fill_blanks
from course_lib.models import evaluating
from course_lib.models.bert import Bert
from course_lib.tasks.fill_in.stories import MAX_LEN, TRAINING_SEED, WORDS, documents
from course_lib.text.batching import batches_by_length
from course_lib.text.segments import MASK_ID, join, stack

TOLD = 300  # sentences that are told
BATCH = 64  # sentences that are written together


def tell(
    model: Bert, n: int = TOLD, order: str = "left to right", *, seed: int = 0, temperature: float = 1.0
) -> list[list[str]]:
    """Let a BERT write single sentences, as long as the first sentences of the training stories.

    Args:
        model: a trained model.
        n: how many sentences.
        order: "mask at the end", "left to right", "most certain first" or "refill", as in
            `course_lib.blanks.fill_blanks`. The first of them covers all that is behind, `[SEP]` too.
        seed: of the draws; the lengths are the same for all.
        temperature: 0 always takes the likeliest word.

    Returns:
        for each sentence its words, for `tasks.town_lm.judge`. A special token is never written.

    Raises:
        ValueError: `n` below 1, another order, or a negative temperature.
    """
    checks.at_least_1(n=n)
    checks.one_of("order", order, ORDERS)
    lengths, told = sentence_lengths(n), [[] for _ in range(n)]
    generator = torch.Generator().manual_seed(seed)
    how = {"mask_id": MASK_ID, "never": range(WORDS.words[0])}
    how |= {"temperature": temperature, "generator": generator}

    def logits_of(ids: Tensor) -> Tensor:
        """Ids `(B, N)` to logits `(B, N, V)`."""
        return model(ids=ids)[0].words

    with evaluating(model):
        for group in batches_by_length(lengths, BATCH):
            blanks = torch.tensor([lengths[i] for i in group])  # (B,)
            ids, _ = stack([join([MASK_ID] * lengths[i], max_len=MAX_LEN) for i in group])  # (B, N)
            ids = fill_blanks(logits_of, ids, torch.ones_like(blanks), blanks, order, **how)
            for i, row in zip(group, ids.tolist(), strict=True):
                told[i] = WORDS.decode_tokens(row[1 : 1 + lengths[i]])
    return told


def sentence_lengths(n: int) -> list[int]:
    """How many words the first sentences of the first `n` training stories have, the full stop included."""
    enough = n
    while len(known := documents(enough, TRAINING_SEED)) < n:  # some stories are left out
        enough *= 2
    return [len(sentences[0]) for sentences in known[:n]]
