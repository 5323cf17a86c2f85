"""One example under all families: what the live view gets is what the models are asked one by one."""

import random
from dataclasses import replace

import pytest
import torch

from course_lib.families import FAMILIES, reach
from course_lib.tasks import families
from course_lib.tasks.families import WORDS, shipping
from course_lib.tasks.families.switching import SHOWN, after_each
from course_lib.training import checkpoints
from course_lib.training.randomness import seeded

TRANSLATE, *_, FILL, TELL = families.shown_examples()
WRITERS = [family for family in FAMILIES if family != "encoder-only"]


def small(family: str):
    """An untrained model of a family, with one layer a stack."""
    config = families.VARIANTS[shipping.SHIPPED[f"family-{family}"]].model
    layers = ("encoder_layers", "decoder_layers") if family == "encoder-decoder" else ("n_layers",)
    changes = dict.fromkeys(layers, 2) | {"d_model": 16, "n_heads": 2, "d_ff": 32}
    with seeded(3):
        return replace(config, **changes).build().eval()


MODELS = {family: small(family) for family in FAMILIES}


def words(ids) -> list[str]:
    return [WORDS.tokens[i] for i in ids]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("one", [TRANSLATE, TELL], ids=lambda one: one.job)
def test_all_beginnings_at_once_are_each_beginning_alone(family, one):
    with torch.no_grad():
        found = after_each(MODELS[family], family, one).softmax(-1)
    assert len(found) == len(one.output) + 1
    for n, row in enumerate(found):
        alone = families.under_family(MODELS[family], family, words(one.input), words(one.output[:n]))
        torch.testing.assert_close(row, torch.from_numpy(alone.probabilities), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_changed_token_arrives_exactly_where_it_is_seen(family):
    """`reach` against the models themselves: change one token, and see which positions answer otherwise."""
    one, rng = TRANSLATE, random.Random(0)
    row = [*one.input, families.BOS_ID, *one.output]
    seen = reach(family, len(one.input), len(row))

    def answers(row: list[int]) -> torch.Tensor:
        split, model = len(one.input), MODELS[family]
        source, rest = torch.tensor([row[:split]]), torch.tensor([row[split:]])
        with torch.no_grad():
            if family != "encoder-decoder":
                return families.row_logits(model, torch.tensor([row]), torch.tensor([split]), family)[0]
            memory = model.read(source)[0][0]  # (S, D): what comes out of the encoder
            return torch.cat([_wide(memory), model(source, rest)[0][0]])

    before = answers(row)
    for key in range(len(row)):
        other = list(row)
        other[key] = rng.choice([i for i in range(8, len(WORDS)) if i != row[key]])
        moved = (answers(other) - before).abs().amax(-1) > 1e-7
        assert moved.tolist() == [seen[query][key] for query in range(len(row))], (family, key)


def _wide(x: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.pad(x, (0, len(WORDS) - x.shape[-1]))


def test_what_is_read_and_what_counts():
    [one, blank] = families.switches(MODELS, [TRANSLATE, FILL], top=3)
    n = len(one.input)
    assert one.tokens == (*words(TRANSLATE.input), "[BOS]", *words(TRANSLATE.output), "[EOS]")
    for family in WRITERS:
        assert one.reads[family] == (*one.tokens[:-1], None)
        assert one.counted[family] == tuple(range(n + 1, len(one.tokens)))
        assert [found.truth for found in one.expected[family]] == [*one.output, "[EOS]"]
    assert [one.reads["encoder-only"][i] for i in one.counted["encoder-only"]] == ["[MASK]"] * 2
    assert one.reads["encoder-only"][-1] == "[EOS]"
    for found in one.expected["prefix-LM"]:
        assert len(found.words) == 3 == len(found.probabilities)
        assert list(found.probabilities) == sorted(found.probabilities, reverse=True)
        assert (found.rank <= 3) == (found.truth in found.words)
    # a blank in the input is filled where it stands; [BOS] and the output are not read then
    assert blank.reads["encoder-only"][-3:] == (None,) * 3
    assert blank.counted["encoder-only"] == (blank.input.index("[MASK]"),)
    assert blank.expected["encoder-only"][0].truth == blank.output[0]
    assert blank.expected["encoder-only"][1] is None


def test_what_is_refused():
    with pytest.raises(ValueError, match=r"models has \['prefix-LM'\], expected one for each of"):
        families.switches({"prefix-LM": MODELS["prefix-LM"]}, [TELL])
    with pytest.raises(ValueError, match="chosen is empty"):
        families.switches(MODELS, [])
    with pytest.raises(ValueError, match="top is 0, expected 1 to"):
        families.switches(MODELS, [TELL], top=0)


# ---------------------------------------------------------------- the shipped models


def test_the_shown_sentences_are_of_their_kinds():
    """Nobody was trained on them, and who errs is what the comment beside them says."""
    known = {tuple(one.output) for one in families.training_examples() if one.job == "tell"}
    assert not [english for english, _ in SHOWN if tuple(WORDS.encode(english)) in known]
    found = families.switches(families.shipped(), families.shown_examples()[: len(SHOWN)])
    errs = [{f for f in WRITERS if any(each.rank > 1 for each in one.expected[f])} for one in found]
    assert errs == [{"decoder-only"}, set(), {"prefix-LM"}, set(WRITERS)]


@pytest.mark.parametrize("name", families.SHIPPED)
def test_the_card_s_metrics_come_from_the_weights(name):
    card, family = checkpoints.load_card(name), name.removeprefix("family-")
    measured = families.measure(families.load(name), family)
    assert measured.keys() == card["metrics"].keys()
    for key, value in measured.items():
        assert value == pytest.approx(card["metrics"][key], abs=0.02), key
    recipe = families.recipe_of(families.VARIANTS[families.SHIPPED[name]])
    assert (card["steps"], card["seed"]) == (recipe.steps, recipe.seed)
    assert (checkpoints.FOLDER / f"{name}.safetensors").stat().st_size < 2**19
