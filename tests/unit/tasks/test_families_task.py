"""Three families on three jobs: rows and what counts in them, wiring and masks, costs, writing, scores."""

import random
from dataclasses import replace
from itertools import islice

import pytest
import torch

from course_lib.data import town
from course_lib.families import FAMILIES
from course_lib.models import evaluating
from course_lib.tasks import families
from course_lib.tasks.families import MASK_ID, ORDERS, VARIANTS, WORDS, shipping
from course_lib.tasks.families.examples import FIRST_WORD_ID
from course_lib.tasks.families.writing import InputThenOutput
from course_lib.text.tokenizers import BOS_ID, EOS_ID, PAD_ID
from course_lib.training.objectives import IGNORE, shift
from course_lib.training.recipe import new_model, train

FEW = 200  # training stories
SENTENCE = town.Sentence(
    ("tom", "is", "at", "the", "station", "."), ("tom", "est", "à", "la", "gare", "."), ()
)
ONE_STACK = ("decoder-only", "prefix-LM", "encoder-only")
WRITERS = ("decoder-only", "prefix-LM", "encoder-decoder, half", "encoder-decoder, shared")


def small(name: str):
    """A variant with few parameters."""
    model, few = VARIANTS[name].model, {"d_model": 16, "n_heads": 2, "d_ff": 24}
    few |= {"n_layers": 2} if hasattr(model, "n_layers") else {"encoder_layers": 2, "decoder_layers": 2}
    return replace(VARIANTS[name], model=replace(model, **few))


def model_of(name: str, seed: int = 0):
    return new_model(families.recipe_of(small(name), seed=seed)).eval()


def batch_of(name: str, n: int = 12):
    return families.batch_for(VARIANTS[name], families.training_examples(FEW)[:n], random.Random(0))


def said(ids) -> str:
    return " ".join(WORDS.tokens[i] for i in ids)


# ---------------------------------------------------------------- examples and rows


def test_a_sentence_is_a_task_of_three_jobs():
    shown = {job: families.example(SENTENCE, job, place=4) for job in families.JOBS}
    assert {job: (said(one.input), said(one.output)) for job, one in shown.items()} == {
        "translate": ("[FR] tom is at the station .", "tom est à la gare ."),
        "fill": ("[FILL] tom is at the [MASK] .", "station"),
        "tell": ("[TELL]", "tom is at the station ."),
    }
    with pytest.raises(ValueError, match="job is 'sing', expected one of 'translate'"):
        families.example(SENTENCE, "sing")
    with pytest.raises(ValueError, match="place is 6, expected 0 to 5"):
        families.example(SENTENCE, "fill", 6)


def test_jobs_come_in_equal_shares_and_the_full_stop_is_never_the_blank():
    known = families.training_examples(FEW)
    assert [one.job for one in known] == [*families.JOBS] * FEW
    asked = [WORDS.tokens[one.output[0]] for one in known if one.job == "fill"]
    assert "." not in asked and len(set(asked)) > 40


def test_held_out_sentences_are_new_and_different():
    trained = {tuple(one.output) for one in families.training_examples(FEW) if one.job == "tell"}
    new = [tuple(WORDS.encode(story.english_tokens)) for story in families.held_out(80, FEW)]
    assert len(set(new)) == 80 and not trained & set(new)
    assert families.held_out(20, FEW) == families.held_out(80, FEW)[:20]


def test_only_the_output_counts_and_its_first_word_does():
    rows = families.rows([families.example(SENTENCE, "translate"), families.example(SENTENCE, "fill", 1)])
    inputs, labels = families.output_labels(*rows)
    assert said(rows.ids[0]) == "[FR] tom is at the station . [BOS] tom est à la gare . [EOS]"
    assert labels[0].tolist() == [IGNORE] * 7 + [*WORDS.encode("tom est à la gare ."), EOS_ID]
    assert [
        pair for pair in zip(inputs[1].tolist(), labels[1].tolist(), strict=True) if pair[1] != IGNORE
    ] == [
        (BOS_ID, WORDS.ids["is"]),
        (WORDS.ids["is"], EOS_ID),
    ]
    everything = shift(rows.ids)[1]
    assert torch.equal(labels[labels != IGNORE], everything[labels != IGNORE])


def test_what_does_not_count_has_no_gradient():
    model, batch = model_of("decoder-only"), batch_of("decoder-only")
    logits = families.row_logits(model, batch.inputs, batch.n_input, "decoder-only")
    logits.retain_grad()
    torch.nn.functional.cross_entropy(logits.flatten(0, 1), batch.labels.flatten()).backward()
    counted = batch.labels != IGNORE
    assert (logits.grad[~counted] == 0).all() and (logits.grad[counted] != 0).any(-1).all()


def test_another_start_token_stands_where_the_output_begins():
    assert families.rows([families.example(SENTENCE, "tell")], start=EOS_ID).ids[0, 1] == EOS_ID


@pytest.mark.parametrize("share", [0.15, 0.5, None])
def test_blanks_are_words_and_their_labels_are_what_stood_there(share):
    chosen = families.training_examples(FEW)[:90]
    ids, labels = families.blanks(chosen, random.Random(1), share)
    numbers = []
    for one, row, label in zip(chosen, ids.tolist(), labels.tolist(), strict=True):
        picked = [i for i, target in enumerate(label) if target != IGNORE]
        whole = [target if target != IGNORE else token for token, target in zip(row, label, strict=True)]
        n_words = sum(token >= FIRST_WORD_ID for token in whole)
        numbers.append((len(picked), n_words))
        assert all(row[i] == MASK_ID and label[i] >= FIRST_WORD_ID for i in picked)
        if one.job == "fill":
            place = one.input.index(MASK_ID)
            assert label[place] == one.output[0]
            assert said(whole).rstrip(" [PAD]") == said(
                [*one.input[:place], *one.output, *one.input[place + 1 :]]
            )
        else:
            assert [i for i in whole if i != PAD_ID] == [*one.input, BOS_ID, *one.output, EOS_ID]
    if share is None:
        assert any(k == n for k, n in numbers) and any(k == 1 < n for k, n in numbers)
    else:
        assert all(k == max(1, round(share * n)) for k, n in numbers)


# ---------------------------------------------------------------- wiring


def changed(model, family, ids, n_input, place) -> list[int]:
    """Positions at which the scores move when one token is replaced."""
    other = ids.clone()
    other[0, place] = WORDS.ids["school"]
    with evaluating(model):
        before, after = (families.row_logits(model, row, n_input, family) for row in (ids, other))
    return (before - after).abs().amax(-1)[0].gt(1e-6).nonzero()[:, 0].tolist()


def test_families_are_the_same_model_under_another_mask():
    model = model_of("decoder-only")
    ids, n_input = families.rows([families.example(SENTENCE, "translate")])  # 7 given, [BOS] at place 7
    n = ids.shape[1]
    reach = {name: [changed(model, name, ids, n_input, place) for place in (5, 9)] for name in ONE_STACK}
    assert reach == {
        "decoder-only": [[*range(5, n)], [*range(9, n)]],
        "prefix-LM": [[*range(n)], [*range(9, n)]],
        "encoder-only": [[*range(n)], [*range(n)]],
    }
    states = [model_of(name).state_dict() for name in ONE_STACK]
    assert all(torch.equal(states[0][key], state[key]) for state in states for key in state)
    with pytest.raises(ValueError, match="'encoder-decoder', expected one of a single stack"):
        families.allowed_in("encoder-decoder", ids, n_input)


@pytest.mark.parametrize("name", ONE_STACK)
def test_padding_changes_nothing(name):
    model, short = model_of(name), families.rows([families.example(SENTENCE, "tell")])
    both = families.rows([families.example(SENTENCE, "tell"), families.example(SENTENCE, "translate")])
    with evaluating(model):
        alone = families.row_logits(model, *short, name)
        padded = families.row_logits(model, *both, name)[:1, : alone.shape[1]]
    torch.testing.assert_close(alone, padded, atol=1e-5, rtol=1e-5)


def test_all_families_have_variants_and_one_can_copy_is_refused():
    assert {variant.family for variant in VARIANTS.values()} == set(FAMILIES)
    wrong = replace(VARIANTS["prefix-LM"], counted="all")
    with pytest.raises(ValueError, match="can be copied"):
        families.batch_for(wrong, families.training_examples(FEW)[:3], random.Random(0))


def test_the_shared_decoder_is_the_encoder_with_cross_attention_of_its_own():
    model = model_of("encoder-decoder, shared")
    for read, write in zip(model.encoder.layers, model.decoder.layers, strict=True):
        assert write.self_attention is read.self_attention and write.feed_forward is read.feed_forward
        assert write.cross_attention is not read.self_attention
    own = {name for name, _ in model.named_parameters() if name.startswith("decoder") and "cross" not in name}
    assert own == set()


def test_equal_parameters_are_equal():
    counts = {name: families.n_parameters(variant.model.build()) for name, variant in VARIANTS.items()}
    two = counts.pop("encoder-decoder, 2P")
    one = counts["decoder-only"]
    assert all(count == pytest.approx(one, rel=0.01) for count in counts.values())
    words = len(WORDS) * VARIANTS["decoder-only"].model.d_model  # a matrix that both stacks share
    assert two - words == pytest.approx(2 * (one - words), rel=0.01)


@pytest.mark.parametrize("name", VARIANTS)
def test_operations_by_formula_are_those_that_torch_counts(name):
    batch = batch_of(name, 7)
    formula = families.training_flops(VARIANTS[name].model, batch)
    assert formula == pytest.approx(families.counted_flops(VARIANTS[name], batch), rel=0.02)


def test_equal_operations_in_steps():
    assert families.equal_steps(VARIANTS["prefix-LM"], 1000) == 1000
    half, shared, two = (
        families.equal_steps(VARIANTS[f"encoder-decoder, {kind}"], 1000) for kind in ("half", "shared", "2P")
    )
    assert two == pytest.approx(1000, rel=0.05) and shared == pytest.approx(1200, rel=0.05)
    assert half == pytest.approx(2 * two, rel=0.05)  # scores cost the same at any depth


def test_every_family_gets_the_same_examples_in_the_same_order():
    recipe = families.recipe_of(VARIANTS["prefix-LM"], batch_size=5)
    streams = [
        families.batches(recipe, VARIANTS[name], FEW) for name in ("prefix-LM", "encoder-decoder, half")
    ]
    for row, (source, target) in islice(zip(*streams, strict=False), 6):
        for i, n in enumerate(row.n_input.tolist()):
            together = [*source[i, :n].tolist(), *target[i].tolist()]
            whole = [t for t in together if t != PAD_ID]
            assert row.inputs[i].tolist()[: len(whole) - 1] == whole[:-1]


def test_targets_a_token():
    shares = {name: families.flow(variant) for name, variant in VARIANTS.items()}
    shares = {name: flow.targets / flow.tokens for name, flow in shares.items()}
    assert shares["decoder-only, all tokens"] > 0.95
    assert shares["decoder-only"] == pytest.approx(shares["prefix-LM"]) and 0.4 < shares["prefix-LM"] < 0.6
    assert shares["encoder-only"] < 0.16 and 0.35 < shares["encoder-only, any share"] < 0.55


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_learns(name):
    recipe = families.recipe_of(small(name), steps=24, lr=1e-2)
    losses = train(new_model(recipe), recipe, families.task(small(name), FEW)).losses
    assert sum(losses[-5:]) < 0.9 * sum(losses[:5])


# ---------------------------------------------------------------- writing


@pytest.mark.parametrize("name", WRITERS)
def test_writing_with_a_cache_is_reading_everything_anew(name):
    family, model = VARIANTS[name].family, model_of(name, seed=3)
    inputs = [families.example(SENTENCE, job, 2).input for job in families.JOBS]
    together = families.write(model, family, inputs, max_words=6)
    for given, words in zip(inputs, together, strict=True):
        seen = []
        for _ in range(6):
            chances = families.under_family(model, family, [WORDS.tokens[i] for i in given], seen)
            token = int(chances.probabilities.argmax())
            assert chances.probabilities.sum() == pytest.approx(1, abs=1e-5)
            if token == EOS_ID:
                break
            seen.append(WORDS.tokens[token])
        assert WORDS.decode_tokens(WORDS.ids[word] for word in seen) == words


def test_a_prefix_writer_reads_its_input_openly():
    model, source = model_of("prefix-LM"), torch.tensor([families.example(SENTENCE, "translate").input])
    start = torch.tensor([[BOS_ID]])
    with torch.no_grad():
        open_, causal = (
            writer.next_logits(start, writer.encode(source))[0]
            for writer in (InputThenOutput(model, True), InputThenOutput(model, False))
        )
        whole = torch.cat([source, start], 1)
        read = families.row_logits(model, whole, torch.tensor([7]), "prefix-LM")[:, -1]
    torch.testing.assert_close(open_, read, atol=1e-5, rtol=1e-5)
    assert (open_ - causal).abs().max() > 1e-3


def test_writing_ends_with_eos_and_draws_from_a_seed():
    model = model_of("decoder-only")
    draws = [families.tell(model, "decoder-only", 20, seed=seed) for seed in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]
    with torch.no_grad():  # [EOS] is by far the likeliest word
        model.lm_head.weight.zero_()
        model.stack.final_norm.weight.zero_()
        model.stack.final_norm.bias.fill_(1.0)
        model.lm_head.weight[EOS_ID] = 1.0
    assert families.write(model, "decoder-only", [[5], [5, 6]]) == [[], []]
    assert families.first_words(model, "decoder-only", [families.example(SENTENCE, "fill", 0)]) == [""]
    with pytest.raises(ValueError, match="max_words"):
        families.write(model, "decoder-only", [[5]], max_words=0)


def test_an_encoder_only_model_has_no_next_word():
    model = model_of("encoder-only")
    with pytest.raises(ValueError, match="'encoder-only', expected one that writes"):
        families.write(model, "encoder-only", [[5]])
    chances = families.under_family(model, "encoder-only", ["[TELL]"], ["tom"])
    with evaluating(model):
        ids = torch.tensor([[WORDS.ids["[TELL]"], BOS_ID, WORDS.ids["tom"], MASK_ID]])
        expected = model(ids)[0][0, -1].softmax(-1)
    torch.testing.assert_close(torch.tensor(chances.probabilities), expected)


@pytest.mark.parametrize(
    ("given", "message"), [([], "given is empty"), (["[FR]", "bal"], "'bal' is no word of Tiny Town")]
)
def test_a_family_is_asked_with_words_that_it_knows(given, message):
    with pytest.raises(ValueError, match=message):
        families.under_family(model_of("prefix-LM"), "prefix-LM", given)


@pytest.mark.parametrize("order", ORDERS)
def test_an_encoder_only_model_fills_as_many_words_as_it_is_told(order):
    model = model_of("encoder-only")
    inputs = [families.example(SENTENCE, job).input for job in families.JOBS] * 2
    lengths = [3, 1, 7, 2, 2, 7]
    said = families.fill_in(model, inputs, lengths, order, temperature=1.0, seed=4)
    assert all(len(words) <= n for words, n in zip(said, lengths, strict=True))
    assert sum(map(len, said)) > 18  # of 22: without training, a special token may be drawn, too
    assert said == families.fill_in(model, inputs, lengths, order, temperature=1.0, seed=4)
    assert all("[MASK]" not in words for words in said)


def test_orders_are_what_they_say():
    """A model whose word at a place tells what it saw there: the first places are the surest."""
    seen = []

    class Watched(torch.nn.Module):
        def forward(self, ids, allowed):
            seen.append(ids.clone())
            logits = torch.zeros(*ids.shape, len(WORDS))
            logits[..., FIRST_WORD_ID] = torch.arange(ids.shape[1]) + 1.0  # later places are surer
            return logits, None

    def places(order):
        seen.clear()
        families.fill_in(Watched(), [[5]], [3], order)
        return [(row[0] == MASK_ID).nonzero()[:, 0].tolist() for row in seen]

    assert places("left to right") == [[2, 3, 4], [3, 4], [4]]
    assert places("mask at the end") == [[2], [3], [4]]
    assert [(row[0] == PAD_ID).nonzero()[:, 0].tolist() for row in seen] == [[3, 4, 5], [4, 5], [5]]
    assert places("most certain first") == [[2, 3, 4], [2, 3], [2]]
    again = places("refill")
    assert again[:3] == [[2, 3, 4], [3, 4], [4]] and len(again) == 3 + 3 * 5
    for i in range(3, len(again), 3):  # each sweep takes out every word once
        assert sorted(again[i : i + 3]) == [[2], [3], [4]]
    with pytest.raises(ValueError, match="order"):
        places("backwards")
    with pytest.raises(ValueError, match="n_words"):
        families.fill_in(Watched(), [[5]], [0], "refill")
    with pytest.raises(ValueError, match="2 lengths for 1 inputs"):
        families.fill_in(Watched(), [[5]], [3, 4], "refill")


def test_filling_together_is_filling_alone():
    model, chosen = model_of("encoder-only"), families.held_out_examples("translate", 6)
    inputs, lengths = [one.input for one in chosen], [3, 5, 2, 6, 3, 1]
    for order in ORDERS[:3]:
        together = families.fill_in(model, inputs, lengths, order)
        alone = [families.fill_in(model, [i], [n], order)[0] for i, n in zip(inputs, lengths, strict=True)]
        assert together == alone


# ---------------------------------------------------------------- scores


def test_scores_of_a_model_that_knows_nothing_are_shares():
    for name in ("decoder-only", "encoder-only"):
        found = families.measure(model_of(name), name, n=40, n_told=20)
        assert set(found) == {"fill", "translate", "valid", "consistent", "different"}
        assert all(0 <= value < 0.2 for value in found.values())


def test_a_right_translation_is_right_in_every_word():
    chosen = [families.example(SENTENCE, "translate")] * 2
    texts = [list(SENTENCE.french), [*SENTENCE.french[:-1], "tom"]]
    assert families.exact_match(texts, chosen) == 0.5


def test_the_town_itself_cannot_know_every_blank():
    sure, unsure = (families.example(SENTENCE, "fill", place) for place in (1, 0))
    assert families.town_fill_accuracy([sure]) == 1.0  # tom [MASK] at the station: "is"
    share = families.town_fill_accuracy(families.held_out_examples("fill", 12))
    assert 0.2 < share < 1
    assert families.town_fill_accuracy([unsure]) in (0.0, 1.0)


def test_speeds_are_measured_for_each_variant():
    kinds = {name: small(name) for name in ("decoder-only", "encoder-only", "encoder-decoder, half")}
    found = families.speeds(kinds, rounds=1, n_words=2)
    assert set(found) == set(kinds) and all(min(speed) > 0 for speed in found.values())
    assert found["decoder-only"] == (1.0, 1.0)  # the others are compared with the first


def test_a_busy_moment_of_the_machine_does_not_move_a_speed(monkeypatch):
    """Two variants equally fast, a warm-up that is slow, and one quiet moment that meets only one of them."""
    kinds = {"decoder-only": small("decoder-only"), "prefix-LM": small("prefix-LM")}
    first, second = [90.0, 2.0, 4.0, 2.0, 6.0, 3.0], [5.0, 2.0, 4.0, 1.0, 6.0, 3.0]

    def timed(calls, rounds):
        return {(name, what): first if name == "decoder-only" else second for name, what in calls}

    monkeypatch.setattr(families.scores.costs, "seconds_by_round", timed)
    assert families.speeds(kinds)["prefix-LM"] == (1.0, 1.0)


# ---------------------------------------------------------------- small files


def test_a_shipped_model_is_small_and_has_the_measures_on_its_card(tmp_path):
    name = "family-encoder-decoder"
    variant = VARIANTS[shipping.SHIPPED[name]]
    card = shipping.ship(name, tmp_path, tmp_path, families.recipe_of(variant, steps=2, batch_size=4))
    model = shipping.load(name, tmp_path)
    assert card["steps"] == 2 and len(card["metrics"]) == 5
    assert families.n_parameters(model) == families.n_parameters(variant.model.build())
    assert (tmp_path / f"{name}.safetensors").stat().st_size < 2**19
    again = families.fill_accuracy(model, variant.family, families.held_out_examples("fill"))
    assert round(again, 4) == card["metrics"]["fill"]
