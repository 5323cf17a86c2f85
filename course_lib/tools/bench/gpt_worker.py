"""One contestant of `bench gpt`, in a process of its own: it works when it is told to, and says how long.

A line `{"n": 3}` on the standard input asks for the work three times over; `{"seconds": …, "megabytes": …}`
comes back. Megabytes: how far the process has grown since its model stood.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_lib.generation import WholeText, sample
from course_lib.models.gpt import GPTConfig
from course_lib.tools.bench.plain_gpt import PlainGPT

PROMPT = 4  # tokens
Work = Callable[[], None]


def main() -> None:
    """Answer until the input ends; the job is the first argument: what, who, sizes."""
    job = json.loads(sys.argv[1])
    torch.set_num_threads(job["threads"])
    clock = time.process_time if job["threads"] == 1 else time.perf_counter
    torch.manual_seed(0)
    config = GPTConfig(**job["config"])
    work = JOBS[job["what"]](job["who"], config, job["batch"], job["length"])
    before = _resident()
    work()  # the first time loads and lays out
    for line in sys.stdin:
        start = clock()
        for _ in range(json.loads(line)["n"]):
            work()
        answer = {"seconds": clock() - start, "megabytes": _most_resident() - before}
        print(json.dumps(answer), flush=True)


def training(who: str, config: GPTConfig, batch: int, length: int) -> Work:
    """One step: loss, gradients, clip, AdamW; the same lines for every model."""
    model, logits = _model(who, config)
    ids = torch.randint(config.vocab_size, (batch, length + 1))
    optimizer = torch.optim.AdamW(model.parameters(), 1e-4, fused=True)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        scores = logits(ids[:, :-1])  # (B, T, V)
        F.cross_entropy(scores.flatten(0, 1), ids[:, 1:].flatten()).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    return step


def writing(who: str, config: GPTConfig, batch: int, length: int) -> Work:
    """So many tokens, the likeliest each time, behind a short prompt."""
    prompt = torch.randint(config.vocab_size, (batch, PROMPT))
    model, logits = _model("ours" if who == "uncached" else who, config)
    model.eval()
    if who == "transformers":
        asked = {"max_new_tokens": length, "do_sample": False, "use_cache": True, "pad_token_id": 0}
        seen = torch.ones_like(prompt)
        return lambda: model.generate(prompt, attention_mask=seen, eos_token_id=None, **asked)
    writer = model if who == "ours" else WholeText(logits)
    return lambda: sample(writer, prompt, length, temperature=0, stop_ids=())


def product(who: str, config: GPTConfig, batch: int, length: int) -> Work:
    """A product of two square matrices of 512 (or 1024, as `who` says) rows; 2 · rows³ operations."""
    a, b = torch.randn(int(who), int(who)), torch.randn(int(who), int(who))
    return lambda: torch.mm(a, b)


JOBS = {"training": training, "writing": writing, "product": product}


def _model(who: str, config: GPTConfig) -> tuple[nn.Module, Callable[[Tensor], Tensor]]:
    """A model, and what takes ids to logits."""
    if who == "ours":
        model = config.build()
        return model, lambda ids: model(ids)[0]
    if who == "plain":
        model = PlainGPT(config)
        return model, model
    from transformers import GPT2Config, GPT2LMHeadModel, logging  # for tests and benches only

    logging.set_verbosity_error()
    sizes = GPT2Config(
        vocab_size=config.vocab_size, n_embd=config.d_model, n_head=config.n_heads, n_layer=config.n_layers,
        n_positions=config.max_len, resid_pdrop=0, embd_pdrop=0, attn_pdrop=0, bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    model = GPT2LMHeadModel(sizes)
    model.generation_config.eos_token_id = None  # it writes on, as ours does
    return model, lambda ids: model(ids, use_cache=False).logits


def _resident() -> float:
    """Megabytes of memory that the process holds now; the most so far where the system does not say."""
    said = Path("/proc/self/status")
    if not said.exists():
        return _most_resident()
    line = next(line for line in said.read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def _most_resident() -> float:
    """Megabytes at the fullest moment; nan on Windows."""
    try:
        import resource
    except ImportError:
        return float("nan")
    unit = 1024**2 if sys.platform == "darwin" else 1024  # bytes there, kilobytes elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
