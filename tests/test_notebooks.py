"""The notebooks, executed from a clean kernel, each in a folder of its own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

nbformat = pytest.importorskip("nbformat", reason="notebooks are read with nbformat: pip install -e '.[dev]'")
nbclient = pytest.importorskip("nbclient", reason="notebooks are executed with nbclient: pip install -e '.[dev]'")

NOTEBOOKS = sorted((Path(__file__).parent.parent / "docs" / "notebooks").glob("*.ipynb"))


def shown(notebook: Any) -> list[str]:
    """What the cells print, each in one piece however it came, and what they show."""
    parts = []
    for cell in notebook.cells:
        outputs = cell.get("outputs", ())
        parts.append("".join("".join(output["text"]) for output in outputs if "text" in output))
        for output in outputs:
            data = output.get("data", {})
            parts.append("".join(data.get("text/html") or data.get("text/markdown") or data.get("text/plain") or ""))
    return [part for part in parts if part]


def executed(path: Path, folder: Path) -> Any:
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nbclient.NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()
    return notebook


@pytest.mark.filterwarnings("ignore")
def test_outputs_can_be_kept(tmp_path: Path) -> None:
    if os.environ.get("CNNCALC_UPDATE_DOCS"):
        for path in NOTEBOOKS:
            notebook = executed(path, tmp_path)
            notebook.metadata.pop("widgets", None)
            for cell in notebook.cells:
                cell.metadata.pop("execution", None)
            nbformat.write(notebook, path)


def test_there_are_five() -> None:
    assert [path.name[0] for path in NOTEBOOKS] == list("12345")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs_and_its_assertions_hold(path: Path, tmp_path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    kept = shown(notebook)
    assert all(cell.get("outputs") for cell in notebook.cells if cell.cell_type == "code" and "print(" in cell.source)
    assert sum("assert" in cell.source for cell in notebook.cells if cell.cell_type == "code") >= 3
    client = nbclient.NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    assert shown(notebook) == kept, "what GitHub shows is what comes out: CNNCALC_UPDATE_DOCS=1 keeps it"


@pytest.mark.filterwarnings("ignore")
def test_a_wrong_answer_fails(tmp_path: Path) -> None:
    notebook = nbformat.read(NOTEBOOKS[0], as_version=4)
    for cell in notebook.cells:
        cell.source = cell.source.replace("return (F - 1) // 2", "return F // 2 + 1")
    client = nbclient.NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    )
    with pytest.raises(nbclient.exceptions.CellExecutionError):
        client.execute()
