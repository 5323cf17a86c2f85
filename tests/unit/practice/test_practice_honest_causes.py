"""No cause is told that is not the answer's: brackets for a stub, two slips that make none, nonsense that fits."""

from course_lib.practice import desk

# --- an error of an operation is no stub --------------------------------------------------------------------


def brackets_forgotten(ids, chosen, throw, drawn, mask_id):
    labels = ids.masked_fill(~chosen, -100)
    reads = ids.clone()
    reads[chosen & throw < 0.8] = mask_id
    swap = chosen & (throw >= 0.8) & (throw < 0.9)
    reads[swap] = drawn[swap]
    return reads, labels


def brackets_and_more(ids, chosen, throw, drawn, mask_id):
    reads = ids.clone()
    if (chosen & throw > 0.8).any():
        reads = drawn
    return reads, ids


def on_purpose(ids, chosen, throw, drawn, mask_id):
    return ids, ids[(chosen & throw) < 0.8]


def test_an_operation_that_torch_does_not_implement_is_a_try():
    result = desk.run_check("08.corrupt", brackets_forgotten)
    assert (result.status, result.kind) == ("not yet", "error")
    assert result.line[1] == "reads[chosen & throw < 0.8] = mask_id"
    assert result.message.count("`&` binds more closely than `<`: Python reads `chosen & throw` first.") == 1
    assert "With `chosen & (throw < 0.8)` in place of `chosen & throw < 0.8` your" in result.message


def test_the_cause_is_told_where_it_is_not_the_only_slip():
    message = desk.run_check("08.corrupt", brackets_and_more).message
    assert "binds more closely than `>`" in message and "Put each comparison in brackets." in message
    assert "binds more closely" not in desk.run_check("08.corrupt", on_purpose).message


def test_what_the_learner_raises_herself_is_still_a_stub():
    def half(ids, chosen, throw, drawn, mask_id):
        labels = ids.masked_fill(~chosen, -100)
        raise NotImplementedError("reads")
        return labels

    assert desk.run_check("08.corrupt", half).kind == "stub"
