"""A whole spec becomes a graph: its families and variants, its inputs, then its layers, outputs and claims."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping as Map
from collections.abc import Sequence as Items
from contextlib import suppress
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

from ..errors import Place, Source, SpecError, did_you_mean, usage_error
from ..graph import Graph, Layer
from ..names import RULE, is_name, is_path, is_word
from ..ops import REGISTRY
from ..ops.kinds import LARGEST, is_int
from . import expressions
from .budget import Exhausted
from .claimed import ClaimReader
from .declared import KEYS as TYPE_KEYS
from .declared import Declaration
from .expand import Expander
from .items import BESIDE, GROUPS, Block, is_soft
from .locate import READER, is_elsewhere
from .pretrained import pretrained
from .reader import Mapping, Node, Scalar, Sequence
from .spec import Spec, of_zoo, open_spec
from .warnings import MOST, warn, warning
from .workspace import Names, Scope, TooBig

KEYS = ("name", "source", "year", "task", "note", "input", "args", "variants", "blocks", "types", "layers", "outputs",
        "space", "expect", "disputed", "pretrained")  # fmt: skip

MAX_VARIANTS, MAX_INPUTS = 1_000, 64
#: Networks of the zoo that are kept once they were worked out.
MOST_NETWORKS = 400
#: Characters of what stands in every header, and of what stands below a table.
MAX_TEXTS = {"name": 300, "task": 100, "source": 2_000, "note": 20_000}

#: What a variant's `expect` says of it that is no claim.
FACTS = ("paper", "year", "task")

NAMING = "letters, digits and _, and no name that expressions have already"
#: Names that mean something in expressions already.
_SIZES = ("channels", "features", "length", "depth", "height", "width")
RESERVED = {
    *(set(expressions.FUNCTIONS) - expressions.HIDDEN),
    *expressions.CONSTANTS,
    "i",
    *(f"in_{size}" for size in _SIZES),
}


def usable(name: str) -> bool:
    """Whether expressions can use a name."""
    return is_word(name) and name not in RESERVED


def load(
    spec: str | Path | Source,
    *,
    args: Map[str, Any] | None = None,
    inputs: Map[str, Any] | Items[int] | None = None,
) -> Graph:
    """The graph of a spec: a path, a name in the zoo, `file:variant`, `-` for standard input, or a `Source`.

    Or of a network in another form: `net.pt2`, `mymodel.py:Net`, `package.module:factory`, `timm:NAME`.

    `args` turn the knobs of a family; `inputs` replaces the input's shape, or where there are several some of them by
    name. Raises `SpecError`.

    >>> len(load("lenet").layers)
    12
    >>> load("resnet50", inputs=(3, 320, 320)).nodes[1].shape
    (64, 160, 160)
    """
    shapes = inputs if inputs is None or isinstance(inputs, Map) else {"": tuple(inputs)}
    if not isinstance(spec, Source) and is_elsewhere(str(spec)):
        found: Graph = import_module(READER).graph(str(spec), args, shapes)
        return found
    return graph_of(open_spec(spec), args, shapes)


def graph_of(spec: Spec, args: Map[str, Any] | None = None, inputs: Map[str, Any] | None = None) -> Graph:
    """The network of a spec that is read; raises `SpecError` with all that is wrong, unless unknown types are all."""
    if not args and not inputs and of_zoo(spec.source):
        return _of_zoo(spec.source, spec.variant).copy()
    return Model(spec, dict(args or {}), dict(inputs or {})).graph()


@lru_cache(maxsize=MOST_NETWORKS)
def _of_zoo(source: Source, variant: str) -> Graph:
    return Model(open_spec(source)._replace(variant=variant), {}, {}).graph()


class Model:
    """One network of a spec, while it is built."""

    def __init__(self, spec: Spec, args: dict[str, Any], inputs: dict[str, Any]) -> None:
        self.spec, self.root, self.given, self.new_inputs = spec, spec.root, args, inputs
        self.made = Graph(spec.title, spec.variant, spec.source)
        self.expander = Expander(self.made)

    def graph(self) -> Graph:
        graph, expander = self.made, self.expander
        try:
            self.check_keys()
            graph.args = self.args()
            names = Names(dict(graph.args))
            expander.types.update(self.types())
            expander.blocks.update(self.blocks())
            self.inputs(names)
            self.space()
            layers = self.root.get("layers")
            if layers is None:
                near = [key for key in self.root.pairs if key not in KEYS and did_you_mean(key, ["layers"])]
                hint = f"should {near[0]} be layers?" if near else "layers: is a list of layer types"
                self.problem("shape", "there are no layers", self.root.place, hint)
            elif not graph.errors:
                if isinstance(layers, Sequence) and not layers.items:
                    warning(graph, "shape", "there are no layers: the output is the input", layers.place)
                self.outputs(expander.expand(layers, names))
            self.expectations(names)
        except TooBig:
            pass
        except Exhausted as exhausted:
            with suppress(TooBig):
                expander.space.too_big(f"this takes {exhausted}", expander.at, "are there shorter lists?")
        if any(error.code != "unknown-layer" for error in graph.errors):
            # An image with its channels last explains what does not fit further down.
            doubts = [each for each in graph.warnings if each.code == "channels-last"]
            raise SpecError([*doubts, *sorted(graph.errors, key=lambda each: each.place.line if each.place else 0)])
        warn(graph, self.root, expander.blocks)
        return graph

    # -- the head ------------------------------------------------------------------------------------------------

    def check_keys(self) -> None:
        strange = [(key, scalar) for key, scalar, _ in self.root.items() if key not in KEYS]
        for key, scalar in strange[:MOST]:
            hint = did_you_mean(key, KEYS) or f"a spec has {', '.join(KEYS)}"
            warning(self.made, "unused-key", f"nothing uses the key {key}", scalar.place, hint)
        for key, most in MAX_TEXTS.items():
            node = self.root.get(key)
            if isinstance(node, Scalar) and len(node.text) > most:
                self.problem("too-big", f"{key} has {len(node.text):,} characters; at most {most:,}", node.place)
        year = self.root.get("year")
        if year is not None and self.spec.year is None:
            self.problem("year", "a year is a whole number", year.place, "year: 2015")

    def mapping(self, key: str, example: str) -> Mapping:
        node = self.root.get(key)
        if node is None or (isinstance(node, Scalar) and node.value is None):
            return Mapping({}, self.root.place)
        if not isinstance(node, Mapping):
            self.problem("shape", f"{key} wants names with values", node.place, example)
            return Mapping({}, node.place)
        return node

    def args(self) -> dict[str, Any]:
        """The knobs: the file's defaults, then the variant's, then what was asked for."""
        declared = self.mapping("args", "args: {classes: 1000}")
        variants = self.mapping("variants", "variants: {small: {width: 32}}")
        chosen = variants.get(self.spec.variant) if self.spec.variant else None
        if len(variants.pairs) > MAX_VARIANTS:
            self.problem("too-big", f"more than {MAX_VARIANTS:,} variants", variants.place)
        for variant, key, node in variants.items():
            if not is_path(variant):
                self.problem("variants", f"{variant!r} cannot be the name of a variant", key.place, RULE)
            if isinstance(node, Scalar) and node.value is None:
                continue
            if not isinstance(node, Mapping):
                self.problem("variants", f"variant {variant} wants settings of args", node.place, f"{variant}: {{…}}")
                continue
            for name, scalar, _ in node.items():
                if name not in declared.pairs:
                    hint = (
                        did_you_mean(name, declared.pairs) or f"args are {', '.join(declared.pairs) or 'not declared'}"
                    )
                    self.problem(
                        "variants", f"variant {variant} sets {name}, which args does not have", scalar.place, hint
                    )
        for name in self.given:
            if name not in declared.pairs:
                hint = did_you_mean(name, declared.pairs)
                hint = hint or (f"it has {', '.join(declared.pairs)}" if declared.pairs else "it declares no args")
                raise usage_error(f"there is no argument {name} to set", hint, where=self.spec.source.name)
        settings = chosen if isinstance(chosen, Mapping) else Mapping({}, declared.place)
        values: dict[str, Any] = {}
        for name, key, default in declared.items():
            self.expander.at = key.place
            if not usable(name):
                self.problem("args", f"{name!r} cannot be the name of an argument", key.place, NAMING)
                continue
            if name in self.given:
                values[name] = self.given[name]
            else:
                values[name] = self.expander.space.value(settings.get(name) or default, None, Names(values), words=True)
        return values

    def types(self) -> dict[str, Declaration]:
        found: dict[str, Declaration] = {}
        for name, key, node in self.mapping("types", "types: {Deform: {shape: same, params: 9 * in_channels}}").items():
            if not is_name(name):
                self.problem("types", f"{name!r} cannot be the name of a type", key.place, RULE)
            elif name in (*REGISTRY, *BESIDE, *GROUPS) and not is_soft(name):
                self.problem(
                    "types", f"{name!r} cannot be declared: it has a meaning already", key.place, "give it another name"
                )
            elif not isinstance(node, Mapping):
                self.problem("types", f"type {name} wants figures", node.place, f"{name}: {{shape: same, params: 0}}")
            else:
                for figure, scalar, _ in node.items():
                    if figure not in TYPE_KEYS:
                        hint = did_you_mean(figure, TYPE_KEYS) or f"a type has {', '.join(TYPE_KEYS)}"
                        self.problem("types", f"type {name} has no figure {figure}", scalar.place, hint)
                figures = {figure: each for figure, _, each in node.items() if figure != "args"}
                found[name] = Declaration(name, self.parameters(node.get("args")), figures, key.place)
        return found

    def blocks(self) -> dict[str, Block]:
        found: dict[str, Block] = {}
        for name, key, node in self.mapping("blocks", "blocks: {conv_bn: {args: [c], layers: […]}}").items():
            taken = name in (*REGISTRY, *BESIDE, *GROUPS) and not is_soft(name)
            if taken or name in self.expander.types or not is_name(name):
                message = f"{name!r} cannot be the name of a block, or has a meaning already"
                self.problem("blocks", message, key.place, "" if is_name(name) else RULE)
                continue
            if not isinstance(node, Mapping) or "layers" not in node.pairs:
                self.problem("blocks", f"block {name} wants layers", node.place, f"{name}: {{args: […], layers: […]}}")
                continue
            for part, scalar, _ in node.items():
                if part not in ("args", "layers", "note", "source"):
                    hint = did_you_mean(part, ("args", "layers", "note")) or "a block has args, layers and note"
                    self.problem("blocks", f"block {name} has no part {part}", scalar.place, hint)
            found[name] = Block(name, self.parameters(node.get("args")), node.pairs["layers"][1], key.place)
        return found

    def parameters(self, node: Node | None) -> tuple[tuple[Scalar, Node | None], ...]:
        """The arguments that a block or type declares: a bare name must be given, one with a value may be."""
        if node is None or (isinstance(node, Scalar) and node.value is None):
            return ()
        pairs: list[tuple[Scalar, Node | None]] = []
        if isinstance(node, Mapping):
            pairs = [(key, value) for _, key, value in node.items()]
        elif isinstance(node, Sequence):
            for item in node.items:
                if isinstance(item, Mapping):
                    pairs += [(key, value) for _, key, value in item.items()]
                elif isinstance(item, Scalar):
                    pairs.append((item, None))
                else:
                    self.problem("args", "an argument is a name, or a name with a value", item.place)
        else:
            self.problem("args", "args wants a list of names", node.place, "args: [out_channels, stride: 1]")
        times = Counter(key.text for key, _ in pairs)
        for key, _ in pairs:
            if not usable(key.text) or times[key.text] > 1:
                what = "stands twice" if times[key.text] > 1 else "cannot be the name of an argument"
                self.problem("args", f"{key.text!r} {what}", key.place, NAMING)
                return ()
        return tuple(pairs)

    # -- inputs and outputs --------------------------------------------------------------------------------------

    def inputs(self, names: Names) -> None:
        node = self.root.get("input")
        if node is None:
            place = self.root.place
            self.problem("input", "there is no input", place, "input: [3, 224, 224]   # channels, height, width")
            return
        several = {key: value for key, _, value in node.items()} if isinstance(node, Mapping) else {"input": node}
        if len(several) > MAX_INPUTS:
            self.problem("too-big", f"more than {MAX_INPUTS} inputs", node.place)
        if not several:
            self.problem("input", "there is no input", node.place, "input: [3, 224, 224]")
        for key in self.new_inputs:
            if key not in several and (key or len(several) > 1):
                which = f"there is no input {key}" if key else "there are several inputs"
                hint = (
                    did_you_mean(key, several)
                    or f"say --input {next(iter(several))}=3x224x224; inputs are {', '.join(several)}"
                )
                raise usage_error(which, hint, where=self.spec.source.name)
        for name, value in several.items():
            self.expander.at = value.place
            asked = self.new_inputs.get(name, self.new_inputs.get(""))
            if asked is None and isinstance(value, Scalar) and re.fullmatch(r"\d+([x×]\d+)+", str(value.value)):
                sizes = re.split("[x×]", str(value.value))
                self.problem("input", f"{value.text} is no list of sizes", value.place, f"write [{', '.join(sizes)}]")
                continue
            given = list(asked) if asked is not None else self.expander.space.value(value, None, names)
            taken = self.expander.sorter.is_known(name) and not is_soft(name)
            if isinstance(node, Mapping) and (taken or not is_name(name)):
                hint = "" if is_name(name) else RULE
                self.problem("input", f"{name!r} cannot be the name of an input", node.pairs[name][0].place, hint)
            if (
                not isinstance(given, list)
                or not 1 <= len(given) <= 4
                or not all(is_int(size) and size > 0 for size in given)
            ):
                if isinstance(given, (list, int, float, str)) or given is None:
                    self.problem(
                        "input",
                        f"an input is a list of 1 to 4 sizes ≥ 1, channels first, not {given}",
                        value.place,
                        "input: [3, 224, 224]   # channels, height, width; the batch is never written",
                    )
                continue
            shape = tuple(given)
            if any(size > LARGEST for size in shape):
                self.problem("input", "that is too large for an input", value.place)
            if len(shape) == 3 and shape[2] in (1, 3) and min(shape[:2]) > 4:
                warning(
                    self.made,
                    "channels-last",
                    f"this input has {shape[0]} channels, {shape[1]} rows and {shape[2]} columns: channels come first",
                    value.place,
                    f"did you mean [{shape[2]}, {shape[0]}, {shape[1]}]?"
                    if asked is None
                    else f"did you mean --input {shape[2]}x{shape[0]}x{shape[1]}?",
                )
            self.expander.space.outputs[name] = len(self.made.nodes)
            self.made.nodes.append(Layer(name, "input", None, (), shape, value.place))
        self.made.input_count = len(self.made.nodes)

    def space(self) -> None:
        """What `space` states of a family; read where a spec has it, and by no other."""
        node = self.root.get("space")
        if node is not None:
            self.expander.at = node.place
            shape = self.made.inputs[0].shape if len(self.made.inputs) == 1 else None
            reader = import_module(f"{__package__}.space")
            self.made.space = reader.stated_space(self.expander.space, node, self.made.args, shape or ())

    def outputs(self, x: int | None) -> None:
        node = self.root.get("outputs")
        if node is None:
            self.made.outputs = () if x is None else (x,)
            return
        parts = node.items if isinstance(node, Sequence) else [node]
        found = []
        names = Names(dict(self.made.args))
        for part in parts:
            if isinstance(part, Mapping) and set(part.pairs) == {"from", "when"}:
                if not self.expander.space.value(part.pairs["when"][1], x, names):
                    continue
                part = part.pairs["from"][1]
            if not isinstance(part, Scalar):
                self.problem(
                    "outputs", "outputs wants names of layers", part.place, "outputs: [fc, {from: aux1.fc, when: aux}]"
                )
                continue
            index = self.expander.space.find(part, Scope(""), x, names)
            if index is not None:
                found.append(index)
        self.made.outputs = tuple(found)

    # -- what the spec claims ------------------------------------------------------------------------------------

    def expectations(self, names: Names) -> None:
        self.expander.at = (self.root.get("expect") or self.root).place
        reader = ClaimReader(self.expander.space, self.spec.variant, self.spec.variants, names)
        claims = reader.expected(self.mapping("expect", "expect: {params: 61706}"))
        own = {each.quantity: each.value for each in claims if each.quantity in FACTS}
        for each in claims:
            good = is_int(each.value) if each.quantity == "year" else isinstance(each.value, str)
            if each.quantity in FACTS and not each.name and (not good or len(str(each.value)) > MAX_TEXTS["source"]):
                what = "a whole number" if each.quantity == "year" else "a text"
                self.problem("expect", f"{each.quantity} is {what}", each.place or self.root.place)
        self.made.claims[:0] = [each for each in claims if each.quantity not in FACTS]
        self.made.about = str(own.get("paper", self.spec.about))
        self.made.task = str(own.get("task", self.spec.task))
        self.made.year = own.get("year", self.spec.year)
        self.made.disputes += reader.disputed(self.root.get("disputed"))
        space, spec = self.expander.space, self.spec
        self.made.pretrained += pretrained(space, spec.variant, spec.variants, self.root.get("pretrained"))

    def problem(self, code: str, message: str, place: Place, hint: str = "") -> None:
        self.expander.space.problem(code, message, place, hint)
