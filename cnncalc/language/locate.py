"""Where a spec is looked for: a file, standard input, or the zoo, by the name of a file or of a variant."""

from __future__ import annotations

import re
import sys
from functools import lru_cache
from pathlib import Path

from ..errors import Source, SpecError, did_you_mean, usage_error
from .reader import MAX_BYTES, read_file_text

#: What the names of bundled specs begin with, where they are shown.
ZOO = "zoo/"


@lru_cache(maxsize=1)
def zoo_folder() -> Path:
    """Where the bundled specs are: inside an installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "architectures"
    return inside if inside.is_dir() else package.parent / "architectures"


def zoo_files() -> list[Path]:
    """The bundled specs."""
    return sorted(zoo_folder().glob("*.yaml"))


def zoo_sources() -> list[Source]:
    """The texts of the bundled specs."""
    return [_read(path, f"{ZOO}{path.name}") for path in zoo_files()]


def locate(spec: str) -> tuple[Source, str]:
    """The text of a spec, and the variant that its name asks for (or an empty string); raises `SpecError`."""
    if not spec.strip():
        raise usage_error("no spec is named", "a file, a name in the zoo, file:variant, or - for standard input")
    if spec == "-":
        if sys.stdin is None:
            raise usage_error("there is no standard input to read")
        return read_file_text(sys.stdin.buffer.read(MAX_BYTES + 1), "<stdin>"), ""
    path = Path(spec)
    if spec.rstrip(":").endswith(".py"):
        hint = f"name the class or function that makes the network: {spec.rstrip(':')}:Net"
        raise usage_error("is a program, and no spec", hint, where=spec)
    if _is_file(path):
        return _read(path), ""
    head, colon, variant = spec.rpartition(":")
    if colon and head:
        if _is_file(Path(head)):
            return _read(Path(head)), variant
        found = in_zoo(head)
        if found:
            return found[0], variant
    found = in_zoo(spec)
    if found:
        return found
    raise _not_found(spec, path)


#: Reads networks that are no specs: it stands above the language, which therefore only knows its name.
READER = "cnncalc.importing.target"
#: Forms of files that hold a network and are only read, by their endings: what reads them, below `importing`.
FORMS = {".pt2": "pt2", ".onnx": "onnx_file", ".keras": "keras_file", ".cfg": "darknet"}
#: Endings of files that hold a network in another form, or only its weights.
ELSEWHERE = (*FORMS, ".pt", ".pth", ".ckpt", ".safetensors")


def is_elsewhere(spec: str) -> bool:
    """Whether a name is that of a network in another form: a program, or a file of another kind.

    A file or a name of the zoo before the colon goes first, so that `resnet:resnet18` is what it is.

    >>> [is_elsewhere(name) for name in ("net.py:Net", "timm:resnet50d", "torchvision.models:resnet50", "net.pt2")]
    [True, True, True, True]
    >>> [is_elsewhere(name) for name in ("resnet50", "resnet:resnet18", "net.yaml:small", "-")]
    [False, False, False, False]
    """
    head, colon, name = spec.rpartition(":")
    if is_rows(spec):
        return True
    if not colon:
        return spec.lower().endswith(ELSEWHERE) or (spec.endswith(".json") and _describes_keras(Path(spec)))
    if head == "timm" or head.endswith(".py"):
        return bool(name)
    if _is_file(Path(head)) or not re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", head):
        return False
    return (
        not head.endswith((".yaml", ".yml")) and in_zoo(head) is None and bool(re.fullmatch(r"[A-Za-z_][\w.]*", name))
    )


def _describes_keras(path: Path) -> bool:
    """Whether a file of JSON, which may be a spec as well, is Keras' description of a model."""
    try:
        with path.open("rb") as file:
            return b'"class_name"' in file.read(4096)
    except (OSError, ValueError):
        return False


def is_rows(spec: str) -> bool:
    """Whether a name is that of a YAML file in Ultralytics' form, or of a scale of it.

    Such a file has rows below `backbone` and `head`, and no layers.
    """
    if not re.search(r"\.ya?ml(:|$)", spec):
        return False
    path = next((Path(name) for name in (spec, spec.rpartition(":")[0]) if _is_file(Path(name))), None)
    if path is None or not path.name.endswith((".yaml", ".yml")):
        return False
    try:
        with path.open("rb") as file:
            keys = re.findall(rb"^(backbone|head|layers):", file.read(MAX_BYTES), re.MULTILINE)
    except (OSError, ValueError):
        return False
    return {*keys} == {b"backbone", b"head"}


def is_file_spec(spec: str) -> Path | None:
    """The file that a spec names, if it is one that a person may edit."""
    for name in (spec, spec.rpartition(":")[0]):
        if name and name != "-" and _is_file(Path(name)):
            return Path(name)
    return None


def zoo_names() -> list[str]:
    """The names that find something in the zoo: files and variants."""
    names = [path.stem for path in zoo_files()]
    for path in zoo_files():
        names += variant_names(path.read_text(encoding="utf-8"))
    return names


def variant_names(text: str) -> list[str]:
    """The variants of a bundled spec, read off its text without parsing all of it: two spaces, name, colon."""
    block = re.search(r"^variants:[^\n]*\n((?:(?: .*)?\n)*)", text + "\n", re.MULTILINE)
    return re.findall(r"^  ([\w.\-]+):", block.group(1), re.MULTILINE) if block else []


def _is_file(path: Path) -> bool:
    try:
        return path.exists() and not path.is_dir()
    except (OSError, ValueError):
        return False


def _read(path: Path, name: str = "") -> Source:
    try:
        with path.open("rb") as file:
            return read_file_text(file.read(MAX_BYTES + 1), name or _printable(path))
    except OSError as error:
        raise usage_error(f"cannot be read: {error.strerror}", where=str(path), code="file") from None


def _printable(path: Path) -> str:
    """A path as it can be printed, also where it is no UTF-8."""
    return str(path).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def in_zoo(name: str) -> tuple[Source, str] | None:
    """The text of a network of the zoo, and its variant that the name asks for; None where there is none."""
    stem = name.removesuffix(".yaml").removesuffix(".yml")
    if not re.fullmatch(r"[\w.\-]{1,100}", stem):
        return None
    return _named(stem) or _written_otherwise(stem)


def _named(stem: str) -> tuple[Source, str] | None:
    path = zoo_folder() / f"{stem}.yaml"
    if path.is_file():
        source = _read(path, f"{ZOO}{path.name}")
        return source, stem if stem in variant_names(source.text) else ""
    for path in sorted(zoo_files(), key=lambda path: not stem.startswith(path.stem)):
        text = path.read_text(encoding="utf-8")
        if f"\n  {stem}:" in text and stem in variant_names(text):
            return _read(path, f"{ZOO}{path.name}"), stem
    return None


def _written_otherwise(stem: str) -> tuple[Source, str] | None:
    """The one network whose name is the same but for capitals, hyphens and underscores: ResNet-50 is resnet50."""
    names = {name for name in zoo_names() if _plain(name) == _plain(stem)}
    return _named(names.pop()) if len(names) == 1 else None


def _plain(name: str) -> str:
    return re.sub(r"[-_.]", "", name.lower())


def _not_found(spec: str, path: Path) -> SpecError:
    try:
        if path.is_dir():
            inside = sorted(each.name for each in path.glob("*.y*ml"))[:5]
            hint = f"it holds {', '.join(inside)}" if inside else "it holds no .yaml file"
            return usage_error("is a directory, not a spec", hint, where=spec, code="file")
    except (OSError, ValueError):
        pass
    asked = Path(spec).name.removesuffix(".yaml")
    names = list(dict.fromkeys(zoo_names()))
    longer = [name for name in names if len(asked) > 1 and _plain(asked) in _plain(name)]
    longer = [name for name in longer if _plain(name).startswith(_plain(asked))] or longer
    near = f"did you mean {' or '.join(longer)}?" if 0 < len(longer) <= 5 else did_you_mean(asked, names)
    hint = near or "`cnncalc zoo` lists the networks that are bundled, `cnncalc new NAME` writes a spec of your own"
    shown = spec if len(spec) <= 80 else spec[:77] + "…"
    return usage_error("there is no such file, and no such network in the zoo", hint, where=shown, code="file")
