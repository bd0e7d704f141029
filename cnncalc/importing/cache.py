"""Specs of programs that were run before: kept until the program, a file that it uses or its library changes."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

#: Specs that are kept.
MOST = 300


def folder() -> Path:
    """Where specs are kept: below XDG_CACHE_HOME, or the system's place for such files."""
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or str(Path.home() / ".cache")
    return Path(base) / "cnncalc" / "imports"


def key(*parts: Any) -> str:
    """What a spec is kept under: a hash of all that decides how it comes out."""
    from .. import __version__

    python = os.environ.get("CNNCALC_PYTHON", "")
    return hashlib.sha256(json.dumps([__version__, _own(), python, *map(repr, parts)]).encode()).hexdigest()


def _own() -> str:
    """When the importer itself last changed: a checkout does so between versions."""
    return str(max((path.stat().st_mtime_ns for path in Path(__file__).parent.rglob("*.py")), default=0))


def found(name: str) -> str | None:
    """A spec that was kept, if all that it came from is as it was."""
    try:
        entry = json.loads((folder() / f"{name}.json").read_text("utf-8"))
        for file, digest in entry["files"].items():
            if hashlib.sha256(Path(file).read_bytes()).hexdigest() != digest:
                return None
        for package, version in entry["versions"].items():
            if metadata.version(package) != version:
                return None
        text: str = entry["text"]
        return text
    except (OSError, ValueError, KeyError, TypeError, AttributeError, metadata.PackageNotFoundError):
        return None


def keep(name: str, text: str, files: Mapping[str, str], target: Any) -> None:
    """Keep a spec, if what it came from can be told to have changed."""
    packages = {"torch", target.path.partition(".")[0]} if target.kind != "file" else {"torch"}
    versions = {}
    for package in packages:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            if not files:
                return
    try:
        folder().mkdir(parents=True, exist_ok=True)
        path = folder() / f"{name}.json"
        temporary = path.with_suffix(f".{os.getpid()}")
        temporary.write_text(json.dumps({"text": text, "files": dict(files), "versions": versions}), "utf-8")
        os.replace(temporary, path)
        old = sorted(folder().glob("*.json"), key=lambda each: each.stat().st_mtime)[:-MOST]
        for each in old:
            each.unlink(missing_ok=True)
    except OSError:  # nothing is kept where there is no room
        return
