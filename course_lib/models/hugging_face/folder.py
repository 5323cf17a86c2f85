"""A folder in the form of the `transformers` library: where it is, what is in it, and what is wrong with it.

    config.json          the model's sizes and choices
    model.safetensors    its parameters
    tokenizer.json, …    what its ids mean

A folder is given by its path, or by a name on the Hugging Face hub. Nothing goes over the network unless it
is asked for: a name is looked up among what was fetched before. Only safetensors are read; a file that would
have to be unpickled is refused, since it can run any program.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

MODEL_FILES = ("config.json", "model.safetensors", "tokenizer.json", "vocab.txt", "vocab.json", "merges.txt")


def find(where: str | Path, download: bool, files: Sequence[str] = MODEL_FILES) -> Path:
    """The folder of a name: itself, or what the hub's library has fetched or fetches now.

    Args:
        where: a folder, or a name on the hub.
        download: fetch it from the hub if it is not there yet.
        files: which of its files are wanted.

    Raises:
        FileNotFoundError: nothing there; the message says what to do.
        ConnectionError: the hub cannot be reached.
    """
    wanted = " and ".join(files[:2])
    if Path(where).is_dir():
        return Path(where)
    if isinstance(where, Path) or not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", where):
        raise FileNotFoundError(f"no folder {where}: expected one with {wanted}")
    from huggingface_hub import snapshot_download  # late: few readers need it
    from huggingface_hub.errors import LocalEntryNotFoundError, RepositoryNotFoundError

    no_network = (
        f"the Hugging Face hub cannot be reached, so {where!r} was not fetched: go on without it, or copy a "
        f"folder with its {wanted} here and give its path"
    )
    try:
        return Path(snapshot_download(where, allow_patterns=list(files), local_files_only=not download))
    except RepositoryNotFoundError as error:
        raise FileNotFoundError(f"the hub has no {where!r}: is it spelled so?") from error
    except LocalEntryNotFoundError as error:
        if not download:
            raise FileNotFoundError(
                f"no folder {where!r}, and it was never fetched: write download=True to get it from the "
                f"Hugging Face hub, or give a folder with {wanted}"
            ) from error
        raise ConnectionError(no_network) from error
    except OSError as error:  # what the hub's library raises without a network
        raise ConnectionError(no_network) from error
    except Exception as error:  # its HTTP library has exceptions of its own
        if "httpx" in type(error).__module__ or "httpcore" in type(error).__module__:
            raise ConnectionError(no_network) from error
        raise


def name_of(folder: Path) -> str:
    """What a message calls a folder: its name, or the one on the hub, where its own is a hash."""
    if folder.parent.name == "snapshots":
        return folder.parent.parent.name.removeprefix("models--").replace("--", "/")
    return folder.name


# ---------------------------------------------------------------- what it says


class Said(dict):
    """What a config.json says; to ask for something that it does not say is an error with a name.

    Args:
        folder: where the file lies.
        expected: what must be so, if it is said at all: ours can be nothing else.

    Raises:
        FileNotFoundError: no such file.
        ValueError: no JSON, or a model that ours cannot be.
    """

    def __init__(self, folder: Path, expected: Mapping[str, object]) -> None:
        self.home = f"config.json of {name_of(folder)}"
        if not (folder / "config.json").exists():
            raise FileNotFoundError(f"no {self.home}: expected one beside its model.safetensors")
        try:
            super().__init__(json.loads((folder / "config.json").read_text(encoding="utf-8")))
        except (ValueError, TypeError) as error:
            raise ValueError(f"{self.home} is no JSON: get the file again") from error
        for name, value in expected.items():
            self.one_of(name, {value: value}, value)

    def one_of(self, name: str, known: Mapping[object, object], default: object) -> object:
        """Our word for one of theirs.

        Raises:
            ValueError: one for which we have no word.
        """
        value = self.get(name, default)
        if not isinstance(value, str | bool | int) or value not in known:
            expected = ("one of " if len(known) > 1 else "") + ", ".join(map(repr, known))
            raise ValueError(f"{name} is {value!r} in {self.home}, expected {expected}")
        return known[value]

    def __missing__(self, name: str) -> object:
        raise ValueError(f"{self.home} does not say {name}: is it the file of another kind of model?")


# ---------------------------------------------------------------- its parameters


def read_tensors(folder: Path) -> dict[str, Tensor]:
    """Its model.safetensors, under its own names.

    Raises:
        FileNotFoundError: no such file.
        ValueError: a damaged one.
    """
    path, name = folder / "model.safetensors", name_of(folder)
    if not path.exists():
        other = ""
        if any(folder.glob("*.bin")):
            other = " (pytorch_model.bin is pickled, and is not opened)"
        elif (folder / "model.safetensors.index.json").exists():
            other = " (it comes in several pieces)"
        raise FileNotFoundError(f"no model.safetensors in {name}{other}: save it as one file of safetensors")
    try:
        return load_file(path)
    except SafetensorError as error:
        raise ValueError(f"{path.name} of {name} is damaged ({error}): get the file again") from error


def renamed(name: str, names: Sequence[tuple[str, str]], kind: str) -> str:
    """Their name of a parameter as ours.

    Args:
        name: theirs.
        names: (how theirs begins, as a pattern; how ours begins); the first that fits.
        kind: what the file should hold: `"BERT"`.

    Raises:
        ValueError: a name that no part of ours has.
    """
    for pattern, new in names:
        if match := re.match(pattern, name):
            return match.expand(new) + name[match.end() :]
    raise ValueError(f"the file holds {name!r}, expected the parameters of a {kind}")


def put(parameters: dict[str, Tensor], model: nn.Module, folder: Path, cause: str) -> None:
    """Put parameters under our names into a model of ours, each exactly once.

    Args:
        parameters: name → tensor.
        model: gets them.
        folder: where they came from, for messages.
        cause: why all but the layers could be missing, for messages.

    Raises:
        ValueError: some are missing, of another shape, or of no use.
    """
    if missing := [name for name in model.state_dict() if name not in parameters]:
        parts = ", ".join(sorted({name.split(".")[0] for name in missing}))
        if any("layers." in name for name in missing):
            cause = "do its config.json and its parameters belong to the same model?"
        raise ValueError(f"{name_of(folder)} has no parameters for {parts}: {cause}")
    try:
        model.load_state_dict(parameters)
    except RuntimeError as error:
        raise ValueError(f"{name_of(folder)} does not fit its own config.json. {error}") from error
