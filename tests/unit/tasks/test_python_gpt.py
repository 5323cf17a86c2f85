"""A GPT that writes Python: sides, tokens, n-grams, bits a byte, the parser's verdict, what is remembered.

All but the last tests learn from a small library: this course's own files, under names of both sides.
"""

import math
from collections import Counter
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

import course_lib
from course_lib.data import python_library
from course_lib.data.python_library import Module
from course_lib.models.gpt import GPTConfig
from course_lib.tasks import python_gpt
from course_lib.tasks.python_gpt import library, memory, scores, shipping, writing
from course_lib.tasks.tokenization import bigram_score
from course_lib.training import checkpoints
from course_lib.training.optim import WarmupStableDecay
from course_lib.training.recipe import new_model, train, vary

HERE = Path(course_lib.__file__).parent
LEARNED = ("attention", "layers", "checks", "costs", "metrics")  # as modules of `json`
KEPT = ("masks", "files")  # as modules of `html`
TINY = vary(
    python_gpt.RECIPE,
    d_model=16,
    n_heads=2,
    n_layers=1,
    max_len=32,
    batch_size=8,
    steps=4,
    schedule=WarmupStableDecay(1, 1, 4),
)


def forget():
    for kept in (library.tokens, library.stream, scores.counted_ngrams):
        kept.cache_clear()


@pytest.fixture(scope="module", autouse=True)
def small_library():
    found = tuple(
        Module(f"{package}.{name}", (HERE / f"{name}.py").read_text(encoding="utf-8"))
        for package, names in (("json", LEARNED), ("html", KEPT))
        for name in names
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(python_library, "modules", lambda folder=None: found)
        forget()
        yield found
    forget()


@pytest.fixture(scope="module")
def model():
    return new_model(vary(TINY, init_std=0.2, residual="scaled")).eval()


# ---------------------------------------------------------------- data


def test_a_package_stays_on_one_side():
    assert python_gpt.side_of("html") == python_gpt.side_of("html.parser") == "kept away"
    assert python_gpt.side_of("json") == python_gpt.side_of("json.decoder") == "training"
    names = [{module.name for module in python_gpt.modules(side)} for side in python_gpt.SIDES]
    assert names == [{f"json.{name}" for name in LEARNED}, {f"html.{name}" for name in KEPT}]
    with pytest.raises(ValueError, match="side is 'test', expected one of 'training', 'kept away'"):
        python_gpt.modules("test")


def test_tokens_are_learned_from_the_training_side_alone(small_library, monkeypatch):
    learned = python_gpt.learned(400)
    assert len(learned) == 400 and list(learned.special) == [python_gpt.END]
    other = [Module(m.name, "x = 1\n" * 2000) if m.name.startswith("html") else m for m in small_library]
    monkeypatch.setattr(python_library, "modules", lambda folder=None: other)
    assert python_gpt.learned(400).fingerprint == learned.fingerprint


def test_the_stream_is_every_module_between_two_ends():
    tokenizer, ids = python_gpt.tokens(), python_gpt.stream("training").tolist()
    end = tokenizer.special[python_gpt.END]
    assert ids.count(end) == len(LEARNED) + 1 and ids[0] == ids[-1] == end
    text = tokenizer.decode(ids).split(python_gpt.END)[1:-1]
    assert text == [module.text for module in python_gpt.modules("training")]


def test_an_epoch_is_blocks_side_by_side_and_the_seed_decides():
    ids, generator = torch.arange(1_000), torch.Generator().manual_seed(0)
    epochs = [torch.cat(list(library.blocks(ids, TINY, generator))) for _ in range(2)]
    for rows in epochs:
        assert rows.shape == (24, 33)  # 30 blocks fit, 24 fill batches of 8
        assert (rows.diff() == 1).all()  # each a piece of the text
        assert len(rows[:, 0].unique()) == 24 and (rows[:, 0].diff() != 32).any()  # each once, mixed
        assert (rows[:, 0] % 32).unique().numel() == 1
    assert epochs[0][0, 0] % 32 != epochs[1][0, 0] % 32  # cut elsewhere
    first, again = (next(python_gpt.batches(TINY)) for _ in range(2))
    assert torch.equal(first, again) and not torch.equal(first, next(python_gpt.batches(vary(TINY, seed=1))))
    with pytest.raises(ValueError, match="ids has 200 tokens, expected at least 257: 8 blocks of 32"):
        next(library.blocks(ids[:200], TINY, generator))


def test_every_token_counts(model):
    """Id 0 is an exclamation mark here, not padding."""
    ids = torch.tensor([[5, 0, 7, 0, 0]])
    logits = model(ids[:, :-1])[0]
    expected = F.cross_entropy(logits[0], ids[0, 1:])
    torch.testing.assert_close(python_gpt.next_token_loss(model, ids), expected)
    assert library.counted(ids) == 4


def test_a_little_training_learns(model):
    recipe = vary(TINY, steps=40, schedule=WarmupStableDecay(5, 20, 40))
    learner = new_model(recipe)
    history = train(learner, recipe, python_gpt.task())
    assert history.losses[0] == pytest.approx(math.log(python_gpt.VOCAB_SIZE), abs=0.3)
    assert history.last(10) < history.losses[0] - 1


# ---------------------------------------------------------------- n-grams


def skewed(n, generator):
    """Tokens of which some are much more frequent than others."""
    return (torch.rand(n, generator=generator) ** 3 * 20).long()


def by_hand(ids, vocab_size, order):
    """The definition, with dictionaries."""
    grams = [Counter(tuple(ids[i : i + n]) for i in range(len(ids) - n + 1)) for n in range(1, order + 1)]
    counts = [Counter(gram[1:] for gram in longer) for longer in grams[1:]] + [grams[-1]]

    def discount(n, c):
        one, two, three, four = (list(counts[n].values()).count(i) for i in (1, 2, 3, 4))
        if not one:
            return 0
        y = one / (one + 2 * two)
        return {1: 1 - 2 * y * two / one, 2: 2 - 3 * y * three / two}.get(c, 3 - 4 * y * four / three)

    def chance(context, token):
        n = len(context)
        shorter = chance(context[1:], token) if n else 1 / vocab_size
        behind = {gram[-1]: c for gram, c in counts[n].items() if gram[:-1] == context}
        if not behind:
            return shorter
        taken = sum(discount(n, c) for c in behind.values())
        mine = behind[token] - discount(n, behind[token]) if token in behind else 0
        return (mine + taken * shorter) / sum(behind.values())

    return chance


@pytest.mark.parametrize("order", [2, 4])
def test_ngrams_are_what_they_say(order):
    generator = torch.Generator().manual_seed(0)
    seen, new = skewed(400, generator), skewed(40, generator)
    counted, chance = python_gpt.NGrams(seen, 20, order), by_hand(seen.tolist(), 20, order)
    words = new.tolist()
    contexts = [tuple(words[max(0, i - order + 1) : i]) for i in range(1, 40)]
    expected = [-math.log(chance(c, w)) for c, w in zip(contexts, words[1:], strict=True)]
    assert counted.nats(new).tolist() == pytest.approx(expected)
    for i in (1, 2, 17):
        chances = counted.chances(new[None, :i])[0]
        assert chances.sum().item() == pytest.approx(1)
        assert -chances[words[i]].log().item() == pytest.approx(expected[i - 1])


def test_a_bigram_is_near_the_one_of_chapter_07():
    """Another formula for the same counts."""
    train_text, test_text = ("".join(m.text for m in python_gpt.modules(side)) for side in python_gpt.SIDES)
    tokenizer = python_gpt.tokens()
    seen, new = (torch.tensor(tokenizer.encode(text)) for text in (train_text, test_text))
    bits = python_gpt.NGrams(seen, len(tokenizer), 2).nats(new).sum().item() / math.log(2)
    expected = bigram_score(tokenizer, train_text, test_text).bits_per_byte
    assert bits / len(test_text.encode()) == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("text", [[1], [1, 1], [0, 1, 2], [3] * 9, [1, 2] * 8])
def test_texts_too_small_for_discounts(text):
    for order in range(1, len(text) + 1)[:3]:
        counted = python_gpt.NGrams(torch.tensor(text), 4, order)
        for before in ([], text[:1], text[-2:], [2, 2]):
            chances = counted.chances(torch.tensor([before, before], dtype=torch.long))
            assert chances.sum(1).tolist() == pytest.approx([1, 1]) and (chances >= 0).all()


def test_ngrams_write_like_a_model():
    counted = python_gpt.counted_ngrams(4)
    ids = torch.stack([python_gpt.stream("kept away")[i : i + 6] for i in (0, 50)]).long()
    logits, weights, state = counted.next_logits(ids[:, :3])
    logits, _, state = counted.next_logits(ids[:, 3:], state)
    assert weights is None and torch.equal(state, ids[:, 3:])
    torch.testing.assert_close(logits, counted.chances(ids).log())
    torch.testing.assert_close(logits[:1], counted.chances(ids[:1]).log())  # a row by itself


SEEN = python_gpt.NGrams(torch.arange(60) % 7, 7, 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: python_gpt.NGrams(torch.zeros(3), 5, 4),
            "ids has shape .3,., expected .N,. with N ≥ order",
        ),
        (lambda: python_gpt.NGrams(torch.zeros(3), 5, 0), "order is 0"),
        (lambda: python_gpt.NGrams(torch.tensor([1, 5]), 5, 1), "ids holds ids from 1 to 5, expected 0 to 4"),
        (lambda: SEEN.nats(torch.tensor([3, 8])), "ids holds ids from 3 to 8, expected 0 to 6"),
        (lambda: SEEN.next_logits(torch.tensor([[2, -1]])), "holds ids from -1 to -1"),
        (lambda: python_gpt.counted_ngrams(4).nats(torch.zeros(1)), "N ≥ 2"),
    ],
)
def test_what_ngrams_refuse(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# ---------------------------------------------------------------- bits a byte


@pytest.mark.parametrize("n", [2, 20, 33, 34, 48, 49, 50, 100])
def test_windows_overlap_by_half(model, n):
    """Each token is predicted once, from the window that the definition says."""
    ids = python_gpt.stream("kept away")[:n].long()
    expected = []
    for i in range(n - 1):  # predict token i + 1
        start = 0 if i < 32 else ((i - 32) // 16 + 1) * 16
        logits = model(ids[None, start : i + 1])[0][0, -1]
        expected.append(F.cross_entropy(logits, ids[i + 1]).item())
        assert i - start >= 15 or start == 0
    assert python_gpt.nats(model, ids, batch_size=2).tolist() == pytest.approx(expected, abs=1e-4)
    with pytest.raises(ValueError, match="N ≥ 2"):
        python_gpt.nats(model, ids[:1])


def test_bits_a_byte_of_somebody_who_knows_nothing():
    """log₂ V for each token, the end included; of several modules the long ones count more."""
    some, tokenizer = python_gpt.modules("kept away"), python_gpt.tokens()
    bits = python_gpt.bits_per_byte(lambda ids: torch.full((len(ids) - 1,), math.log(16)), some)
    n_tokens = [len(tokenizer.encode(module.text)) + 1 for module in some]
    n_bytes = [len(module.text.encode()) for module in some]
    assert list(bits) == [module.name for module in some]
    assert list(bits.values()) == pytest.approx([4 * t / b for t, b in zip(n_tokens, n_bytes, strict=True)])
    assert python_gpt.together(bits, some) == pytest.approx(4 * sum(n_tokens) / sum(n_bytes))
    with pytest.raises(ValueError, match="some is empty"):
        python_gpt.together(bits, [])


def test_longer_contexts_help_and_an_untrained_gpt_knows_nothing():
    five, two, one = (python_gpt.of_ngrams(order) for order in (5, 2, 1))
    assert five < two < one
    untrained = python_gpt.of_gpt(new_model(TINY))
    uniform = {m.name: math.log2(2048) * (len(library.encode(m, library.tokens())) - 1) / scores.size(m)
               for m in python_gpt.modules("kept away")}  # fmt: skip
    expected = python_gpt.together(uniform, python_gpt.modules("kept away"))
    assert untrained == pytest.approx(expected, abs=0.1)


def test_compressors_in_bits_a_byte():
    found = python_gpt.of_compressors()
    assert len(found) == 5 and all(0.5 < bits < 8 for bits in found.values())
    alone, after = (found[f"xz, kept-away {how}"] for how in ("modules alone", "after training modules"))
    assert after < alone  # the same authors wrote both
    both = scores.text_of([*python_gpt.modules("training"), *python_gpt.modules("kept away")])
    assert found["xz, whole library"] == pytest.approx(8 * scores.packed(both) / len(both))


# ---------------------------------------------------------------- the parser's verdict


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ("def f(x):\n    return x", "parses"),
        ("    def f(self):\n        return self\n\nclass B:\n    def g(self):\n        pass", "parses"),
        ("async def f():\n    await g()", "parses"),
        (
            "        def deep():\n            pass\n        return deep",
            "parses",
        ),  # no parser asks whose return
        ("def f(x):", "cut"),
        ("def f(x,", "cut"),
        ('def f(x):\n    """Says what', "cut"),
        ("def f(x):\n    try:\n        x()", "cut"),
        ("def f(x):\n    @wraps(f)", "cut"),
        ("def f(x):\n    return x +", "wrong"),
        ("def f(x:\n    return x\n", "wrong"),
        ("def f(x):\n  return 1\n    return 2", "wrong"),
        ("def f(x):\n    return 'open\n    y = 2", "wrong"),
        ("def f(x):\n    x = 1)", "wrong"),
        ("def f(\0):\n    pass", "wrong"),
    ],
)
def test_the_verdict(block, expected):
    assert python_gpt.verdict(block) == expected


def test_blocks_of_a_module_by_hand():
    text = "import x\n\ndef a():\n    pass\n\n    async def b(y):\n" + "        y\n" * 9 + "define = 1\n"
    found = python_gpt.blocks_of([Module("m", text)])
    assert [block.split("\n")[0] for block in found] == ["def a():", "    async def b(y):"]
    assert [len(block.split("\n")) for block in found] == [8, 8]
    assert python_gpt.judge(found) == (1.0, 0.0, 0.0)
    assert python_gpt.judge([*found, "def f(", "def )"]) == (0.5, 0.25, 0.25)
    with pytest.raises(ValueError, match="some is empty"):
        python_gpt.judge([])


def test_real_blocks_are_never_wrong():
    found = python_gpt.real_blocks(1_000, "training")
    shares = python_gpt.judge(found)
    assert shares.wrong == 0 and 0.2 < shares.parses < 0.9
    assert found != python_gpt.real_blocks(1_000, "training", seed=1)
    assert python_gpt.real_blocks(3) == python_gpt.real_blocks(3)


# ---------------------------------------------------------------- writing


class Recites:
    """Stands in for a model: one text, whatever came before, and then the end of the module."""

    def __init__(self, text):
        self.ids = python_gpt.tokens().encode(text)

    def next_logits(self, tokens, state=None):
        at = torch.zeros(len(tokens), dtype=torch.long) if state is None else state + 1
        end = python_gpt.tokens().special[python_gpt.END]
        says = torch.tensor([*self.ids, end])[at.clamp(max=len(self.ids))]
        return 50.0 * F.one_hot(says, len(python_gpt.tokens())), None, at


def test_a_block_has_eight_lines_at_most():
    long = " f(x):\n" + "".join(f"        y = {i}\n" for i in range(20))
    written = python_gpt.write_blocks(Recites(long), 30)
    assert len(written) == 30 and {block.count("\n") for block in written} == {7}
    expected = {" " * d + "def" + "\n".join(long.split("\n")[:8]) for d in (0, 4)}
    assert set(written) == expected  # functions and methods, as in the kept-away modules
    assert set(python_gpt.write_blocks(Recites(" f(x): pass\n"), 5)) <= {
        " " * d + "def f(x): pass\n" for d in (0, 4)
    }
    seven = python_gpt.tokens().decode(python_gpt.tokens().encode(" f(x): pass\n" * 9)[:7])
    assert python_gpt.go_on(Recites(" f(x): pass\n" * 9), "class A: ", 7, temperature=0) == "class A:" + seven
    assert python_gpt.go_on(Recites(" ok"), "x =", 50) == "x = ok"


def test_models_write_and_the_seed_decides(model, monkeypatch):
    monkeypatch.setattr(writing, "MAX_TOKENS", 30)
    for writer in (model, python_gpt.counted_ngrams(4)):
        written = python_gpt.write_blocks(writer, 6)
        assert written == python_gpt.write_blocks(writer, 6) != python_gpt.write_blocks(writer, 6, seed=1)
        assert all(block.lstrip(" ").startswith("def") for block in written)
        text = python_gpt.go_on(writer, "def ", 5)
        assert text.startswith("def") and text == python_gpt.go_on(writer, "def ", 5)
    with pytest.raises(ValueError, match="start is empty"):
        python_gpt.go_on(model, " ")
    with pytest.raises(ValueError, match="temperature is -1, expected 0 or more"):
        python_gpt.write_blocks(model, 1, temperature=-1)
    with pytest.raises(ValueError, match="n is 0"):
        python_gpt.write_blocks(model, 0)


# ---------------------------------------------------------------- what is remembered


def test_longest_matches_are_exact(monkeypatch):
    files = python_gpt.training_files()
    texts = [*python_gpt.real_blocks(12), *python_gpt.write_blocks(python_gpt.counted_ngrams(4), 6)]
    texts += [files[0][100:170] + "§" + files[1][50:170], "", "zq", "ünïcödé " * 3]
    texts += [files[2][-40:] + files[3][:30]]

    def longest(text):
        best = 7
        for i in range(len(text)):  # is there a piece from here on that is longer than the best one so far?
            while i + best < len(text) and any(text[i : i + best + 1] in file for file in files):
                best += 1
        return best if best > 7 else 0

    expected = [longest(text) for text in texts]
    assert python_gpt.longest_matches(texts, files) == expected
    assert expected[18:21] == [120, 0, 0]
    monkeypatch.setattr(memory, "AT_ONCE", 1)  # file by file: the same
    assert python_gpt.longest_matches(texts, files) == expected


# ---------------------------------------------------------------- the shipped model


def test_the_shipped_recipe_is_small_enough_and_ships(tmp_path, monkeypatch):
    """The way of the shipped model with a tiny recipe; the real one fits into 12 MB in half precision."""
    assert sum(p.numel() for p in new_model(python_gpt.SHIPPED).parameters()) * 2 < 12 * 2**20
    monkeypatch.setattr(writing, "MAX_TOKENS", 30)
    measure = shipping.measure
    monkeypatch.setattr(shipping, "measure", lambda model, bits: measure(model, bits, 3))
    card = python_gpt.ship(tmp_path, tmp_path, TINY)
    loaded = python_gpt.load(tmp_path)
    assert isinstance(loaded.config, GPTConfig) and card["steps"] == 4
    bits = shipping.told(loaded)
    assert card["modules"] == pytest.approx(bits, abs=1e-4) and list(bits) == ["html.masks", "html.files"]
    assert measure(loaded, bits, 3) == pytest.approx(card["metrics"], abs=2e-4)
    assert checkpoints.load_card("python-gpt", tmp_path)["library"] == python_gpt.provenance()
    assert library.tokens(tmp_path).fingerprint == python_gpt.tokens().fingerprint
    monkeypatch.setattr(shipping, "tokens", lambda: python_gpt.learned(300))
    with pytest.raises(ValueError, match="tokenizers have the fingerprints"):
        python_gpt.load(tmp_path)


MADE = (checkpoints.FOLDER / "python-gpt.safetensors").exists()


@pytest.fixture
def real_library(monkeypatch):
    """This Python's own, in place of the small one."""
    monkeypatch.setattr(python_library, "modules", REAL)
    forget()
    yield
    monkeypatch.undo()
    forget()


@pytest.fixture
def shipped(real_library):
    if not MADE:
        pytest.skip("no shipped GPT of Python: python -m course_lib train python-gpt")
    return python_gpt.load(), checkpoints.load_card("python-gpt")


def test_the_bits_on_the_card_are_what_the_weights_give(shipped):
    model, card = shipped
    kept, theirs = python_gpt.modules("kept away"), card["library"]
    here = python_gpt.provenance()
    if here != theirs:
        pytest.skip(
            f"the card's figures are of the library of Python {theirs['python']}: that of {here['python']} "
            "has other modules"
        )
    assert card["modules"].keys() == {module.name for module in kept}
    assert card["metrics"]["bits_per_byte"] == pytest.approx(
        python_gpt.together(card["modules"], kept), abs=2e-4
    )
    few = sorted(kept, key=scores.size)[3:9]
    again = python_gpt.bits_per_byte(lambda ids: python_gpt.nats(model, ids), few)
    assert again == pytest.approx({module.name: card["modules"][module.name] for module in few}, abs=2e-3)


def test_the_shares_on_the_card_are_what_the_weights_give_on_any_python(shipped):
    """80 blocks against the card's 300; where they are put depends a little on this Python's library."""
    model, card = shipped
    for temperature in shipping.TEMPERATURES:
        shares = python_gpt.judge(python_gpt.write_blocks(model, 80, temperature=temperature))
        for kind, share in shares._asdict().items():
            assert share == pytest.approx(card["metrics"][f"{kind}_at_{temperature}"], abs=0.2)


# ---------------------------------------------------------------- the real library

REAL = python_library.modules


def test_the_kept_away_part_is_a_fair_sample():
    """About a tenth of all packages, many authors, no giant; nothing is in both."""
    sizes = Counter()
    for module in REAL():
        sizes[module.name.split(".")[0]] += len(module.text.encode())
    kept = {name: size for name, size in sizes.items() if python_gpt.side_of(name) == "kept away"}
    assert 0.05 < len(kept) / len(sizes) < 0.15 and 0.04 < sum(kept.values()) / sum(sizes.values()) < 0.15
    assert max(kept.values()) < sum(kept.values()) / 5


def test_half_of_the_librarys_own_blocks_parse_and_hardly_one_is_wrong():
    shares = python_gpt.judge(writing.blocks_of(REAL()[::6]))
    assert 0.45 < shares.parses < 0.65 and shares.wrong < 0.01
