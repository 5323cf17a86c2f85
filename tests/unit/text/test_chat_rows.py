"""Chats for training: what counts, the same ids as in use, packed and kept apart."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from course_lib.masks import document_mask
from course_lib.models.gpt import GPT, GPTConfig
from course_lib.text.bpe import train_bpe
from course_lib.text.chat import CHAT_TOKENS, TOOL_TOKENS, ChatWords, Turn, chat_row, encode_chat, read_turns
from course_lib.text.chat_rows import pack_chats, stack_chats
from course_lib.text.tokenizers import BOS_ID, PAD_ID, UNK_ID
from course_lib.training.objectives import answer_loss, shift, token_loss

WORDS = ChatWords(["a", "b", "c", "d", "?"])
MARKERS = WORDS.special
USER, ASSISTANT, END = (MARKERS[f"<|{name}|>"] for name in ("user", "assistant", "end"))
CALL, TOOL = (MARKERS[token] for token in TOOL_TOKENS)
SUM = [Turn("user", "a ?"), Turn("call", "b"), Turn("tool", "c"), Turn("assistant", "d a")]
roles = st.sampled_from(["system", "user", "assistant", "call", "tool"])
said = st.lists(st.sampled_from(["a", "b", "?", "z", *MARKERS, "[BOS]", "[EOS]", "[PAD]"]), max_size=4)
chats = st.lists(st.tuples(roles, said), max_size=5)


def test_a_row_by_hand():
    a, b, c, d, mark = range(4, 9)
    row = chat_row(SUM, WORDS)
    assert row.ids == [
        BOS_ID, USER, a, mark, END, ASSISTANT, CALL, b, END, TOOL, c, END, ASSISTANT, d, a, END
    ]  # fmt: skip
    assert row.labels == [*[-100] * 6, CALL, b, END, *[-100] * 4, d, a, END]


@given(chats)
def test_only_answers_and_calls_with_their_ends_count(turns):
    n_answers = sum(role in ("assistant", "call") for role, _ in turns)
    if not n_answers:
        with pytest.raises(ValueError, match="no turn of the assistant"):
            chat_row(turns, WORDS)
        return
    row = chat_row(turns, WORDS)
    assert row.labels.count(END) == n_answers  # as many ends are trained as there are answers
    assert ASSISTANT not in row.labels and TOOL not in row.labels and USER not in row.labels
    words = sum(len(text) for role, text in turns if role in ("assistant", "call"))
    assert sum(row.answer) == words + n_answers + sum(role == "call" for role, _ in turns)


@given(chats)
def test_a_chat_has_the_same_ids_when_it_is_trained_and_when_it_is_used(turns):
    """At each of its turns the assistant reads what it has read in training, and no `[BOS]` comes twice."""
    if not any(role in ("assistant", "call") for role, _ in turns):
        return
    row = chat_row(turns, WORDS)
    assert row.ids == encode_chat(turns, WORDS)
    for number, (role, text) in enumerate(turns):
        prompt = encode_chat(turns[:number], WORDS, reply=True)
        assert prompt.count(BOS_ID) == 1 and prompt[0] == BOS_ID
        if role in ("assistant", "call"):
            written = [CALL] * (role == "call") + [*WORDS.encode(text), END]
            assert row.ids[: len(prompt) + len(written)] == prompt + written
            assert row.answer[len(prompt) :][: len(written)] == [True] * len(written)
            assert not row.answer[len(prompt) - 1]


@given(chats)
def test_nobody_spells_a_marker(turns):
    ids = encode_chat(turns, WORDS)
    seen = read_turns(ids, WORDS)
    assert [turn.role for turn in seen] == [role for role, _ in turns]
    assert ids.count(END) == len(turns)
    special = {*MARKERS.values(), BOS_ID, PAD_ID}
    assert not special & set(WORDS.encode([word for _, text in turns for word in text]))


def test_words_behind_the_markers_and_typed_markers():
    assert WORDS.encode("a <|end|> z [EOS]") == [4, UNK_ID, UNK_ID, UNK_ID]
    assert WORDS.unknown("z a <|end|> z") == ["z", "<|end|>"]
    assert WORDS.decode([4, END]) == "a <|end|>" and len(WORDS) == 4 + 5 + 6
    assert WORDS.fingerprint != ChatWords(["a", "b", "c", "d"]).fingerprint
    with pytest.raises(ValueError, match="markers holds '<\\|end\\|>'"):
        ChatWords(["a", "<|end|>"])
    with pytest.raises(
        ValueError, match="role is 'root', expected one of system, user, assistant, call, tool"
    ):
        encode_chat([("root", "a")], WORDS)


def test_without_tool_tokens_there_are_no_tools():
    plain = ChatWords(["a"], CHAT_TOKENS)
    with pytest.raises(ValueError, match=r"role is 'tool', expected one of system, user, assistant$"):
        encode_chat([("tool", "a")], plain)
    bpe = train_bpe("a b a b", 262, CHAT_TOKENS)
    row = chat_row([("user", "a"), ("assistant", "b")], bpe)
    assert row.ids == encode_chat([("user", "a"), ("assistant", "b")], bpe) and sum(row.answer) == 2


def test_a_call_in_the_middle_of_an_answer_is_none():
    ids = [*encode_chat([("user", "a")], WORDS, reply=True), 5, CALL, 6, END]
    assert read_turns(ids, WORDS)[1:] == [("assistant", "b <|call|> c")]


# ---------------------------------------------------------------- rows

LONG = [Turn("user", "a b c ?"), Turn("assistant", "b"), Turn("user", "c"), Turn("assistant", "a d")]
SHORT = [Turn("user", "d"), Turn("assistant", "c")]
ROWS = [chat_row(turns, WORDS) for turns in (SUM, SHORT, LONG, SHORT, SUM)]


def gpt():
    torch.manual_seed(0)
    sizes = {"d_model": 16, "n_heads": 2, "n_layers": 2, "max_len": 40, "init_std": 0.3}
    return GPT(GPTConfig(len(WORDS), positions="rotary", **sizes)).eval()


def test_whole_chats_fill_the_rows():
    packed = pack_chats(ROWS, 26)
    assert packed.chats.amax(1).tolist() == [1, 1, 0]
    found = []
    for ids, answer, chats in zip(*(part.tolist() for part in packed), strict=True):
        for number in range(max(chats) + 1):
            at = [i for i, chat in enumerate(chats) if chat == number]
            found.append(([ids[i] for i in at], [answer[i] for i in at]))
        assert all(ids[i] == PAD_ID and not answer[i] for i, chat in enumerate(chats) if chat == -1)
    assert found == [tuple(row) for row in ROWS]
    assert (packed.labels == END).sum() == 2 + 1 + 2 + 1 + 2  # answers and calls
    assert torch.equal(packed.labels != -100, packed.answer)


def test_packed_chats_do_not_see_each_other():
    model, packed, alone = gpt(), pack_chats(ROWS, 26), stack_chats(ROWS)
    with torch.no_grad():
        mask = document_mask(packed.chats)
        together, single = model(packed.ids, mask)[0], model(alone.ids)[0]
    torch.testing.assert_close(together[packed.chats >= 0], single[alone.chats >= 0], rtol=1e-4, atol=1e-5)
    with torch.no_grad():
        leaking = model(packed.ids)[0]
    assert (leaking - together)[packed.chats == 1].abs().max() > 0.01


def test_loss_and_gradients_of_packed_chats_are_those_of_the_same_chats_alone():
    model, packed, alone = gpt(), pack_chats(ROWS, 26), stack_chats(ROWS)
    inputs, _ = shift(packed.ids)
    mask = document_mask(packed.chats[:, :-1])
    together = token_loss(model(inputs, mask)[0], packed.labels[:, 1:])
    apart = answer_loss(model, (alone.ids, alone.answer))
    assert together.item() == pytest.approx(apart.item(), abs=1e-5)
    parameters = [p for p in model.parameters() if p.requires_grad]
    for ours, theirs in zip(
        torch.autograd.grad(together, parameters), torch.autograd.grad(apart, parameters), strict=True
    ):
        torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-4)


def test_the_gradient_at_everything_given_is_exactly_zero():
    packed = pack_chats(ROWS, 26)
    inputs, _ = shift(packed.ids)
    logits = torch.randn(
        *inputs.shape, len(WORDS), generator=torch.Generator().manual_seed(0)
    ).requires_grad_()
    F.cross_entropy(logits.flatten(0, 1), packed.labels[:, 1:].flatten()).backward()
    moved = logits.grad.abs().sum(-1) != 0  # (N, L - 1)
    assert torch.equal(moved, packed.answer[:, 1:])


def test_what_does_not_fit_is_named():
    with pytest.raises(ValueError, match=r"rows\[2\] has 17 tokens, expected at most 14"):
        pack_chats([ROWS[1], ROWS[1], ROWS[2]], 14)
    for make in (stack_chats, lambda rows: pack_chats(rows, 9)):
        with pytest.raises(ValueError, match="rows is empty"):
            make([])
