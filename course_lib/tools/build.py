"""`python3 -m course_lib build [NN ...]`: run pages in a fresh kernel and save them as the course stores
pages.

What is stored does not depend on the day or the machine: no timing, no widget state, no widget-view key
where a still stands, printed text in one piece, stable cell ids. So two builds of a page that trains
nothing give the same bytes. When a cell fails, or Ctrl-C comes, the stored page stays as it was.
"""

import asyncio
import hashlib
import os
import re
import sys
import tempfile
import threading
import time
from pathlib import Path

from course_lib.chapters import CHAPTERS, number_of
from course_lib.files import write_whole
from course_lib.tools import Problem, Stopped, environment, pages, parser, readme, versions

CELL_SECONDS = 600
PAGE_SECONDS, PAGE_MEGABYTES, PAGE_DISK_MEGABYTES = 100, 1200, 3  # the budget of one page
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
STILLS = ("image/png", "image/svg+xml", "text/html")
PICTURE = re.compile(r'<img alt="[^>]*>')  # as viz.still writes it: one tag, its alt text escaped


class CellFailed(Problem):
    """A page's cell raised an error."""


def main(arguments: list[str]) -> int:
    asked = parser("build")
    asked.add_argument(
        "numbers", nargs="*", metavar="NN", help="chapters to build, like 00 01 (all when none is named)"
    )
    asked.add_argument("--check", action="store_true", help="run and report, save nothing")
    options = asked.parse_args(arguments)
    chosen = choose(options.numbers)
    environment.ensure(versions.pins(), ["build", *arguments])
    failed, over = [], []
    for page in chosen:
        try:
            report = build(page, save=not options.check)
        except CellFailed as problem:
            failed.append(page.name)
            print(problem, file=sys.stderr, flush=True)
            continue
        except KeyboardInterrupt:
            again = "type the same command again, and the page is run from its first cell."
            raise Stopped("Stopped. The stored page is as it was.", again) from None
        print(report["line"], flush=True)
        over += report["over"]
    for line in over:
        print(f"over the budget: {line}")
    if not options.check and readme.README.exists():
        for name in readme.refresh():
            print(f"{name}: made again from course_lib/chapters.py")
    print(
        f"pages built: {len(chosen) - len(failed)}, failed: {len(failed)}"
        + (f" ({', '.join(failed)})" if failed else "")
    )
    return 1 if failed else 0


def choose(numbers: list[str]) -> list[Path]:
    found = pages.originals()
    if not found:
        raise Problem(
            "There are no pages in notebooks/.", "write one, named like 03_multi_head_attention.ipynb."
        )
    here = ", ".join(number_of(page.name) for page in found)
    for number in numbers:
        if any(means(number, page) for page in found):
            continue
        chapter = CHAPTERS.get(two_digits(number))
        raise Problem(
            f"Chapter {chapter.number} is not written yet."
            if chapter and not chapter.written
            else f"There is no page number {number}.",
            f"choose from {here}.",
        )
    return [page for page in found if not numbers or any(means(number, page) for number in numbers)]


def means(number: str, page: Path) -> bool:
    """Whether a typed number names this page: "9a" is 09a, and "10" is 10a and 10b."""
    return two_digits(number) in (number_of(page.name), number_of(page.name)[:2])


def two_digits(number: str) -> str:
    """A chapter's number as its page has it: "9A" → "09a"."""
    digits, letter = re.fullmatch(r"(\d*)(.*)", number.lower(), re.DOTALL).groups()
    return f"{int(digits):02}{letter}" if digits else number


def build(page: Path, save: bool = True) -> dict:
    """Execute one page and store it. Returns seconds, peak memory and size in MB, and lines over the budget.

    Raises CellFailed when a cell raises; the stored page is then untouched.
    """
    import nbformat

    notebook = nbformat.read(page, as_version=4)
    print(f"{page.name}: running …", flush=True)
    start = time.monotonic()
    memory = execute(notebook, page)
    seconds = time.monotonic() - start
    content = stored(notebook)
    changed = content != page.read_bytes()
    if save and changed:
        write_whole(page, content)
    size = len(content) / 2**20
    end = {(True, True): "saved", (True, False): "nothing changed", (False, True): "not saved: --check"}
    line = f"{page.name}: {seconds:.0f} s, peak memory {memory:.0f} MB, {size:.1f} MB on disk; " + end.get(
        (save, changed), "not saved: --check, and nothing would change"
    )
    budget = (
        (seconds, PAGE_SECONDS, "s"),
        (memory, PAGE_MEGABYTES, "MB of memory"),
        (size, PAGE_DISK_MEGABYTES, "MB on disk"),
    )
    over = [f"{page.name}: {have:.0f} {unit}, at most {most}" for have, most, unit in budget if have > most]
    return {
        "seconds": seconds,
        "memory": memory,
        "size": size,
        "changed": changed,
        "over": over,
        "line": line,
    }


def execute(notebook, page: Path) -> float:
    """Run all cells of `notebook` (changed in place) in a fresh kernel. Returns its peak memory in MB."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    with tempfile.TemporaryDirectory() as scratch:
        variables = {
            **os.environ,
            **environment.kernel_variables(),
            "COURSE_PROGRESS": str(Path(scratch) / "progress.json"),
        }
        client = NotebookClient(
            notebook,
            kernel_name="python3",
            extra_arguments=["--IPKernelApp.log_level=ERROR"],
            timeout=CELL_SECONDS,
            record_timing=False,
            store_widget_state=False,
            coalesce_streams=True,
            resources={"metadata": {"path": str(page.parent)}},
        )
        done = threading.Event()
        peak: list[float] = []
        watcher = threading.Thread(target=watch, args=(client, done, peak), daemon=True)
        watcher.start()
        try:
            with asyncio.Runner(loop_factory=Loop) as runner:
                runner.run(run(client, variables))
        except CellExecutionError as error:
            number, source = first_failure(notebook)
            raise CellFailed(
                f"{page.name}, cell {number} failed with {error.ename}: {error.evalue}\n"
                + "\n".join("    " + line for line in source.splitlines()[:12]),
                "mend that cell, then build again. The stored page is as it was.",
            ) from None
        except (CellTimeoutError, DeadKernelError) as error:
            raise CellFailed(
                f"{page.name}: {str(error).splitlines()[0]}",
                f"a cell may take {CELL_SECONDS} s and the machine's memory; make it smaller. The stored "
                "page is as it was.",
            ) from None
        finally:
            done.set()
            watcher.join(timeout=5)
    return max(peak, default=0.0)


class Loop(asyncio.SelectorEventLoop):
    """Gives no signal away: nbclient would answer Ctrl-C by ending the kernel under its own running cell."""

    def add_signal_handler(self, *_) -> None:
        raise RuntimeError("this loop's signals stay with asyncio.Runner")  # nbclient then does without


async def run(client, variables: dict[str, str]) -> None:
    """Run the cells and end the kernel, at once when cancelled: so asyncio.Runner answers Ctrl-C."""
    cancelled = asyncio.current_task().cancelling
    try:
        await client.async_execute(env=variables, cleanup_kc=False)
    except Exception:
        if cancelled():  # nbclient takes that for a kernel that died
            raise asyncio.CancelledError from None
        raise
    finally:
        await client.km.shutdown_kernel(now=cancelled() > 0)
        if client.kc is not None:
            client.kc.stop_channels()


def first_failure(notebook) -> tuple[int, str]:
    """The number (from 1) and the source of the first cell with an error output."""
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type == "code" and any(o.output_type == "error" for o in cell.outputs):
            return number, cell.source
    return 0, ""


def watch(client, done: threading.Event, peak: list[float]) -> None:
    """Write down the memory (MB) of the kernel and its children, ten times a second."""
    import psutil

    while not done.wait(0.1):
        try:
            kernel = psutil.Process(client.km.provisioner.pid)
            family = [kernel, *kernel.children(recursive=True)]
            peak.append(sum(p.memory_info().rss for p in family) / 2**20)
        except (AttributeError, psutil.Error):
            continue  # not started yet, or ended


# -- what is stored --------------------------------------------------------------------------------


def stored(notebook) -> bytes:
    """The page as it is committed: volatile parts out, then JSON with a newline at its end."""
    import nbformat

    tidy(notebook)
    return (nbformat.writes(notebook, version=4).rstrip("\n") + "\n").encode("utf-8")


def tidy(notebook) -> None:
    """Drop everything from `notebook` that changes from run to run without meaning anything."""
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.metadata = type(notebook.metadata)(
        kernelspec={"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        language_info={"name": "python", "file_extension": ".py", "mimetype": "text/x-python"},
        **{k: v for k, v in notebook.metadata.items() if k in ("title", "authors")},
    )
    used: set[str] = set()
    for number, cell in enumerate(notebook.cells):
        cell["id"] = stable_id(cell, number, used)
        keep = ("tags", "slideshow", "jupyter", "editable", "deletable", "source_hidden")
        cell.metadata = type(cell.metadata)({k: v for k, v in cell.metadata.items() if k in keep})
        if cell.cell_type == "code":
            cell.outputs = [tidy_output(output) for output in merge_streams(cell.outputs)]


def stable_id(cell, number: int, used: set[str]) -> str:
    """The id the cell has; where it lacks, or is there a second time, one made of its place and text."""
    own = cell.get("id")
    if not own or own in used:
        own = hashlib.sha256(f"{number}\n{cell.source}".encode()).hexdigest()[:8]
        while own in used:
            own = hashlib.sha256(own.encode()).hexdigest()[:8]
    used.add(own)
    return own


def merge_streams(outputs: list) -> list:
    """Printed text in one piece for each stream, where its first piece stood.

    The kernel sends text in pieces whose borders depend on the clock, and mixes the streams as they come.
    Of a progress bar (a line drawn again and again after a carriage return) only the last state stays.
    """
    merged, first = [], {}
    for output in outputs:
        if output.output_type == "stream" and output.name in first:
            first[output.name].text += output.text
        else:
            merged.append(output)
            if output.output_type == "stream":
                first[output.name] = output
            else:
                first = {}  # a picture in between: text after it stays after it
    for output in merged:
        if output.output_type == "stream":
            output.text = "\n".join(line.rsplit("\r", 1)[-1] for line in output.text.split("\n"))
    return merged


def tidy_output(output):
    output.pop("transient", None)
    data = output.get("data")
    if data and WIDGET_VIEW in data and any(mime in data for mime in STILLS):
        del data[WIDGET_VIEW]
        output.get("metadata", {}).pop(WIDGET_VIEW, None)
    if data and is_live_html(output):
        # a live view in a frame: half a megabyte of scripts, which the still before it stands for
        data["text/html"] = PICTURE.search(data["text/html"]).group()
        del output["metadata"]["text/html"]
    return output


def is_live_html(output) -> bool:
    """Whether the HTML of an output is a live view (viz.bertviz marks it so)."""
    return bool(output.get("metadata", {}).get("text/html", {}).get("live"))
