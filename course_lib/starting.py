"""Starting in the middle of a page: one kind line when a name is missing that a cell above makes.

The course's kernel asks for it when it starts (tools/jupyter/kernels, tools/hub.py), and so does
`course_lib.practice` for other kernels. The error itself is shown as always; a misspelt name, which no cell
makes, gets no line.
"""

import ast
import contextlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path


def watch() -> None:
    """From now on, look at each cell that ends with a missing name. Outside of a notebook: nothing."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is not None and after_a_cell not in shell.events.callbacks["post_run_cell"]:
        shell.events.register("post_run_cell", after_a_cell)


def after_a_cell(result) -> None:
    """Print the line below the error, if there is one to print."""
    with contextlib.suppress(Exception):  # help must not add an error of its own
        shell = sys.modules["IPython"].get_ipython()
        name = missing_name(result.error_in_exec, shell.user_ns)
        if name and made_above(name, result.info.raw_cell, Path(shell.user_ns["_dh"][0])):
            print(
                f"`{name}` is made by a cell above. Run all cells above (menu Run → Run All Above Selected "
                "Cell), then this one again."
            )


def missing_name(error: BaseException | None, namespace: dict) -> str | None:
    """The name that the reader's own code did not find; None for every other error, a library's too."""
    if type(error) is not NameError or error.__traceback__ is None:
        return None
    step = error.__traceback__
    while step.tb_next:
        step = step.tb_next
    return error.name if step.tb_frame.f_globals is namespace else None


def made_above(name: str, source: str, folder: Path) -> bool:
    """Whether a cell above the one with this source makes `name`, in the page as it is saved.

    folder: where the kernel started. Pages are looked for there when the server does not say which it is.
    """
    for cells in pages_with(source, folder):
        above = cells[: cells.index(source.strip())] if source.strip() in cells else cells
        if any(name in names_made(cell) for cell in above):
            return True
    return False


def pages_with(source: str, folder: Path) -> Iterator[list[str]]:
    """The code cells of the page that runs; where it is not known, of each page that has this cell."""
    known = Path(os.environ.get("JPY_SESSION_NAME", ""))  # Jupyter's server tells its kernels the page
    if known.suffix == ".ipynb" and known.is_file():
        yield code_of(known)
        return
    for path in sorted(folder.glob("*.ipynb")):
        with contextlib.suppress(OSError, ValueError, KeyError):
            cells = code_of(path)
            if source.strip() in cells:
                yield cells


def code_of(page: Path) -> list[str]:
    cells = json.loads(page.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]).strip() for cell in cells if cell["cell_type"] == "code"]


def names_made(source: str) -> set[str]:
    """The names that a cell leaves behind: assigned, imported, defined; not those inside functions."""
    lines = ("" if line.lstrip().startswith(("%", "!")) else line for line in source.splitlines())
    try:
        ahead: list[ast.AST] = [ast.parse("\n".join(lines))]
    except SyntaxError:
        return set()
    made: set[str] = set()
    while ahead:
        node = ahead.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            made.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            made |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            made.add(node.id)
        elif not isinstance(node, (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            ahead += ast.iter_child_nodes(node)
    return made
