"""05.greedy: what learners write; right parts are those of ``wrong()``."""

import torch

from course_lib.text.tokenizers import BOS_ID, EOS_ID, PAD_ID, UNK_ID


def wrong(
    start=BOS_ID,
    choose=lambda logits, weights: logits.argmax(dim=-1),
    keep_state=True,
    feed=lambda ids, start: ids[-1][:, None],
    after=PAD_ID,
    over=lambda token, done: done.all(),
    steps=lambda max_new: max_new,
    early=False,
    forget=False,
):
    """Greedy decoding with other parts.

    early: a row is finished before its token is kept. forget: a row is finished for one step only.
    """

    def written(model, source, max_new):
        first = state = model.encode(source)
        begin = torch.full((len(source), 1), start)
        tokens, done, ids = begin, torch.zeros(len(source), dtype=torch.bool), []
        for _ in range(steps(max_new)):
            logits, weights, new = model.next_logits(tokens, state)
            state = new if keep_state else first
            token = choose(logits, weights).expand(len(source))
            ended = (ids[-1] == EOS_ID) if ids else torch.zeros_like(done)
            before, done = ended if forget else done, done | (token == EOS_ID)
            if after is not None:
                token = token.masked_fill(done if early else before, after)
            ids.append(token)
            if over(token, done):
                break
            tokens = feed(ids, begin)
        return torch.stack(ids, dim=1)

    return written


def whole(ids, start):
    return torch.cat([start, *(token[:, None] for token in ids)], dim=1)


def one_behind(ids, start):
    return ids[-2][:, None] if len(ids) > 1 else start


def never(token, done):
    return False


def with_begin(model, source, max_new):
    return torch.cat([torch.full((len(source), 1), BOS_ID), wrong()(model, source, max_new)], dim=1)


def last_column_lost(no_ends, join):
    """The loop is left before the last step is kept; with ``no_ends`` earlier ends are padded over too."""

    def written(model, source, max_new):
        ids = wrong()(model, source, max_new)
        ended = bool((ids == EOS_ID).any(dim=1).all())
        ids = ids.masked_fill(ids == EOS_ID, PAD_ID) if no_ends else ids
        return join(ids.T[: -1 if ended else None])  # an error where nothing is left

    return written


def by_cat(columns):
    return torch.cat([column[:, None] for column in columns], dim=1)


def by_stack(columns):
    return torch.stack(list(columns), dim=1)


WAYS = {
    "whole-text-again": wrong(feed=whole),
    "whole-text-from-the-start": wrong(feed=whole, keep_state=False),
    "state-forgotten": wrong(keep_state=False),
    "token-not-fed": wrong(feed=lambda ids, start: start),
    "one-step-behind": wrong(feed=one_behind),
    "first-row-for-all": wrong(choose=lambda logits, weights: logits[0].argmax()),
    "argmax-over-all": wrong(choose=lambda logits, weights: logits.argmax()),
    "logits-cut": tuple(
        wrong(choose=lambda logits, weights, i=i: logits[:, i].argmax(dim=-1)) for i in (0, -1)
    ),
    "lowest-chosen": wrong(choose=lambda logits, weights: logits.argmin(dim=-1)),
    "weights-chosen": wrong(choose=lambda logits, weights: weights.argmax(dim=-1)),
    "never-stops": wrong(over=never),
    "finished-rows-go-on": (wrong(after=None), wrong(after=None, over=never)),
    "finished-for-one-step": tuple(
        wrong(forget=True, over=over)
        for over in (lambda token, done: done.all(), never, lambda token, done: (token == EOS_ID).all())
    ),
    "ends-not-remembered": tuple(
        wrong(after=after, over=lambda token, done: (token == EOS_ID).all()) for after in (None, PAD_ID)
    ),
    "stops-with-the-first": tuple(
        wrong(after=after, over=lambda token, done: done.any()) for after in (PAD_ID, None)
    ),
    "end-lost": (
        wrong(early=True),
        wrong(early=True, over=never),
        *(last_column_lost(no_ends, join) for no_ends in (True, False) for join in (by_cat, by_stack)),
    ),
    "end-repeated": (wrong(after=EOS_ID), wrong(after=EOS_ID, over=never)),
    "begin-kept": with_begin,
    "another-start": tuple(wrong(start=start) for start in (PAD_ID, EOS_ID, UNK_ID)),
    "limit-missed": tuple(
        wrong(steps=steps) for steps in (lambda max_new: max_new + 1, lambda max_new: max(max_new - 1, 1))
    ),
    "not-the-likeliest": wrong(choose=lambda logits, weights: logits.topk(2, dim=-1).indices[:, 1]),
    "steps-as-rows": lambda *args: wrong()(*args).T,
}
