"""The Town translator: data, one step, and scores against the known truth."""

import pytest
import torch

from course_lib.generation import decode_all
from course_lib.tasks import translation
from course_lib.training.recipe import new_model, train, train_in_stages, vary

SMALL = vary(translation.RECIPE, steps=3, d_embed=8, d_hidden=12, d_attn=6)


@pytest.fixture(scope="module")
def model():
    return new_model(SMALL)


@pytest.fixture(scope="module")
def test_sentences():
    return translation.sentences(40, "test")


def test_test_sentences_were_never_trained_on(test_sentences):
    seen = {s.english for s in translation.sentences(2000, "train")}
    assert not seen & {s.english for s in test_sentences}


def test_every_word_of_the_town_has_an_id(test_sentences):
    for s in test_sentences:
        assert translation.ENGLISH.decode_tokens(translation.ENGLISH.encode(s.english)) == list(s.english)
        assert translation.FRENCH.decode_tokens(translation.FRENCH.encode(s.french)) == list(s.french)
        assert len(s.french) < translation.MAX_WORDS


def test_one_map_a_sentence_rows_sum_to_one(model, test_sentences):
    model.train()
    maps = translation.attention_maps(model, test_sentences, batch_size=7)
    assert model.training
    for s, weights in zip(test_sentences, maps, strict=True):
        assert weights.shape == (len(s.french), len(s.english))
        torch.testing.assert_close(weights.sum(-1), torch.ones(len(s.french)))


def test_maps_do_not_depend_on_the_batch(model, test_sentences):
    together = translation.attention_maps(model, test_sentences)
    alone = translation.attention_maps(model, test_sentences[:3], batch_size=1)
    for a, b in zip(together, alone, strict=False):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-4)


def test_outputs_stand_in_the_order_of_their_sources(model, test_sentences):
    sources = [translation.ENGLISH.encode(s.english) for s in test_sentences[:9]]
    together = decode_all(model, sources, translation.FRENCH, max_new_tokens=6, batch_size=4)
    alone = [decode_all(model, [s], translation.FRENCH, max_new_tokens=6)[0] for s in sources]
    assert together == alone and len({tuple(words) for words in alone}) > 1


def test_maps_belong_to_the_true_words(model, test_sentences, monkeypatch):
    """Row t is where the model looks to say true word t: it has read [BOS] and the true words before t."""
    read = []
    forward = model.forward
    monkeypatch.setattr(model, "forward", lambda s, t, **more: read.append(t) or forward(s, t, **more))
    translation.attention_maps(model, test_sentences[:1])
    french = translation.FRENCH.encode(test_sentences[0].french, bos=True)
    assert read[0].tolist() == [french[:-1]]


def test_perfect_attention_would_score_nearly_zero(test_sentences):
    """The metric can be reached: maps made from the true links leave only words with two true sources."""
    maps = [torch.zeros(len(s.french), len(s.english)) for s in test_sentences]
    for s, weights in zip(test_sentences, maps, strict=True):
        for e, f in s.alignment:
            weights[f, e] = 1
    assert translation.alignment_error(maps, test_sentences) < 0.05
    assert 0.15 < translation.diagonal_error(test_sentences) < 0.45


def test_one_guess_a_french_word_cannot_find_every_link(test_sentences):
    """The floor: perfect maps reach it, and it is above 0 because some French words have two true links."""
    words = sum(len(s.french) for s in test_sentences)
    links = sum(len(s.alignment) for s in test_sentences)
    assert words < links
    assert translation.lowest_error(test_sentences) == pytest.approx(1 - 2 * words / (words + links))
    maps = [torch.zeros(len(s.french), len(s.english)) for s in test_sentences]
    for s, weights in zip(test_sentences, maps, strict=True):
        for e, f in s.alignment:
            weights[f, e] = 1
    assert translation.alignment_error(maps, test_sentences) == translation.lowest_error(test_sentences)


def test_where_the_articles_look_is_counted_by_form(test_sentences):
    """Maps that look at the true English word: every article looks at *the*; one map is turned to a noun."""
    wanted = "to the farm ."
    sentence = next(s for s in translation.sentences(600, "test") if " ".join(s.english).endswith(wanted))
    french = list(sentence.french)
    article = french.index("ferme") - 1
    assert french[article - 1 : article + 2] == ["à", "la", "ferme"]
    looks_at = {"the": len(sentence.english) - 3, "noun": len(sentence.english) - 2, "other": 0}
    for kind, column in looks_at.items():
        weights = torch.zeros(len(french), len(sentence.english))
        weights[:, 0] = 0.1
        weights[article, column] = 1
        looks = translation.article_looks([weights], [sentence])
        assert looks["la after à"] == {kind: 1}
    forms = translation.article_looks([weights for weights in _true_maps(test_sentences)], test_sentences)
    assert (
        {"le", "la", "au"}
        <= forms.keys()
        <= {
            *translation.ARTICLES,
            *(f"{form} after {before}" for form in ("la", "l'", "les", "le") for before in ("à", "de")),
        }
    )
    shares = [kinds["noun"] / kinds.total() for kinds in forms.values()]
    assert shares == sorted(shares, reverse=True) and max(shares) == 0


def _true_maps(test_sentences):
    for s in test_sentences:
        weights = torch.zeros(len(s.french), len(s.english))
        for e, f in sorted(s.alignment, reverse=True):  # of two true words the last one
            weights[f] = 0
            weights[f, e] = 1
        yield weights


def test_stages_are_one_training(test_sentences):
    """Stopping to measure changes nothing: three stages end where one run with the same steps ends."""
    recipe = vary(SMALL, steps=6, batch_size=4)
    staged = new_model(recipe)
    steps = []
    for step, _ in train_in_stages(staged, recipe, translation.task(), [1, 3, 6]):
        steps.append(step)
        translation.exact_match(staged, test_sentences[:3])
    whole = new_model(recipe)
    train(whole, recipe, translation.task())
    assert steps == [1, 3, 6]
    for a, b in zip(staged.parameters(), whole.parameters(), strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-4)


def test_translate_answers_and_names_unknown_words(model):
    english, french, weights = translation.translate(model, "Anna sees the red ball .")
    assert english == ["anna", "sees", "the", "red", "ball", "."]
    assert weights.shape == (len(french), 6)
    with pytest.raises(ValueError, match="'dragon', a word that Tiny Town does not know"):
        translation.translate(model, "anna sees the dragon .")
    with pytest.raises(ValueError, match="english is empty"):
        translation.translate(model, " ")


def test_a_longest_sentence_leaves_out_the_longer_ones():
    short, every = (translation.training_pairs(300, longest=longest) for longest in (8, None))
    assert max(map(len, short.sources)) == 8 and len(short) < len(every) == 300
    source, _ = next(translation.task(longest=8).batches(vary(SMALL, batch_size=64)))
    assert source.shape[1] <= 8


def test_reading_loss_counts_each_word_once(test_sentences):
    """Two sentences of different length: the mean over words, not the mean of two means."""
    model = new_model(vary(translation.TRANSFORMER, d_model=16, d_ff=16))
    short, long = sorted(test_sentences, key=lambda s: len(s.french))[:: len(test_sentences) - 1]
    apart = [(len(s.french) + 1, translation.reading_loss(model, [s])) for s in (short, long)]
    mean = sum(words * loss for words, loss in apart) / sum(words for words, _ in apart)
    assert translation.reading_loss(model, [short, long]) == pytest.approx(mean, abs=1e-5)


def test_a_transformer_translates_with_the_same_functions(test_sentences):
    model = new_model(vary(translation.TRANSFORMER, d_model=16, d_ff=16))
    assert model.config.source_vocab == len(translation.ENGLISH)
    assert translation.exact_match(model, test_sentences[:3]) == [False, False, False]
