"""Questions about stories: true by a second opinion, balanced, fair; their styles, preferences, baseline."""

import random
from collections import Counter

import pytest

from course_lib.data import town
from course_lib.data.town import lexicon, questions
from course_lib.data.town.questions import forms, styles
from course_lib.data.town.questions.facts import COUNT, REFUSAL, UNKNOWN, facts, unsaid
from course_lib.data.town.questions.rewriting import rewritings

TRAINED = questions.ask(6_000, 4, per_story=3)
HELD_OUT = questions.ask(2_100, 5)
SUMS = questions.ask_sums(1_500, 4)
ALL = (*TRAINED, *HELD_OUT, *SUMS)


def true_answer(one, state):
    """A second opinion on the short answer: reads the plain question against the state, by its words."""
    people, q = state["people"], one.plain
    things = {tuple(thing.split()[-2:]): where for thing, where in state["things"].items()}

    def location(where):
        if where is None:
            return ("unknown",)
        return ("with", where[1]) if where[0] == "held" else lexicon.located(where).english

    if one.kind == "where":
        if q[-1] in lexicon.NAMES:
            place = people.get(q[-1])
            return location(place and ("at", place))
        return location(things.get(q[-2:]))
    if one.kind == "how many":
        held = sum(where == ("held", q[-2]) for where in things.values())
        return (COUNT[held] if q[-2] in people else "unknown",)
    if one.kind == "colour":
        (colour,) = {colour for colour, noun in things if noun == q[-1]} or {"unknown"}
        return (colour,)
    if one.kind == "is":
        place = people.get(q[1])
        return ("unknown" if place is None else "yes" if place == q[-1] else "no",)
    where = things.get(q[-2:])
    if where is None:
        return ("unknown",)
    if one.kind == "who":
        return (where[1] if where[0] == "held" else "nobody",)
    return ("yes" if where == ("held", q[1]) else "no",)


def test_the_answers_are_true():
    told = list(town.stories(HELD_OUT[-1].number + 1, 5))
    kinds = Counter()
    for one in HELD_OUT:
        story = told[one.number]
        assert one.story == story.english_tokens
        if one.kind in questions.STORY_KINDS:
            assert one.short == (*true_answer(one, story.state), "."), (story.english, one)
            kinds[one.kind, one.known] += 1
    assert len(kinds) == 12 and min(kinds.values()) > 30


def test_short_and_whole_say_the_same():
    for one in ALL:
        assert one.short[-1] == one.whole[-1] == "." and "?" not in one.whole
        if not one.known:
            assert one.short == ("unknown", ".") and one.whole[2:] == REFUSAL[2:]
        elif one.kind == "who":
            assert one.whole == (one.short[0], *one.plain[1:], ".")
        elif one.kind in ("does", "is"):
            assert one.whole[:2] == (one.short[0], ",") and ("not" in one.whole) == (one.short[0] == "no")
        else:
            assert one.whole[-len(one.short) :] == one.short


def test_answers_agree_with_what_the_story_itself_offers():
    """`Story.questions` is older, and asks the same in other words."""
    for story in town.stories(100, 13):
        mine = {fact.direct: fact for fact in facts(story)}
        assert len(mine) == len(list(facts(story)))
        for old in story.questions:
            fact = mine.get(old.question[:-1])
            if fact is None:  # it may ask of a place that is not told
                assert old.question[0] == "is" and old.answer == ("no",)
            elif fact.kind == "where" and fact.short[0] == "with":
                assert old.answer[0] == fact.short[1]
            else:
                assert old.answer == fact.short[:-1]


def test_what_is_not_said_is_not_said():
    rng = random.Random(0)
    for story in town.stories(200, 14):
        known = {fact.direct for fact in facts(story)}
        for kind in questions.STORY_KINDS:
            fact = unsaid(kind, story, rng)
            assert fact.kind == kind and not fact.known and fact.direct not in known
            assert fact.whole == REFUSAL


def test_rewritten_sentences_mean_the_same_person():
    groups = Counter()
    for story in town.stories(400, 15):
        for fact in rewritings(story):
            sentence = fact.direct[fact.direct.index(":") + 1 :]
            number = [s.english for s in story.sentences].index(sentence)
            groups[fact.group] += 1
            assert sentence[1:] == fact.short[1:] and fact.short == fact.whole
            if fact.group == "name":
                meant = {(m.sentence, m.token): m.entity for m in story.coreference}
                candidates = [n for n, s in enumerate(story.sentences) if s.english == sentence]
                assert fact.short[0] in {meant[n, 0] for n in candidates} and number in candidates
            else:
                assert (fact.short[0] == "she") == (sentence[0] in lexicon.FEMALE)
                assert fact.direct[3] == fact.short[0]
    assert min(groups.values()) > 100


# ---------------------------------------------------------------- choice


def test_kinds_and_answers_are_balanced():
    counts = Counter(one.kind for one in TRAINED)
    assert set(counts) == set(questions.KINDS) and max(counts.values()) - min(counts.values()) <= 7
    for kind in questions.STORY_KINDS:
        groups = Counter(one.group for one in TRAINED if one.kind == kind)
        assert groups[UNKNOWN] / counts[kind] == pytest.approx(0.15, abs=0.02)
    for kind in ("does", "is"):
        groups = Counter(one.group for one in TRAINED if one.kind == kind)
        assert groups["yes"] == pytest.approx(groups["no"], abs=20)


def test_fewer_are_the_first_of_more_and_a_story_gets_different_kinds():
    assert questions.ask(50, 4, per_story=3) == TRAINED[:50]
    assert questions.ask_sums(50, 4) == SUMS[:50]
    for i in range(0, 600, 3):
        assert len({one.number for one in TRAINED[i : i + 3]}) == 1
        assert len({one.kind for one in TRAINED[i : i + 3]}) == 3


def test_stories_of_other_seeds_are_other_stories():
    assert not {one.story for one in TRAINED} & {one.story for one in HELD_OUT}


def test_forms_held_out_are_never_trained_but_all_their_words_are():
    tested = (*questions.ask(1_400, 5, forms="held out"), *questions.ask_sums(200, 5, forms="held out"))
    trained_words = {word for one in (*TRAINED, *SUMS) for word in one.question}
    for one in tested:
        assert one.form in questions.held_out_forms(one.kind)
        assert set(one.question) <= trained_words | set(one.story) | set(one.plain)
    for one in (*TRAINED, *SUMS):
        assert one.form in questions.trained_forms(one.kind)
    for kind in (*questions.KINDS, "sum"):
        assert not set(questions.held_out_forms(kind)) & set(questions.trained_forms(kind))
        assert {one.form for one in (*TRAINED, *SUMS) if one.kind == kind} == set(
            questions.trained_forms(kind)
        )
        assert {one.form for one in tested if one.kind == kind} == set(questions.held_out_forms(kind))
    prefixes = {form: words for form, (words, _, _) in forms.FORMS.items()}
    for form in prefixes:  # each wording is trained with some kind
        assert any(form in questions.trained_forms(kind) for kind in (*questions.STORY_KINDS, "sum"))


def test_every_word_is_in_the_vocabulary():
    words = {*town.vocabulary("english"), *questions.new_words()}
    assert not set(town.vocabulary("english")) & set(questions.new_words())
    filled = [p.rejected for p in questions.preferences(HELD_OUT, 0)]
    for text in (*(x for one in ALL for x in (one.story, one.question, one.short, one.whole)), *filled):
        assert set(text) <= words
    assert max(len(one.story) + len(one.question) for one in ALL) < 170


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="kinds is \\('why',\\), expected some of where, who, colour"):
        questions.ask(1, 0, kinds=("why",))
    with pytest.raises(ValueError, match="per_story is 8, expected 1 to 7"):
        questions.ask(1, 0, per_story=8)
    with pytest.raises(ValueError, match="forms is 'new', expected one of trained, held out, all"):
        questions.ask(1, 0, forms="new")
    with pytest.raises(ValueError, match=r"digits is \(2, 1\)"):
        questions.ask_sums(1, 0, digits=(2, 1))
    with pytest.raises(ValueError, match="style is 'polite'"):
        questions.say(HELD_OUT[0], "polite", None)
    with pytest.raises(ValueError, match="n is 1, expected at least 2"):
        styles.filler(1, None)


# ---------------------------------------------------------------- answers


def test_every_style_of_every_right_answer_is_right():
    rng = random.Random(0)
    for one in (*HELD_OUT[:700], *SUMS[:200]):
        for style in questions.STYLES:
            answer = questions.say(one, style, rng)
            verdict = questions.judge(one, answer)
            assert verdict.right and verdict.refused == (not one.known)
            if one.kind != "rewrite":
                assert verdict.style == style
        assert not questions.judge(one, one.whole[:-1]).right
        assert not questions.judge(one, (*one.whole, ".")).right
        assert not questions.judge(one, ()).right
        assert not questions.judge(one, ("well", ",")).right


def test_a_refusal_is_wrong_where_the_story_says_it():
    for one in HELD_OUT:
        if one.kind in questions.STORY_KINDS:
            verdict = questions.judge(one, REFUSAL)
            assert verdict.refused and verdict.right == (not one.known)


def test_fillers_have_the_length_that_is_asked_for():
    rng = random.Random(0)
    for n in range(2, 20):
        words = styles.filler(n, rng)
        assert len(words) == n and set(words) <= styles.FILLER_WORDS and words[-1] == ","


def test_the_rule_of_preference_is_not_length():
    """By length alone nobody is right in more than half of the pairs, and both answers are equally long."""
    pairs = questions.preferences(TRAINED, 0)
    assert len(pairs) == sum(one.kind != "rewrite" for one in TRAINED)
    differences = [len(pair.chosen) - len(pair.rejected) for pair in pairs]
    assert differences.count(0) / len(pairs) == pytest.approx(0.5, abs=0.01)
    assert sum(d > 0 for d in differences) == pytest.approx(sum(d < 0 for d in differences), abs=10)
    assert abs(sum(differences)) / len(pairs) < 0.03
    for pair, d in zip(pairs, differences, strict=True):
        assert pair.length == ("longer" if d > 0 else "shorter" if d < 0 else "equal")
        assert questions.follows_rule(pair.chosen) and not questions.follows_rule(pair.rejected)
        for answer in (pair.chosen, pair.rejected):  # a preference, and no lesson in what is true
            assert questions.judge(pair.asked, answer).right
    assert pairs == questions.preferences(TRAINED, 0) != questions.preferences(TRAINED, 1)


def test_the_question_alone_leads_to_less_than_half():
    said = questions.by_question(TRAINED, HELD_OUT)
    right = Counter(one.kind for one, answer in zip(HELD_OUT, said, strict=True) if answer == one.short)
    share = {kind: n / sum(one.kind == kind for one in HELD_OUT) for kind, n in right.items()}
    assert 0.2 < sum(right.values()) / len(HELD_OUT) < 0.35
    assert share["where"] < 0.2 and share["colour"] < 0.25 and share["who"] < 0.3 and share["is"] < 0.5
    with pytest.raises(ValueError, match="learnt holds no question of the kind 'sum'"):
        questions.by_question(TRAINED, SUMS)
