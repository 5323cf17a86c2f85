"""The standard library's source as text: what is in, what is out, and what happens where there is none."""

import ast

import pytest

from course_lib.data import python_library


def test_it_is_large_real_and_sorted():
    found = python_library.modules()
    names = [module.name for module in found]
    assert names == sorted(set(names)) and {"json", "json.decoder", "argparse", "this"} <= set(names)
    assert 5e6 < sum(len(module.text) for module in found) < 30e6
    for module in found[::50]:
        ast.parse(module.text)


def test_tests_and_installed_packages_are_left_out():
    parts = {part for module in python_library.modules() for part in module.name.split(".")}
    assert parts.isdisjoint({"test", "tests", "idlelib", "site-packages"})


def test_the_splits_share_no_module_and_hold_everything():
    train, validation = (python_library.split(which) for which in python_library.SPLITS)
    assert sorted([*train, *validation], key=lambda m: m.name) == list(python_library.modules())
    assert 0.02 < len(validation) / len(train) < 0.09
    with pytest.raises(ValueError, match="which is 'test', expected one of train, validation"):
        python_library.split("test")


def test_a_piece_of_the_text_is_always_the_same_and_mixed():
    piece = python_library.text(max_characters=300_000)
    assert len(piece) == 300_000 and piece == python_library.text(max_characters=400_000)[:300_000]
    assert sum(module.text in piece for module in python_library.split("train")) > 5
    with pytest.raises(ValueError, match="max_characters is 0"):
        python_library.text(max_characters=0)


def test_encodings_are_read_as_declared_and_broken_files_are_left_out(tmp_path):
    files = {
        "latin.py": "# -*- coding: latin-1 -*-\nname = 'Zoé'\n".encode("latin-1"),
        "broken.py": b"# -*- coding: utf-8 -*-\nname = '\xff'\n",
        "package/__init__.py": b"here = 1\n",
        "package/test/inside.py": b"out = 1\n",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    found = {module.name: module.text for module in python_library.modules(tmp_path)}
    assert found.keys() == {"latin", "package"}
    assert "Zoé" in found["latin"]


def test_without_sources_the_error_says_why_and_the_town_steps_in(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no Python source in .*compiled or zipped"):
        python_library.modules(tmp_path)
    with pytest.warns(UserWarning, match="Tiny Town's stories take its place"):
        told = python_library.text(max_characters=5_000, folder=tmp_path)
    assert len(told) == 5_000 and " the " in told


def test_docstrings_are_english_that_stands_in_the_modules(tmp_path):
    said = python_library.docstrings(max_characters=20_000)
    assert len(said) == 20_000 and said == python_library.docstrings(max_characters=30_000)[:20_000]
    assert sum(f" {word} " in said for word in ("the", "of", "is", "a", "if", "or")) == 6
    assert "import " not in said[:200] and said.split("\n\n")[0].split("\n")[0] in python_library.text()
    (tmp_path / "one.py").write_text('"""First."""\n\n\ndef f():\n    """Second."""\n    "third"\n')
    (tmp_path / "two.py").write_text("x = 1\n")
    which = python_library.split_of("one")
    assert python_library.docstrings(which, folder=tmp_path) == "First.\n\nSecond."
    with pytest.warns(UserWarning, match="Tiny Town's stories take its place"):
        stories = python_library.docstrings(max_characters=300, folder=tmp_path / "none")
    assert len(stories) == 300
