"""A shipped checkpoint is made again, whole or not at all: `train`, once the packages are there."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from course_lib.files import write_whole
from course_lib.tasks import assistant, families, fill_in, pronunciation, python_gpt, town_gpt
from course_lib.tools import Stopped
from course_lib.training import distributed, interrupts
from course_lib.training.checkpoints import FOLDER


def made(name: str, work: Path, fresh: bool = False) -> dict:
    """Train, store and measure a checkpoint; its card.

    Args:
        name: one of `train.CHECKPOINTS`.
        work: folder of runs on the way.
        fresh: whether --fresh was typed.

    Raises Stopped for Ctrl-C.
    """
    try:
        with interrupts.all_or_nothing(), whole_or_as_it_was(name):
            return make(name, work)
    except KeyboardInterrupt as stopped:
        raise left(name, work, stopped, fresh) from None


def make(name: str, work: Path) -> dict:
    """Make one of `train.CHECKPOINTS`; its card. A run on the way is kept in the folder `work`."""
    if name in families.SHIPPED:
        return families.ship(name, work)
    if name in pronunciation.SHIPPED:
        return pronunciation.ship(work, name=name)
    ships = {
        "python-gpt": python_gpt.ship,
        "bert": fill_in.ship,
        "assistant-sft": assistant.ship_sft,
        "assistant-dpo": assistant.ship_dpo,
        "assistant-grpo": assistant.ship_grpo,
        "town-gpt": town_gpt.ship,
    }
    return ships[name](work)


@contextmanager
def whole_or_as_it_was(name: str) -> Iterator[None]:
    """When the block does not come to its end, the files of the checkpoint are again what they were before.

    A checkpoint is stored before it is measured: so it would stand there with a card that lacks the measures.
    """
    before = {path: path.read_bytes() for path in FOLDER.glob(f"{name}.*")}
    try:
        yield
    except BaseException:
        if distributed.is_first():
            for path in FOLDER.glob(f"{name}.*"):
                if path not in before:
                    path.unlink()
            for path, content in before.items():
                if not path.exists() or path.read_bytes() != content:
                    write_whole(path, content)
        raise


def left(name: str, work: Path, stopped: KeyboardInterrupt, fresh: bool) -> Stopped:
    """What an interrupt leaves: the checkpoint as it was, and of most trainings a run that can go on."""
    after = ""
    if isinstance(stopped, interrupts.Stopped):
        after = f" after {stopped.steps} step" + "s" * (stopped.steps != 1)
    again = "type the same command again"
    if not (work / f"{name}.state").exists():
        again += ", and it starts anew."
    else:
        again += (" without --fresh" if fresh else "") + ", and it goes on."
    return Stopped(f"Stopped{after}. The shipped checkpoint is as it was.", again)
