"""Practice of chapter 08: learners' own ways of being wrong and right, and the facts in the tutor's words."""

import math

import pytest
import torch
from torch.nn import functional as F

from course_lib.chapters import CHAPTERS
from course_lib.models.bert import FOLLOWS, Bert, BertConfig, BertEncoder, parameter_count
from course_lib.models.bert_classifier import ClassifierConfig
from course_lib.practice import cards, checking, desk, repairing
from course_lib.practice import chapter_08 as eight
from course_lib.tasks import fill_in
from course_lib.text import segments as rows
from course_lib.training import masked_words, next_sentence
from course_lib.training.objectives import token_loss

EXERCISES = {e.id.removeprefix("08."): e for e in eight.EXERCISES}
SMALL = BertConfig(20, d_model=16, n_heads=2, n_layers=2, d_ff=32, max_len=12, dropout=0.0)


def run(name, function):
    return checking.run_check(EXERCISES[name], function)


# --- references and solutions -------------------------------------------------------------------------------


def test_rows_are_the_library_s():
    for case in EXERCISES["input-triple"].cases():
        first, second, length, cls_id, sep_id, pad_id = case.args
        row = rows.join(first, second, cls_id=cls_id, sep_id=sep_id)
        longest = rows.Row([0] * length, [0] * length, (0, 0))
        theirs = rows.stack([row, longest], pad_id)
        ids, segments, allowed = eight.INPUT_TRIPLE.reference(*case.args)
        assert torch.equal(ids, theirs.ids[0]) and torch.equal(segments, theirs.segments[0])
        assert torch.equal(allowed, ids != pad_id)


def test_hidden_words_are_the_library_s():
    """The library throws three times, in this order: who is chosen, what is done, which word is drawn."""
    ids = torch.randint(0, 30, (8, 100), generator=torch.Generator().manual_seed(3))
    words, special, mask_id = torch.arange(8, 30), list(range(8)), 6
    theirs = masked_words.corrupt(ids, mask_id, words, torch.Generator().manual_seed(5))
    g = torch.Generator().manual_seed(5)
    first, second = torch.rand(ids.shape, generator=g), torch.rand(ids.shape, generator=g)
    drawn = words[torch.randint(len(words), ids.shape, generator=g)]
    chosen = eight.CHOOSE.reference(ids, special, first)
    reads, labels = eight.CORRUPT.reference(ids, chosen, second, drawn, mask_id)
    assert torch.equal(reads, theirs.ids) and torch.equal(labels, theirs.labels)
    assert 50 < chosen.sum() < 150 and bool((theirs.done == masked_words.IS_REPLACED).any())


def test_the_loss_is_the_library_s():
    for case in EXERCISES["mlm-loss"].cases():
        logits, labels = case.args
        loss, right = eight.MLM_LOSS.reference(logits, labels)
        assert torch.allclose(loss, token_loss(logits, labels))
        counted = labels != -100
        assert right == (logits.argmax(-1) == labels)[counted].float().mean()


def test_labels_of_pairs_are_the_library_s():
    assert FOLLOWS == ("random", "next")
    for case in EXERCISES["nsp-pairs"].cases():
        _, throw, _, nsp = case.args
        said = ["next" if low else "random" for low in (throw < 0.5).tolist()]
        pairs = [next_sentence.TextPair([1], [2], one if nsp else None) for one in said]
        assert torch.equal(eight.NSP_PAIRS.reference(*case.args)[1], next_sentence.follow_labels(pairs))


def test_heads_and_means_are_the_library_s():
    torch.manual_seed(0)
    ids = torch.tensor([[4, 9, 10, 5, 0, 0], [4, 11, 12, 13, 14, 5]])
    with torch.no_grad():
        bert = Bert(SMALL).eval()
        read = bert.encoder(ids=ids)
        parts = (bert.pooler.weight, bert.pooler.bias, bert.nsp_head.weight, bert.nsp_head.bias)
        mine = eight.CLS_HEAD.reference(read.tokens, *parts)
        assert torch.allclose(mine, bert(ids=ids)[0].follows, atol=1e-6)
        classifier = ClassifierConfig(SMALL, SMALL.d_model, vector="mean").build().start_from(bert).eval()
        classifier.head.weight.copy_(torch.eye(SMALL.d_model))  # so that its scores are the means themselves
        classifier.head.bias.zero_()
        means = eight.MEAN_VECTOR.reference(read.tokens, ids, SMALL.pad_id)
        assert torch.allclose(means, classifier(ids=ids), atol=1e-6)


# --- right in other ways ------------------------------------------------------------------------------------


def filled_up(first, second, length, cls_id, sep_id, pad_id):
    ids = torch.full((length,), pad_id)
    segments = torch.zeros(length, dtype=torch.long)
    allowed = torch.zeros(length, dtype=torch.bool)
    row = [cls_id, *first, sep_id]
    n = len(row)
    if second:
        row += [*second, sep_id]
        segments[n : len(row)] = 1
    ids[: len(row)] = torch.tensor(row)
    allowed[: len(row)] = True
    return ids, segments, allowed


def loop_over_special(ids, special, throw):
    chosen = throw < 0.15
    for one in special:
        chosen = chosen & (ids != one)
    return chosen


def word_by_word(ids, special, throw):
    out = torch.zeros(ids.shape, dtype=torch.bool)
    for b in range(ids.shape[0]):
        for t in range(ids.shape[1]):
            out[b, t] = bool(throw[b, t] < 0.15 and ids[b, t].item() not in special)
    return out


def written_into_copies(ids, chosen, throw, drawn, mask_id):
    reads, labels = ids.clone(), ids.clone()
    labels[~chosen] = -100
    reads[chosen & (throw < 0.8)] = mask_id
    swap = chosen & (throw >= 0.8) & (throw < 0.9)
    reads[swap] = drawn[swap]
    return reads, labels


def by_library(logits, labels):
    loss = F.cross_entropy(logits.reshape(-1, logits.shape[-1]), labels.reshape(-1), ignore_index=-100)
    counted = labels != -100
    right = ((logits.argmax(-1) == labels) & counted).sum() / counted.sum()
    return loss.item(), right.item()


def turned_for_the_library(logits, labels):
    loss = F.cross_entropy(logits.transpose(1, 2), labels)
    return loss, (logits.argmax(2)[labels != -100] == labels[labels != -100]).double().mean()


def sums_in_a_loop(logits, labels):
    total, hits, n = 0.0, 0, 0
    for b in range(labels.shape[0]):
        for t in range(labels.shape[1]):
            if labels[b, t] != -100:
                p = logits[b, t].softmax(0)
                total -= p[labels[b, t]].log()
                hits += int(p.argmax() == labels[b, t])
                n += 1
    return total / n, hits / n


def pairs_in_a_loop(ends, throw, other, nsp):
    seconds, labels = [], []
    for i in range(len(ends)):
        if not nsp:
            seconds.append(ends[i])
            labels.append(-100)
        elif throw[i] < 0.5:
            seconds.append(ends[i])
            labels.append(1)
        else:
            seconds.append(ends[other[i]])
            labels.append(0)
    return torch.stack(seconds), torch.tensor(labels)


def head_by_library(vectors, W_p, b_p, W_a, b_a):
    return F.linear(F.linear(vectors[:, 0, :], W_p, b_p).tanh(), W_a, b_a)


def means_in_a_loop(vectors, ids, pad_id):
    return torch.stack([v[i != pad_id].mean(0) for v, i in zip(vectors, ids, strict=True)])


def filled_in_a_loop(ids, logits, mask_id):
    out = ids.clone()
    for b in range(ids.shape[0]):
        best = (0.0, None, None)
        for t in range(ids.shape[1]):
            if ids[b, t] == mask_id:
                p, word = logits[b, t].softmax(-1).max(-1)
                if p > best[0]:
                    best = (p, t, word)
        if best[1] is not None:
            out[b, best[1]] = best[2]
    return out


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("input-triple", filled_up),
        ("choose", loop_over_special),
        ("choose", word_by_word),
        ("corrupt", written_into_copies),
        ("mlm-loss", by_library),
        ("mlm-loss", turned_for_the_library),
        ("mlm-loss", sums_in_a_loop),
        ("nsp-pairs", pairs_in_a_loop),
        ("cls-head", head_by_library),
        ("mean-vector", means_in_a_loop),
        ("fill", filled_in_a_loop),
    ],
)
def test_right_is_right_however_it_is_written(name, function):
    result = run(name, function)
    assert result.passed, result


# --- learners' own slips ------------------------------------------------------------------------------------


def mask_by_value(first, second, length, cls_id, sep_id, pad_id):
    ids, segments, _ = filled_up(first, second, length, cls_id, sep_id, pad_id)
    return ids, segments, ids > 0


def sep_belongs_to_the_next(first, second, length, cls_id, sep_id, pad_id):
    ids, segments, allowed = filled_up(first, second, length, cls_id, sep_id, pad_id)
    if second is not None:
        segments[len(first) + 1] = 1
    return ids, segments, allowed


def ones_to_the_end(first, second, length, cls_id, sep_id, pad_id):
    ids, segments, allowed = filled_up(first, second, length, cls_id, sep_id, pad_id)
    if second is not None:
        segments[len(first) + 2 :] = 1
    return ids, segments, allowed


def differs_from_one(ids, special, throw):
    is_word = torch.zeros_like(ids, dtype=torch.bool)
    for one in special:
        is_word |= ids != one
    return is_word & (throw < 0.15)


def one_throw_from_0(ids, chosen, throw, drawn, mask_id):
    reads = ids.clone()
    reads[chosen & (throw < 0.8)] = mask_id
    reads[chosen & (throw < 0.1)] = drawn[chosen & (throw < 0.1)]
    labels = torch.where(chosen, ids, -100)
    return reads, labels


def copied_too_late(ids, chosen, throw, drawn, mask_id):
    reads = torch.where(chosen & (throw < 0.8), mask_id, ids)
    reads = torch.where(chosen & (throw >= 0.8) & (throw < 0.9), drawn, reads)
    labels = reads.clone()
    labels[~chosen] = -100
    return reads, labels


def padding_is_0(logits, labels):
    keep = labels > 0
    loss = F.cross_entropy(logits[keep], labels[keep])
    return loss, (logits.argmax(-1) == labels)[keep].float().mean()


def averaged_over_everything(logits, labels):
    loss = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none").mean()
    return loss, (logits.argmax(-1) == labels).float().mean()


def facing_labels(ends, throw, other, nsp):
    if not nsp:
        return ends, torch.full((len(ends),), -100)
    random = throw >= 0.5
    return torch.where(random[:, None], ends[other], ends), random.long()


def filled_everywhere(ids, logits, mask_id):
    return torch.where(ids == mask_id, logits.argmax(-1), ids)


def largest_score(ids, logits, mask_id):
    out = ids.clone()
    for b in range(len(ids)):
        places = (ids[b] == mask_id).nonzero()[:, 0]
        if len(places):
            best = places[logits[b, places].amax(-1).argmax()]
            out[b, best] = logits[b, best].argmax()
    return out


@pytest.mark.parametrize(
    ("name", "function", "told"),
    [
        ("input-triple", mask_by_value, "zero-for-padding"),
        ("input-triple", sep_belongs_to_the_next, "first-sep-in-segment-1"),
        ("input-triple", ones_to_the_end, "padding-in-segment-1"),
        ("choose", differs_from_one, "special-chosen"),
        ("choose", lambda ids, special, throw: (throw < 0.15) & (ids > 0), "zero-spared"),
        ("corrupt", one_throw_from_0, "same-range-twice"),
        ("corrupt", copied_too_late, "read-for-said"),
        ("mlm-loss", padding_is_0, "zero-in-neither"),
        ("mlm-loss", averaged_over_everything, "both-over-all"),
        ("nsp-pairs", facing_labels, "labels-exchanged"),
        ("cls-head", lambda v, W, b, A, a: torch.tanh(v[:, 0] @ W + b) @ A.T + a, "pooler-not-transposed"),
        ("cls-head", lambda v, W, b, A, a: torch.tanh(v[:, -1] @ W.T + b) @ A.T + a, "last-place"),
        ("mean-vector", lambda v, ids, pad: v.mean(dim=1), "padding-in-the-mean"),
        ("mean-vector", lambda v, ids, pad: (v * (ids != pad)[..., None]).mean(1), "divided-by-all-places"),
        ("fill", filled_everywhere, "all-blanks"),
        ("fill", largest_score, "by-score"),
    ],
)
def test_a_learner_s_slip_is_known_by_its_name(name, function, told):
    assert run(name, function).misconception == told


@pytest.mark.parametrize(
    ("name", "function", "says"),
    [
        (
            "mlm-loss",
            lambda logits, labels: (
                -logits.log_softmax(-1).gather(2, labels[:, :, None]).mean(),
                (logits.argmax(-1) == labels).float().mean(),
            ),
            "-100 is no word",
        ),
        (
            "mlm-loss",
            lambda logits, labels: (F.cross_entropy(logits, labels), 0.5),
            "wants the words on axis 1",
        ),
        ("choose", lambda ids, special, throw: throw < 0.15 and ids not in special, "write `&`"),
        (
            "corrupt",
            lambda ids, chosen, throw, drawn, mask_id: (
                torch.where(chosen and throw < 0.8, mask_id, ids),
                ids,
            ),
            "write `&`",
        ),
        ("cls-head", lambda v, W, b, A, a: torch.tanh(v[:, 0] @ W.T + b) @ A + a, "`pooled @ W_a.T + b_a`"),
        ("mean-vector", lambda v, ids, pad: (v * (ids != pad)).sum(1), "`[:, :, None]`"),
        ("mean-vector", lambda v, ids, pad: v[ids != pad].view(len(ids), -1, v.shape[2]).mean(1), "joins"),
        (
            "nsp-pairs",
            lambda e, throw, o, nsp: (e, o * 0 + 1) if throw < 0.5 else (e[o], o * 0),
            "decides for",
        ),
        ("input-triple", lambda a, b, n, c, s, p: ([c, *a, s], [0], [1]), "a list"),
    ],
)
def test_an_error_is_shown_with_advice(name, function, says):
    result = run(name, function)
    assert not result.passed and says in result.message, result.message


# --- two slips at once --------------------------------------------------------------------------------------


def above_by_size(ids, special, throw):
    return torch.logical_and(ids > max(special), throw > 0.15)


def every_occurrence(ids, special, throw):
    picked = set(ids[throw < 0.15].tolist()) - set(special)
    return torch.tensor([[i in picked for i in row] for row in ids.tolist()])


def one_blank_by_score(ids, logits, mask_id):
    top = logits.max(-1)
    scores = torch.where(ids == mask_id, top.values, torch.full_like(top.values, -1e9))
    new = ids.clone()
    if (ids == mask_id).any():
        k, T = scores.argmax().item(), ids.shape[1]
        new[k // T, k % T] = top.indices[k // T, k % T]
    return new


def number_for_place(ids, logits, mask_id):
    filled = ids.clone()
    for row, p in zip(filled, logits.softmax(-1), strict=True):
        blanks = row == mask_id
        if blanks.any():
            sure, words = p[blanks].max(-1)
            row[sure.argmax()] = words[sure.argmax()]
    return filled


def an_empty_second_text(first, second, length, cls_id, sep_id, pad_id):
    a, b = [cls_id, *first, sep_id], [*(second or []), sep_id]
    rest = length - len(a) - len(b)
    segments = [0] * len(a) + [1] * len(b) + [0] * rest
    allowed = torch.arange(length) < len(a) + len(b)
    return torch.tensor(a + b + [pad_id] * rest), torch.tensor(segments), allowed


def no_end_and_ones_on(first, second, length, cls_id, sep_id, pad_id):
    ids = [cls_id, *first, sep_id]
    segments = [0] * len(ids)
    if second is not None:
        ids, segments = ids + second, segments + [1] * len(second)
    allowed = [True] * len(ids)
    while len(ids) < length:
        ids.append(pad_id)
        segments.append(segments[-1])
        allowed.append(False)
    return torch.tensor(ids), torch.tensor(segments), torch.tensor(allowed)


def zero_and_all_places(vectors, ids, pad_id):
    return vectors.masked_fill((ids == 0)[:, :, None], 0.0).mean(1)


def cut_at_both_ends(vectors, ids, pad_id):
    ends = (ids != pad_id).sum(1).tolist()
    return torch.stack([v[1 : n - 1].sum(0) / max(n - 2, 1) for v, n in zip(vectors, ends, strict=True)])


def up_to_the_first_padding(vectors, ids, pad_id):
    ends = (ids == pad_id).int().argmax(1).tolist()
    return torch.stack([v[:n].mean(0) for v, n in zip(vectors, ends, strict=True)])


def softmax_twice_over_all(logits, labels):
    p = logits.softmax(-1)
    loss = F.cross_entropy(p.reshape(-1, p.shape[-1]), labels.reshape(-1))
    return loss, (p.argmax(-1) == labels).float().mean()


def cut_anew(logits, labels):
    B, T, V = logits.shape
    counted = labels != -100
    right = ((logits.argmax(2) == labels) & counted).sum() / counted.sum()
    return F.cross_entropy(logits.reshape(B, V, T), labels), right


def next_in_the_batch(ends, throw, other, nsp):
    labels, seconds = torch.ones(len(ends), dtype=torch.long), ends.clone()
    if nsp:
        swap = throw >= 0.5
        seconds[swap] = ends.roll(-1, 0)[swap]
        labels[swap] = 0
    return seconds, labels


def half_hidden_and_counted(ids, chosen, throw, drawn, mask_id):
    reads = torch.where(chosen & (throw < 0.8), mask_id, ids)
    return torch.where(chosen & (throw >= 0.9), drawn, reads), ids * chosen


def one_place_short(ids, special, throw):
    out = torch.zeros(ids.shape, dtype=torch.bool)
    for b in range(ids.shape[0]):
        for t in range(ids.shape[1] - 1):
            out[b, t] = bool(throw[b, t] < 0.15 and ids[b, t].item() not in special)
    return out


def shares_from_0(ids, chosen, throw, drawn, mask_id):
    reads = torch.where(throw < 0.1, ids, torch.where(throw < 0.2, drawn, mask_id))
    return torch.where(chosen, reads, ids), torch.where(chosen, ids, -100)


def last_row(logits, labels):
    for scores, said in zip(logits, labels, strict=True):
        k = said != -100
        if k.any():
            loss, right = F.cross_entropy(scores[k], said[k]), (scores[k].argmax(1) == said[k]).float().mean()
    return loss, right


def whenever_surer(ids, logits, mask_id):
    out, (sure, best) = ids.clone(), logits.softmax(-1).max(-1)
    for b in range(len(ids)):
        top = -1
        for t in range(ids.shape[1]):
            if ids[b, t] == mask_id and sure[b, t] > top:
                top, out[b, t] = sure[b, t], best[b, t]
    return out


def neither_end_nor_border(first, second, length, cls_id, sep_id, pad_id):
    ids, segments = [cls_id, *first, sep_id], [0] * (len(first) + 1)
    segments += [0] if second is None else [1] * (1 + len(second))
    ids += second or []
    rest = length - len(ids)
    allowed = [True] * len(ids) + [False] * rest
    return torch.tensor(ids + [pad_id] * rest), torch.tensor(segments + [0] * rest), torch.tensor(allowed)


def mean_without_a_tanh(vectors, W_p, b_p, W_a, b_a):
    return F.linear(F.linear(vectors.mean(1), W_p, b_p), W_a)


@pytest.mark.parametrize(
    ("name", "function", "told"),
    [
        ("choose", above_by_size, "special-by-size-above"),
        ("choose", every_occurrence, "every-occurrence"),
        ("fill", one_blank_by_score, "by-score-one-in-the-batch"),
        ("fill", number_for_place, "place-among-the-blanks"),
        ("input-triple", an_empty_second_text, "a-sep-without-a-text"),
        ("input-triple", no_end_and_ones_on, "no-sep-after-two-padding-in-segment-1"),
        ("mean-vector", zero_and_all_places, "zero-for-padding-divided-by-all-places"),
        ("mean-vector", cut_at_both_ends, "without-special-tokens"),
        ("mean-vector", up_to_the_first_padding, "nothing-without-padding"),
        ("mlm-loss", softmax_twice_over_all, "softmax-twice-right-over-all"),
        ("mlm-loss", cut_anew, "scrambled"),
        ("nsp-pairs", next_in_the_batch, "neighbour-for-other-off-all-next"),
        ("choose", one_place_short, "last-place-never"),
        ("corrupt", shares_from_0, "from-the-other-end"),
        ("mlm-loss", last_row, "both-of-the-last-row"),
        ("fill", whenever_surer, "each-better-one"),
        ("input-triple", neither_end_nor_border, "no-sep-after-two-first-sep-in-segment-1"),
        ("corrupt", half_hidden_and_counted, "last-two-exchanged-another-mark"),
    ],
)
def test_what_a_new_crowd_wrote_is_known(name, function, told):
    result = run(name, function)
    assert result.kind == "misconception" and result.misconception == told, result
    if result.message.startswith("Two slips. "):
        assert " And the second one: " in result.message


def test_two_slips_of_two_parts_are_told_both_and_three_are_not():
    assert run("cls-head", lambda v, W, b, A, a: torch.relu(v[:, -1] @ W.T + b) @ A.T + a).misconception == (
        "last-place-another-bend"
    )
    assert run("cls-head", mean_without_a_tanh).kind == "difference"


def test_a_view_of_numbers_in_another_order_does_not_hide_the_cause():
    def viewed(logits, labels):
        p = logits.softmax(-1)
        loss = F.cross_entropy(p.reshape(-1, p.shape[-1]), labels.view(-1))
        return loss, (p.argmax(-1) == labels)[labels != -100].float().mean()

    result = run("mlm-loss", viewed)
    assert result.misconception == "softmax-twice"
    assert "And there is a second slip. On the input with scores that are not contiguous" in result.message


def test_an_input_that_is_changed_in_place_is_told():
    def corrupt(ids, chosen, throw, drawn, mask_id):
        labels = torch.where(chosen, ids, -100)
        ids[chosen & (throw < 0.8)] = mask_id
        swap = chosen & (throw >= 0.8) & (throw < 0.9)
        ids[swap] = drawn[swap]
        return ids, labels

    assert run("corrupt", corrupt).kind == "changed-input"


def test_the_card_says_what_comes_back():
    for name, says in (
        ("input-triple", "returns ids (T,), segments (T,), allowed (T,)"),
        ("mlm-loss", "returns loss, right"),
        ("fill", "returns filled (B, T)"),
    ):
        assert says in cards.exercise_card(EXERCISES[name], "8.1").text


def test_of_ids_the_first_that_differs_is_shown_as_a_whole_number():
    def longer(ids, logits, mask_id):
        return ids + (ids != mask_id).long()

    message = run("fill", longer).message
    assert "values differ. The first is at [b=0, t=0]: expected" in message and ".0000" not in message


@pytest.mark.parametrize("exercise", eight.EXERCISES, ids=lambda e: e.id)
def test_further_inputs_are_others(exercise):
    known = [repr(case.args) for case in exercise.cases()]
    assert any(repr(case.args) not in known for case, _ in repairing.further(exercise))


# --- inputs keep what the statements promise ----------------------------------------------------------------


def all_cases(name):
    return [*EXERCISES[name].cases(), *(case for case, _ in repairing.further(EXERCISES[name]))]


def test_a_text_never_stands_for_its_own_other():
    for case in all_cases("nsp-pairs"):
        ends, _, other, nsp = case.args
        assert not nsp or bool((other != torch.arange(len(ends))).all())


def test_each_special_token_of_a_row_is_once_among_those_that_a_small_throw_would_choose():
    for place in range(4):
        assert any(
            bool(((ids == special[place]) & (throw < 0.15)).any())
            for ids, special, throw in (case.args for case in EXERCISES["choose"].cases())
            if len(special) > place
        )


def test_padding_is_no_word_and_every_row_has_a_token():
    for case in all_cases("mean-vector"):
        vectors, ids, pad_id = case.args
        real = ids != pad_id
        assert bool(real[:, 0].all()) and bool((real.long().diff(dim=1) <= 0).all())
        assert real.all() or bool((vectors[~real] != 0).all())
    for case in all_cases("input-triple"):
        first, second, length, cls_id, sep_id, pad_id = case.args
        assert first and second != [] and not {cls_id, sep_id, pad_id} & {*first, *(second or [])}
        assert length >= len(first) + 2 + (0 if second is None else len(second) + 1)


def test_no_two_numbers_that_are_compared_are_equal():
    for case in all_cases("mlm-loss"):
        two = case.args[0].topk(min(2, case.args[0].shape[-1]), dim=-1).values
        assert two.shape[-1] == 1 or bool((two[..., 0] > two[..., 1] + 1e-4).all())
    for case in all_cases("fill"):
        ids, logits, mask_id = case.args
        assert bool((logits.argmax(-1) != mask_id).all())
        for row, sure in zip(ids, logits.softmax(-1).amax(-1), strict=True):
            some = sure[row == mask_id].sort().values
            assert bool((some.diff() > 1e-6).all())
    for name, place, edges in (("choose", 2, (0.15,)), ("corrupt", 2, (0.8, 0.9)), ("nsp-pairs", 1, (0.5,))):
        for case in all_cases(name):
            throw = case.args[place]
            assert bool((throw >= 0).all()) and bool((throw <= 1).all())
            assert all(bool((((throw - edge).abs() > 1e-6) | (throw == edge)).all()) for edge in edges)


# --- questions ----------------------------------------------------------------------------------------------


def answer(id):
    one = next(one for one in eight.PREDICTIONS if one.id == id)
    return one.options[one.right].text


def test_shares_of_a_thousand_words():
    shares = masked_words.expected(1000)
    assert [round(shares[name]) for name in ("masked", "replaced", "kept")] == [120, 15, 15]
    assert answer("08.counted") == "150; of these 120 are `[MASK]`."
    assert math.ceil(100 / (100 * masked_words.CHOSEN)) == 7 and answer("08.in-turn").endswith("about 7.")


def test_a_level_of_word_counts_lies_below_the_beginning():
    batch = fill_in.held_out(100)
    unigram, bigram = (fill_in.baseline(kind, batch, 500).loss for kind in ("unigram", "bigram"))
    assert bigram < unigram - 0.5 < math.log(len(fill_in.WORDS)) - 1
    assert answer("08.plateau").startswith("How frequent")


def test_a_closed_token_moves_its_own_vector_alone():
    torch.manual_seed(0)
    encoder = BertEncoder(SMALL).eval()
    ids = torch.tensor([[4, 9, 10, 11, 5, 0, 0]])
    other = ids.clone()
    other[0, 5] = 12
    allowed = (ids != 0)[:, None, None, :]
    with torch.no_grad():
        first, second = (encoder(ids=one, allowed=allowed).tokens[0] for one in (ids, other))
    moved = ((first - second).abs().amax(-1) > 1e-6).tolist()
    assert (
        moved == [False] * 5 + [True, False] and answer("08.moved") == "The one at this place, and no other."
    )


def test_two_blanks_do_not_know_of_each_other():
    pairs = [("train", "station"), ("bus", "stop")] * 50
    alone = [{one[place]: 0.5 for one in pairs} for place in (0, 1)]
    assert alone[0]["train"] * alone[1]["stop"] == 0.25 and ("train", "stop") not in pairs
    assert answer("08.two-blanks").startswith('"train stop"')


def test_numbers_of_labels_are_an_agreement():
    assert FOLLOWS.index("next") == 1 and answer("08.which-number").startswith("It cannot be known")


def test_a_loss_that_ignores_0_falls_while_half_are_wrong():
    labels, scores = torch.tensor([0, 1] * 20), torch.zeros(2, requires_grad=True)
    optimizer = torch.optim.SGD([scores], lr=1.0)
    for _ in range(300):
        loss = F.cross_entropy(scores.expand(40, 2), labels, ignore_index=0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.01 and (scores.argmax() == labels).float().mean() == 0.5
    assert answer("08.shared-ignore") == "A loss that falls to 0, and an accuracy of one half."


def test_a_head_for_words_shares_its_matrix():
    parts = parameter_count(BertConfig())
    assert 0.5e6 < parts["words"] < 0.7e6 and answer("08.word-head") == "About 0.6 million."
    assert sum(parts[name] for name in ("embeddings", "layers", "pooler")) == pytest.approx(109e6, rel=0.01)
    assert pytest.approx(23e6, rel=0.03) == 30_522 * 768


def text_of(id):
    one = next(one for one in eight.PREDICTIONS if one.id == id)
    return " ".join([one.prompt, *(part for o in one.options for part in (o.text, o.explanation))])


def test_figures_of_papers_are_as_they_stand_there():
    usual, all_masked, no_random, random_alone = (84.2, 94.9), (84.3, 94.0), (84.4, 94.7), (83.6, 94.6)
    said = text_of("08.all-masked")  # Devlin et al. 2019, Table 8: MNLI fine-tuned, names with features
    assert answer("08.all-masked").startswith(str(all_masked[0]))
    assert all(str(n) in said for n in (*usual, *all_masked, no_random[0], random_alone[0]))
    fine_tuned, four_layers, last, embeddings = 96.4, 96.1, 94.9, 91.0  # Table 7, development part
    assert all(str(n) in text_of("08.frozen") for n in (fine_tuned, four_layers, last, embeddings))
    assert answer("08.frozen") == f"{four_layers}." and round(fine_tuned - four_layers, 1) == 0.3
    assert round(four_layers - last, 1) == 1.2
    roberta = {"segments": 84.0, "sentences": 82.9, "full": 84.7, "doc": 84.7}  # Liu et al. 2019, Table 2
    assert all(str(n) in text_of("08.follows") for n in (84.4, 83.9, *roberta.values()))
    assert answer("08.follows") == f"{roberta['full']}."
    rest = {"SQuAD 1.1": (90.4, 90.4, 90.6), "2.0": (78.7, 79.1, 79.7), "RACE": (64.2, 64.8, 65.6)}
    assert all(min(without) >= with_it for with_it, *without in rest.values())
    with_it, *without = 92.9, 92.5, 92.7  # SST-2
    assert max(without) < with_it


def test_it_is_asked_with_the_page_and_not_before():
    names = ("input-triple", "choose", "corrupt", "mlm-loss", "nsp-pairs", "cls-head", "mean-vector", "fill")
    assert tuple(EXERCISES) == names
    assert ("08" in desk.CHAPTERS) == CHAPTERS["08"].written
    assert all(one.id.startswith("08.") for one in eight.PREDICTIONS) and len(eight.PREDICTIONS) >= 8
    assert len({one.right for one in eight.PREDICTIONS}) >= 3


def test_at_the_door_three_questions_of_earlier_chapters():
    asked = desk.recall_questions("08")
    earlier = [q for number in desk.CHAPTERS if "00" < number < "08" for q in desk.CHAPTERS[number].RECALL]
    assert len(asked) == 3 and all(q in earlier for q in asked)
    assert len(eight.RECALL) >= 5 and not set(eight.RECALL) & set(earlier)
