"""`--help`, a list and a typing mistake need no packages: what was typed is read before anything is made."""

import shutil
import subprocess
import sys

import pytest
from door_helpers import ROOT, bare, run

from course_lib.experiments import EXPERIMENTS
from course_lib.tasks.assistant import stages
from course_lib.tasks.stage_names import STAGES
from course_lib.tools import COMMANDS, experiment, train


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """A course as it was cloned, without its weights; and no package to be had."""
    root = tmp_path_factory.mktemp("fresh") / "course"
    shutil.copytree(ROOT / "course_lib", root / "course_lib", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "assets" / "experiments", root / "assets" / "experiments")
    (root / "notebooks").mkdir()
    for name in ("requirements.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, root)
    return root


def typed(root, *words) -> subprocess.CompletedProcess:
    nowhere = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": "/dev/null"}
    said = run([*bare(), "-m", "course_lib", *words], root, nowhere)
    assert "Making the environment" not in said.stdout and not (root / ".venv").exists()
    return said


@pytest.mark.parametrize("command", COMMANDS)
def test_help_installs_nothing(fresh, command):
    said = typed(fresh, command, "--help")
    assert said.returncode == 0 and f"usage: python3 -m course_lib {command}" in said.stdout, said.stderr
    assert max(map(len, said.stdout.splitlines())) < 180


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["train", "town-gtp"], "There is no checkpoint `town-gtp`; did you mean `town-gpt`?"),
        (["train", "bert", "zzz"], "There is no checkpoint `zzz`."),
        (["experiment", "lenght"], "There is no experiment `lenght`; did you mean `length`?"),
        (["bench", "atention"], "There is no benchmark `atention`; did you mean `attention`?"),
    ],
)
def test_a_typing_mistake_installs_nothing(fresh, words, says):
    said = typed(fresh, *words)
    assert said.returncode == 1
    assert said.stderr == f"{says}\nNext: type python3 -m course_lib {words[0]} to see what there is.\n"


def test_a_stage_that_is_none_installs_nothing(fresh):
    said = typed(fresh, "chat", "--stage", "foo")
    assert said.returncode == 2 and "invalid choice: 'foo' (choose from" in said.stderr


@pytest.mark.parametrize("command", ["train", "experiment", "bench"])
def test_without_a_name_there_is_the_list_each_name_once(fresh, command):
    said = typed(fresh, command)
    assert said.returncode == 0 and said.stdout == typed(fresh, command, "--help").stdout
    name = {"train": "town-gpt", "experiment": "remove", "bench": "busy"}[command]
    assert said.stdout.count(f"\n  {name}: ") == 1 and said.stdout.splitlines()[0].endswith(" [NAME ...]")


def test_help_says_what_one_must_know(fresh):
    said = " ".join(typed(fresh, "lab", "--help").stdout.split())
    assert "copies of the pages, in the folder my_course/" in said and "port to use, 1 to 65535" in said
    said = " ".join(typed(fresh, "chat", "--help").stdout.split())
    assert "who answers: base (before instruction tuning), sft (default), dpo or grpo" in said
    assert "0 (default): always the likeliest token; above 0: drawn by chance" in said


def test_the_list_of_experiments_says_how_long_each_takes(fresh):
    said = typed(fresh, "experiment").stdout
    assert "\n  remove: What breaks when one head is taken out of a trained layer? 12 s\n" in said


def test_the_lists_are_whole():
    """What is named without torch is what there is."""
    assert set(experiment.recorded()) == {one.name for one in EXPERIMENTS}
    assert set(train.CHECKPOINTS) == {card.stem for card in (ROOT / "assets" / "checkpoints").glob("*.json")}
    assert stages.STAGES == STAGES


def test_each_checkpoint_has_what_makes_it(monkeypatch, tmp_path):
    from course_lib.tasks import assistant, families, fill_in, pronunciation, python_gpt, town_gpt
    from course_lib.tools import making

    made = []
    for module in (families, fill_in, pronunciation, python_gpt, town_gpt):
        monkeypatch.setattr(module, "ship", lambda *how, **more: made.append((*how, *more.values())))
    for name in ("ship_sft", "ship_dpo", "ship_grpo"):
        monkeypatch.setattr(assistant, name, lambda *how: made.append(how))
    for name in train.CHECKPOINTS:
        making.make(name, tmp_path)
    assert len(made) == len(train.CHECKPOINTS) and all(tmp_path in how for how in made)
    named = {word for how in made for word in how if word != tmp_path}
    assert named == {*families.SHIPPED, *pronunciation.SHIPPED}


def test_a_new_experiment_is_known_to_those_who_have_the_packages(monkeypatch, tmp_path):
    from course_lib.tools import Problem, environment

    monkeypatch.setattr(experiment, "RECORDS", tmp_path)  # nothing is recorded
    monkeypatch.setattr(environment, "stamped", lambda: True)
    monkeypatch.setattr(environment, "ensure", lambda *how: None)
    with pytest.raises(Problem, match="did you mean `length`"):
        experiment.main(["lenght"])
    monkeypatch.setattr("course_lib.tools.record.make_record", lambda one: sys.exit(one.name))
    with pytest.raises(SystemExit, match="length"):
        experiment.main(["length"])
