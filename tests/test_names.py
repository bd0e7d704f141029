"""Names are names: whatever else a stranger writes in their place is refused, and source code never runs it."""

from __future__ import annotations

import ast
import json
import keyword
import os
import random
import re
import subprocess
import unicodedata
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import forked
import pytest
import strangers
import yaml
from commands import cnncalc

from cnncalc import SpecError, analyse, load
from cnncalc.errors import Source
from cnncalc.exporters.common import docstring
from cnncalc.exporters.keras_source import keras_source
from cnncalc.exporters.torch_source import torch_source
from cnncalc.generated import Vocabulary, inspected, literal
from cnncalc.graph import Graph
from cnncalc.language.flat import flat
from cnncalc.names import is_name

BAD = [name for name in strangers.NAMES if name != "x.y"]


def spec(**parts: Any) -> Source:
    """A small spec, with some of its parts replaced."""
    whole = {"input": [3, 8, 8], "layers": [{"Conv2d": {"out_channels": 4, "kernel_size": 3}}, "ReLU"]} | parts
    return Source("net.yaml", yaml.safe_dump(whole, allow_unicode=True, sort_keys=False))


def named(name: str) -> dict[str, Source]:
    """The name in every place that a spec has for one."""
    conv = {"Conv2d": {"out_channels": 4, "kernel_size": 1}}
    return {
        "layer": spec(layers={name: conv, "b": "ReLU"}),
        "layer in a list": spec(layers=[{name: conv}, "ReLU"]),
        "group": spec(layers={name: [conv, "ReLU"]}),
        "repeated layer": spec(layers={name: {**conv, "repeat": 3}}),
        "template": spec(layers={f"{name}{{i}}": {**conv, "repeat": 3}}),
        "block": spec(blocks={name: {"args": ["k"], "layers": [conv]}}, layers=[{name: {"k": 1}}]),
        "type": spec(types={name: {"shape": "same"}}, layers=[name, conv]),
        "argument": spec(args={name: 3}),
        "argument of a block": spec(blocks={"b": {"args": [name], "layers": [conv]}}, layers=[{"b": {name: 1}}]),
        "column": spec(layers=[{"inline": [conv], "foreach": {name: [1, 2]}}]),
        "input": spec(input={name: [3, 8, 8]}, layers=[conv]),
        "one of two inputs": spec(input={name: [3, 8, 8], "b": [3, 8, 8]}, layers=[{"add": [name, "b"]}]),
        "variant": spec(args={"k": 1}, variants={name: {"k": 2}}),
    }


@pytest.mark.parametrize("place", named("x"))
@pytest.mark.parametrize("name", BAD, ids=ascii)
def test_what_is_no_name_is_refused_in_every_place(place: str, name: str) -> None:
    with pytest.raises(SpecError) as caught:
        load(named(name)[place])
    assert all(problem.place for problem in caught.value.problems)


@pytest.mark.parametrize("name", strangers.GOOD_NAMES)
def test_other_languages_are_welcome(name: str) -> None:
    assert is_name(name)
    for place, source in named(name).items():
        word = name.isidentifier()
        if not word and place in ("argument", "argument of a block", "column"):
            continue  # names that expressions use are identifiers
        graph = load(source)
        assert graph.complete and not graph.errors and len(analyse(graph)) >= 1
        assert place == "type" or name.startswith("_") or torch_source(graph)


@pytest.mark.parametrize(("template", "args"), [
    ("a{'\"+x'}", {}), ("a{\"'\"}", {}), ("{'x y'}", {}), ("{'ﬁ'}", {}), ("a{'..'}b", {}), ("a{'.'}", {}), ("{''}", {}), ("{'\\x1b'}", {}),
    ("{1 == 1}'", {}), ("a{'(' if i == 1 else 'b'}", {}), ("{'e\u0301'}", {}), ("{'{'}", {}), ("a{1.5}.", {}),
])  # fmt: skip
def test_templates_are_checked_after_they_are_filled(template: str, args: dict[str, Any]) -> None:
    with pytest.raises(SpecError):
        load(spec(args=args, layers={template: {"ReLU": {}, "repeat": 2}}))


def test_two_names_that_python_reads_as_one_are_refused() -> None:
    with pytest.raises(SpecError, match="cannot be the name of a layer"):
        load(spec(layers={"ﬁx": {"Linear": {"out_features": 4}}, "fix": {"Linear": {"out_features": 4}}}))


# -- nothing runs ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [("run", "--no-bench"), ("bench", "--quick"), ("export", "-o", "net.py"), ("export", "--to", "keras", "-o", "net.py"),
                                     ("export", "--to", "onnx", "-o", "net.onnx"), ("shapes",), ("show", "--expanded")])  # fmt: skip
def test_a_name_is_not_executed(command: tuple[str, ...], tmp_path: Path) -> None:
    for number, name in enumerate(strangers.NAMES[:6]):
        (tmp_path / f"{number}.yaml").write_text(named(name)["layer"].text)
        proof = tmp_path / "proof"
        done = cnncalc(command[0], f"{number}.yaml", *command[1:], cwd=tmp_path, PROOF=str(proof))
        assert (
            done.returncode == 2 and "cannot be the name of a layer" in done.stderr and "Traceback" not in done.stderr
        )
        assert not proof.exists() and not (tmp_path / "net.py").exists() and not (tmp_path / "net.onnx").exists()


def graph_with(name: str, **places: str) -> Graph:
    """A graph as no spec gives it: the name is put where the reader would have refused it."""
    graph = load(spec(blocks={"b": {"args": ["k"], "layers": ["ReLU"]}}, layers={"a": {"b": {"k": 1}}, "c": "ReLU"}))
    at = graph.input_count
    if "layer" in places:
        graph.nodes[at] = graph.nodes[at]._replace(name=name)
    if "block" in places:
        graph.nodes[at] = graph.nodes[at]._replace(block=name)
        graph.groups["a"] = graph.groups["a"]._replace(block=name)
    if "argument" in places:
        graph.groups["a"] = graph.groups["a"]._replace(arguments={name: 1})
    if "input" in places:
        graph.nodes[0] = graph.nodes[0]._replace(name=name)
    if "variant" in places:
        graph.variant = name
    if "args" in places:
        graph.args = {name: 1}
    return graph


@pytest.mark.parametrize("place", ["layer", "block", "argument", "input", "variant", "args"])
@pytest.mark.parametrize("name", [name for name in BAD if "." not in name][:24], ids=ascii)
def test_names_are_asked_again_where_source_is_written(place: str, name: str) -> None:
    for write in (torch_source, keras_source):
        with pytest.raises(SpecError, match="is no name"):
            write(graph_with(name, **{place: "here"}))


@pytest.mark.parametrize("name", strangers.NAMES[:5])
def test_what_is_generated_is_looked_through(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The last lock holds by itself, with both others open."""
    monkeypatch.setattr("cnncalc.graph.is_name", lambda text: True)
    monkeypatch.setattr("cnncalc.graph.is_path", lambda text: True)
    monkeypatch.setattr("cnncalc.exporters.torch_source.literal", lambda text: f'"{text}"')
    monkeypatch.setattr("cnncalc.exporters.keras_layers.literal", lambda text: f'"{text}"')
    monkeypatch.setenv("PROOF", str(tmp_path / "proof"))
    graph = load(spec(layers={"a": {"Conv2d": {"out_channels": 4, "kernel_size": 1}}}))
    graph.nodes[1] = graph.nodes[1]._replace(name=name)
    with pytest.raises(SpecError):
        torch_source(graph)
    pytest.importorskip("torch", reason="the forward is generated by PyTorch")
    from cnncalc.pytorch.build import build

    with pytest.raises(SpecError):
        build(graph)
    assert not (tmp_path / "proof").exists()


KNOWN = Vocabulary(
    names=frozenset({"self", "x", "Net", "forward", "nn", "torch"}),
    attributes=frozenset({"a", "system", "__init__"}),
    libraries=frozenset({"nn", "torch"}),
    functions=frozenset({"Conv2d", "Module", "nn"}),
    imports=frozenset({"import torch", "from torch import nn"}),
)


@pytest.mark.parametrize("source", [
    "import os", "from os import system", "import torch as x", "from torch import *", "x = y", "x = __import__('os')", "x = eval('1')",
    "x = self.b", "x = nn.a", "x = torch.load('a')", "x = torch.hub.load('a')", "x = torch.nn.a", "x = self.__class__", "x = x.__dict__",
    "x = lambda: 0", "x = 'a b'", "x = b'a'", "x = f'{x} y'", "x = (y := 1)", "x = [x for x in y]", "x = {x: x}", "x = {x}", "x = x << x",
    "x = x << 1", "x = x ** 99", "del x", "global x", "assert x", "raise x", "while x: x", "for x in x: x", "try: x\nexcept: x", "async def forward(): x",
    "def g(x): x", "def forward(y): x", "def forward(*y): x", "@x\ndef forward(): x", "class Net(nn.Module):\n    import os", "class Other: x = 1",
    "x = x(**y)", "x = yield_", "x = await_", "x = x is not x", "x = x in x", "x = `x`", "x = (", "x = 'a\nb'", "'a b'",
    "x = nn.Conv2d(x)['a;b']", "x: 'a b' = 1", "nonlocal x", "match x:\n    case x: x", "x = 1\x00",
])  # fmt: skip
def test_what_no_generator_writes_is_refused(source: str) -> None:
    assert inspected(
        "import torch\nfrom torch import nn\n\n\nclass Net(nn.Module):\n    def forward(self, x):\n        return self.a(nn.Conv2d(x))",
        KNOWN,
    )
    with pytest.raises(SpecError, match="the generated source holds"):
        inspected(source, KNOWN)


@pytest.mark.parametrize("text", [*strangers.TEXTS, *strangers.NAMES], ids=ascii)
def test_a_literal_is_its_text(text: str) -> None:
    assert ast.literal_eval(literal(text)) == text and "\n" not in literal(text)


# -- the same code, whatever the names -------------------------------------------------------------------------------


def structure(source: str) -> str:
    """The code without its names and texts: what would change if one of them were more than a name."""

    class Blank(ast.NodeTransformer):
        def generic_visit(self, node: ast.AST) -> ast.AST:
            super().generic_visit(node)
            for field in ("id", "attr", "arg", "name"):
                if isinstance(getattr(node, field, None), str):
                    setattr(node, field, "_")
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                node.value = "_"
            return node

    return ast.dump(Blank().visit(ast.parse(source)))


def network(names: list[str], free: list[str]) -> Source:
    """A network with blocks, branches and groups that bears these names, and these texts where text is free."""
    a, b, c, d, block, argument = names
    conv = {"Conv2d": {"out_channels": 4, "kernel_size": 3, "padding": 1}}
    layers = {
        a: {**conv, "note": free[0]},
        b: {block: {argument: 2}, "note": free[1]},
        c: {"add": [{d: conv}, b]},
        "tail": [{block: {argument: 3}}, {block: {argument: 3}}, "ReLU"],
    }
    blocks = {
        block: {
            "args": [argument],
            "note": free[2],
            "layers": {c: {"Conv2d": {"out_channels": f"2 * {argument}", "kernel_size": 1}}, d: "BatchNorm2d"},
        }
    }
    head = {"name": free[3], "source": free[4], "note": free[5], "task": free[6]}
    return spec(**head, blocks=blocks, layers=layers)


SHAPE = random.Random(0)


def drawn(rng: random.Random, word: bool) -> str:
    """A name of some script, one that Python can use or one that it cannot."""
    letters = rng.choice(["abcxyz", "ABC", "äöüßéñ", "жщыя", "αβγω", "卷积层网", "ابتث", "אבגד", "कखगघ", "あいうア"])
    name = "".join(rng.choice(letters) for _ in range(rng.randint(2, 5)))
    name += rng.choice(["", "", "\u0308" if letters == "жщыя" else "", "ा" if letters == "कखगघ" else ""])
    return name if word else f"{name}-{rng.choice(letters)}"


def test_code_does_not_depend_on_what_is_written(tmp_path: Path) -> None:
    """Whatever names and free texts a spec holds, its source has the same structure, and the texts are in the docstring."""
    tries, seed = int(os.environ.get("CNNCALC_FUZZ", "1500")) // 10, os.environ.get("CNNCALC_FUZZ_SEED", "0")
    plain = {
        words: [structure(write(load(network(list(words), ["x"] * 7)))) for write in (torch_source, keras_source)]
        for words in (("qa", "qb", "qc", "qd", "qe", "qf"), ("q-a", "q-b", "q-c", "q-d", "q-e", "qf"))
    }
    for number in range(tries):
        rng = random.Random(f"{seed}-code-{number}")
        words = rng.random() < 0.5
        names = [drawn(rng, words) for _ in range(5)] + [drawn(rng, True)]
        if len(set(names)) < 6 or not all(map(is_name, names)):
            continue
        source = network(names, [strangers.text(rng) for _ in range(7)])
        try:
            graph = load(source)
        except SpecError as error:  # a control character, which YAML or the reader refuses
            assert "cannot be the name" not in str(error)
            continue
        expected = plain[("qa", "qb", "qc", "qd", "qe", "qf") if words else ("q-a", "q-b", "q-c", "q-d", "q-e", "qf")]
        for write, same in zip((torch_source, keras_source), expected, strict=True):
            found = write(graph)
            assert structure(found) == same, f"{number}: {names}"
            more = (
                ()
                if write is torch_source
                else ("Channels come first, as in PyTorch. Shapes and numbers of parameters are the same.",)
            )
            assert ast.get_docstring(ast.parse(found), clean=False) == docstring(graph, *more)
        again = load(Source("flat.yaml", flat(graph)))
        assert [(each.name, each.shape) for each in again.layers] == [(each.name, each.shape) for each in graph.layers]
        json.dumps(analyse(graph).to_dict())


def test_names_that_keras_would_read_as_one_are_apart() -> None:
    layer = {"Linear": {"out_features": 3}}
    graph = load(spec(input=[8], layers={"a": {"b": layer}, "a-b": layer, "a_b": layer, "ä_b": layer}))
    found = re.findall(r'name="([^"]+)"\)\(', keras_source(graph))
    assert len(found) == len(set(found)) == 4 and "a_b" in found


def test_what_helps_a_layer_does_not_take_the_name_of_one() -> None:
    conv = {"Conv2d": {"out_channels": 4, "kernel_size": 3, "padding": 1}}
    text = keras_source(load(spec(layers={"c": conv, "c_pad": "ReLU", "d_pad": "ReLU", "d": conv})))
    found = re.findall(r'name="([^"]+)"\)\(', text)
    assert found == ["c_pad_2", "c", "c_pad", "d_pad", "d_pad_2", "d"]


@pytest.mark.parametrize(
    "name", ["class", "layers", "Layers", "ops", "keras", "def", "1", "???", "ﬁx", "print", "None"]
)
def test_the_name_of_a_network_may_be_anything(name: str) -> None:
    for write in (torch_source, keras_source):
        compile(write(load(spec(name=name))), "net.py", "exec")


@pytest.mark.parametrize(
    "word",
    [
        "nn",
        "torch",
        "F",
        "super",
        "range",
        "OrderedDict",
        "Tensor",
        "self",
        "each",
        "slice",
        "Wide",
        "print",
        "__init__",
    ],
)
def test_words_of_the_source_are_not_taken_by_a_spec(word: str) -> None:
    torch = pytest.importorskip("torch", reason="what is written is run")
    block = {
        "args": [word, "s: 1"],
        "layers": [{"Conv2d": {"out_channels": word, "kernel_size": 1}}, {"add": [["ReLU"], []]}],
    }
    block["args"] = [word]
    blocks = {
        "wide": block,
        "Tensor_": block,
        "f": block,
        "ordered_dict": block,
        "narrow": {"args": [word], "layers": [{"wide": {word: f"{word} + 1"}}]},
    }
    layers = [{"wide": {word: 4}}, {"wide": {word: 5}}, {"f": {word: 6}}, {"ordered_dict": {word: 3}}, {"ordered_dict": {word: 5}},
              {"narrow": {word: 5}}, {"narrow": {word: 7}}, {"x": [{"Conv2d": {"out_channels": 2, "kernel_size": 1}}] * 4}, {"y": {word: "ReLU"}}]  # fmt: skip
    if word.startswith("_"):
        layers.pop()
    graph = load(spec(blocks=blocks, layers=layers))
    names: dict[str, Any] = {"__name__": "exported"}
    exec(compile(torch_source(graph), "exported.py", "exec"), names)
    made = [each for each in names.values() if isinstance(each, type) and each.__module__ == "exported"][-1]()
    assert tuple(made(torch.zeros(1, 3, 8, 8)).shape[1:]) == graph.nodes[graph.outputs[0]].shape


@pytest.mark.parametrize(
    "names",
    [
        ("l00", "l01", "l02", "l03"),
        ("l١", "l٢", "l٣", "l٤"),
        ("a1b1", "a1b2", "a1b3", "a1b4"),
        ("08", "09", "10", "11"),
    ],
)
def test_numbers_in_names_stay_what_they_are(names: tuple[str, ...]) -> None:
    torch = pytest.importorskip("torch", reason="what is written is run")
    graph = load(spec(layers={"g": {name: {"Conv2d": {"out_channels": 3, "kernel_size": 1}} for name in names}}))
    made: dict[str, Any] = {"__name__": "exported"}
    exec(compile(torch_source(graph), "exported.py", "exec"), made)
    net = [each for each in made.values() if isinstance(each, type) and each.__module__ == "exported"][-1]()
    assert list(net.state_dict()) == [f"g.{name}.{kind}" for name in names for kind in ("weight", "bias")]
    assert net(torch.zeros(1, 3, 8, 8)).shape == (1, 3, 8, 8)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("names", [("a-b", "größe", "слой-2", "卷积", "दो", "c")])
def test_onnx_holds_names_as_data(names: tuple[str, ...], tmp_path: Path) -> None:
    for package in ("torch", "onnx", "onnxscript"):
        pytest.importorskip(package, reason=f"{package} writes the file: pip install 'cnncalc[torch,onnx]'")
    import onnx

    from cnncalc import export
    from cnncalc.pytorch.build import build

    texts = ['"""\n', "<script>", "{x}", "\\", "'); import os", "%s", "=1"]
    graph = load(network(list(names), texts))
    export(graph, "onnx", tmp_path / "net.onnx")
    model = onnx.load(tmp_path / "net.onnx")
    onnx.checker.check_model(model, full_check=True)
    assert {each.name for each in model.graph.initializer} <= {
        *build(graph).state_dict(),
        *(each.name for each in model.graph.initializer if each.name.startswith("val_")),
    }
    assert {each.domain for each in model.opset_import} <= {
        "",
        "pkg.onnxscript.torch_lib.common",
        "pkg.onnxscript.torch_lib",
    }


def mutated_name(rng: random.Random) -> str:
    """A name with a character or two in it that may not belong there."""
    name = list(rng.choice(strangers.GOOD_NAMES + strangers.NAMES[:12]))
    for _ in range(rng.choice([0, 1, 1, 2])):
        ranges = [
            (0x20, 0x7F),
            (0, 0x250),
            (0x300, 0x1000),
            (0x2000, 0x2200),
            (0, 0xD800),
            (0xE000, 0x30000),
            (0xFB00, 0x10000),
        ]
        name.insert(rng.randrange(len(name) + 1), chr(rng.randrange(*rng.choice(ranges))))
    if rng.random() < 0.3:
        name = name[rng.randrange(len(name)) :]
    return "".join(name)


def test_a_name_that_is_taken_is_harmless_everywhere() -> None:
    """Whatever is accepted as a name can be part of a path, of source and of a table, and is read again as itself."""
    accepted = 0
    tries = int(os.environ.get("CNNCALC_FUZZ", "1500")) * 2
    for number in range(tries):
        rng = random.Random(f"{os.environ.get('CNNCALC_FUZZ_SEED', '0')}-name-{number}")
        name = mutated_name(rng)
        text = f"input: [3]\nlayers:\n  {json.dumps(name, ensure_ascii=False)}: ReLU\n"
        try:
            graph = load(Source("net.yaml", text))
        except SpecError as error:
            assert str(error).isprintable() or all(line.isprintable() for line in str(error).split("\n"))
            continue
        called = graph.layers[0].name
        if called != name:  # a template, or a dot that says that it is a name
            assert "{" in name or name.startswith(".")
        accepted += 1
        assert called.isprintable() and unicodedata.normalize("NFKC", called) == called
        assert all(0 < len(part) <= 100 for part in called.split("."))  # a dot stands between a list and what is in it
        assert not set(called) & set(" !\"#$%&'()*+,/:;<=>?@[\\]^`{|}~") and not any(each.isspace() for each in called)
        if called.isidentifier() and not keyword.iskeyword(called):
            node = ast.parse(f"self.{called}", mode="eval").body
            assert isinstance(node, ast.Attribute) and node.attr == called, "Python reads it as itself"
        if number % 8 == 0 and not called.startswith("_"):
            with suppress(SpecError):  # a word of nn.Module
                tree = ast.parse(torch_source(graph))
                words = {each.attr for each in ast.walk(tree) if isinstance(each, ast.Attribute)} | {
                    each.value for each in ast.walk(tree) if isinstance(each, ast.Constant)
                }
                words |= {part for word in words if isinstance(word, str) for part in word.split(".")}
                assert set(called.split(".")) <= words
            assert load(Source("flat.yaml", flat(graph))).layers[0].name == called
    assert tries // 20 < accepted < tries


CONV = "Conv2d: {out_channels: 3, kernel_size: 1}"


@pytest.mark.parametrize("text", [
    "blocks: {b: {args: [c], layers: [" + ", ".join(f"{{Conv2d: {{out_channels: {n} * c, kernel_size: 1}}}}" for n in (1, 2, 3, 4, 5)) + "]}}\nlayers: [{b: {c: 7}}, {b: {c: 11}}]",
    "blocks: {b: {args: [c], layers: [{Conv2d: {out_channels: c, kernel_size: 1}}, " + ", ".join(f"{{Conv2d: {{out_channels: c, kernel_size: 1, groups: c // {n}}}}}" for n in (2, 3, 4)) + "]}}\n"
    "layers: [{b: {c: 12}}, {b: {c: 24}}]",
    "layers: {g: [" + ", ".join(f"[{', '.join(f'{{Conv2d: {{out_channels: 3, kernel_size: {k}}}}}' for k in ks)}]" for ks in ((1, 2, 3), (2, 3, 4), (3, 4, 5))) + "]}",
    "layers: {g: [{ConstantPad2d: {padding: 1, value: -1}}, {ConstantPad2d: {padding: 1, value: -2}}, {ConstantPad2d: {padding: 1, value: -3}}]}",
    "layers: {g: [{ZeroPad2d: {padding: -1}}, {ZeroPad2d: {padding: -2}}, {ZeroPad2d: {padding: -3}}]}",
    "layers: {g: [{Softmax: {dim: -1}}, {Softmax: {dim: -2}}, {Softmax: {dim: -3}}]}",
    "layers: {g: [{Dropout: {p: 0.1}}, {Dropout: {p: 0.2}}, {Dropout: {p: 0.3}}]}",
    "layers: {g: [{LeakyReLU: {negative_slope: 1.5}}, {LeakyReLU: {negative_slope: 2.5}}, {LeakyReLU: {negative_slope: 3.5}}]}",
    f"layers: {{g: {{append: {{{CONV}}}, extend: ReLU, insert: {{{CONV}}}, pop: ReLU}}}}",
    "blocks: {b: {args: [forward], layers: [{concat: [[], []], dim: forward}]}}\nlayers: [{b: {forward: 1}}, {b: {forward: 2}}]",
    "blocks: {b: {args: [__a, __b], layers: [{Conv2d: {out_channels: __a, kernel_size: __b}}, {add: [ReLU, []]}]}}\nlayers: [{b: {__a: 3, __b: 1}}, {b: {__a: 4, __b: 3}}]".replace("[ReLU, []]", "[[ReLU], []]"),
    "blocks: {b: {args: [training, _modules], layers: [{Conv2d: {out_channels: training, kernel_size: _modules}}, {add: [[ReLU], []]}]}}\nlayers: [{b: {training: 3, _modules: 1}}, {b: {training: 4, _modules: 3}}]",
])  # fmt: skip
def test_source_is_the_same_network(text: str) -> None:
    """What is folded into loops and parameters is what was there: same tensors, same outputs."""
    torch = pytest.importorskip("torch", reason="what is written is run")
    from cnncalc.pytorch.build import build

    graph = load(Source("net.yaml", f"input: [3, 24, 24]\n{text}\n"))
    made: dict[str, Any] = {"__name__": "exported"}
    exec(compile(torch_source(graph), "exported.py", "exec"), made)
    theirs = [each for each in made.values() if isinstance(each, type) and each.__module__ == "exported"][-1]().eval()
    ours = build(graph).eval()
    assert {key: each.shape for key, each in theirs.state_dict().items()} == {
        key: each.shape for key, each in ours.state_dict().items()
    }
    theirs.load_state_dict(ours.state_dict(), strict=True)
    given = torch.randn(2, 3, 24, 24)
    with torch.inference_mode():
        assert torch.allclose(theirs(given), ours(given), equal_nan=True)


def test_keras_builds_it_whatever_it_is_called() -> None:
    if find_spec("keras") is None or find_spec("torch") is None:
        pytest.skip("keras runs the source, on torch")
    texts = [
    "name: float\nlayers: [{MaxPool2d: {kernel_size: 3, padding: 1}}]",
    "name: len\nlayers: [ReLU]",
    "layers: {softmax: ReLU, m: {Softmax: {dim: 1}}, softmax_1: ReLU}",
    "layers: {.multiply: ReLU, m: {multiply: [[ReLU], []]}}",
    ]  # fmt: skip
    sources = [keras_source(load(Source("net.yaml", f"input: [3, 8, 8]\n{text}\n"))) for text in texts]
    command = forked.command("keras_models", "run")
    done = subprocess.run(command, input=json.dumps(sources), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-500:]


@pytest.mark.parametrize("text", [
    "input: [3]\nlayers: {1e5: ReLU, 08: Tanh, s: {add: ['1e5', '08']}}",
    "input: {a: [1], b: [1]}\nlayers: [{ReLU: {}, from: b}, {add: [a, '0']}]",
    "input: [3]\nlayers: []",
    "input: [3]\ntypes: {my_type: {args: [k], shape: same, params: k}}\nlayers: [{my_type: {k: 1}}, {my_type: {k: 2}}, {my_type: {k: 3}}]",
    "input: [3]\nlayers: {null: ReLU, true: Tanh, ~: ReLU}".replace(", ~: ReLU", ""),
])  # fmt: skip
def test_the_flat_network_is_read_again_as_itself(text: str) -> None:
    graph = load(Source("net.yaml", text + "\n"))
    again = load(Source("flat.yaml", flat(graph)))
    assert [(each.name, each.inputs, each.shape) for each in again.nodes] == [
        (each.name, each.inputs, each.shape) for each in graph.nodes
    ]
    assert analyse(again).totals.params == analyse(graph).totals.params
