"""The house's rules: style (ruff), direction of imports (import-linter), a light `import course_lib`."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parents[2]
CAPTURE = {"capture_output": True, "text": True, "encoding": "utf-8"}


def test_ruff_finds_nothing():
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format=concise"]
    run = subprocess.run([*command, "course_lib", "tests"], cwd=ROOT, **CAPTURE)
    assert run.returncode == 0, run.stdout + run.stderr


def lint_imports(folder: Path) -> subprocess.CompletedProcess:
    code = "import sys; from importlinter.cli import lint_imports as go; sys.exit(go(no_cache=True))"
    variables = {**os.environ, "PYTHONPATH": str(folder), "PYTHONUTF8": "1"}
    return subprocess.run([sys.executable, "-c", code], cwd=folder, env=variables, **CAPTURE)


def test_imports_go_in_one_direction():
    run = lint_imports(ROOT)
    assert run.returncode == 0, run.stdout + run.stderr


WRONG = {  # (module, what it imports): the contract that must say so
    ("masks", "attention"): "one direction",
    ("viz.colours", "models.seq2seq"): "one direction",
    ("data.cmudict", "attention"): "one direction",
    ("data.cmudict", "metrics"): "one direction",
    ("training.loop", "tasks.translation"): "one direction",
    ("experiments.records", "practice"): "one direction",
    ("training.loop", "widgets"): "the heart knows no views",
    ("viz.colours", "text.tokenizers"): "viz knows arrays and tokens only",
    ("text.tokenizers", "text.batching"): "no cycles inside a package",
}


def test_a_wrong_import_is_caught(tmp_path):
    """The contracts can fail: in a copy with wrong imports, and a module without a place, each is named."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    copy = tmp_path / "course_lib"
    shutil.copytree(ROOT / "course_lib", copy, ignore=shutil.ignore_patterns("__pycache__"))
    for module, imported in WRONG:
        target = copy / f"{module.replace('.', '/')}.py"
        target.write_text(
            f"import course_lib.{imported}\n" + target.read_text(encoding="utf-8"), encoding="utf-8"
        )
    (copy / "brand_new.py").touch()
    run = lint_imports(tmp_path)
    assert run.returncode == 1
    _, *parts = re.split(r"\n(?=[^\n]+\n-{5,}\n)", run.stdout)
    said = {part.split("\n")[0]: part for part in parts}
    for (module, imported), contract in WRONG.items():
        if contract == "no cycles inside a package":
            assert f".{module.split('.')[-1]} -> .{imported.split('.')[-1]} " in said[contract]
        else:
            assert f"course_lib.{module} -> course_lib.{imported} " in said[contract], (module, imported)
    assert "course_lib.brand_new" in said["one direction"]


def circles(modules: dict[str, set[str]]) -> set[str]:
    """The modules of circles, and those that import them. `modules`: who imports whom."""
    left = {name: imports - {name} for name, imports in modules.items()}
    while free := [name for name, imports in left.items() if not imports & left.keys()]:
        for name in free:
            del left[name]
    return set(left)


def test_no_circle_at_all():
    """Stricter than the contract: a package and a module of its own form no circle either."""
    graph = grimp.build_graph("course_lib", cache_dir=None)
    modules = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    assert len(modules) > 60
    assert circles(modules) == set()
    modules["course_lib.masks"] = modules["course_lib.masks"] | {"course_lib.attention"}
    assert {"course_lib.masks", "course_lib.attention"} <= circles(modules)


def test_importing_the_library_loads_nothing_heavy():
    heavy = "{'torch', 'matplotlib', 'numpy', 'ipywidgets', 'IPython'}"
    code = f"import sys, course_lib; print(sorted({heavy} & set(sys.modules)))"
    said = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True)
    assert said.strip() == "[]"


@pytest.mark.parametrize("name", ["__main__.py", "__init__.py"])
def test_the_door_can_be_read_by_old_pythons(name):
    source = (ROOT / "course_lib" / name).read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 4))  # real old Pythons: test_door_failures.py
    assert source.isascii()
    assert not [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.JoinedStr | ast.AnnAssign)]


def names_in(tree: ast.AST) -> set[str]:
    """Every name that a piece of code uses; what it only defines or speaks of does not count."""
    used = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            used.add(node.id)
        elif isinstance(node, ast.Attribute):
            used.add(node.attr)
        elif isinstance(node, ast.ImportFrom):
            used.update(alias.name for alias in node.names)
        elif isinstance(node, ast.Constant) and re.match(r"\w+$|(?s:.*)\bimport ", str(node.value)):
            used.update(re.findall(r"\w+", str(node.value)))  # a name to look up, or code of a process
    return used


def test_nothing_serves_only_tests():
    """Whatever a module defines is used by another line of the library, or by a page."""
    defined, used = {}, {"_jupyter_server_extension_points", "_load_jupyter_server_extension"}  # by Jupyter
    for file in sorted((ROOT / "course_lib").rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        used |= names_in(tree)
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.decorator_list:
                defined[node.name] = file.relative_to(ROOT)
    for page in (ROOT / "notebooks").glob("*.ipynb"):
        for cell in json.loads(page.read_text(encoding="utf-8"))["cells"]:
            used.update(re.findall(r"\w+", "".join(cell["source"])))  # in text, too: it sends readers there
    alone = {name: str(file) for name, file in defined.items() if name not in used}
    assert len(defined) > 1000 and not alone, alone
