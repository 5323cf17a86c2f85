"""Tiny Town: the probabilities are exact, the text is unambiguous, and both languages are right."""

import hashlib
import math
import os
import random
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise

import pytest

from course_lib.data import town
from course_lib.data.town import Grammar, lexicon

FULL = os.environ.get("COURSE_FULL") == "1"
ANY_LENGTH = Grammar(sentences=tuple(range(1, 9)))

# Three small worlds of which every story can be listed.
_TINY = dict(
    names=("anna", "tom"),
    nouns=("ball", "key"),
    traits=(None,),
    colours=("red",),
    places=("market", "fields", "station"),
    weathers=("cold",),
    subject_weights=(3, 1),
    max_people=2,
    max_things=1,
)
ONE_SENTENCE = Grammar(**_TINY | dict(sentences=(1,), max_things=2, traits=(None, "old")))
TWO_SENTENCES = Grammar(
    **_TINY
    | dict(sentences=(1, 2), joins=("",), join_weights=(1,), reasons=("",), reason_weights=(1,), say_time=0)
)
THREE_SENTENCES = Grammar(
    **_TINY
    | dict(
        names=("alice",), nouns=("scarf",), places=("market", "station"), subject_weights=(1,),
        max_people=1,
        sentences=(3,), joins=("",), join_weights=(1,), kinds=("person", "there", "thing"),
        kind_weights=(3, 1, 1),
        colours=("red", "white"), say_time=0, say_origin=0, reasons=("",), reason_weights=(1,),
        events=("go", "be", "got", "put", "take", "like"),
    )
)  # fmt: skip
TWO_PEOPLE_GIVE = Grammar(
    **_TINY
    | dict(
        nouns=("ball",), sentences=(4,), kinds=("person",), kind_weights=(1,), joins=("",),
        join_weights=(1,), reasons=("",), reason_weights=(1,), places=("market", "station"),
        subject_weights=(1,), say_time=0, say_place=0, say_origin=0, say_colour=0.5,
        events=("go", "got", "give"),
    )
)  # fmt: skip
SMALL_WORLDS = {
    "one": ONE_SENTENCE, "two": TWO_SENTENCES, "three": THREE_SENTENCES, "give": TWO_PEOPLE_GIVE,
}  # fmt: skip
_listed: dict[str, list] = {}


def all_stories(name):
    """Every story of a small world (listed once)."""
    if name not in _listed:
        _listed[name] = list(town.enumerate_stories(SMALL_WORLDS[name]))
    return _listed[name]


# ---------------------------------------------------------------- probabilities


@pytest.mark.parametrize("name", SMALL_WORLDS)
def test_the_probabilities_of_all_stories_sum_to_one(name):
    listed = all_stories(name)
    assert len(listed) > 500
    assert math.fsum(math.exp(log_prob) for _, log_prob in listed) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("language", ["english", "french"])
@pytest.mark.parametrize("name", SMALL_WORLDS)
def test_each_text_has_one_derivation_and_score_finds_its_probability(name, language):
    listed = all_stories(name)
    texts = {getattr(story, language + "_tokens") for story, _ in listed}
    assert len(texts) == len(listed)
    for story, log_prob in listed if FULL else listed[::3]:
        found = town.score(getattr(story, language + "_tokens"), language, SMALL_WORLDS[name])
        assert found.valid and found.consistent, (story.english, found)
        assert found.log_prob == pytest.approx(log_prob, rel=1e-9)


@pytest.mark.parametrize("language", ["english", "french"])
@pytest.mark.parametrize("name", SMALL_WORLDS)
def test_a_changed_text_scores_as_what_it_is(name, language):
    """Swap, drop or add a word: whatever comes out is scored exactly as its place in the full list says."""
    known = {getattr(story, language + "_tokens"): log_prob for story, log_prob in all_stories(name)}
    texts = list(known)
    words = town.vocabulary(language)
    rng = random.Random(5)
    told = changed = 0
    for _ in range(1500):
        text = list(rng.choice(texts))
        i = rng.randrange(len(text))
        # Half of the new words come from the small world itself: these make the difficult cases.
        word = rng.choice(words) if rng.random() < 0.5 else rng.choice(rng.choice(texts))
        way = rng.choice(("swap", "swap", "swap", "drop", "add"))
        text[i : i + (way != "add")] = [] if way == "drop" else [word]
        found = town.score(tuple(text), language, SMALL_WORLDS[name])
        expected = known.get(tuple(text))
        if expected is None:
            changed += 1
            assert found.log_prob == -math.inf and not (found.valid and found.consistent), text
            assert found.error and 0 <= found.position <= len(text)
            assert found.consistent is (False if found.valid else None)
        else:
            told += 1
            assert found.log_prob == pytest.approx(expected, rel=1e-9)
    assert changed > 500 and told > 20


def test_changed_words_in_the_whole_town_are_caught_or_make_another_story():
    rng = random.Random(6)
    words = town.vocabulary("english")
    outcomes = {"invalid": 0, "inconsistent": 0, "another story": 0}
    for story in town.stories(600, 6):
        text = list(story.english_tokens)
        i = rng.randrange(len(text))
        text[i] = rng.choice([word for word in words if word != text[i]])
        found = town.score(text)
        if found.valid and found.consistent:
            outcomes["another story"] += 1
            other = town.read(text)  # a story of its own, that says exactly this
            assert other.english_tokens == tuple(text) != story.english_tokens
            assert math.isfinite(found.log_prob)
        else:
            outcomes["inconsistent" if found.valid else "invalid"] += 1
    assert outcomes["invalid"] > 450 and outcomes["another story"] < 60, outcomes


@pytest.mark.parametrize("language", ["english", "french"])
def test_whatever_a_model_writes_gets_a_verdict(language):
    """Words in any order, and beginnings of stories that go on with any words: never an exception."""
    rng = random.Random(7)
    words = town.vocabulary(language)
    told = [getattr(story, f"{language}_tokens") for story in town.stories(200, 7)]
    starts = ["it", "they", "there is", "il", "elle", "ils"]
    for number in range(4000):
        text = [rng.choice(words) for _ in range(rng.randint(1, 6))] + ["."]
        if number % 4 == 0:
            tokens = rng.choice(told)
            text = [*tokens[: rng.randrange(len(tokens))], *text]
        elif number % 4 == 1:
            text = [*rng.choice(starts).split(), *text]
        verdict = town.score(tuple(text), language, Grammar(sentences=(1,)))
        assert verdict.valid or verdict.error
    assert not town.score("it has red .", grammar=Grammar(sentences=(1,))).valid


def _check_many(job):
    """Tell many stories; check links and round trips; return the hash of all that was told."""
    seed, n, every = job
    digest = hashlib.sha256()
    for number, story in enumerate(town.stories(n, seed)):
        digest.update(story.english.encode() + story.french.encode())
        for sentence in story.sentences:
            e, f = len(sentence.english), len(sentence.french)
            assert all(0 <= i < e and 0 <= j < f for i, j in sentence.alignment)
            assert sentence.alignment == tuple(sorted(set(sentence.alignment)))
        for mention in story.coreference:
            assert story.sentences[mention.sentence].english[mention.token] in ("he", "she", "it", "they")
        if number % every == 0:
            for language in ("english", "french"):
                found = town.score(getattr(story, language), language)
                assert found.valid and found.consistent, (getattr(story, language), found)
                assert abs(found.log_prob - story.log_prob) <= 1e-9 * abs(story.log_prob)
    return digest.hexdigest()


def test_many_stories():
    """12,000 stories (with COURSE_FULL=1: 100,000, each scored in both languages), on two processes."""
    n = 50_000 if FULL else 6_000
    jobs = [(1, n, 1 if FULL else 8), (2, n, 1 if FULL else 8)]
    m = n if FULL else 1_000
    with ProcessPoolExecutor(2) as pool:
        one, two = pool.map(_check_many, jobs)
        again = list(pool.map(_check_many, [(1, m, n), (2 if FULL else 1, m, n)]))
    assert one != two
    assert again == ([one, two] if FULL else again[:1] * 2)  # another process tells the same stories


def _work():
    """A little of everything that telling stories is made of: 13 ms on an idle machine of 2025."""
    table = {}
    for i in range(40_000):
        key = (i % 97, str(i % 13))
        table[key] = table.get(key, 0) + len(key[1])


def speed(make, n, wanted, pieces=20, rounds=8):
    """How many things a second `make(piece)` makes, `n` at a time, as on that idle machine or a faster one.

    Beside other programs a core is slower by a half, and no two moments are alike. So a fixed piece of work
    is timed before each piece, both are short, and each counts as it was in the best of the rounds. More
    rounds only find it faster: none is made once it is faster than `wanted` here and now.
    """

    def seconds(work, *args):
        start = time.process_time()
        work(*args)
        return time.process_time() - start

    times = []  # times[round][piece] is (work, make)
    for _ in range(rounds):
        times.append([(seconds(_work), seconds(make, piece)) for piece in range(pieces)])
        best = [[min(column) for column in zip(*piece, strict=True)] for piece in zip(*times, strict=True)]
        pace, made = (statistics.fmean(column) for column in zip(*best, strict=True))
        if n / made > wanted:
            break
    found = n / made * max(1, pace / 0.013)
    print(f"\n{n / made:,.0f} a second of one core, {found:,.0f} if nothing else ran")
    return found


@pytest.mark.alone
def test_speed_on_one_core():
    assert speed(lambda piece: list(town.stories(25, piece)), 25, 2_000) >= 2_000


def test_fewer_stories_are_the_first_of_more_and_seeds_differ():
    some = list(town.stories(40, 3))
    assert some[:10] == list(town.stories(10, 3))
    assert some != list(town.stories(40, 4))


def test_floor_is_the_mean_over_stories():
    told = list(town.stories(300, 9))
    nats = -sum(story.log_prob for story in told)
    tokens = sum(len(story.english_tokens) for story in told)
    assert town.entropy_floor(300, 9) == pytest.approx(nats / tokens)
    assert town.entropy_floor(300, 9, end=True) == pytest.approx(nats / (tokens + 300))
    assert 0.8 < town.entropy_floor(300, 9) < 1.4


# ---------------------------------------------------------------- the two languages

# Written and checked by hand, to test agreement, elision, contraction, negation and pronouns in French.
TRANSLATIONS = [
    ("Anna has a small red ball.", "Anna a un petit ballon rouge."),
    ("Tom has an old accordion, then he goes to the hotel.", None),  # the colour is missing
    ("Tom has an old black accordion.", "Tom a un vieil accordéon noir."),
    ("Tom has an old black hat.", "Tom a un vieux chapeau noir."),
    ("Leo has a white scarf. He likes the scarf.", "Léo a une écharpe blanche. Il aime l'écharpe."),
    ("Leo has a white harp. He likes the harp.", "Léo a une harpe blanche. Il aime la harpe."),
    ("Alice has some big green shoes.", "Alice a de grandes chaussures vertes."),
    ("Alice has some green shoes.", "Alice a des chaussures vertes."),
    ("Alice has some old brown gloves.", "Alice a de vieux gants marron."),
    (
        "Anna and Emma go to the fields. They are in the fields.",
        "Anna et Emma vont aux champs. Elles sont aux champs.",
    ),
    (
        "Anna and Tom go to the hotel. They are at the hotel.",
        "Anna et Tom vont à l'hôtel. Ils sont à l'hôtel.",
    ),
    (
        "Max is in the fields. He goes from the fields to the school because it is raining.",
        "Max est aux champs. Il va des champs à l'école parce qu'il pleut.",
    ),
    (
        "Max is at the school. He goes from the school to the park because it is sunny.",
        "Max est à l'école. Il va de l'école au parc parce qu'il fait beau.",
    ),
    (
        "There is a grey key near the rocks. Anna wants the key. It is not black.",
        "Il y a une clé grise près des rochers. Anna veut la clé. Elle n'est pas noire.",
    ),
    ("There is a grey cup near the hedge.", "Il y a une tasse grise près de la haie."),
    ("There is a grey cup under the clock.", "Il y a une tasse grise sous l'horloge."),
    ("There is a grey cup near the tree.", "Il y a une tasse grise près de l'arbre."),
    ("There is a grey cup near the bench.", "Il y a une tasse grise près du banc."),
    ("There are some pretty blue flowers in the cart.", "Il y a de jolies fleurs bleues dans la charrette."),
    (
        "Adam has a yellow doll. Julia wants the doll that Adam holds because it is yellow.",
        "Adam a une poupée jaune. Julia veut la poupée qu'Adam tient parce qu'elle est jaune.",
    ),
    (
        "Paul has a green bag. Julia does not like the green bag that Paul holds.",
        "Paul a un sac vert. Julia n'aime pas le sac vert que Paul tient.",
    ),
    (
        "Paul has a green bag. Julia does not have the bag while Paul is at the farm.",
        None,  # nothing happens "while" somebody does not have something
    ),
    (
        "Tom goes to the park while Anna looks for the red ball.",
        None,  # which red ball?
    ),
    (
        "This morning, Tom goes to the beach while Anna goes to the library.",
        "Ce matin, Tom va à la plage pendant qu'Anna va à la bibliothèque.",
    ),
    (
        "Anna is at the market. Oscar is at the market. He has some red pencils. "
        "Anna gets the pencils from Oscar.",
        "Anna est au marché. Oscar est au marché. Il a des crayons rouges. Anna reçoit les crayons d'Oscar.",
    ),
]


@pytest.mark.parametrize(("english", "french"), TRANSLATIONS)
def test_translations(english, french):
    if french is None:
        assert town.score(english, grammar=ANY_LENGTH).log_prob == -math.inf
        return
    story = town.read(english, grammar=ANY_LENGTH)
    assert story.french == french
    assert story.english == english
    assert town.read(french, "french", ANY_LENGTH) == story
    assert town.read(french.lower(), "french", ANY_LENGTH) == story


@pytest.mark.parametrize(
    ("french", "word"),
    [
        ("Anna va à le parc.", "le"),
        ("Anna va à la école.", "école"),
        ("Anna va à l'gare.", "gare"),
        ("Anna a un balle rouge.", "balle"),
        ("Anna a une ballon rouge.", "ballon"),
        ("Anna a un rouge ballon.", "rouge"),
        ("Anna a une clé vert.", "vert"),
        ("Anna a des petites chaussures rouges.", "petites"),
        ("Anna a de chaussures rouges.", "chaussures"),
        ("Anna a un vieux accordéon noir.", "accordéon"),
        ("Anna a un ballon rouge. Elle n'aime le ballon.", "le"),
        ("Anna et Tom va au parc.", "va"),
        ("Tom va au parc pendant que Anna va au marché.", "que"),
        ("Il y a une clé rouge près de le banc.", "le"),
        ("Il y a une clé rouge près de l'haie.", "haie"),
        ("Il y a une clé rouge près du banc. Elle est vert.", "vert"),
    ],
)
def test_wrong_french_is_invalid_where_it_is_wrong(french, word):
    found = town.score(french, "french", ANY_LENGTH)
    assert not found.valid and found.consistent is None
    assert town.tokenise(french)[found.position] == word, found
    assert f"'{word}'" in found.error


@pytest.mark.parametrize(
    ("text", "where", "position"),
    [
        ("gloves is in the park .", "sentence 1, word 1: found 'gloves'", 0),
        ("tom is in the park . he has quince .", "sentence 2, word 3: found 'quince'", 8),
    ],
)
def test_sentences_and_their_words_are_counted_from_1(text, where, position):
    found = town.score(text)
    assert found.error.startswith(where) and found.position == position


@pytest.mark.parametrize(
    ("english", "sentence", "words"),
    [
        ("Anna has a red ball. Tom gives the ball to Anna.", 2, "tom holds nothing"),
        (
            "Anna is in the park. There is a red ball near the tree. She takes the ball.",
            3,
            "nothing lies where anna is",
        ),
        ("Anna has a red ball. She likes the blue ball.", 2, "knows no blue ball"),
        ("Anna has a red ball and a blue ball. She likes the ball.", 2, "more than one ball"),
        ("Anna is in the park. She is at the beach.", 2, "where they are"),
        ("Anna is in the park. He goes to the beach.", 2, "'he' is not clear"),
        ("It is raining. Anna goes to the park because it is sunny.", 2, "different weather earlier"),
        ("Tom has a red ball. Anna wants the ball because it is blue.", 2, "not like this"),
        (
            "Tom is in the park. There is a red ball near the tree. Anna is at the farm. There is a blue key "
            "near the cart. Anna takes the ball.",
            5,
            "the red ball is near the tree, which does not fit",
        ),
        (
            "Anna is in the park. Anna has a blue key. Tom is in the park. Tom has a red ball. Anna gives "
            "the ball to Tom.",
            5,
            "tom has the red ball, which does not fit",
        ),
        (
            "Anna is in the park. There are some red gloves near the tree. Anna has a blue key. Tom is in "
            "the park. Anna gives the gloves to Tom.",
            5,
            "the red gloves are near the tree, which does not fit",
        ),
    ],
)
def test_what_cannot_happen_is_inconsistent(english, sentence, words):
    found = town.score(english, grammar=ANY_LENGTH)
    assert found.valid and found.consistent is False and found.log_prob == -math.inf
    assert f"sentence {sentence}:" in found.error and words in found.error, found.error
    starts = [0] + [i + 1 for i, token in enumerate(town.tokenise(english)) if token == "."]
    assert found.position == starts[sentence - 1]


def test_a_pronoun_of_the_wrong_gender_is_inconsistent():
    start = "Tom a une clé rouge. Anna veut la clé parce qu'"
    assert town.score(start + "elle est rouge.", "french", ANY_LENGTH).consistent
    wrong = town.score(start + "il est rouge.", "french", ANY_LENGTH)
    assert wrong.valid and wrong.consistent is False and "'elle'" in wrong.error


def test_alignments_link_words_that_mean_the_same():
    colours = {form: word for word, forms in lexicon.COLOURS.items() for form in forms}
    traits = {form: word for word, forms in lexicon.TRAITS.items() for form in forms} | {"vieil": "old"}
    nouns = {
        noun.french: word
        for table in (lexicon.THINGS, lexicon.PLACES, lexicon.SPOTS)
        for word, noun in table.items()
    }
    names = {french: english for english, french in lexicon.FRENCH_NAMES.items()}
    meaning = colours | traits | nouns | names | {"pas": "not", "et": "and", "que": None, "qu'": None}
    pairs = town.sentence_pairs(1500, 11)
    crossing = 0
    for pair in pairs:
        for j, word in enumerate(pair.french):
            linked = [pair.english[i] for i, k in pair.alignment if k == j]
            assert linked, (pair, word)  # in this Town each French word answers an English one
            if meaning.get(word):
                assert linked == [meaning[word]], (pair, word)
        links = pair.alignment
        crossing += any(b < d for (a, d), (c, b) in pairwise(links) if c > a)
    assert 0.5 < crossing / len(pairs) < 0.95


def test_text_and_tokens():
    assert town.tokenise("L'écharpe d'Anna n'est pas là, aujourd'hui.") == (
        "l'", "écharpe", "d'", "anna", "n'", "est", "pas", "là", ",", "aujourd'hui", ".",
    )  # fmt: skip
    for story in town.stories(50, 12):
        assert town.tokenise(story.english) == story.english_tokens
        assert town.tokenise(story.french) == story.french_tokens


def test_vocabulary():
    pairs = town.sentence_pairs(9_000, 2)
    for language in ("english", "french"):
        words = town.vocabulary(language)
        assert words == sorted(set(words)) and 80 <= len(words) <= 170
        seen = {token for pair in pairs for token in getattr(pair, language)}
        assert seen <= set(words)
        assert len(set(words) - seen) <= 4, set(words) - seen  # next to nothing in the list is rare


# ---------------------------------------------------------------- what a story knows

HAND_MADE = (
    "Today, Anna and Tom are in the park. There is a small red ball and an old key near the bench.",
    "Anna is in the park. There is a small red ball and an old blue key near the bench. "
    "She takes the red ball that is near the bench because it is small. Tom goes to the park. "
    "Anna gives the ball to Tom. He goes to the farm with the ball. He leaves the ball at the farm. "
    "Anna takes the key, then she goes to the farm.",
)


def test_state_and_coreference_of_a_story_made_by_hand():
    assert not town.score(HAND_MADE[0]).valid  # an old key has no colour
    story = town.read(HAND_MADE[1])
    assert story.state == {
        "people": {"anna": "farm", "tom": "farm"},
        "things": {"small red ball": ("at", "farm"), "old blue key": ("held", "anna")},
        "weather": None,
    }
    meant = [(m.sentence, story.sentences[m.sentence].english[m.token], m.entity) for m in story.coreference]
    assert meant == [
        (2, "she", "anna"),
        (2, "it", "small red ball"),
        (5, "he", "tom"),
        (6, "he", "tom"),
        (7, "she", "anna"),
    ]
    answers = {" ".join(q.question): " ".join(q.answer) for q in story.questions}
    assert answers["where is anna ?"] == "at the farm"
    assert answers["where is the red ball ?"] == "at the farm"
    assert answers["where is the blue key ?"] == "anna has it"
    assert answers["who has the red ball ?"] == "nobody"
    assert answers["who has the blue key ?"] == "anna"
    assert answers["what colour is the ball ?"] == "red"
    assert answers["does anna have the blue key ?"] == "yes"
    assert answers["does tom have the blue key ?"] == "no"
    assert answers["is tom at the farm ?"] == "yes"
    assert answers["how many things does anna have ?"] == "one"
    assert answers["how many things does tom have ?"] == "none"


def _things_in(words, where):
    """The known things that a list of words names."""
    found = []
    for i, word in enumerate(words):
        if word in lexicon.THINGS:
            said = set()
            k = i - 1
            while words[k] in lexicon.COLOURS or words[k] in lexicon.TRAITS:
                said.add(words[k])
                k -= 1
            fits = [thing for thing in where if thing.split()[-1] == word and said <= set(thing.split())]
            assert len(fits) == 1, (words, where)
            found.append(fits[0])
    return found


def _new_things_in(words):
    """Descriptions of the new things that a list of words names."""
    found, current = [], []
    for word in words:
        if word in lexicon.COLOURS or word in lexicon.TRAITS:
            current.append(word)
        elif word in lexicon.THINGS:
            found.append(" ".join([*current, word]))
            current = []
    return found


def _follow_by_reading(story):
    """A second opinion on the final state: reads the English words, knowing nothing of the grammar."""
    place, where = {}, {}
    pronoun_at = {(m.sentence, m.token): m.entity for m in story.coreference}
    for number, sentence in enumerate(story.sentences):
        words = [pronoun_at.get((number, i), word) for i, word in enumerate(sentence.english)]
        text = " ".join(words).removesuffix(" .").split(" because ")[0]
        for start in ("today , ", "this morning , ", "this evening , ", "now , ", "later , "):
            text = text.removeprefix(start)
        for part in text.replace(" , then ", "|").replace(" while ", "|").replace(" , but ", "|").split("|"):
            w = part.split()

            end = (w[-3], w[-1]) if len(w) > 2 and w[-2] == "the" else None
            verb = next(
                (v for v in w if v in {v for forms in lexicon.VERBS.values() for v in forms[:2]}), None
            )
            if w[0] == "there":
                where.update(dict.fromkeys(_new_things_in(w), end))
                continue
            cut = w.index(verb) if verb else 0
            subject = [x.strip(",") for x in w[:cut] if x.strip(",") in lexicon.NAMES]
            for name in subject:
                place.setdefault(name, None)
            if "not" in w or not subject:
                continue
            rest = w[cut + 1 :]
            if verb in ("is", "are"):
                place.update(dict.fromkeys(subject, w[-1]))
            elif verb in ("goes", "go"):
                to = rest[rest.index("to") + 2]
                company = rest[rest.index("with") :] if "with" in rest else []
                place.update(dict.fromkeys(subject + [x for x in company if x in lexicon.NAMES], to))
            elif verb == "has" and rest[0] in ("a", "an", "some"):
                where.update(dict.fromkeys(_new_things_in(rest), ("held", subject[0])))
            elif verb in ("takes", "gets"):
                where.update(dict.fromkeys(_things_in(rest, where), ("held", subject[0])))
            elif verb == "gives":
                receiver = rest[rest.index("to") + 1]
                where.update(dict.fromkeys(_things_in(rest, where), ("held", receiver)))
            elif verb == "puts":
                where.update(dict.fromkeys(_things_in(rest, where), end))
            elif verb == "leaves":
                where.update(dict.fromkeys(_things_in(rest, where), ("at", w[-1])))
    return place, where


def test_states_agree_with_a_second_reader():
    for story in town.stories(400, 21):
        place, where = _follow_by_reading(story)
        assert place == story.state["people"], (story.english, place)
        assert where == story.state["things"], (story.english, where)


def test_questions_agree_with_the_state():
    kinds = set()
    for story in town.stories(200, 13):
        people, things = story.state["people"], story.state["things"]
        for asked in story.questions:
            q, answer = asked.question, asked.answer
            kinds.add(q[0])
            assert q[-1] == "?"
            if "the" in q and q[0] in ("who", "does"):
                noun, colour = q[-2], q[-3]
                (where,) = [where for thing, where in things.items() if thing.split()[-2:] == [colour, noun]]
                holder = where[1] if where[0] == "held" else "nobody"
                assert answer == ((holder,) if q[0] == "who" else ("yes" if q[1] == holder else "no",))
            elif q[0] == "is":
                assert answer == ("yes" if people[q[1]] == q[-2] else "no",)
            elif q[0] == "what":
                assert [thing.split()[-2] for thing in things if thing.split()[-1] == q[-2]] == [answer[0]]
            elif q[0] == "how":
                held = sum(where == ("held", q[-3]) for where in things.values())
                assert answer == (("none", "one", "two", "three", "four", "five")[held],)
        words = set(town.vocabulary("english", questions=True))
        assert all(set(asked.question) | set(asked.answer) <= words for asked in story.questions)
    assert kinds == {"where", "is", "who", "what", "does", "how"}


# ---------------------------------------------------------------- sentences for translation


def test_a_sentence_never_changes_its_split():
    """Records and measured results hold for these splits, on every machine and in every process."""
    for split, sentence in (
        ("train", "clara likes max ."),
        ("validation", "max has the red ball ."),
        ("test", "emma is hungry ."),
    ):
        assert town.split_of(tuple(sentence.split())) == split


def test_splits_share_no_sentence():
    drawn = {split: town.sentence_pairs(700, 1, split) for split in ("train", "validation", "test")}
    texts = {split: {pair.english for pair in pairs} for split, pairs in drawn.items()}
    assert not texts["train"] & texts["test"]
    assert not texts["train"] & texts["validation"]
    assert not texts["validation"] & texts["test"]
    everything = [town.split_of(pair.english) for pair in town.stories(1, 0).__next__().sentences] + [
        town.split_of((str(i),)) for i in range(5000)
    ]
    assert everything.count("train") / len(everything) == pytest.approx(0.8, abs=0.03)
    assert everything.count("test") / len(everything) == pytest.approx(0.1, abs=0.02)


@pytest.mark.alone
def test_pairs_are_the_same_for_a_seed_and_have_all_lengths():
    assert speed(lambda piece: town.sentence_pairs(75, piece), 75, 4_000) > 4_000
    pairs = town.sentence_pairs(10_000, 5)
    assert pairs[:500] == town.sentence_pairs(500, 5)
    lengths = [len(pair.english) for pair in pairs]
    assert min(lengths) == 4 and max(lengths) == 30
    assert all(lengths.count(n) >= 20 for n in range(4, 29))
    assert 12 < statistics.mean(lengths) < 15
    assert len({pair.english for pair in pairs}) > 9_000


# ---------------------------------------------------------------- wrong arguments


def test_errors_name_the_argument():
    with pytest.raises(ValueError, match="language"):
        town.score("Anna goes to the park.", "german")
    with pytest.raises(ValueError, match="language"):
        town.vocabulary("latin")
    with pytest.raises(ValueError, match="split"):
        town.sentence_pairs(1, 0, "dev")
    with pytest.raises(ValueError, match="places"):
        Grammar(places=("park", "school"))
    with pytest.raises(ValueError, match="kinds"):
        Grammar(kinds=("weather",), kind_weights=(1,))
    with pytest.raises(ValueError, match="joins"):
        Grammar(joins=("then",), join_weights=(1,))
    with pytest.raises(ValueError, match="knows no blue ball"):
        town.read("Anna has a red ball. She likes the blue ball.", grammar=ANY_LENGTH)
