"""`.pt2`, what `torch.export.save` writes: a zip with a program as JSON in it. No PyTorch is needed, nothing is run."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import SpecError
from .archive import members_in
from .flat import Flat
from .operations import named
from .refusals import refused
from .torch_program import flat_of

#: Bytes of the program, and members of the archive.
MAX_JSON, MAX_MEMBERS = 64 << 20, 200_000
#: PyTorch's numbers for the types of tensors.
TYPES = {1: "uint8", 2: "int8", 3: "int16", 4: "int32", 5: "int64", 6: "float16", 7: "float32", 8: "float64",
         12: "bool", 13: "bfloat16"}  # fmt: skip
#: The versions of the schema that were read: the first number is what changes when old readers cannot follow.
SCHEMA = (7, 8)


def read(path: Path, inputs: Mapping[str, Any]) -> Flat:
    """The flat network in an archive; raises `SpecError`. Its input is as it was exported."""
    return flat_of(program_of(path))


def program_of(path: Path) -> dict[str, Any]:
    """The program in an archive; raises `SpecError` where it is none that can be read."""
    try:
        document = json.loads(_member(path))
        return _Program(document, path.stem).read()
    except SpecError:
        raise
    except RecursionError:
        raise refused("it is nested too deeply", str(path)) from None
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, StopIteration) as error:
        hint = "torch.export.save(torch.export.export(model, (example,)), 'net.pt2') writes one"
        raise refused(
            f"no program that can be read: {type(error).__name__} {str(error)[:80]}", str(path), hint
        ) from None


def _member(path: Path) -> bytes:
    """The JSON of the program, and nothing else of the archive."""
    try:
        if members_in(path) > MAX_MEMBERS:
            raise refused(f"more than {MAX_MEMBERS:,} files in it", str(path))
        with zipfile.ZipFile(path) as archive:
            found = [info for info in archive.infolist() if re.search(r"(^|/)models/[^/]+\.json$", info.filename)]
            if not found:
                hint = "torch.save writes weights or a pickled model, which holds no graph: torch.export.save does"
                raise refused("there is no exported program in it", str(path), hint)
            info = found[0]
            if info.file_size > MAX_JSON:
                raise refused(f"a program of {info.file_size:,} bytes; at most {MAX_JSON:,} are read", str(path))
            with archive.open(info) as file:
                data = file.read(MAX_JSON + 1)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, RuntimeError) as error:
        raise refused(f"cannot be read: {error}", str(path)) from None
    except zipfile.zlib.error:  # type: ignore[attr-defined]
        raise refused("cannot be read: it is damaged", str(path)) from None
    if len(data) > MAX_JSON:
        raise refused(f"a program of more than {MAX_JSON:,} bytes", str(path))
    return data


class _Program:
    def __init__(self, document: Mapping[str, Any], title: str) -> None:
        version = document["schema_version"]["major"]
        if version not in SCHEMA:
            raise refused(f"it is of version {version} of the format; {SCHEMA[0]} to {SCHEMA[-1]} are read",
                          "", "write it anew with a PyTorch of this year")  # fmt: skip
        self.module, self.title = document["graph_module"], title
        self.graph, self.torch = self.module["graph"], str(document.get("torch_version", ""))
        self.names: dict[str, str] = {}
        self.tensors: dict[str, dict[str, Any]] = {}
        self.modules: dict[str, dict[str, Any]] = {"": {"class": "", "attributes": {}, "library": False}}

    def read(self) -> dict[str, Any]:
        inputs = []
        for spec in self.module["signature"]["input_specs"]:
            ((kind, given),) = spec.items()
            if kind in ("parameter", "buffer", "tensor_constant"):
                self._state(kind, given)
            elif kind == "user_input" and "as_tensor" in given["arg"]:
                name = given["arg"]["as_tensor"]["name"]
                shape = self._shape(name)
                if not shape:
                    raise refused(f"the input {name} has no axes")
                dtype = TYPES.get(self.graph["tensor_values"][name]["dtype"], "float32")
                inputs.append({"name": name, "arg": name, "shape": shape[1:], "dtype": dtype, "batch": shape[0]})
        if not inputs:
            raise refused("the program takes no tensor")
        outputs = [each["user_output"]["arg"]["as_tensor"]["name"] for each in self.module["signature"]["output_specs"]
                   if "user_output" in each and "as_tensor" in each["user_output"]["arg"]]  # fmt: skip
        nodes = [made for node in self.graph["nodes"] for made in self._node(node)]
        return {
            "title": self.title,
            "batch": inputs[0]["batch"],
            "inputs": inputs,
            "tensors": self.tensors,
            "nodes": nodes,
            "outputs": outputs,
            "modules": self.modules,
            "registered": [name for name, each in self.tensors.items() if each["kind"] != "constant"],
            "state": {name: each["shape"] for name, each in self.tensors.items() if each["kept"]},
            "torch": self.torch,
        }

    def _state(self, kind: str, given: Mapping[str, Any]) -> None:
        name, own = given["arg"]["name"], str(given[f"{kind}_name"])
        self.names[name] = own
        self.tensors[own] = {
            "kind": "constant" if kind == "tensor_constant" else kind,
            "shape": self._shape(name),
            "value": None,
            "kept": kind == "parameter" or (kind == "buffer" and given.get("persistent", True)),
        }

    def _shape(self, name: str) -> list[int]:
        return [self._size(size) for size in self.graph["tensor_values"][name]["sizes"]]

    def _size(self, size: Mapping[str, Any]) -> int:
        """A size, or what it was in the example where it may be any."""
        if "as_int" in size:
            return int(size["as_int"])
        hint = size["as_expr"].get("hint") or {}
        if "as_int" not in hint:
            raise refused("a size is not known", "", "export it with sizes, leaving only the batch open")
        return int(hint["as_int"])

    def _node(self, node: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        target = str(node["target"])
        library, _, name = target.removeprefix("torch.ops.").partition(".")
        op = target
        if target.startswith("torch.ops."):
            op = name if library == "aten" else f"{library}::{named(name)}"
        given = {str(each["name"]): self._plain(each["arg"]) for each in node["inputs"]}
        metadata = node.get("metadata") or {}
        common = {"modules": self._stack(metadata.get("nn_module_stack", "")), "line": line_of(metadata)}
        outputs = [name for each in node["outputs"] for name in self._outputs(each)]
        if not outputs:
            return
        several = len(outputs) > 1 or any("as_tensors" in each for each in node["outputs"])
        name = str(node.get("name") or outputs[0])
        if not several:
            yield {"name": outputs[0], "op": op, "given": given, "shape": self._shape(outputs[0]), **common}
            return
        whole = f"{name}|"
        shapes = [self._shape(each) for each in outputs]
        yield {"name": whole, "op": op, "given": given, "shape": shapes, **common}
        for number, each in enumerate(outputs):
            parts = {"0": {"tensor": whole, "state": False}, "1": number}
            yield {"name": each, "op": "getitem", "given": parts, "shape": shapes[number], **common}

    @staticmethod
    def _outputs(output: Mapping[str, Any]) -> Iterator[str]:
        if "as_tensor" in output:
            yield str(output["as_tensor"]["name"])
        for each in output.get("as_tensors", ()):
            yield str(each["name"])

    def _plain(self, argument: Mapping[str, Any]) -> Any:
        ((kind, value),) = argument.items()
        if kind == "as_none":
            return None
        if kind == "as_tensor":
            return self._reference(value)
        if kind == "as_tensors":
            return [self._reference(each) for each in value]
        if kind == "as_optional_tensors":
            return [self._reference(each["as_tensor"]) if "as_tensor" in each else None for each in value]
        if kind == "as_sym_int":
            return self._symbol(value)
        if kind == "as_sym_ints":
            return [self._symbol(each) for each in value]
        if kind == "as_float" and isinstance(value, str):
            return float(value.replace("Infinity", "inf"))
        return value

    def _symbol(self, value: Mapping[str, Any]) -> int:
        if "as_int" in value:
            return int(value["as_int"])
        return self._size(self.graph["sym_int_values"][value["as_name"]])

    def _reference(self, value: Mapping[str, Any]) -> dict[str, Any]:
        name = str(value["name"])
        return {"tensor": self.names.get(name, name), "state": name in self.names}

    def _stack(self, text: str) -> list[list[str]]:
        """The modules around an operation: key, path and class of each."""
        found = []
        for entry in text.split(";") if text else ():
            key, _, rest = entry.partition(",")
            path, _, kind = rest.partition(",")
            self.modules.setdefault(
                path,
                {"class": kind.rpartition(".")[2], "attributes": {}, "library": kind.startswith("torch.nn.modules.")},
            )
            found.append([key, path, kind.rpartition(".")[2]])
        return found


def line_of(metadata: Mapping[str, Any]) -> str:
    """The innermost line of a stack trace that is not PyTorch's own, by the name of its file alone."""
    lines = re.findall(r'File "([^"]*)", line (\d+)', str(metadata.get("stack_trace", ""))[:20_000])
    own = [(file, number) for file, number in lines if "/torch/" not in file and "site-packages" not in file]
    return f"{Path(own[-1][0]).name}:{own[-1][1]}" if own else ""
