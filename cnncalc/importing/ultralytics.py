"""Ultralytics' YAML: rows of a source, a number, a module and its values. Nothing is run, and no package is needed.

The modules are blocks of the language, in `ultralytics.yaml`. What depth and width do to a row stays an expression, so
that all scales of a file are variants of one spec.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from math import ceil
from pathlib import Path
from typing import Any

from ..errors import Place, Problem, Source, SpecError, did_you_mean
from ..language.flow import flow
from ..language.locate import locate
from ..language.reader import Mapping as Table
from ..language.reader import Node, Scalar, Sequence, read
from ..ops import REGISTRY
from ..record import Record

#: Rows of a file: the largest of the author's own has 43.
MAX_ROWS = 1_000
#: Where the modules stand as blocks.
MODULES = Path(__file__).with_name("ultralytics.yaml")
#: Modules that are larger in some scales: the argument that says so, and the scales.
LARGER = {"C3k2": ("c3k", "mlx"), "A2C2f": ("residual", "lx")}
#: Modules after which a head takes the newer, lighter form.
NEWER = frozenset({"C3k2", "A2C2f", "C2fCIB"})
#: The activation that is written in the blocks, and what a file may say instead of it.
USUAL = "SiLU: {inplace: true}"
ACTIVATION = re.compile(r"(?:torch\.)?nn\.(\w+)\(([\d.]*)\)")
#: PyTorch's order of the values of a layer, where ours is another.
ORDER = {
    "MaxPool2d": ("kernel_size", "stride", "padding", "dilation", "return_indices", "ceil_mode"),
    "AvgPool2d": ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad"),
    "Conv2d": ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "bias"),
    "ConvTranspose2d": ("out_channels", "kernel_size", "stride", "padding", "output_padding", "groups", "bias"),
    "Upsample": ("size", "scale_factor", "mode"),
}
#: Heads that do more than detect or classify.
OTHERS = re.compile(r"Segment|Pose|OBB|Detect|Decoder|Depth")


class Module(Record):
    """A module: its text as a block, and the arguments that a row gives, in order."""

    text: str
    arguments: tuple[str, ...]

    @property
    def widens(self) -> bool:
        """Whether the first value is a number of channels, which grows with the width."""
        return self.arguments[:1] == ("c2",)

    @property
    def repeats(self) -> bool:
        """Whether the number in the row is of parts in the module, and not of modules."""
        return self.arguments[1:2] == ("n",)


@cache
def modules() -> dict[str, Module]:
    """The modules that are known, by name.

    >>> modules()["C3"].arguments
    ('c2', 'n', 'shortcut', 'g', 'e')
    """
    text = MODULES.read_text(encoding="utf-8")
    root = read(Source(MODULES.name, text))
    assert isinstance(root, Table)
    lines, found = text.splitlines(), {}
    begins = [key.place.line - 1 for _, key, _ in root.items()]
    for (name, _, block), begin, end in zip(root.items(), begins, [*begins[1:], len(lines)], strict=True):
        stated = block.get("args") if isinstance(block, Table) else None
        items = stated.items if isinstance(stated, Sequence) else []
        names = [item.text if isinstance(item, Scalar) else next(iter(getattr(item, "pairs"))) for item in items]  # noqa: B009
        body = "\n".join(lines[begin:end]).rstrip()
        found[name] = Module(body, tuple(each for each in names if not each.endswith("_")))
    return found


def spec_of(spec: str, args: Mapping[str, Any], inputs: Mapping[str, Any]) -> str:
    """The spec of a file, or of `file:scale`; raises `SpecError` with line and column of what cannot be read."""
    source, scale = locate(spec)
    root = read(source)
    if not isinstance(root, Table):
        raise SpecError([Problem("import", "a model is a mapping with backbone and head", source, root.place)])
    return _File(source, root, scale).text(args, inputs)


class _File:
    """One file while it is written as a spec."""

    def __init__(self, source: Source, root: Table, scale: str) -> None:
        self.source, self.root = source, root
        self.stem = Path(source.name).stem  # without a scale, which Ultralytics writes behind the number of the version
        self.scales = self._scales()
        named = re.match(rf"([a-z]+-?v?\d+)({'|'.join(self.scales) or '$^'})(?![a-z0-9])", self.stem)
        self.stem = named[1] + self.stem[named.end() :] if named else self.stem
        self.scale = scale or (named[2] if named else next(iter(self.scales), ""))
        if scale and scale not in self.scales:
            hint = f"it has {', '.join(self.scales)}" if self.scales else "it has one size"
            raise self.wrong(f"there is no scale {scale}", root.place, did_you_mean(scale, self.scales) or hint)
        self.newer, self.outputs = False, ""
        self.parts: dict[int, list[int]] = {}  # the channels of the maps that a row gives together
        self.used: set[str] = set()

    def wrong(self, message: str, place: Place, hint: str = "") -> SpecError:
        return SpecError([Problem("import", message, self.source, place, hint=hint)])

    def number(self, key: str, default: float) -> float:
        node = self.root.get(key)
        value = default if node is None else getattr(node, "value", None)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1e6:
            assert node is not None
            raise self.wrong(f"{key} is a number above 0", node.place, f"{key}: {default}")
        return value

    def _scales(self) -> dict[str, tuple[float, float, float]]:
        node, found = self.root.get("scales"), {}
        if node is None:
            return {}
        if not isinstance(node, Table) or not node.pairs:
            raise self.wrong("scales are named, each with depth, width and most channels", node.place)
        for name, _, each in node.items():
            values = [getattr(item, "value", None) for item in each.items] if isinstance(each, Sequence) else []
            numbers = [v for v in values if isinstance(v, (int, float)) and not isinstance(v, bool) and 0 < v < 1e6]
            if len(numbers) != 3 or len(values) != 3 or not re.fullmatch(r"[A-Za-z]\w{0,20}", name):
                raise self.wrong("a scale is [depth, width, most channels]", each.place, "n: [0.33, 0.25, 1024]")
            found[name] = (numbers[0], numbers[1], numbers[2])
        return found

    # Rows

    def rows(self) -> list[Sequence]:
        found: list[Sequence] = []
        for key in ("backbone", "head"):
            node = self.root.get(key)
            if not isinstance(node, Sequence):
                raise self.wrong(f"{key} is a list of rows", node.place if node else self.root.place)
            for item in node.items:
                if not isinstance(item, Sequence) or len(item.items) != 4 or not isinstance(item.items[3], Sequence):
                    hint = "[-1, 1, Conv, [64, 3, 2]]"
                    raise self.wrong("a row is a source, a number, a module and its values", item.place, hint)
                found.append(item)
        if not found or len(found) > MAX_ROWS:
            raise self.wrong(f"{len(found):,} rows; a file has 1 to {MAX_ROWS:,}", self.root.place)
        return found

    def row(self, number: int, row: Sequence) -> list[str]:
        """A row as lines of a list of layers: one, or two of which a scale takes either."""
        sources, count, module, values = row.items
        name = module.text if isinstance(module, Scalar) else ""
        if not (name in ("Concat", "v10Detect") or name in modules() or (name[:3] == "nn." and name[3:] in REGISTRY)):
            raise self.unknown(name, module)
        times = getattr(count, "value", None)
        if isinstance(times, bool) or not isinstance(times, int) or not 1 <= times <= 1000:
            raise self.wrong("how often a module stands is a number from 1 to 1,000", count.place)
        taken = self.sources(number, sources)
        given = [self.value(each) for each in values.items] if isinstance(values, Sequence) else []
        if name == "Concat":
            beside = f", dim: {flow(given[0])}" if given and given[0] != 1 else ""
            joined = f"concat: {flow([[] if each == number - 1 else str(each) for each in taken])}{beside}"
            return [f"- {{{joined}}}" if beside else f"- {joined}"]
        source = taken[-1] if name == "CBFuse" else taken[0]  # a sum of maps is as large as the last of them
        behind = "" if source == number - 1 else f", from: '{source}'"
        type_, arguments = self.layer(name, number, taken, given, times, module)
        self.used.add(type_)
        inner = f"{type_}: {flow(arguments)}"
        known = modules().get(type_)
        if times == 1 or (known is not None and known.repeats):
            return [f"- {{{inner}{behind}}}" if behind else f"- {inner}"]
        several = f"layers: [{{{inner}, repeat: {flow(self.times(times))}}}]{behind}"
        counts = {max(1, round(times * depth)) for depth, _, _ in self.scales.values()} or {self.times(times)}
        if min(counts) > 1:
            return [f"- {{{several}}}"]
        if max(counts) == 1:
            return [f"- {{{inner}{behind}}}"]
        once = f"round({times} * depth) <= 1"  # one module stands by itself, and bears the row's number
        return [f"- {{{inner}{behind}, when: {flow(once)}}}", f"- {{{several}, when: {flow(f'not ({once})')}}}"]

    def sources(self, number: int, node: Node) -> list[int]:
        """The rows that a row takes, −1 for the input."""
        items = node.items if isinstance(node, Sequence) else [node]
        found = []
        for item in items:
            value = getattr(item, "value", None)
            if isinstance(value, bool) or not isinstance(value, int):
                raise self.wrong("a source is the number of a row, or -1 for the row before", item.place)
            place = number + value if value < 0 else value
            if not (0 <= place < number or (number == 0 and value == -1)):
                raise self.wrong(f"there is no row {value} before row {number}", item.place)
            found.append(place)
        if not found:
            raise self.wrong("a row takes at least one other", node.place, "-1 for the row before")
        return found

    def value(self, node: Node) -> Any:
        """A value of a row: a number, a truth, a word, or a list of these."""
        if isinstance(node, Sequence):
            return [self.value(each) for each in node.items[:100]]
        if not isinstance(node, Scalar):
            raise self.wrong("a value is a number, true, false, a word or a list", node.place)
        if not isinstance(node.value, str):
            return node.value
        word = node.text
        if word == "nc":
            return word
        if word in ("True", "False", "None"):
            return {"True": True, "False": False, "None": None}[word]
        stated = self.root.get(word)
        if stated is not None and not isinstance(stated, Table):
            return self.value(stated) if getattr(stated, "text", "") != word else None
        if re.fullmatch(r"[a-z_]{1,20}", word):
            return word
        raise self.wrong(f"the value {word[:40]!r} is not understood", node.place, "a number, True, False, None or nc")

    def layer(
        self, name: str, number: int, taken: list[int], given: list[Any], times: int, node: Node
    ) -> tuple[str, dict[str, Any]]:
        """The block or layer type of a module, and its arguments by name."""
        self.newer = self.newer or name in NEWER
        if name.startswith("nn."):
            return name[3:], self.plain(name[3:], given, node)
        if name in ("Detect", "v10Detect"):
            return "Detect", self.head(name, taken, given)
        if name == "CBFuse":
            return name, self.fused(taken, given, node)
        known = modules()[name]
        names = [each for each in known.arguments if not (known.repeats and each == "n")]
        if len(given) > len(names):
            raise self.wrong(f"{name} takes {len(names)} values, not {len(given)}", node.place, ", ".join(names))
        found = {key: value for key, value in zip(names, given, strict=False) if value is not None}
        if name == "CBLinear":
            self.parts[number] = self.widths(found.get("widths"), node)
        if known.widens:
            found["c2"] = self.channels(found.get("c2"), node)
        if known.repeats:
            found = {"c2": found.pop("c2"), "n": self.times(times), **found}
        larger, scales = LARGER.get(name, ("", ""))
        if any(scale in self.scales for scale in scales) and found.get(larger) is not True and found.get("a2", True):
            found[larger] = larger
        return name, found

    def head(self, name: str, taken: list[int], given: list[Any]) -> dict[str, Any]:
        """What a head that detects is told: its levels, and which of its forms it has."""
        bins = int(self.number("reg_max", 16))
        twice = name == "v10Detect" or getattr(self.root.get("end2end"), "value", None) is True
        self.outputs = "predicted" if twice else ""
        found: dict[str, Any] = {"nc": given[0] if given else "nc", "levels": taken}
        found |= {"reg_max": bins} if bins != 16 else {}
        found |= {} if self.newer or name == "v10Detect" else {"legacy": True}
        return found | ({"end2end": True} if twice else {})

    def widths(self, stated: Any, node: Node) -> list[int]:
        if not isinstance(stated, list) or not all(type(each) is int and 0 < each < 1_000_000 for each in stated):
            raise self.wrong("CBLinear takes a list of channels", node.place, "CBLinear, [[64, 128]]")
        return stated

    def plain(self, type_: str, given: list[Any], node: Node) -> dict[str, Any]:
        """The arguments of a layer of torch.nn, which a row gives in PyTorch's order."""
        if type_.startswith("BatchNorm"):
            return {}
        names = ORDER.get(type_) or tuple(argument.name for argument in REGISTRY[type_].arguments())
        if len(given) > len(names):
            raise self.wrong(f"{type_} takes {len(names)} values, not {len(given)}", node.place, ", ".join(names))
        found = {name: value for name, value in zip(names, given, strict=False) if value is not None}
        if type_ == "ConvTranspose2d":
            found["out_channels"] = self.channels(found.get("out_channels"), node)
        return {name: value for name, value in found.items() if name != "in_channels"}

    def unknown(self, name: str, node: Node) -> SpecError:
        if name == "TorchVision":
            hint = "cnncalc import torchvision.models:NAME brings such a network in"
            return self.wrong("TorchVision is a network of another package", node.place, hint)
        if OTHERS.search(name):
            hint = "heads that are read are Detect, v10Detect and Classify"
            return self.wrong(f"{name}: networks that detect and classify are read", node.place, hint)
        hint = did_you_mean(name, modules()) or f"known are {', '.join(modules())}, Concat and nn.…"
        return self.wrong(f"the module {name[:40]!r} is not known", node.place, hint)

    def fused(self, taken: list[int], given: list[Any], node: Node) -> dict[str, Any]:
        """What is taken of each source: which of its maps, and so between which channels it lies."""
        chosen = given[0] if given and isinstance(given[0], list) else []
        if len(chosen) != len(taken) - 1:
            raise self.wrong(f"{len(taken) - 1} sources and {len(chosen)} maps to choose", node.place)
        starts, stops = [], []
        for source, index in zip(taken, chosen, strict=False):
            widths = self.parts.get(source, [])
            if type(index) is not int or not 0 <= index < len(widths):
                raise self.wrong(f"row {source} has no map {index}", node.place, "its row is one of CBLinear")
            starts.append(sum(widths[:index]))
            stops.append(sum(widths[: index + 1]))
        return {"levels": taken[:-1], "starts": starts, "stops": stops}

    # What depth and width do

    def channels(self, stated: Any, node: Node) -> Any:
        if isinstance(stated, bool) or not isinstance(stated, int) or not 1 <= stated <= 1_000_000:
            raise self.wrong("the first value is a number of channels", node.place, "[-1, 1, Conv, [64, 3, 2]]")
        if not self.scales:
            return ceil(stated * self.number("width_multiple", 1.0) / 8) * 8
        most = min(most for _, _, most in self.scales.values())
        return f"ceil({stated if stated <= most else f'min({stated}, most)'} * width / 8) * 8"

    def times(self, stated: int) -> Any:
        if stated == 1:
            return 1
        if not self.scales:
            return max(1, round(stated * self.number("depth_multiple", 1.0)))
        return f"max(1, round({stated} * depth))"

    # The whole

    def text(self, args: Mapping[str, Any], inputs: Mapping[str, Any]) -> str:
        layers = [line for number, row in enumerate(self.rows()) for line in self.row(number, row)]
        body = "\n".join(layers)
        knobs = self.knobs(self.scale)
        words = {name for name in knobs if re.search(rf"\b{name}\b", body)}
        lines = [f"name: {flow(self.title)}", "source: Ultralytics' YAML, read without the package"]
        size = 224 if "Classify" in self.used else 640
        channels = int(self.number("channels", self.number("ch", 3)))
        shape = next((list(each) for each in inputs.values()), [channels, size, size])
        lines.append(f"input: {flow(shape)}")
        unknown = next((name for name in args if name not in words), None)
        if unknown is not None:
            hint = did_you_mean(unknown, words) or f"it has {', '.join(knobs)}"
            raise self.wrong(f"there is no argument {unknown}", self.root.place, hint)
        if words:
            lines.append(f"args: {flow({name: args.get(name, knobs[name]) for name in knobs if name in words})}")
        if len(self.scales) > 1:
            lines.append("variants:")
            for scale in self.scales:
                apart = {k: v for k, v in self.knobs(scale).items() if k in words and v != knobs[k]}
                lines.append(f"  {scale}: {flow(apart)}")
        lines += ["", "blocks:"]
        blocks = modules()
        for name in self.blocks():
            lines += ["  " + line if line else line for line in blocks[name].text.splitlines()]
        lines += ["", "layers:", "  - model:", *("      " + line for line in layers)]
        if self.outputs:
            last = len(self.rows()) - 1
            lines += ["", f"outputs: [model.{last}.{self.outputs}, model.{last}]"]
        return self.activated("\n".join(lines) + "\n")

    @property
    def title(self) -> str:
        """The file's name, with the scale behind the number of the version as Ultralytics writes it."""
        return re.sub(r"(\d+)", rf"\g<1>{self.scale}", self.stem, count=1)

    def knobs(self, scale: str) -> dict[str, Any]:
        depth, width, most = self.scales.get(scale, (1.0, 1.0, 0))
        larger = {argument: scale in scales for argument, scales in LARGER.values()}
        return {"depth": depth, "width": width, "most": most, **larger, "nc": int(self.number("nc", 80))}

    def blocks(self) -> list[str]:
        """The modules that the rows name and those that they are made of, in their own order."""
        known, wanted, todo = modules(), set(), list(self.used)
        while todo:
            name = todo.pop()
            if name in known and name not in wanted:
                wanted.add(name)
                todo += re.findall(r"\b([A-Z]\w*):", known[name].text.partition("\n")[2])
        return [name for name in known if name in wanted]

    def activated(self, text: str) -> str:
        """The text with the activation that the file names."""
        node = self.root.get("activation")
        if node is None:
            return text
        stated = ACTIVATION.fullmatch(getattr(node, "text", ""))
        if not stated or stated[1] not in REGISTRY or not hasattr(REGISTRY[stated[1]], "arguments"):
            raise self.wrong("this activation is not understood", node.place, "torch.nn.ReLU(), or nn.LeakyReLU(0.1)")
        names = [each.name for each in REGISTRY[stated[1]].arguments() if each.name != "inplace"]
        if stated[2] and not names:
            raise self.wrong(f"{stated[1]} takes no value", node.place)
        given = f"{names[0]}: {stated[2]}" if stated[2] else ""
        return text.replace(f"{{{USUAL}", f"{{{stated[1]}: {{{given}}}")
