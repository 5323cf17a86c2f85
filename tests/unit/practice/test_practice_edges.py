"""What statements spell out is tried: exact bounds, long texts, ids of 32 bits; and how sentences join."""

import torch

from course_lib.practice import desk, telling, two_slips, words
from course_lib.practice.running import Outcome


def message(id, function):
    return desk.run_check(id, function).message


def test_bounds_that_a_statement_fixes_are_tried_exactly():
    def choose_words(ids, special, throw):
        return ~torch.isin(ids, torch.tensor(special)) & (throw <= 0.15)

    def to_the_last(ids, chosen, throw, drawn, mask_id):
        reads = torch.where(chosen & (throw < 0.8), mask_id, ids)
        reads = torch.where(chosen & (throw >= 0.8) & (throw <= 0.9), drawn, reads)
        return reads, ids.masked_fill(~chosen, -100)

    def nsp_pairs(ends, throw, other, nsp):
        own, is_next = torch.arange(len(ends)), throw <= 0.5
        if not nsp:
            return ends.clone(), torch.full_like(own, -100)
        return ends[torch.where(is_next, own, other)], is_next.long()

    some = {"08.choose": choose_words, "08.corrupt": to_the_last, "08.nsp-pairs": nsp_pairs}
    for id, answer in some.items():
        assert "With `<` in place of `<=` your function is right" in message(id, answer)


def test_a_loop_over_exact_throws_is_as_right_as_a_mask():
    def corrupt(ids, chosen, throw, drawn, mask_id):
        reads, labels = ids.clone(), ids.clone()
        for b, t in torch.ones_like(ids).nonzero().tolist():
            x = throw[b, t].item()
            if not chosen[b, t]:
                labels[b, t] = -100
            elif x < 0.9:
                reads[b, t] = mask_id if x < 0.8 else drawn[b, t]
        return reads, labels

    assert desk.run_check("08.corrupt", corrupt).passed


def test_the_calculators_texts_are_bounded_and_its_solution_lets_no_error_out():
    exercise = desk.exercises()["10a.calculator"]
    assert "A text has at most 100 characters." in exercise.statement
    texts = [case.args[0] for case in (*exercise.cases(), *exercise.further())]
    assert max(map(len, texts)) == 100
    for text in ("+".join(["1"] * 50), "(" * 49 + "1" + ")" * 49, "1-" * 48 + "(1", "9*" * 49 + "9"):
        assert len(text) <= 100 and isinstance(exercise.reference(text), str)


def test_ids_of_32_bits_are_ids():
    def decoder_inputs(target, bos_id, pad_id):
        inputs = torch.cat([torch.full_like(target[:, :1], bos_id), target[:, :-1]], dim=1)
        return inputs.int(), target.masked_fill(target == pad_id, -100)

    assert desk.run_check("05.decoder-inputs", decoder_inputs).passed


def test_behind_a_colon_the_first_word_is_small():
    assert two_slips.told_both("One.", "Your mask is open.") == (
        "Two slips. One. And the second one: your mask is open."
    )
    assert words.within("BPE merges.") == "BPE merges." and words.within("`x` is.") == "`x` is."

    def dpo(chosen, rejected, ref_chosen, ref_rejected, chosen_mask, rejected_mask, beta):
        return torch.tensor(1.0)

    assert ": No gradient" not in message("10b.dpo", dpo)


def test_several_inputs_that_are_changed_are_inputs():
    exercise = desk.exercises()["09a.clip"]
    one, two, three = (
        telling.changed_sentence(exercise, [Outcome(changed=c)]) for c in ((0,), (0, 1), (0, 1, 2))
    )
    assert "its input `grad_W` in place, so whoever calls it finds the input overwritten." in one
    assert "its inputs `grad_W` and `grad_b` in place, so whoever calls it finds them overwritten." in two
    assert "its inputs `grad_W`, `grad_b` and `limit` in place" in three


def test_a_return_inside_the_loop_is_told_beside_what_was_recognised():
    def decode(ids, tokens):
        text = b""
        for i in ids:
            text += tokens[i]
            return text.decode("utf-8", errors="replace")
        return ""

    def none_for_no_ids(ids, tokens):
        text = b""
        for i in ids:
            text += tokens[i]
            return text.decode("utf-8", errors="replace")

    for answer in (decode, none_for_no_ids):
        told = message("07.decode", answer)
        assert told.count("Your `return` stands inside the loop and ends it in the first round") == 1
