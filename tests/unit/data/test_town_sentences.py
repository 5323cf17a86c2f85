"""A story judged sentence by sentence agrees with the verdict on the whole."""

from itertools import pairwise

from course_lib.data import town


def test_a_told_story_is_right_in_each_sentence():
    for story in town.stories(60, seed=4):
        verdicts = town.by_sentence(story.english_tokens)
        assert all(one.finished and one.valid and one.consistent and one.error is None for one in verdicts)
        ends = [i + 1 for i, token in enumerate(story.english_tokens) if token == "."]
        assert [one.stop for one in verdicts] == ends and [one.start for one in verdicts] == [0, *ends[:-1]]


def test_the_first_wrong_sentence_is_the_whole_story_s():
    """Sentences from other stories do not fit: where the whole goes wrong first, its sentence does."""
    kinds = set()
    mixed = list(town.stories(80, seed=5))
    for one, other in pairwise(mixed):
        first = town.by_sentence(one.english_tokens)[1].stop
        tokens = (
            one.english_tokens[:first]
            + other.english_tokens[town.by_sentence(other.english_tokens)[1].stop :]
        )
        whole = town.score(tokens)
        verdicts = town.by_sentence(tokens)
        wrong = [n for n, verdict in enumerate(verdicts) if verdict.error]
        if whole.error and whole.error.startswith("sentence"):
            n = int(whole.error.split()[1].rstrip(":,")) - 1
            assert wrong[0] == n and whole.error.endswith(verdicts[n].error)
            assert verdicts[n].consistent is (False if whole.valid else None)
            assert all(verdict.consistent is None for verdict in verdicts[n + 1 :])
            kinds.add(whole.valid)
    assert True in kinds


def test_a_sentence_that_is_being_told_and_one_that_is_none():
    text = "anna is at the farm . she quince . tom is at the farm . he"
    first, second, third, last = town.by_sentence(town.tokenise(text))
    assert first == (0, 6, True, True, True, None)
    assert second[:5] == (6, 9, True, False, None) and second.error.startswith("found 'quince', expected ")
    assert third == (9, 15, True, True, None, None)
    assert last == (15, 16, False, None, None, None)
    assert town.by_sentence(()) == []
    known = town.by_sentence(town.tokenise("anna is at the farm . she takes the ball ."))[1]
    assert known.consistent is False and known.error == "the story knows no ball"
