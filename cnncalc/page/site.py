"""The page as a folder for any web server: the calculator runs in the reader's browser, and nothing leaves it."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from ..errors import usage_error
from ..language.locate import zoo_files
from ..language.reader import read_file_text
from ..record import Record
from .desk import MOST_SPEC
from .desk.lecture import WORKED, worked
from .desk.words import words

PACKAGE = Path(__file__).parent.parent
BUILT = Path(__file__).parent / "built"
#: Of Pyodide's package: what the page loads, and the script by which a folder of it is known.
PYODIDE = ("pyodide.mjs", "pyodide.asm.mjs", "python_stdlib.zip")
WASM, LOCK = "pyodide.asm.wasm", "pyodide-lock.json"
#: What the calculator does without in a browser.
LEFT_OUT = {"pytorch", "importing", "exporters", "cli", "built", "__pycache__"}
#: Specs of a course at most.
MOST_SPECS = 200
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self' 'nonce-page'; "
    "img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'"
)


class Written(Record):
    """A site that was written: its files, the bytes of a first visit, and how many lessons are in it."""

    files: int
    loaded: int
    lessons: int


def write_site(output: Path, pyodide: Path, specs: Path | None = None) -> Written:
    """Write the folder, whole or not at all; raises `SpecError`."""
    _refuse(output)
    courses = list(_courses(specs)) if specs else []
    files = dict(_page()) | _runtime(pyodide)
    lessons = worked()
    files["cnncalc.zip"] = _package(lessons)
    files["words.json"] = json.dumps(words(), ensure_ascii=False).encode("utf-8")
    version = hashlib.sha256(b"".join(files[name] for name in sorted(files))).hexdigest()[:16]
    listing = {"version": version, "files": ["./", *sorted({*files, "specs.json"} - {"index.html"})], "specs": courses}
    files["specs.json"] = json.dumps(listing, ensure_ascii=False).encode("utf-8")
    _replace(output, files)
    loaded = sum(len(gzip.compress(data, mtime=0)) if name.endswith(("js", "css", "html", "json")) else len(data)
                 for name, data in files.items() if name != "LICENSES.txt")  # fmt: skip
    return Written(len(files), loaded, len(lessons))


def _page() -> Iterator[tuple[str, bytes]]:
    head = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n<meta name="nonce" content="page">'
    for path in sorted(BUILT.iterdir()):
        data = path.read_bytes()
        yield path.name, data.replace(b"{head}", head.encode()) if path.name == "index.html" else data


def _runtime(folder: Path) -> dict[str, bytes]:
    """The files of Pyodide that are loaded, the largest compressed; raises `SpecError` where they are not there."""
    places = (folder, folder / "package", folder / "node_modules" / "pyodide")
    found = next((each for each in places if (each / WASM).is_file()), None)
    if found is None:
        hint = "npm pack pyodide && tar xf pyodide-*.tgz, then --pyodide package"
        raise usage_error(f"there is no Pyodide in {folder}", hint)
    try:
        files = {f"pyodide/{name}": (found / name).read_bytes() for name in PYODIDE}
        files[f"pyodide/{WASM}.z"] = gzip.compress((found / WASM).read_bytes(), mtime=0)
        lock = json.loads((found / LOCK).read_text("utf-8"))
        lock["packages"] = {}  # none of them is loaded
    except (OSError, ValueError, TypeError) as error:
        raise usage_error(f"Pyodide in {found} cannot be read: {error}", "unpack it again") from None
    return files | {f"pyodide/{LOCK}": json.dumps(lock).encode()}


def _package(lessons: dict[str, Any]) -> bytes:
    """The calculator, PyYAML and the zoo as an archive, the same bytes each time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:

        def put(name: str, data: bytes) -> None:
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED, 9)

        for path in sorted(PACKAGE.rglob("*")):
            parts = path.relative_to(PACKAGE).parts
            if path.is_file() and not LEFT_OUT & {*parts} and parts[0] != "architectures":
                put("/".join(("cnncalc", *parts)), path.read_bytes())
        for path in sorted(zoo_files()):
            put(f"cnncalc/architectures/{path.name}", path.read_bytes())
        put(f"cnncalc/page/desk/{WORKED}", json.dumps(lessons, ensure_ascii=False).encode("utf-8"))
        for path in sorted(Path(yaml.__file__).parent.glob("*.py")):
            put(f"yaml/{path.name}", path.read_bytes())
    return buffer.getvalue()


def _courses(folder: Path) -> Iterator[dict[str, str]]:
    """The specs of a course, by the names of their files; raises `SpecError`."""
    paths = sorted(path for path in folder.glob("*.y*ml") if path.is_file()) if folder.is_dir() else []
    if not paths:
        raise usage_error(f"there is no spec in {folder}", "a folder with .yaml files")
    if len(paths) > MOST_SPECS:
        raise usage_error(f"there are {len(paths)} specs in {folder}", f"a site has at most {MOST_SPECS}")
    for path in paths:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise usage_error(f"cannot be read: {error.strerror}", where=str(path), code="file") from None
        if len(data) > MOST_SPEC:
            raise usage_error(
                f"is {len(data):,} bytes long", f"a spec on the page may have {MOST_SPEC:,}", where=str(path)
            )
        yield {"name": path.stem, "text": read_file_text(data, str(path)).text}


def _refuse(output: Path) -> None:
    """Raise `SpecError` for a folder in which something else lies than a site of ours."""
    ours = output.is_dir() and (output / "calculator.js").is_file() and (output / "cnncalc.zip").is_file()
    if output.exists() and not ours and (not output.is_dir() or any(output.iterdir())):
        raise usage_error(f"{output} is there already, and is no site of cnncalc", "another folder, or delete it first")


def _replace(output: Path, files: dict[str, bytes]) -> None:
    """Put the files in place of what is there; raises `SpecError`."""
    made: Path | None = None
    try:
        made = Path(tempfile.mkdtemp(dir=output.absolute().parent, prefix=".cnncalc."))
        made.chmod(0o755)
        for name, data in files.items():
            path = made / "new" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        if output.exists():
            output.rename(made / "old")
        (made / "new").rename(output)
    except OSError as error:
        raise usage_error(f"cannot be written: {error.strerror}", where=str(output), code="file") from None
    finally:
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)
