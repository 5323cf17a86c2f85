"""Filling in blanks: batches, baselines, pronouns, a reader's own text, and the way of the shipped model."""

import pytest
import torch

from course_lib.models.bert import FOLLOWS, BertConfig, Scores
from course_lib.tasks import fill_in
from course_lib.tasks.claims import true_claims
from course_lib.tasks.fill_in import WORDS, scores
from course_lib.tasks.fill_in.stories import AGAIN
from course_lib.tasks.town_lm import judge
from course_lib.text.segments import CLS_ID, MASK_ID, SEP_ID
from course_lib.text.tokenizers import PAD_ID
from course_lib.training import checkpoints
from course_lib.training.objectives import IGNORE
from course_lib.training.recipe import new_model, train, vary

N = 400  # stories
TINY = vary(fill_in.RECIPE, d_model=32, n_heads=2, n_layers=1, d_ff=64, steps=4, batch_size=16)


def test_no_document_is_cut():
    longest = max(sum(map(len, sentences)) for sentences in fill_in.documents(3_000, 7))
    assert longest + 3 <= fill_in.MAX_LEN


def test_documents_are_stories_that_end_by_saying_again_what_is_true():
    told = [story for story in fill_in.stories(200, 7) if true_claims(story)]
    made = fill_in.documents(200, 7)
    assert len(made) == len(told) and fill_in.documents(40, 7) == made[: len(fill_in.documents(40, 7))]
    endings = set()
    for story, sentences in zip(told, made, strict=True):
        n, true = len(story.sentences), {claim.words for claim in true_claims(story)}
        assert sentences[:n] == [WORDS.encode(one.english) for one in story.sentences]
        again = [tuple(WORDS.tokens[i] for i in ids) for ids in sentences[n:]]
        assert set(again) <= true and len(set(again)) == len(again) == min(AGAIN, len(true))
        endings.add(len(again))
    assert endings == {1, AGAIN}


def test_a_batch_is_what_the_paper_describes():
    batch = next(fill_in.batches(vary(TINY, batch_size=64), N))
    assert (batch.ids[:, 0] == CLS_ID).all() and (batch.segments[:, 0] == 0).all()
    assert ((batch.ids == SEP_ID).sum(1) == 2).all()
    first_end = (batch.ids == SEP_ID).int().argmax(1)
    for ids, segments, end in zip(batch.ids, batch.segments, first_end, strict=True):
        assert (segments[: end + 1] == 0).all() and (segments[end + 1 : (ids != PAD_ID).sum()] == 1).all()
    chosen = batch.labels != IGNORE
    assert 0.1 < chosen.sum() / (batch.ids > MASK_ID).sum() < 0.2 and (batch.labels[chosen] > MASK_ID).all()
    assert set(batch.follows.tolist()) == {0, 1} and len(FOLLOWS) == 2


def test_each_epoch_is_hidden_anew_and_the_seed_decides():
    recipe = vary(TINY, batch_size=N)
    once, again = (fill_in.batches(recipe, N) for _ in range(2))
    first, second = next(once), next(once)
    assert all(torch.equal(a, b) for a, b in zip(first, next(again), strict=True))
    assert first.ids.shape != second.ids.shape or not torch.equal(first.ids, second.ids)
    off = next(fill_in.batches(recipe, N, nsp=False, chosen=0.4, masked=1.0, replaced=0.0))
    assert (off.follows == IGNORE).all() and torch.equal(off.ids == MASK_ID, off.labels != IGNORE)
    assert 0.35 < (off.labels != IGNORE).sum() / ((off.ids > SEP_ID).sum()) < 0.45


def test_baselines_by_hand():
    """Probabilities are those of counts, and each baseline that knows more is better."""
    batch = fill_in.held_out(150)
    assert (batch.ids[batch.labels != IGNORE] == MASK_ID).all()
    found = {kind: fill_in.baseline(kind, batch, N) for kind in fill_in.BASELINES}
    losses, right = [one.loss for one in found.values()], [one.accuracy for one in found.values()]
    assert losses == sorted(losses, reverse=True) and right == sorted(right)
    counts = fill_in.neighbours(N)
    ordinary = counts.sum(0)[WORDS.words[0] :]
    most = WORDS.words[0] + int(ordinary.argmax())
    truth = batch.labels[batch.labels != IGNORE]
    assert found["unigram"].accuracy == pytest.approx((truth == most).float().mean().item())
    assert found["unigram"].blanks == len(truth)
    floor = -(ordinary / ordinary.sum()).clamp(min=1e-9).log()[truth - WORDS.words[0]].mean()
    assert found["unigram"].loss == pytest.approx(floor.item(), abs=0.02)
    with pytest.raises(ValueError, match="kind is 'trigram', expected one of 'unigram'"):
        fill_in.baseline("trigram", batch, N)


def test_guesses_for_a_row_of_ones_own():
    """Two blanks: one between two words, one beside another blank, of which nothing is known."""
    left, right = WORDS.encode("at farm")
    counts = fill_in.neighbours(N)
    plain = counts.sum(0) + 1e-3
    after = (counts + plain / plain.sum()) / (counts.sum(1, keepdim=True) + 1)
    row = [[CLS_ID, left, MASK_ID, right, MASK_ID, MASK_ID, SEP_ID]]
    guess = fill_in.guesses("both neighbours", row, N)
    assert guess.shape == (3, len(WORDS)) and torch.allclose(guess.sum(1), torch.ones(3))
    assert (guess[:, : WORDS.words[0]] == 0).all()
    for place, by_hand in enumerate((after[left] * after[:, right], after[right], after[:, SEP_ID])):
        by_hand = by_hand * (plain / plain.sum()) if place == 2 else by_hand
        by_hand = by_hand[WORDS.words[0] :] / by_hand[WORDS.words[0] :].sum()
        assert torch.allclose(guess[place, WORDS.words[0] :], by_hand, atol=1e-6), place


def test_training_goes_below_the_first_guess_and_scores_are_shares():
    recipe = vary(TINY, steps=60, lr=4e-3)
    model = new_model(recipe)
    batch = fill_in.held_out(60)
    before = fill_in.filled(model, batch)
    history = train(model, recipe, fill_in.task(N))
    after = fill_in.filled(model, batch)
    assert before.loss == pytest.approx(torch.tensor(float(len(WORDS))).log().item(), abs=0.3)
    assert after.loss < before.loss - 0.5 and history.steps == 60
    assert 0 <= fill_in.nsp_accuracy(model, 60) <= 1 and before.blanks == after.blanks


class Says(torch.nn.Module):
    """Stands in for a model: always the same words."""

    def __init__(self, *words):
        super().__init__()
        self.scores = torch.zeros(len(WORDS))
        self.scores[[WORDS.ids[word] for word in words]] = 1.0

    def forward(self, *, ids, segments):
        return type("Scores", (), {"words": self.scores.expand(*ids.shape, -1)}), None


def test_pronouns_against_the_nearest_name():
    """A model that always says "she" and "anna" is right as often as these are."""
    told = fill_in.stories(300)
    said = fill_in.pronouns(Says("she", "anna"), told)
    he_she = [
        (mention.entity, story.sentences[mention.sentence].english[mention.token])
        for story in told
        for mention in story.coreference
        if story.sentences[mention.sentence].english[mention.token] in ("he", "she")
    ]
    assert said.blanks == len(he_she) > 200
    assert said.pronoun == pytest.approx(sum(word == "she" for _, word in he_she) / len(he_she))
    assert said.name == pytest.approx(sum(entity == "anna" for entity, _ in he_she) / len(he_she))
    assert 0.8 < said.name_nearest <= said.pronoun_nearest < 1  # a strong guess, and not perfect
    with pytest.raises(ValueError, match="told holds no he or she"):
        fill_in.pronouns(Says("she", "anna"), [])


def test_where_somebody_is_against_the_nearest_place(monkeypatch):
    """Three texts: of the first and the last the place is asked for, of the second nothing."""
    told = [
        ["anna is at the farm .", "she goes to the park .", "anna is in the park ."],
        ["tom has a red ball .", "tom has the red ball ."],
        ["anna is at the farm .", "tom is at the school .", "anna is at the farm ."],
    ]
    ids = [[WORDS.encode(sentence) for sentence in text] for text in told]
    monkeypatch.setattr(scores, "documents", lambda n, seed: ids[:n])
    seen = []

    class Says(torch.nn.Module):
        """Says one word everywhere."""

        def forward(self, ids, segments):
            seen.append((ids, segments))
            words = torch.zeros(*ids.shape, len(WORDS))
            words[..., WORDS.ids["park"]] = 1.0
            return Scores(words, None), None

    found = fill_in.places(Says(), 3)
    assert found == (2, 0.5, 0.5, 0.0)  # "park" once; the nearest place is park, then school: once
    [(rows, segments)] = seen
    assert ((rows == MASK_ID).sum(1) == 1).all() and (rows[segments == 1] == MASK_ID).sum() == 2


def test_a_text_of_your_own():
    model = new_model(TINY)
    found = fill_in.fill(model, "Anna is at the [MASK].", "[mask] sees Tom.")
    assert " ".join(found.tokens) == "[CLS] anna is at the [MASK] . [SEP] [MASK] sees tom . [SEP]"
    assert found.places == [5, 8] and found.probabilities.shape == (2, len(WORDS))
    torch.testing.assert_close(found.probabilities.sum(1), torch.ones(2))
    with pytest.raises(ValueError, match=r"has no blank, expected at least one \[MASK\]"):
        fill_in.fill(model, "Anna is at the farm.")
    with pytest.raises(ValueError, match="'zebra', a word that Tiny Town does not know"):
        fill_in.fill(model, "Anna sees a zebra and a [MASK].")


def test_the_shipped_recipe_is_small_enough_and_ships(tmp_path, monkeypatch):
    """The way of the shipped model with a tiny recipe; the real one fits into 12 MB in half precision."""
    assert sum(p.numel() for p in fill_in.SHIPPED.model.build().parameters()) * 2 < 12e6
    measure = fill_in.measure
    monkeypatch.setattr("course_lib.tasks.fill_in.shipping.measure", lambda model: measure(model, 60, N))
    card = fill_in.ship(tmp_path, tmp_path, TINY, N)
    assert card["steps"] == 4 and card["command"] == "python -m course_lib train bert"
    loaded = fill_in.load(tmp_path)
    assert isinstance(loaded.config, BertConfig) and checkpoints.load_card("bert", tmp_path)["metrics"]
    assert loaded.lm_head.weight is loaded.encoder.token_embedding.weight and not loaded.training
    again = measure(loaded, 60, N)
    assert {key: round(value, 4) for key, value in again.items()} == card["metrics"]
    text = (tmp_path / "bert.json").read_text(encoding="utf-8")
    (tmp_path / "bert.json").write_text(text.replace(WORDS.fingerprint, "0" * 16), encoding="utf-8")
    with pytest.raises(
        ValueError, match=f"tokenizer 0000000000000000, expected {WORDS.fingerprint}: its ids mean"
    ):
        fill_in.load(tmp_path)


# ---------------------------------------------------------------- writing


def test_sentences_are_as_long_as_those_of_the_training_stories():
    lengths = fill_in.sentence_lengths(30)
    known = fill_in.documents(60, fill_in.TRAINING_SEED)
    assert lengths == [len(sentences[0]) for sentences in known[:30]]
    told = [WORDS.decode_tokens(sentences[0]) for sentences in known]
    assert judge(told).valid == 1.0  # so a model that writes like them is judged fairly
    assert [len(words) for words in fill_in.tell(new_model(TINY), 30)] == lengths


@pytest.mark.parametrize("order", fill_in.ORDERS)
def test_only_words_are_written_and_the_seed_decides(order):
    model = new_model(TINY).train()
    with torch.no_grad():
        model.lm_head.bias[: WORDS.words[0]] = 9.0  # special tokens are by far the likeliest
    told = fill_in.tell(model, 12, order, seed=4)
    assert {word for words in told for word in words} <= set(WORDS.tokens[WORDS.words[0] :])
    assert told == fill_in.tell(model, 12, order, seed=4) != fill_in.tell(model, 12, order, seed=5)
    assert model.training


def test_orders_are_what_they_say():
    """What the model is shown of a sentence of N words: [CLS], N blanks, [SEP]."""
    seen, n = [], fill_in.sentence_lengths(1)[0]

    class Watched(Says):
        def forward(self, *, ids):
            seen.append([WORDS.tokens[i] for i in ids[0].tolist()])
            return super().forward(ids=ids, segments=None)

    for order in fill_in.ORDERS:
        seen.clear()
        assert fill_in.tell(Watched("tom"), 1, order, temperature=0.0) == [["tom"] * n]
        rest = ["[MASK]"] * (n - 2)
        shown = {"mask at the end": ["[PAD]"] * n}.get(order, [*rest, "[MASK]", "[SEP]"])
        assert seen[0] == ["[CLS]", "[MASK]", *shown] and seen[1][:2] == ["[CLS]", "tom"]
        assert len(seen) == (n if order != "refill" else n * 6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0,), "n is 0, expected at least 1"),
        ((3, "backwards"), "order is 'backwards', expected one of 'mask at the end'"),
        ((3, "refill", -0.5), "temperature is -0.5, expected 0 or more"),
    ],
)
def test_what_writing_refuses(arguments, message):
    *arguments, temperature = arguments if len(arguments) == 3 else (*arguments, 1.0)
    with pytest.raises(ValueError, match=message):
        fill_in.tell(new_model(TINY), *arguments, temperature=temperature)
