"""PyTorch source such as a person would write: blocks as classes, repeats as loops, no import of cnncalc."""

from __future__ import annotations

import keyword
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ..generated import inspected, literal
from ..graph import Graph, Group
from ..names import is_word
from .common import OWN, RESERVED, docstring, own_class, quoted, refuse_what_has_no_source
from .layout import broken, looped, optional_module, wrapped
from .outline import Leaf, Scope, class_name, ends_of, form, leaf_values, network_name, optional_part, outline
from .parameters import MISSING, Parameters, Text, written
from .vocabulary import of_torch


def torch_source(graph: Graph) -> str:
    """The source of an `nn.Module` with the same modules under the same paths, and the same outputs.

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
    refuse_what_has_no_source(graph, "PyTorch")
    root = outline(graph)
    classes = _Classes(root, graph.groups)
    name = classes.of_root(network_name(graph))
    texts = list(classes.texts)
    used = {layer.type for layer in graph.layers}
    own = [own_class(name) for name in OWN if name in used]
    body = "\n\n\n".join([*own, *texts])
    imports = ["import torch", "from torch import nn"]
    if "OrderedDict(" in body:
        imports = ["from collections import OrderedDict", "", *imports]
    if own and "Tensor" in body:
        imports[-1] = "from torch import Tensor, nn"
    if "F." in body:
        imports.append("from torch.nn import functional as F")
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
    return inspected(text, of_torch(graph, frozenset(classes.words), own), about)


#: Forms of one block among which one is looked for that has one part more.
MOST_FORMS = 20


class Known(NamedTuple):
    """A class that is written already: its name, its parameters, and the part that an instance may do without."""

    name: str
    parameters: Parameters
    optional: str = ""


class _Classes:
    """Writes the classes of a network, the inner ones first."""

    def __init__(self, root: Scope, groups: Mapping[str, Group]) -> None:
        self.root = root
        self.texts: list[str] = []
        self.words: set[str] = set()  # all names that are made here
        self.numbers: dict[str, int] = {}  # behind names that several classes would have
        self.known: dict[Any, Known] = {}
        self.instances: dict[Any, list[Scope]] = {}
        given = {name for group in groups.values() for name in group.arguments}
        self.taken: set[str] = {*OWN, *RESERVED, *root.block_arguments, *given}
        for scope in _scopes(root):
            if self.is_class(scope):
                self.instances.setdefault(self.key(scope), []).append(scope)
        self.larger: dict[Any, tuple[Any, str]] = {}  # a form → the form that has one part more, and that part
        by_length: dict[tuple[str, int], list[Any]] = {}
        for key, (scope, *_) in self.instances.items():
            by_length.setdefault((scope.block, len(scope.parts)), []).append(key)
        for key, (scope, *_) in self.instances.items():
            for other in by_length.get((scope.block, len(scope.parts) + 1), ())[:MOST_FORMS] if scope.block else ():
                part = optional_part(self.instances[other][0], key[1])
                if part:
                    self.larger[key] = other, part
                    break

    def is_class(self, scope: Scope) -> bool:
        """Blocks are classes, and so is what is no plain chain of modules."""
        return scope is not self.root and (bool(scope.block) or not scope.is_sequential)

    def key(self, scope: Scope) -> Any:
        return scope.block, form(scope)[0]

    def of_root(self, name: str) -> str:
        """Write the network itself."""
        name = self.unused(name)
        holes = form(self.root)[1]
        self.write(name, self.root, Parameters(holes, [[hole.value for hole in holes]]))
        return name

    def of(self, scope: Scope) -> Known:
        """The class of a scope, written if it is not yet."""
        key = self.key(scope)
        key = self.larger.get(key, (key, ""))[0]
        if key not in self.known:
            instances = list(self.instances[key])
            smaller = [(other, part) for other, (larger, part) in self.larger.items() if larger == key][:1]
            optional = smaller[0][1] if smaller else ""
            for other, _ in smaller:
                instances += self.instances[other]
            model = instances[0]
            values = [self.values(instance, model, optional) for instance in instances]
            taken = [part.name for part in model.parts]
            parameters = Parameters(form(model)[1], values, [instance.block_arguments for instance in instances], taken)
            name = self.unused(class_name(model.block or model.name))
            self.known[key] = Known(name, parameters, optional)
            self.write(name, model, parameters, optional)
        return self.known[key]

    def values(self, scope: Scope, model: Scope, optional: str) -> list[Any]:
        """The values at the places of a model's form; missing where an instance does without the optional part."""
        own = [hole.value for hole in form(scope)[1]]
        if not optional or any(part.name == optional for part in scope.parts):
            return own
        before = 0
        for part in model.parts:
            count = len(leaf_values(part)) if isinstance(part, Leaf) else len(form(part)[1])
            if part.name == optional:
                return [*own[:before], *[MISSING] * count, *own[before:]]
            before += count
        return own

    def unused(self, name: str) -> str:
        candidate = name
        while candidate in self.taken or keyword.iskeyword(candidate):
            self.numbers[name] = self.numbers.get(name, 1) + 1
            candidate = f"{name}{self.numbers[name]}"
        self.taken.add(candidate)
        self.words.add(candidate)
        return candidate

    def write(self, name: str, scope: Scope, parameters: Parameters, optional: str = "") -> None:
        """The text of one class."""
        holes = _Holes(parameters)
        lines: list[str] = []
        numbered = scope is not self.root and scope.is_numbered and not optional
        for part in scope.parts:
            if isinstance(part, Scope) or part.has_module or (part.call and part.call.tensors == "own"):
                made = self.made(part, holes)
                if part.name == optional:
                    made = optional_module(made, optional)
                lines.append(made if numbered else _assigned(part.name, made))
            else:
                holes.take(len(leaf_values(part)))
        forward = "" if numbered and scope.is_sequential else self.forward(scope, parameters, optional, numbered)
        kept = [f"        self.{each} = {each}" for each in parameters.signature if f"self.{each}" in forward]
        if numbered:
            body = "\n".join([wrapped("super().__init__(", looped(lines), ")", 8), *kept])
        else:
            body = "\n".join(["        super().__init__()", *kept, *lines])
        signature = "".join(f", {each}" for each in parameters.signature) + f", {optional}=True" * bool(optional)
        self.words |= {*parameters.signature, *([optional] if optional else [])}
        base = "nn.Sequential" if numbered else "nn.Module"
        text = f"class {name}({base}):\n    def __init__(self{signature}):\n{body}"
        text += "\n\n" + forward if forward else ""
        self.texts.append("\n".join(broken(line) for line in text.split("\n")))

    def made(self, part: Leaf | Scope, holes: _Holes) -> str:
        """The expression that makes a part."""
        if isinstance(part, Leaf):
            return _leaf(part, holes)
        if self.is_class(part):
            known = self.of(part)
            own = holes.take(len(form(part)[1]))
            without = bool(known.optional) and all(each.name != known.optional for each in part.parts)
            if without:
                own = self.spread(own, part, known.optional)
            passed = known.parameters.passed(own) + [f"{known.optional}=False"] * without
            return f"{known.name}({', '.join(passed)})"
        items = [self.made(each, holes) for each in part.parts]
        if part.is_numbered:
            return wrapped("nn.Sequential(", looped(items), ")", 0)
        pairs = looped([f"({literal(each.name)}, {item})" for each, item in zip(part.parts, items, strict=True)])
        if len(pairs) == 1 and pairs[0].startswith("*("):
            return f"nn.Sequential(OrderedDict{pairs[0][1:]})"
        return "nn.Sequential(OrderedDict(" + wrapped("[", pairs, "]", 0) + "))"

    def spread(self, own: list[Any], scope: Scope, optional: str) -> list[Any]:
        """Expressions for the places of the larger form."""
        model = self.instances[self.larger[self.key(scope)][0]][0]
        places = iter(own)
        return [each if each is MISSING else next(places) for each in self.values(scope, model, optional)]

    def forward(self, scope: Scope, parameters: Parameters, optional: str, numbered: bool) -> str:
        """The forward method. What it needs of the class's parameters are attributes."""
        holes = _Holes(parameters)
        names = _Variables(scope, self.root)
        lines = []
        whole = numbered and scope.parts[: scope.chain] == scope.modules
        for at, part in enumerate(scope.parts):
            if whole and at < scope.chain:
                holes.take(len(leaf_values(part)) if isinstance(part, Leaf) else len(form(part)[1]))
                target = names.assign(part)
                if at == scope.chain - 1:
                    lines.append(f"{target} = super().forward({names[scope.inputs[0]]})")
                continue
            if isinstance(part, Leaf):
                values = holes.take(len(leaf_values(part)))
                values = [value.of("self") if isinstance(value, Text) else value for value in values]
                expression = _called(part, [names[i] for i in part.inputs], values)
            else:
                holes.take(len(form(part)[1]))
                expression = f"{_path(part.name)}({', '.join(names[i] for i in part.inputs)})"
            if part.name == optional:
                expression = f"{names[part.inputs[0]]} if self.{optional} is None else {expression}"
            lines.append(f"{names.assign(part)} = {expression}")
        results = ", ".join(names[i] for i in scope.results)
        last = lines[-1].partition(" = ") if lines else ("", "", "")
        if lines and last[0] == results:
            lines[-1] = f"return {last[2]}"
        else:
            lines.append(f"return {results}")
        body = "\n".join(f"        {line}" for line in lines)
        self.words |= names.taken
        return f"    def forward(self, {', '.join(names.arguments)}):\n{body}"


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

    def __init__(self, scope: Scope, root: Scope) -> None:
        self.scope = scope
        count = len(scope.inputs)
        self.arguments = ["x"] if count == 1 else [f"x{i}" for i in range(1, count + 1)]
        self.names = dict(zip(scope.inputs, self.arguments, strict=True))
        self.taken = {*RESERVED, *self.arguments}
        self.numbers: dict[str, int] = {}
        self.last: dict[int, int] = {}
        for at, part in enumerate(scope.parts):
            for node in part.inputs:
                self.last[node] = at
        for node in scope.results:
            self.last[node] = len(scope.parts)
        self.at = 0

    def __getitem__(self, node: int) -> str:
        return self.names[node]

    def assign(self, part: Leaf | Scope) -> str:
        """The variables for the results of the next part."""
        free = [self.names[node] for node in dict.fromkeys(part.inputs) if self.last[node] <= self.at]
        self.at += 1
        found = []
        for node in part.results:
            name = self.new(part, "places") if node < 0 else free.pop(0) if free else self.new(part)
            self.names[node] = name
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


def _scopes(scope: Scope) -> Iterator[Scope]:
    yield scope
    for part in scope.parts:
        if isinstance(part, Scope):
            yield from _scopes(part)


def _path(name: str) -> str:
    return f"self.{name}" if is_word(name) else f"self.get_submodule({literal(name)})"


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
        argument = declared.get(name)
        if argument is not None and not argument.inferred and not argument.required and name != "batch_first":
            default = None if argument.default is None else argument.kind.read(argument.default, op.spatial)
            if _same(value, default):
                continue
        if name in POSITIONAL and not named:
            positional.append(written(value))
        else:
            named.append(f"{name}={written(value)}")
    prefix = "" if leaf.layer.type in OWN else "nn."
    return f"{prefix}{leaf.layer.type}({', '.join([*positional, *named])})"


def _same(value: Any, default: Any) -> bool:
    if isinstance(default, tuple) and not isinstance(value, tuple):
        return all(each == value for each in default)
    return bool(value == default) and isinstance(value, type(default))


def _called(leaf: Leaf, inputs: Sequence[str], values: Sequence[Any]) -> str:
    """The expression of a layer in a forward."""
    call = leaf.call
    if call is None:
        if leaf.layer.type == "MultiheadAttention":
            three = inputs if len(inputs) == 3 else [inputs[0]] * 3
            return f"{_path(leaf.name)}({', '.join(three)}, need_weights=False)[0]"
        return f"{_path(leaf.name)}({', '.join(inputs)})"
    sign = {"operator.add": " + ", "operator.mul": " * "}.get(call.function)
    if sign:
        own = [_path(leaf.name).replace("get_submodule", "get_parameter")] if call.tensors == "own" else []
        return sign.join([*inputs, *own])
    if call.function == "operator.getitem":
        stated = dict(zip(ends_of(leaf), map(written, values), strict=True))
        parts = [_slice(axis, stated) for axis in range(len(call.arguments[0]))]
        return f"{inputs[0]}[{', '.join(parts)}]"
    first = f"[{', '.join(inputs)}]" if call.tensors == "list" else inputs[0]
    count = len(call.arguments)
    more = [written(each) for each in values[:count]]
    more += [f"{name}={written(value)}" for (name, _), value in zip(call.keywords, values[count:], strict=True)]
    return f"{call.function.replace('torch.nn.functional.', 'F.')}({', '.join([first, *more])})"


def _slice(axis: int, stated: Mapping[tuple[int, str], str]) -> str:
    """One axis of a slice, with the ends that it states."""
    start, stop, step = (stated.get((axis, end), "") for end in ("start", "stop", "step"))
    return f"{start}:{stop}" + (f":{step}" if step else "")
