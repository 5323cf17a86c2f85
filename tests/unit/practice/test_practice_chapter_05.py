"""Practice of chapter 05: learners' own ways of being wrong and right, and the facts in the tutor's words."""

import itertools
import math

import pytest
import torch
from torch.nn import functional as F

from course_lib import layers
from course_lib.chapters import CHAPTERS
from course_lib.generation import greedy
from course_lib.models.transformer import Encoder, StackConfig, TransformerConfig
from course_lib.practice import chapter_05 as five
from course_lib.practice import checking, desk
from course_lib.training.objectives import IGNORE, shift, token_loss

EXERCISES = {e.id.removeprefix("05."): e for e in five.EXERCISES}


def run(name, function):
    return checking.run_check(EXERCISES[name], function)


# --- references and solutions -------------------------------------------------------------------------------


def test_positions_are_those_of_the_library():
    for case in EXERCISES["sinusoidal"].cases():
        mine = EXERCISES["sinusoidal"].reference(*case.args)
        assert torch.allclose(mine, layers.sinusoidal_positions(*case.args), atol=1e-5)


def test_the_sub_layer_is_that_of_the_library():
    for case in EXERCISES["sublayer"].cases():
        x, f, gain, bias = case.args
        frame = layers.SubLayer(x.shape[-1])
        frame.norm.weight.data, frame.norm.bias.data = gain, bias
        with torch.no_grad():
            assert torch.allclose(EXERCISES["sublayer"].reference(*case.args), frame(x, f), atol=2e-5)


def test_inputs_and_labels_are_those_of_the_one_function_that_shifts():
    for case in EXERCISES["decoder-inputs"].cases():
        target, bos_id, pad_id = case.args
        theirs = shift(torch.cat([target.new_full((len(target), 1), bos_id), target], dim=1))
        inputs, labels = EXERCISES["decoder-inputs"].reference(*case.args)
        assert torch.equal(inputs, theirs[0])
        if pad_id == 0:  # the library's own
            assert torch.equal(labels, theirs[1])


def test_the_smoothed_loss_is_that_of_the_library_and_of_torch():
    for case in EXERCISES["smoothing"].cases():
        logits, labels, epsilon = case.args
        mine = EXERCISES["smoothing"].reference(*case.args)
        assert torch.allclose(mine, token_loss(logits[None], labels[None], label_smoothing=epsilon))
        torchs = F.cross_entropy(logits, labels, ignore_index=IGNORE, label_smoothing=epsilon)
        assert torch.allclose(mine, torchs)
        assert run("smoothing", lambda *a: F.cross_entropy(*a[:2], label_smoothing=a[2])).passed


def test_greedy_is_that_of_the_library_on_the_check_s_model_and_on_a_transformer():
    for case in EXERCISES["greedy"].cases():
        assert torch.equal(EXERCISES["greedy"].reference(*case.args), greedy(*case.args)[0])
    torch.manual_seed(5)
    config = TransformerConfig(
        d_model=16, n_heads=2, d_ff=32, source_vocab=9, target_vocab=9, encoder_layers=1, decoder_layers=1
    )
    model, source = config.build().eval(), torch.tensor([[4, 5, 6], [7, 8, 0]])
    assert torch.equal(five.GREEDY.reference(model, source, 6), greedy(model, source, 6)[0])


def test_a_beam_of_one_is_greedy_and_all_continuations_are_there():
    for case in EXERCISES["beam-step"].cases():
        scores, log_probs, k = case.args
        everything = [
            ((scores[n] + log_probs[n, v]).item(), n, v)
            for n in range(len(scores))
            for v in range(log_probs.shape[1])
        ]
        best = sorted(everything, reverse=True)[:k]
        parents, tokens, new_scores = five.BEAM_STEP.reference(scores, log_probs, k)
        assert [(n, v) for _, n, v in best] == list(zip(parents.tolist(), tokens.tolist(), strict=True))
        assert new_scores.tolist() == pytest.approx([score for score, _, _ in best])
        parents, tokens, _ = five.BEAM_STEP.reference(scores[:1], log_probs[:1], 1)
        assert (parents.item(), tokens.item()) == (0, log_probs[0].argmax().item())


# --- answers written from the statements alone --------------------------------------------------------------


def one_exponent_a_column(T, D):
    table = torch.zeros(T, D)
    for p in range(T):
        for j in range(D):
            angle = p / 10000 ** (j / D)
            table[p, j] = math.sin(angle) if j % 2 == 0 else math.cos(angle)
    return table


def power_of_all(T, D):
    angle = (torch.arange(T).float()[:, None] / 10000) ** (torch.arange(0, D, 2) / D)
    table = torch.empty(T, D)
    table[:, ::2], table[:, 1::2] = angle.sin(), angle.cos()
    return table


def std_of_torch(x, f, gain, bias):
    x = x + f(x)
    return gain * (x - x.mean(-1, keepdim=True)) / (x.std(-1, keepdim=True) + 1e-6) + bias


def normalised_road(x, f, gain, bias):
    def norm(y):
        return F.layer_norm(y, y.shape[-1:], gain, bias)

    x = norm(x)
    return norm(x + f(x))


def kept_from_the_input(x, allowed, attend, feed_forward, norm_1, norm_2):
    residual = x
    x = norm_1(residual + attend(x, x, x, allowed)[0])
    return norm_2(residual + feed_forward(x))


def normalised_in_place(x, allowed, attend, feed_forward, norm_1, norm_2):
    x = norm_1(x)
    x = norm_2(x + attend(x, x, x, allowed)[0])
    return x + feed_forward(x)


def both_cut(target, bos_id, pad_id):
    return target[:, :-1], target[:, 1:].masked_fill(target[:, 1:] == pad_id, -100)


def from_the_labels(target, bos_id, pad_id):
    labels = target.masked_fill(target == pad_id, -100)
    return torch.cat([torch.full((len(target), 1), bos_id), labels[:, :-1]], dim=1), labels


def mean_over_all(logits, labels, epsilon):
    V = logits.shape[-1]
    target = F.one_hot(labels.clamp(min=0), V) * (1 - epsilon) + epsilon / V
    return (-(target * logits.log_softmax(-1)).sum(-1) * (labels != -100)).mean()


def less_than_one(logits, labels, epsilon):
    counted, V = labels != -100, logits.shape[-1]
    target = torch.full((int(counted.sum()), V), epsilon / V)
    target[range(len(target)), labels[counted]] = 1 - epsilon
    return -(target * logits[counted].log_softmax(-1)).sum(-1).mean()


def growing_text(model, source, max_new):
    state, ids = model.encode(source), torch.full((len(source), 1), 1)
    for _ in range(max_new):
        logits, _, state = model.next_logits(ids, state)
        ids = torch.cat([ids, logits.argmax(-1, keepdim=True)], dim=1)
        if (ids == 2).any(dim=1).all():
            break
    return ids[:, 1:]


def end_not_written(model, source, max_new):
    state, token, ids = model.encode(source), torch.full((len(source), 1), 1), []
    done = torch.zeros(len(source), 1, dtype=torch.bool)
    for _ in range(max_new):
        logits, _, state = model.next_logits(token, state)
        token = logits.argmax(-1, keepdim=True)
        done = done | (token == 2)
        if done.all():
            break
        ids.append(token.masked_fill(done, 0))
    return torch.cat(ids, dim=1)


def best_word_of_each(scores, log_probs, k):
    best, tokens = (scores[:, None] + log_probs).max(dim=1)
    new_scores, parents = best.topk(min(k, len(best)))
    return parents, tokens[parents], new_scores


def products(scores, log_probs, k):
    total = (scores.exp()[:, None] * log_probs.exp()).flatten()
    new_scores, place = total.topk(k)
    return place // log_probs.shape[1], place % log_probs.shape[1], new_scores


@pytest.mark.parametrize(
    ("name", "answer", "told"),
    [
        ("sinusoidal", one_exponent_a_column, "two-clocks-in-a-pair"),
        ("sinusoidal", power_of_all, "power-of-the-whole"),
        ("sublayer", std_of_torch, "unbiased"),
        ("sublayer", normalised_road, "both-norms"),
        ("encoder-layer", kept_from_the_input, "residual-from-the-input"),
        ("encoder-layer", normalised_in_place, "norm-before-the-sum"),
        ("decoder-inputs", both_cut, "start-omitted"),
        ("decoder-inputs", from_the_labels, "marks-in-the-inputs"),
        ("smoothing", mean_over_all, "divided-by-all"),
        ("smoothing", less_than_one, "own-share-forgotten"),
        ("greedy", growing_text, "whole-text-again"),
        ("greedy", end_not_written, "end-lost"),
        ("beam-step", best_word_of_each, "best-of-each-text"),
        ("beam-step", products, "probabilities-returned"),
    ],
)
def test_a_learner_s_slip_is_known_by_its_name(name, answer, told):
    assert run(name, answer).misconception == told


def test_what_is_said_beside_an_error_helps():
    def two_things(model, source, max_new):
        logits, _ = model.next_logits(torch.full((len(source), 1), 1), model.encode(source))
        return logits.argmax(-1)

    def not_taken_apart(x, allowed, attend, feed_forward, norm_1, norm_2):
        return norm_1(x + attend(x, x, x, allowed))

    def all_looked_up(logits, labels, epsilon):
        return -logits.log_softmax(-1).gather(1, labels[:, None]).mean()

    assert "gives three things" in run("greedy", two_things).message
    assert "take both apart" in run("encoder-layer", not_taken_apart).message
    assert "`counted = labels != -100`" in run("smoothing", all_looked_up).message


def test_what_is_read_where_no_label_counts_makes_no_difference():
    def padded_after_the_end(target, bos_id, pad_id):
        inputs, labels = five.DECODER_INPUTS.reference(target, bos_id, pad_id)
        return inputs.masked_fill(labels == -100, pad_id), labels

    assert run("decoder-inputs", padded_after_the_end).passed


# --- questions ----------------------------------------------------------------------------------------------


def deep(**more):
    """Six encoder layers, their input without positions (3 sentences, 7 tokens), and what comes out."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(3, 7, 32, generator=generator)
    config = StackConfig(d_model=32, n_heads=4, d_ff=128, positions=None, dropout=0.0, **more)
    encoder = Encoder(config, 6).eval()
    return x, lambda x: encoder(x)[0].detach()


def alike(x):
    """Mean cosine between two tokens of one sentence."""
    unit = F.normalize(x, dim=-1)
    cosines = unit @ unit.transpose(1, 2)
    return cosines[:, *torch.triu_indices(7, 7, 1)].mean().item()


def test_without_positions_six_layers_shuffle_what_is_shuffled():
    torch.manual_seed(0)
    x, encode = deep()
    other = x[:, [4, 1, 2, 3, 0, 5, 6]]
    assert torch.allclose(encode(other), encode(x)[:, [4, 1, 2, 3, 0, 5, 6]], atol=1e-5)
    assert answer("05.order").startswith("None: each word keeps its vector")


def test_a_word_has_length_1_beside_a_position_of_16():
    torch.manual_seed(0)
    embedding = layers.TokenEmbedding(500, 512)
    assert layers.sinusoidal_positions(9, 512).norm(dim=1).allclose(torch.tensor(16.0), atol=1e-4)
    assert embedding.weight.norm(dim=1).mean().item() == pytest.approx(1, abs=0.02)
    assert embedding(torch.arange(500)[None]).norm(dim=-1).mean().item() == pytest.approx(22.6, abs=0.5)
    assert answer("05.factor").startswith("Word about 1, position exactly 16")


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_without_residual_connections_all_words_look_alike_after_six_layers(seed):
    torch.manual_seed(seed)
    x, without = deep(norm_first=False, residual=False)
    _, with_them = deep(norm_first=False)
    assert alike(x) < 0.3 and alike(with_them(x)) < 0.99 and alike(without(x)) > 0.999
    assert answer("05.residual") == "Almost the same vector for every word."


def test_without_residual_connections_the_lower_layers_of_a_decoder_get_almost_no_gradient():
    torch.manual_seed(0)
    config = {"d_model": 32, "n_heads": 4, "d_ff": 128, "source_vocab": 20, "target_vocab": 20}
    ids = torch.randint(4, 20, (4, 9), generator=torch.Generator().manual_seed(1))
    for residual in (True, False):
        model = TransformerConfig(**config, norm_first=False, dropout=0.0, residual=residual).build()
        token_loss(model(ids, ids[:, :-1])[0], ids[:, 1:]).backward()
        norms = [
            sum(p.grad.square().sum() for p in layer.parameters() if p.grad is not None).sqrt().item()
            for layer in model.decoder.layers
        ]
        assert (norms[0] < 1e-6 * norms[-1]) == (not residual)


def test_two_thirds_of_an_encoder_layer_are_its_feed_forward_network():
    count = lambda part: sum(p.numel() for p in part.parameters())  # noqa: E731
    for kind, share in ((layers.EncoderLayer, 2 / 3), (layers.DecoderLayer, 1 / 2)):
        layer = kind(512, 8, 2048)
        assert count(layer.feed_forward) / count(layer) == pytest.approx(share, abs=0.002)
    assert answer("05.where") == "About two thirds in the feed-forward network."


def test_one_masked_pass_is_all_prefixes():
    torch.manual_seed(0)
    config = {"d_model": 16, "n_heads": 2, "d_ff": 32, "source_vocab": 9, "target_vocab": 9}
    model = TransformerConfig(**config, encoder_layers=1, decoder_layers=2).build().eval()
    source, target = torch.tensor([[4, 5, 6]]), torch.tensor([[1, 7, 8, 4, 5]])
    with torch.no_grad():
        once = model(source, target)[0][0]
        prefixes = torch.stack([model(source, target[:, : t + 1])[0][0, -1] for t in range(5)])
    assert torch.allclose(once, prefixes, atol=1e-6) and answer("05.parallel") == "One."


def test_the_floor_of_a_smoothed_loss():
    right, other = 1 - 0.1 + 0.1 / 50, 0.1 / 50
    floor = -right * math.log(right) - 49 * other * math.log(other)
    assert (round(right, 3), round(other, 3), round(floor, 3)) == (0.902, 0.002, 0.702)
    perfect = torch.full((50,), other).log()
    perfect[7] = math.log(right)
    loss = F.cross_entropy(perfect[None], torch.tensor([7]), label_smoothing=0.1)
    assert loss.item() == pytest.approx(floor, abs=1e-5) and "about 0.70" in answer("05.floor")


def test_the_first_step_of_adam_has_one_size():
    parameters = torch.nn.Parameter(torch.zeros(2))
    optimizer = torch.optim.Adam([parameters], lr=0.001)
    (parameters * torch.tensor([0.01, 1.0])).sum().backward()
    optimizer.step()
    assert parameters.tolist() == pytest.approx([-0.001, -0.001], rel=1e-4)
    assert answer("05.warmup") == "Equally far: each by the full rate."


def test_a_row_after_dropout_sums_to_anything_from_0_to_2_and_to_1_on_average():
    row = torch.tensor([0.5, 0.25, 0.25])
    sums = [2 * (row * torch.tensor(kept)).sum().item() for kept in itertools.product((0, 1), repeat=3)]
    assert (min(sums), max(sums), sum(sums) / len(sums)) == (0, 2, 1)
    assert {0.5, 1.5} < set(sums)  # as the explanation says
    assert "between 0 and 2; on average 1" in answer("05.dropout")


def answer(id):
    one = next(one for one in five.PREDICTIONS if one.id == id)
    return one.options[one.right].text


def test_at_the_door_three_questions_of_earlier_chapters():
    asked = desk.recall_questions("05")
    earlier = [q for number in ("02", "03", "04") for q in desk.CHAPTERS[number].RECALL]
    assert len(asked) == 3 and all(q in earlier for q in asked)
    assert len(five.RECALL) >= 4 and not set(five.RECALL) & set(earlier)


def test_it_is_asked_with_the_page_and_not_before():
    names = ("sinusoidal", "sublayer", "encoder-layer", "decoder-inputs", "smoothing", "greedy", "beam-step")
    assert tuple(EXERCISES) == names
    asked = {p.id.removeprefix("05.") for p in five.PREDICTIONS}
    assert {"order", "factor", "dropout", "residual", "where", "parallel"} <= asked
    assert {"floor", "warmup", "beam", "words"} <= asked
    assert ("05" in desk.CHAPTERS) == CHAPTERS["05"].written
    assert all(one.id.startswith("05.") for one in five.PREDICTIONS)
