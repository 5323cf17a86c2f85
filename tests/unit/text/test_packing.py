"""Packed documents: nothing lost, nothing twice, labels one ahead; and what crosses a boundary."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.masks import document_mask
from course_lib.models.gpt import GPTConfig
from course_lib.text.packing import AT_END, FILLING, IGNORE, pack, positions
from course_lib.training import objectives

END = 0
DOCUMENTS = st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=12), min_size=1, max_size=8)
CATS, PURR, DOGS, BARK, LOUD = range(1, 6)


def test_the_example_of_the_docstring():
    packed = pack([[CATS, PURR], [DOGS, BARK, LOUD]], 5, END)
    assert packed.inputs.tolist() == [[END, CATS, PURR, END, DOGS], [BARK, LOUD, END, END, END]]
    assert packed.labels.tolist() == [[CATS, PURR, END, DOGS, BARK], [LOUD, END, IGNORE, IGNORE, IGNORE]]
    assert packed.documents.tolist() == [[0, 0, 0, 1, 1], [1, 1, FILLING, FILLING, FILLING]]
    assert packed.positions.tolist() == [[0, 1, 2, 3, 4]] * 2
    restarted = pack([[CATS, PURR], [DOGS, BARK, LOUD]], 5, END, restart=True)
    assert restarted.positions.tolist() == [[0, 1, 2, 0, 1], [0, 1, 0, 1, 2]]
    assert IGNORE == objectives.IGNORE


def unpack(packed):
    """The documents again, from the inputs: each without its boundary token."""
    inputs, owners = packed.inputs.flatten().tolist(), packed.documents.flatten().tolist()
    documents = {}
    for token, owner in zip(inputs, owners, strict=True):
        documents.setdefault(owner, []).append(token)
    return [document[1:] for owner, document in documents.items() if owner != FILLING]


@given(DOCUMENTS, st.integers(1, 20))
def test_nothing_is_lost_and_nothing_is_twice(documents, length):
    packed = pack(documents, length, END)
    assert unpack(packed) == documents
    assert {tuple(part.shape) for part in packed} == {(len(packed.inputs), length)}
    real = packed.documents.flatten() != FILLING
    assert real.sum() == sum(len(document) + 1 for document in documents)
    assert (~real).sum() < length and real[: int(real.sum())].all()  # filled at the end, with less than a row
    assert (packed.inputs.flatten()[~real] == END).all()


@given(DOCUMENTS, st.integers(1, 20))
def test_labels_are_the_inputs_one_ahead(documents, length):
    packed = pack(documents, length, END)
    inputs, labels = packed.inputs.flatten(), packed.labels.flatten()
    n = int((packed.documents != FILLING).sum())
    assert torch.equal(labels[: n - 1], inputs[1:n]) and labels[n - 1] == END
    assert (labels[n:] == IGNORE).all()


@given(DOCUMENTS, st.integers(1, 20), st.sampled_from(AT_END))
def test_what_the_last_token_of_a_document_has_to_predict(documents, length, at_end):
    usual, packed = pack(documents, length, END), pack(documents, length, END, at_end=at_end)
    owners, labels = packed.documents.flatten(), packed.labels.flatten()
    last = torch.zeros_like(owners, dtype=torch.bool)
    last[:-1] = (owners[:-1] != owners[1:]) & (owners[:-1] != FILLING)
    last[-1] = owners[-1] != FILLING
    wanted = {
        "boundary": [END] * len(documents),
        "next word": [document[0] for document in documents[1:]] + [IGNORE],
        "nothing": [IGNORE] * len(documents),
    }
    assert labels[last].tolist() == wanted[at_end]
    assert torch.equal(labels[~last], usual.labels.flatten()[~last])  # nothing else changes
    for ours, theirs in ((packed.inputs, usual.inputs), (packed.documents, usual.documents)):
        assert torch.equal(ours, theirs)


@given(DOCUMENTS, st.integers(1, 20))
def test_restarted_positions_count_from_the_document_or_the_row(documents, length):
    packed = pack(documents, length, END, restart=True)
    for owners, places in zip(packed.documents.tolist(), packed.positions.tolist(), strict=True):
        expected = [t - owners.index(owner) for t, owner in enumerate(owners)]  # owners of a row only rise
        if FILLING in owners:
            first = owners.index(FILLING)
            expected[first:] = range(length - first)
        assert places == expected
    assert torch.equal(packed.positions, positions(packed.documents, restart=True))


def logits_at(model, packed, masked):
    """A GPT-2-like model reads packed rows, each token at its own position."""
    x = model.token_embedding(packed.inputs) + model.position_embedding(packed.positions)  # (N, T, D)
    causal = document_mask(torch.zeros_like(packed.documents))
    allowed = document_mask(packed.documents) if masked else causal
    for layer in model.layers:
        x, _, _ = layer(x, allowed)
    return model.lm_head(model.final_norm(x))  # (N, T, V)


@settings(max_examples=25, deadline=None)
@given(DOCUMENTS.filter(lambda some: len(some) > 1), st.integers(0, 7), st.integers(0, 11), st.booleans())
def test_what_crosses_a_boundary(documents, which, place, restart):
    """Another word in one document: without the mask the next documents of the row notice, wherever their
    positions begin; with it nobody else does, ever."""
    torch.manual_seed(0)
    model = GPTConfig(10, d_model=16, n_heads=2, n_layers=2, max_len=128, init_std=0.5).build()
    which %= len(documents) - 1  # one with another behind it
    other = [list(document) for document in documents]
    place %= len(other[which])
    other[which][place] = other[which][place] % 9 + 1
    before, after = (pack(some, 128, END, restart=restart) for some in (documents, other))
    with torch.no_grad():
        for masked in (False, True):
            moved = (logits_at(model, before, masked) - logits_at(model, after, masked)).abs().amax(-1)[0]
            own = before.documents[0]
            assert moved[own == which].max() > 1e-3
            assert (moved[(own != FILLING) & (own < which)] < 1e-6).all()  # causal: nothing flows back
            later = own > which
            assert (moved[later] < 1e-6).all() if masked else moved[later].max() > 1e-5


def test_with_the_mask_and_restarted_positions_a_document_is_read_as_if_alone():
    torch.manual_seed(0)
    model = GPTConfig(10, d_model=16, n_heads=2, n_layers=2, max_len=32, init_std=0.5).build()
    documents = [[1, 2, 3], [4, 5], [6, 7, 8, 9]]
    packed = pack(documents, 12, END, restart=True)
    with torch.no_grad():
        together = logits_at(model, packed, masked=True)[0]
        for number, document in enumerate(documents):
            alone = model(torch.tensor([[END, *document]]))[0][0]
            assert torch.allclose(together[packed.documents[0] == number], alone, atol=1e-5)
        running = logits_at(model, pack(documents, 12, END), masked=True)[0]
    assert (running - together)[4:].abs().max() > 1e-3  # learned positions know where in the row they stand


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pack([], 4, END), "documents is empty"),
        (lambda: pack([[1], []], 4, END), r"documents\[1\] is empty"),
        (lambda: pack([1, 2, 3], 4, END), r"documents\[0\] is 1, .* one text where many"),
        (lambda: pack(["ab"], 4, END), "a text that is not encoded"),
        (lambda: pack([torch.tensor([1])], 4, END), r"write ids\.tolist\(\)"),
        (lambda: pack([[1, END]], 4, END), r"documents\[0\] holds the boundary token 0"),
        (lambda: pack([[1]], 0, END), "length is 0, expected at least 1"),
        (lambda: pack([[1]], 4, END, at_end="eos"), "at_end is 'eos', expected one of boundary"),
    ],
)
def test_errors_say_what_was_expected(call, message):
    with pytest.raises(ValueError, match=message):
        call()
