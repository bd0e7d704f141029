"""PyTorch source such as a person would write: blocks as classes, repeats as loops, no import of cnncalc."""

from __future__ import annotations

import keyword
import re
from collections.abc import Container, Iterator, Mapping, Sequence
from itertools import count
from typing import Any

from ..generated import inspected, literal
from ..graph import Graph, Group
from ..names import is_word
from ..ops import OWN_MODULES
from ..ops.own_source import own_class
from ..record import Record
from .calls import called, path_of
from .common import RESERVED, docstring, quoted, refuse_what_has_no_source
from .families import Families, Family, arguments_of
from .fold import outline
from .layout import are_numbered, broken, contained, listed, looped, optional_module, wrapped
from .outline import BORDER, Hole, Leaf, Scope, class_name, leaf_values, network_name
from .parameters import MISSING, Parameters, Text, written
from .pattern import Pattern, Source, is_module
from .vocabulary import of_torch


def torch_source(graph: Graph, module: str = "", imported: Sequence[str] = ()) -> str:
    """The source of an `nn.Module` with the same modules under the same paths, and the same outputs.

    The classes that are `imported` from a `module` stand for types that the spec declares.

    Raises `SpecError` for a network with unknown layers, or layers that only the spec declares.

    >>> from cnncalc import load
    >>> print(torch_source(load("lenet")).split("class ")[1].split("def forward")[0].strip())
    LeNet5(nn.Module):
        def __init__(self):
            super().__init__()
            self.C1 = nn.Conv2d(1, 6, kernel_size=5)
            self.tanh1 = nn.Tanh()
            self.S2 = nn.AvgPool2d(kernel_size=2)
            self.C3 = nn.Conv2d(6, 16, kernel_size=5)
            self.tanh3 = nn.Tanh()
            self.S4 = nn.AvgPool2d(kernel_size=2)
            self.flatten = nn.Flatten()
            self.C5 = nn.Linear(400, 120)
            self.tanh5 = nn.Tanh()
            self.F6 = nn.Linear(120, 84)
            self.tanh6 = nn.Tanh()
            self.output = nn.Linear(84, 10)
    """
    refuse_what_has_no_source(graph, "PyTorch", imported)
    root = outline(graph)
    classes = _Classes(root, graph.groups, imported)
    name = classes.of_root(network_name(graph))
    texts = list(classes.texts)
    used = {layer.op.module_type() for layer in graph.layers if layer.op and not layer.is_declared}
    own = [own_class(name) for name in OWN_MODULES if name in used]
    body = "\n\n\n".join([*own, *texts])
    imports = ["import torch", "from torch import nn"]
    standard = ["from collections import OrderedDict"] * ("OrderedDict(" in body)
    standard += ["from typing import Any"] * (": Any" in body)
    imports = [*standard, "", *imports] if standard else imports
    if own and "Tensor" in body:
        imports[-1] = "from torch import Tensor, nn"
    if "F." in body:
        imports.append("from torch.nn import functional as F")
    more = [f"from {module} import {', '.join(sorted(imported))}"] if imported else []
    imports += ["", *more] if more else []
    shapes = ", ".join(f"torch.randn(1, {', '.join(map(str, node.shape or ()))})" for node in graph.inputs)
    about = docstring(graph)
    results = "out.shape" if len(graph.outputs) == 1 else "[each.shape for each in out]"
    main = [
        'if __name__ == "__main__":',
        f"    net = {name}().eval()",
        "    with torch.inference_mode():",
        f"        out = net({shapes})",
        f'    print({results}, sum(each.numel() for each in net.parameters()), "parameters")',
    ]
    text = "\n".join([quoted(about), "", *imports, "", "", body, "", "", *main]) + "\n"
    words = frozenset({*classes.words, *imported})
    return inspected(text, of_torch(graph, words, own, more), about)


class Class(Record):
    """A class that is written already: its name, its parameters, and which row of them an instance has."""

    name: str
    parameters: Parameters
    rows: Mapping[int, int]

    def values(self, scope: Scope) -> list[Any]:
        """The values of the parameters for an instance."""
        return self.parameters.row(self.rows[id(scope)])


class _Classes:
    """Writes the classes of a network, the inner ones first."""

    def __init__(self, root: Scope, groups: Mapping[str, Group], imported: Sequence[str] = ()) -> None:
        self.root = root
        self.texts: list[str] = []
        self.words: set[str] = set()  # all names that are made here
        self.numbers: dict[str, int] = {}  # behind names that several classes would have
        given = {name for group in groups.values() for name in group.arguments}
        self.taken: set[str] = {*OWN_MODULES, *imported, *RESERVED, *root.block_arguments, *given}
        self.families = Families(root)
        self.known: dict[int, Class] = {}

    def of_root(self, name: str) -> str:
        """Write the network itself."""
        name = self.unused(name)
        pattern = Pattern([self.root], self.families.likeness)
        holes = [hole for slot in pattern.slots for hole in self.holes(slot.part)]
        self.write(name, pattern, Parameters(holes, [[hole.value for hole in holes]]))
        return name

    def of(self, scope: Scope) -> Class:
        """The class of a scope, written if it is not yet."""
        family = self.families.of[id(scope)]
        if id(family) not in self.known:
            pattern, instances = family.pattern, family.instances
            holes = [hole for slot in pattern.slots for hole in self.holes(slot.part)]
            rows = [self.values(family, instance) for instance in instances]
            parameters = Parameters(
                holes,
                rows,
                [arguments_of(instance) for instance in instances],
                [instance.channels for instance in instances],
                family.flags,
                [slot.part.name for slot in pattern.slots if not slot.optional],
            )
            name = self.unused(class_name(family.name))
            self.known[id(family)] = Class(name, parameters, {id(each): row for row, each in enumerate(instances)})
            self.write(name, pattern, parameters)
        return self.known[id(family)]

    def holes(self, part: Leaf | Scope) -> list[Hole]:
        """The places in the expression of a part at which a value stands."""
        if isinstance(part, Leaf):
            return leaf_values(part)
        if self.families.is_class(part):
            known = self.of(part)
            return [Hole(*pair) for pair in zip(known.parameters.signature, known.values(part), strict=True)]
        return [hole for each in part.parts for hole in self.holes(each)]

    def values(self, family: Family, scope: Scope) -> list[Any]:
        """The values at the places of a pattern; missing where an instance goes without a part."""
        found: list[Any] = []
        for slot, part in zip(family.pattern.slots, family.parts(scope), strict=True):
            own = self.holes(part or slot.part)
            found += [hole.value if part else MISSING for hole in own]
        return found

    def unused(self, name: str) -> str:
        candidate = name
        while candidate in self.taken or keyword.iskeyword(candidate):
            self.numbers[name] = self.numbers.get(name, 1) + 1
            candidate = f"{name}{self.numbers[name]}"
        self.taken.add(candidate)
        self.words.add(candidate)
        return candidate

    def write(self, name: str, pattern: Pattern, parameters: Parameters) -> None:
        """The text of one class."""
        holes = _Holes(parameters)
        optional = [number for number, slot in enumerate(pattern.slots) if slot.optional]
        conditions = dict(zip(optional, parameters.conditions, strict=True))
        numbered = pattern.scopes[0] is not self.root and pattern.numbered
        made: list[tuple[str, str]] = []  # the condition and the expression of each module
        lines: list[str] = []
        loose: dict[str, dict[str, str]] = {}  # modules that stand in one of no class of its own
        for number, slot in enumerate(pattern.slots):
            part, said = slot.part, conditions.get(number, "")
            if isinstance(part, Scope) or part.has_module or part.is_own:
                made.append((said, self.made(part, holes)))
                head, _, inside = part.name.partition(".")
                if inside:
                    if head not in loose:
                        lines.append(head)
                    loose.setdefault(head, {})[inside] = made[-1][1]
                elif not numbered:
                    text = optional_module(made[-1][1], part.name, said) if said else made[-1][1]
                    lines.append(_assigned(part.name, text))
            else:
                holes.take(len(leaf_values(part)))
        lines = [_assigned(each, contained(loose[each])) if each in loose else each for each in lines]
        lists = {head for head, parts in loose.items() if are_numbered(parts)}
        chain = numbered and all(scope.is_sequential for scope in pattern.scopes)
        forward, kept = (
            ("", dict[str, str]()) if chain else self.forward(pattern, parameters, conditions, numbered, lists)
        )
        parts = {slot.part.name for slot in pattern.slots}
        needed = set(re.findall(r"\bself\.(\w+)", forward))
        kept |= {each: each for each in parameters.signature if each in needed - parts}
        attributes = [f"        self.{each} = {value}" for each, value in kept.items()]
        if not numbered:
            body = "\n".join(["        super().__init__()", *attributes, *lines])
        elif any(said for said, _ in made):
            body = "\n".join([*listed(made), "        super().__init__(*layers)", *attributes])
        else:
            body = "\n".join([wrapped("super().__init__(", looped([each for _, each in made]), ")", 8), *attributes])
        signature = "".join(f", {each}" for each in parameters.declared)
        self.words |= {*parameters.signature, *kept, "layers", "append"}
        base = "nn.Sequential" if numbered else "nn.Module"
        text = f"class {name}({base}):\n    def __init__(self{signature}):\n{body}"
        text += "\n\n" + forward if forward else ""
        self.texts.append("\n".join(broken(line) for line in text.split("\n")))

    def made(self, part: Leaf | Scope, holes: _Holes) -> str:
        """The expression that makes a part."""
        if isinstance(part, Leaf):
            return _leaf(part, holes)
        if self.families.is_class(part):
            known = self.of(part)
            own = holes.take(len(known.parameters.signature))
            return f"{known.name}({', '.join(known.parameters.passed(own))})"
        items = [self.made(each, holes) for each in part.parts]
        if part.is_numbered:
            return wrapped("nn.Sequential(", looped(items), ")", 0)
        pairs = looped([f"({literal(each.name)}, {item})" for each, item in zip(part.parts, items, strict=True)])
        if len(pairs) == 1 and pairs[0].startswith("*("):
            return f"nn.Sequential(OrderedDict{pairs[0][1:]})"
        return "nn.Sequential(OrderedDict(" + wrapped("[", pairs, "]", 0) + "))"

    def forward(
        self,
        pattern: Pattern,
        parameters: Parameters,
        conditions: Mapping[int, str],
        numbered: bool,
        lists: Container[str],
    ) -> tuple[str, dict[str, str]]:
        """The forward method, and the attributes that it needs besides the class's parameters."""
        holes, kept = _Holes(parameters), dict[str, str]()
        names = _Variables(pattern)
        lines = []
        chain = pattern.chain if numbered else 0
        for number, slot in enumerate(pattern.slots):
            part, sources = slot.part, slot.sources
            values = holes.take(len(self.holes(part)))
            if number < chain:
                target = names.assign(number)
                if number == chain - 1:
                    lines.append(f"{target} = super().forward({names.arguments[0]})")
                continue
            if isinstance(part, Leaf):
                values = [value.of("self") if isinstance(value, Text) else value for value in values]
                expression = called(part, [names[source] for source in sources], values, lists)
            else:
                expression = f"{path_of(part.name, lists)}({', '.join(names[source] for source in sources)})"
            if number in conditions:
                without = names[sources[slot.passes]]
                if is_module(part):
                    expression = f"{without} if {path_of(part.name)} is None else {expression}"
                else:
                    asked = conditions[number]
                    if not is_word(asked):
                        taken = {*parameters.names, *kept, *(slot.part.name for slot in pattern.slots)}
                        asked = next(each for each in _wishes(part) if each not in taken)
                        kept[asked] = conditions[number]
                    expression = f"{expression} if self.{asked} else {without}"
            lines.append(f"{names.assign(number)} = {expression}")
        results = ", ".join(names[source] for source in pattern.results)
        last = lines[-1].partition(" = ") if lines else ("", "", "")
        if lines and last[0] == results:
            lines[-1] = f"return {last[2]}"
        else:
            lines.append(f"return {results}")
        body = "\n".join(f"        {line}" for line in lines)
        self.words |= names.taken
        return f"    def forward(self, {', '.join(names.arguments)}):\n{body}", kept


def _wishes(part: Leaf | Scope) -> Iterator[str]:
    """What an attribute may be called that says whether something is done."""
    wish = "residual" if isinstance(part, Leaf) and part.layer.type == "add" else "joined"
    yield wish
    for number in count(2):
        yield f"{wish}{number}"


class _Holes:
    """The values of a class's form in order, each as it is written in the class: a number or an expression."""

    def __init__(self, parameters: Parameters) -> None:
        self.parameters, self.at = parameters, 0

    def take(self, count: int) -> list[str | Any]:
        """The next values. Texts that are expressions come as `Text`."""
        found = [self.parameters.expression(i) for i in range(self.at, self.at + count)]
        self.at += count
        return found


class _Variables:
    """The names of values in a forward: one that is needed no more gives its name to the next."""

    def __init__(self, pattern: Pattern) -> None:
        self.pattern = pattern
        many = len(pattern.scopes[0].inputs)
        self.arguments = ["x"] if many == 1 else [f"x{i}" for i in range(1, many + 1)]
        self.names: dict[Source, str] = {(-1, i): name for i, name in enumerate(self.arguments)}
        self.taken = {*RESERVED, *self.arguments}
        self.numbers: dict[str, int] = {}
        self.last: dict[Source, int] = {}
        for number, slot in enumerate(pattern.slots):
            self.last |= dict.fromkeys(slot.sources, number)
        self.last |= dict.fromkeys(pattern.results, len(pattern.slots))

    def __getitem__(self, source: Source) -> str:
        return self.names[source]

    def assign(self, number: int) -> str:
        """The variables for the results of a part."""
        slot = self.pattern.slots[number]
        free = [self.names[source] for source in dict.fromkeys(slot.sources) if self.last[source] <= number]
        found = []
        for i, node in enumerate(slot.part.results):
            name = self.new(slot.part, "places") if node < 0 else free.pop(0) if free else self.new(slot.part)
            self.names[number, i] = name
            found.append(name)
        return ", ".join(found)

    def new(self, part: Leaf | Scope, wish: str = "") -> str:
        if not wish:
            wish = part.name if isinstance(part, Scope) and is_word(part.name) else "out"
        name = wish
        while name in self.taken or keyword.iskeyword(name):
            self.numbers[wish] = self.numbers.get(wish, 1) + 1
            name = f"{wish}{self.numbers[wish]}"
        self.taken.add(name)
        return name


def _assigned(name: str, made: str) -> str:
    text = f"self.{name} = {made}"
    if not is_word(name):
        how = "register_parameter" if made.startswith("nn.Parameter(") else "add_module"
        text = f"self.{how}({literal(name)}, {made})"
    return "\n".join(f"        {line}" for line in text.split("\n"))


#: What torch.nn takes first, without a name.
POSITIONAL = ("in_channels", "out_channels", "in_features", "out_features", "num_features", "normalized_shape")


def _leaf(leaf: Leaf, holes: _Holes) -> str:
    values = holes.take(len(leaf_values(leaf)))
    op = leaf.layer.op
    assert op is not None
    if leaf.call is not None:
        shape, start = values
        return f"nn.Parameter(torch.full({written(shape)}, {written(start)}))"
    declared = {each.name: each for each in op.arguments()}
    positional: list[str] = []
    named: list[str] = []
    for (name, _), value in zip(leaf_values(leaf), values, strict=True):
        if name == BORDER:
            continue
        argument = declared.get(name)
        if argument is not None and not argument.inferred and not argument.required and name != "batch_first":
            default = None if argument.default is None else argument.kind.read(argument.default, op.spatial)
            if _same(value, default):
                continue
        if name in POSITIONAL and not named and not leaf.layer.is_declared:
            positional.append(written(value))
        else:
            named.append(f"{name}={written(value)}")
    name = leaf.layer.type if leaf.layer.is_declared else op.module_type()
    prefix = "" if name in OWN_MODULES or leaf.layer.is_declared else "nn."
    return f"{prefix}{name}({', '.join([*positional, *named])})"


def _same(value: Any, default: Any) -> bool:
    if isinstance(default, tuple) and not isinstance(value, tuple):
        return all(each == value for each in default)
    return bool(value == default) and isinstance(value, type(default))
