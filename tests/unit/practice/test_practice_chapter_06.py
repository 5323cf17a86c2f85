"""Practice of chapter 06: learners' own ways of being wrong and right, and the facts in the tutor's words."""

import pytest
import torch

from course_lib import experiments, masks
from course_lib.chapters import CHAPTERS
from course_lib.layers import DecoderLayer, EncoderLayer
from course_lib.models.transformer import OneStackConfig, TransformerConfig
from course_lib.practice import chapter_06 as six
from course_lib.practice import checking, desk
from course_lib.practice.chapter_06 import choose
from course_lib.tasks import families
from course_lib.text.tokenizers import PAD_ID

EXERCISES = {e.id.removeprefix("06."): e for e in six.EXERCISES}


def run(name, function):
    return checking.run_check(EXERCISES[name], function)


# --- references and solutions -------------------------------------------------------------------------------


def test_masks_of_the_families_are_those_of_the_library():
    for case in six.FAMILY_MASKS.cases():
        family, n_input, N = case.args
        theirs = families.allowed_in(family, torch.full((1, N), 7), torch.tensor([n_input]))
        assert torch.equal(six.FAMILY_MASKS.reference(*case.args), theirs.expand(1, 1, N, N)[0, 0])


def test_labels_are_those_of_the_library():
    for case in six.PREFIX_LABELS.cases():
        ids, n_input, pad_id = case.args
        if pad_id == PAD_ID:
            for mine, theirs in zip(
                six.PREFIX_LABELS.reference(*case.args), families.output_labels(ids, n_input), strict=True
            ):
                assert torch.equal(mine, theirs)


def test_a_token_is_predicted_where_the_library_has_a_label_for_it():
    for case in six.STRIP.cases():
        family, ids, n_input, blank, pad_id = case.args
        colours = six.STRIP.reference(*case.args)
        assert torch.equal(colours == 0, ids == pad_id)
        if family == "encoder-only":
            assert torch.equal(colours == 2, blank)
        elif pad_id == PAD_ID:
            _, labels = families.output_labels(ids, n_input)
            assert torch.equal((colours == 2)[:, 1:], labels != -100) and bool((colours[:, 0] == 1).all())


def test_the_three_masks_are_those_of_the_library():
    for case in six.THREE_MASKS.cases():
        source, target, pad_id = case.args
        encoder, decoder, cross = six.THREE_MASKS.reference(*case.args)
        assert torch.equal(encoder, masks.padding_mask(source, pad_id)) and torch.equal(cross, encoder)
        past = masks.causal_mask(target.shape[1])
        assert torch.equal(decoder, masks.combine(past, masks.padding_mask(target, pad_id)))


# --- answers written from the statements alone --------------------------------------------------------------


def causal_alone(source, target, pad_id):
    words = (source != pad_id)[:, None, None, :]
    return words, torch.ones(target.shape[1], target.shape[1]).tril().bool(), words


def written_out(source, target, pad_id):
    S, T = source.shape[1], target.shape[1]
    encoder = torch.stack([(row != pad_id).expand(S, S) for row in source])[:, None]
    cross = torch.stack([(row != pad_id).expand(T, S) for row in source])[:, None]
    return encoder, torch.ones(1, 1, T, T, dtype=torch.bool).tril(), cross


@pytest.mark.parametrize("answer", [causal_alone, written_out])
def test_target_padding_may_be_closed_by_the_triangle_alone(answer):
    assert run("three-masks", answer).passed


def test_what_is_read_after_the_last_label_makes_no_difference():
    def end_not_read(ids, n_input, pad_id):
        inputs, labels = six.PREFIX_LABELS.reference(ids, n_input, pad_id)
        end = (ids != pad_id).sum(1, keepdim=True) - 1
        return inputs.masked_fill(torch.arange(inputs.shape[1]) >= end, pad_id), labels

    assert run("prefix-labels", end_not_read).passed


def written_as(**choices):
    return lambda: six.CHOOSE.reference() | choices


@pytest.mark.parametrize(
    "choices",
    [
        {"translation": ("prefix-LM", "read, then write"), "talk": ("decoder-only", "goes on")},
        {"summary": ["Prefix-LM", "read then write"], "speech": ("encoder_decoder", "read, then write")},
    ],
)
def test_where_a_task_leaves_it_open_each_good_answer_is_right(choices):
    assert run("choose", written_as(**choices)).passed


@pytest.mark.parametrize(
    ("choices", "says"),
    [
        ({"talk": ("prefix-LM", "old stays")}, "every old token sees it"),
        ({"talk": ("decoder-only", "both sides")}, '"both sides" is not true of it'),
        ({"novels": ("decoder-only", "old stays")}, "look at what is a target here"),
        ({"names": ("decoder-only", "goes on"), "search": ("prefix-LM", "one stack")}, "6 of 8 are right"),
        ({"reviews": ("both sides", "encoder-only")}, "the other way round"),
        ({"reviews": ("encoder", "both sides")}, 'Did you mean "encoder-only"?'),
        ({"reviews": "encoder-only"}, "two texts are expected"),
        ({"reviews": ...}, "`reviews` is still `...`"),
        ({"poems": ("decoder-only", "goes on")}, "there is no task 'poems'"),
    ],
)
def test_each_choice_is_told_what_is_wrong_with_it(choices, says):
    result = run("choose", written_as(**choices))
    assert not result.passed and says in result.message


def test_each_wrong_choice_has_a_sentence_of_its_own_and_each_reason_is_true_of_a_family():
    for task in choose.TASKS:
        for family in choose.FAMILIES:
            for reason in choose.REASONS:
                good = (family, reason) in {six.CHOOSE.reference()[task], *choose.ALSO.get(task, [])}
                result = run("choose", written_as(**{task: (family, reason)}))
                assert result.passed == good
                assert good or (f"`{task}`: " in result.message and "7 of 8" in result.message)


@pytest.mark.parametrize("answer", [list, lambda: None, lambda: {}, lambda: "reviews", lambda: {1: 2}])
def test_what_is_no_dict_of_the_eight_tasks_is_told(answer):
    result = run("choose", answer)
    assert not result.passed and len(result.message) > 40


def prefix_short_by_slice(family, n_input, N):
    m = torch.ones(N, N).tril().bool()
    if family == "encoder-only":
        m[:n_input, :n_input] = True
    if family == "prefix-LM":
        m[:, : n_input - 1] = True
    return m


def rows_and_strict(family, n_input, N):
    i = torch.arange(N)
    if family == "encoder-only":
        return torch.ones(N, N, dtype=bool)
    past = i[None] < i[:, None]
    return past | (i[:, None] < n_input) if family == "prefix-LM" else past


def masked_before_the_shift(ids, n_input, pad_id):
    labels = ids.clone()
    for row, n in zip(labels, n_input, strict=True):
        row[:n] = -100
    labels[ids == pad_id] = -100
    return ids[:, :-1], labels[:, 1:]


def pad_of_the_inputs(ids, n_input, pad_id):
    x, y = ids[:, :-1], ids[:, 1:]
    return x, y.masked_fill((torch.arange(y.shape[1]) < n_input[:, None]) | (x == pad_id), -100)


def where_it_is_said(family, ids, n_input, blank, pad_id):
    place, last = torch.arange(ids.shape[1]), (ids != pad_id).sum(1, keepdim=True) - 1
    predicted = blank if family == "encoder-only" else (place >= n_input[:, None]) & (place < last)
    return torch.where(predicted, 2, 1).masked_fill(ids == pad_id, 0)


def cross_open_and_next(source, target, pad_id):
    S, T = source.shape[1], target.shape[1]
    encoder = (source != pad_id)[:, None, None, :]
    return encoder, torch.ones(T, T).tril(1).bool(), torch.ones(T, S).bool()


@pytest.mark.parametrize(
    ("name", "answer", "told"),
    [
        ("family-masks", prefix_short_by_slice, "encoder-as-prefix-input-one-short"),
        ("family-masks", rows_and_strict, "diagonal-blocked-rows"),
        ("prefix-labels", masked_before_the_shift, "bos-asked-for"),
        ("prefix-labels", pad_of_the_inputs, "padding-by-the-inputs"),
        ("strip", where_it_is_said, "bos-predicted"),
        ("three-masks", cross_open_and_next, "decoder-sees-the-next-cross-open"),
    ],
)
def test_a_learner_s_slip_is_known_by_its_name(name, answer, told):
    assert run(name, answer).misconception == told


def test_masks_that_do_not_lie_on_their_scores_are_told_why():
    def turned_for_torch(source, target, pad_id):
        T = target.shape[1]
        return source == pad_id, torch.ones(T, T).triu(1).bool(), source == pad_id

    assert "Two axes are missing" in run("three-masks", turned_for_torch).message


# --- questions ----------------------------------------------------------------------------------------------


def answer(id):
    one = next(one for one in six.PREDICTIONS if one.id == id)
    return one.options[one.right].text


SIZES = {"vocab_size": 20, "d_model": 16, "n_heads": 2, "d_ff": 32, "n_layers": 2, "dropout": 0.0}


def test_a_decoder_only_layer_has_the_boxes_of_an_encoder_layer():
    torch.manual_seed(0)
    layers = OneStackConfig(**SIZES).build().stack.layers
    names = {name.split(".")[0] for name, _ in layers[0].named_parameters()}
    assert not any("cross" in name for name in names) and any("self" in name for name in names)
    assert answer("06.sub-layers").startswith("Self-attention under a causal mask")


def test_a_quarter_of_a_decoder_layer_is_cross_attention():
    count = lambda part: sum(p.numel() for p in part.parameters())  # noqa: E731
    layer = DecoderLayer(512, 8, 2048)
    assert count(layer.cross_attention) / count(layer) == pytest.approx(1 / 4, abs=0.001)
    assert count(layer) / count(EncoderLayer(512, 8, 2048)) == pytest.approx(4 / 3, abs=0.001)
    assert answer("06.cross") == "About a quarter."


def test_targets_of_one_example():
    words, blank = 8 + 5, 0.15
    assert (5 + 1, round(blank * words)) == (6, 2)
    assert answer("06.targets") == "Decoder-only and prefix-LM 6, encoder-only 2."


def moved(family, place, n_input=4, n=8):
    """Which places' scores move when one token of the row is another."""
    torch.manual_seed(0)
    model = OneStackConfig(**SIZES).build().eval()
    ids = torch.arange(4, 4 + n)[None]
    other = ids.clone()
    other[0, place] = 19
    with torch.no_grad():
        first, second = (
            families.row_logits(model, one, torch.tensor([n_input]), family) for one in (ids, other)
        )
    return ((first - second).abs().amax(-1)[0] > 1e-6).tolist()


def test_in_an_open_input_the_next_token_is_in_sight():
    assert moved("prefix-LM", 3) == [True] * 8
    assert moved("decoder-only", 3) == [False] * 3 + [True] * 5
    assert answer("06.copied").startswith("Close to 0")


def test_what_is_added_changes_no_old_vector_under_the_causal_mask_alone():
    assert moved("decoder-only", 7, n_input=8) == [False] * 7 + [True]
    assert moved("prefix-LM", 7, n_input=8) == [True] * 8
    assert answer("06.chat") == "Under the causal mask."


def test_two_stacks_of_as_many_layers_cost_as_many_operations_for_a_token():
    one = {"d_model": 64, "n_heads": 4, "d_ff": 256}
    two = TransformerConfig(**one, encoder_layers=12, decoder_layers=12, source_vocab=9, target_vocab=9)
    stack = OneStackConfig(**one, n_layers=12, vocab_size=9)
    row = families.wiring.RowBatch(*torch.ones(2, 1, 40, dtype=torch.long), torch.tensor([20]))
    pair = torch.ones(1, 20, dtype=torch.long), torch.ones(1, 21, dtype=torch.long)
    ratio = families.training_flops(two, pair) / families.training_flops(stack, row)
    assert ratio == pytest.approx(1, abs=0.2) and answer("06.operations") == "About as many."


def measured(name):
    """Rows at the end of the trainings."""
    return experiments.load(name).final()


def of_100(rows, column, **wanted):
    """One number for each seed, in sentences of 100."""
    chosen = [row for row in rows if all(row[key] == value for key, value in wanted.items())]
    return [round(100 * row[column]) for row in sorted(chosen, key=lambda row: row["seed"])]


def test_what_is_said_of_open_inputs_was_measured():
    rows = measured("prefix-or-causal")
    causal, opened = (of_100(rows, "translate", masks=name) for name in ("causal", "prefix"))
    assert (causal, opened) == ([35, 37, 51], [43, 36, 29]) and "no winner" in answer("06.opened")
    fills = (of_100(rows, "fill", masks=name) for name in ("causal", "prefix"))
    assert all(a > b for a, b in zip(*fills, strict=True))
    other = sorted(of_100(rows, "translate", masks="causal, read prefix"))
    back = sorted(of_100(rows, "translate", masks="prefix, read causal"))
    assert (other[0], other[-1]) == (4, 11) and answer("06.read-open") == "4 to 11."
    assert (back[0], back[-1]) == (14, 25)


def test_what_is_said_of_writing_was_measured():
    rows = measured("encoder-writes")

    def best(share):
        ways = {row["way"] for row in rows if row["blanks"] == share}
        return sorted(map(max, zip(*(of_100(rows, "consistent", way=way) for way in ways), strict=True)))

    assert (best("15 %")[0], best("15 %")[-1]) == (5, 11) and answer("06.write") == "5 to 11."
    assert (best("any share")[0], best("any share")[-1]) == (28, 34)
    decoder = sorted(of_100(rows, "consistent", way="decoder-only"))
    assert (decoder[0], decoder[-1]) == (80, 85)


def test_what_is_said_of_other_starts_was_measured():
    rows = measured("families")
    for start in ("eos", "pad"):
        column = f"translate_from_{start}"
        assert of_100(rows, column, variant="decoder-only", equal="steps") == [0, 0, 0]
    assert answer("06.start") == "None."


def test_at_the_door_three_questions_of_earlier_chapters():
    asked = desk.recall_questions("06")
    earlier = [q for number in ("04", "05") for q in desk.CHAPTERS[number].RECALL]
    assert len(asked) == 3 and all(q in earlier for q in asked)
    assert len(six.RECALL) >= 4 and not set(six.RECALL) & set(earlier)


def test_it_is_asked_with_the_page_and_not_before():
    assert tuple(EXERCISES) == ("family-masks", "three-masks", "prefix-labels", "strip", "choose")
    assert ("06" in desk.CHAPTERS) == CHAPTERS["06"].written
    assert all(one.id.startswith("06.") for one in six.PREDICTIONS) and len(six.PREDICTIONS) >= 8
    assert len({one.right for one in six.PREDICTIONS}) >= 3
