"""The language, chapter by chapter: what a spec means."""

from __future__ import annotations

from typing import Any

import pytest

from cnncalc import SpecError, analyse, load
from cnncalc.errors import Source
from cnncalc.language.expressions import divisible, evaluate


def net(text: str, **options: Any) -> Any:
    return load(Source("net.yaml", text), **options)


def names(text: str, **options: Any) -> list[str]:
    return [layer.name for layer in net("input: [4, 8, 8]\n" + text, **options).layers]


def test_the_smallest_spec_of_the_language() -> None:
    text = """
name: LeNet-5
input: [1, 32, 32]
layers:
  - Conv2d: {out_channels: 6, kernel_size: 5}
  - Tanh
  - AvgPool2d: {kernel_size: 2}
  - Conv2d: {out_channels: 16, kernel_size: 5}
  - Tanh
  - AvgPool2d: {kernel_size: 2}
  - Flatten
  - Linear: {out_features: 120}
  - Tanh
  - Linear: {out_features: 84}
  - Tanh
  - Linear: {out_features: 10}
"""
    report = analyse(Source("lenet.yaml", text))
    assert report.totals.params == 61706 and [row.name for row in report] == [str(i) for i in range(12)]


class TestNames:
    def test_lists_are_numbered_mappings_are_named_groups_nest(self) -> None:
        assert names("layers: {features: [ReLU, Tanh], flatten: Flatten, classifier: [ReLU, {out: ReLU}, ReLU]}") == [
            "features.0", "features.1", "flatten", "classifier.0", "classifier.out", "classifier.1",
        ]  # fmt: skip

    def test_a_mapping_of_several_names_in_a_list_is_a_numbered_group(self) -> None:
        assert names("layers: [{a: ReLU, b: Tanh}, ReLU]") == ["0.a", "0.b", "1"]

    def test_a_group_may_have_keys(self) -> None:
        assert names("layers: [{layers: [ReLU, Tanh], repeat: 2}]") == ["0.0", "0.1", "1.0", "1.1"]

    def test_inline_groups_add_nothing_to_a_path(self) -> None:
        assert names("layers: {f: [{inline: [ReLU, Tanh], repeat: 2}, ReLU]}") == ["f.0", "f.1", "f.2", "f.3", "f.4"]

    def test_what_is_skipped_takes_no_number(self) -> None:
        assert names("layers: [ReLU, {Tanh: {}, when: false}, ReLU]") == ["0", "1"]

    def test_branches_belong_to_the_scope_around_and_the_merge_comes_after(self) -> None:
        text = "layers: {g: [ReLU, {add: [[ReLU, Tanh], [ReLU], []]}, ReLU]}"
        assert names(text) == ["g.0", "g.1", "g.2", "g.3", "g.4", "g.5"]
        assert net("input: [4, 8, 8]\n" + text).nodes[5].type == "add"

    def test_a_merge_may_have_a_name_of_its_own(self) -> None:
        assert names("layers: {sum: {add: [{a: ReLU, b: Tanh}, []]}}") == ["a", "b", "sum"]


class TestRepeats:
    def test_copies_of_an_unnamed_layer_take_consecutive_numbers(self) -> None:
        assert names("layers: [{ReLU: {}, repeat: 3}, Tanh]") == ["0", "1", "2", "3"]

    def test_copies_of_a_named_one_are_numbered_below_it(self) -> None:
        assert names("layers: {stage: {layers: [ReLU], repeat: 2}}") == ["stage.0.0", "stage.1.0"]

    def test_a_name_with_an_expression_names_each_copy(self) -> None:
        assert names("layers: {'dense{i + 1}': {ReLU: {}, repeat: 3}}") == ["dense1", "dense2", "dense3"]

    def test_foreach_binds_columns_and_repeat_is_inside(self) -> None:
        text = "layers: {'layer{s}': {ReLU: {}, foreach: {s: [1, 2], n: [1, 2]}, repeat: n}}"
        assert names(text) == ["layer1.0", "layer2.0", "layer2.1"]

    def test_foreach_over_the_files_args(self) -> None:
        text = "args: {widths: [3, 5]}\nlayers: [{Conv2d: {out_channels: w, kernel_size: 1}, foreach: {w: widths}}]"
        assert [each.shape[0] for each in net("input: [4, 8, 8]\n" + text).layers] == [3, 5]

    def test_repeat_0_is_nothing(self) -> None:
        assert names("layers: [{ReLU: {}, repeat: 0}, Tanh]") == ["0"]


class TestBranches:
    def test_from_looks_in_the_nearest_scope_first(self) -> None:
        text = (
            "layers: {a: ReLU, g: {a: Tanh, b: {ReLU: {}, from: a}}, c: {ReLU: {}, from: a}, d: {ReLU: {}, from: g.a}}"
        )
        graph = net("input: [4, 8, 8]\n" + text + "\noutputs: [g.b, c, d]")
        sources = {layer.name: graph.nodes[layer.inputs[0]].name for layer in graph.layers}
        assert sources == {"a": "input", "g.a": "a", "g.b": "g.a", "c": "a", "d": "g.a"}

    def test_a_group_or_block_can_be_named_and_an_input(self) -> None:
        text = "layers: {g: [ReLU, Tanh], h: {add: [g, input]}}"
        graph = net("input: [4, 8, 8]\n" + text)
        assert [graph.nodes[i].name for i in graph.layers[-1].inputs] == ["g.1", "input"]

    def test_a_branch_that_is_false_is_dropped_and_a_merge_of_one_is_that_branch(self) -> None:
        text = "layers: [{add: [[ReLU], {when: in_channels == 5, layers: []}]}, Tanh]"
        assert names(text) == ["0", "1"]

    def test_concat_joins_channels_unless_dim_says_otherwise(self) -> None:
        text = "input: [4, 8, 8]\nlayers: [{concat: [[], [], []]}, {concat: {branches: [[], []], dim: 2}}]"
        assert [layer.shape for layer in net(text).layers] == [(12, 8, 8), (12, 16, 8)]

    def test_multiply_broadcasts(self) -> None:
        assert net("input: [4, 8, 8]\nlayers: [{multiply: [[{AdaptiveAvgPool2d: {output_size: 1}}], []]}]").nodes[
            -1
        ].shape == (4, 8, 8)

    def test_several_inputs_and_outputs(self) -> None:
        text = """
input: {image: [3, 8, 8], depth: [1, 8, 8]}
layers:
  a: {Conv2d: {out_channels: 2, kernel_size: 1}, from: image}
  b: {Conv2d: {out_channels: 2, kernel_size: 1}, from: depth}
  both: {concat: [a, b]}
outputs: [both, a]
"""
        graph = net(text)
        assert [graph.nodes[i].name for i in graph.outputs] == ["both", "a"] and not graph.warnings
        assert net(text, inputs={"depth": (5, 8, 8)}).nodes[3].op.counts((5, 8, 8))[0].step.value == 10

    def test_an_output_may_depend_on_a_condition(self) -> None:
        text = "input: [4, 8, 8]\nargs: {aux: true}\nlayers: {a: ReLU, x: {Tanh: {}, when: aux}, b: {ReLU: {}, from: a}}\noutputs: [b, {from: x, when: aux}]"
        assert len(net(text).outputs) == 2 and len(net(text, args={"aux": False}).outputs) == 1


class TestBlocks:
    def test_arguments_defaults_and_in_channels(self) -> None:
        text = """
input: [4, 8, 8]
args: {factor: 3}
blocks:
  b: {args: [k, wide: in_channels * factor, wider: wide + k], layers: [{Conv2d: {out_channels: wider, kernel_size: k}}]}
layers: [{b: {k: 1}}, {b: {k: 1, wide: 2}}]
"""
        assert [layer.shape[0] for layer in net(text).layers] == [13, 3]

    def test_a_block_sees_nothing_of_its_caller(self) -> None:
        text = "input: [4, 8, 8]\nblocks: {b: {layers: [{Conv2d: {out_channels: i + 1, kernel_size: 1}}]}}\nlayers: [{b: {}, repeat: 2}]"
        with pytest.raises(SpecError, match="there is no 'i' here"):
            net(text)

    def test_a_block_may_use_itself(self) -> None:
        text = "input: [4, 8, 8]\nblocks: {b: {args: [n], layers: [ReLU, {b: {n: n - 1}, when: n > 1}]}}\nlayers: [{b: {n: 3}}]"
        assert [layer.name for layer in net(text).layers] == ["0.0", "0.1.0", "0.1.1.0"]

    def test_an_argument_may_be_a_word(self) -> None:
        text = "input: [4, 8, 8]\nblocks: {up: {args: [how], layers: [{Upsample: {scale_factor: 2, mode: how}}]}}\nlayers: [{up: {how: bilinear}}]"
        assert net(text).nodes[-1].op.mode == "bilinear"


class TestFamilies:
    TEXT = "input: [3, size, size]\nargs: {size: 8, widths: [4, 4]}\nvariants: {small: {}, big: {widths: [8, 8], size: 16}}\nlayers: [{Conv2d: {out_channels: w, kernel_size: 1}, foreach: {w: widths}}]"

    def test_variants_turn_knobs(self, tmp_path: Any) -> None:
        path = tmp_path / "family.yaml"
        path.write_text(self.TEXT)
        assert load(f"{path}:big").nodes[-1].shape == (8, 16, 16)
        assert load(f"{path}:small").nodes[-1].shape == load(path).nodes[-1].shape == (4, 8, 8)
        assert load(f"{path}:big", args={"size": 4}).nodes[-1].shape == (8, 4, 4)

    def test_names_in_the_zoo(self) -> None:
        assert load("vgg16.yaml").variant == load("vgg16").variant == load("vgg:vgg16").variant == "vgg16"

    def test_a_file_goes_before_the_zoo(self, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "lenet.yaml").write_text("input: [1, 2, 2]\nlayers: [ReLU]")
        assert len(load("lenet.yaml").layers) == 1 and len(load("lenet").layers) == 12


class TestUnknownLayers:
    TEXT = """
input: [3, 8, 8]
layers:
  a: {Conv2d: {out_channels: 4, kernel_size: 3}}
  b: {Deform: {out_channels: 4}}
  c: {Conv2d: {out_channels: 4, kernel_size: 3}}
  d: {Conv2d: {out_channels: 4, kernel_size: 3}, from: a}
outputs: [c, d]
"""

    def test_the_layers_around_are_worked_out_and_totals_are_at_least(self) -> None:
        report = analyse(Source("net.yaml", self.TEXT))
        assert [row.params for row in report] == [112, None, None, 148]
        assert report.totals.params == 260 and not report.totals.complete
        assert [error.code for error in report.graph.errors] == ["unknown-layer"]

    def test_a_declared_type_is_counted_as_declared(self) -> None:
        declared = "types: {Deform: {args: [out_channels], shape: [out_channels, in_height - 2, in_width - 2], params: 9 * in_channels, buffers: 0, macs: 81, flops: 0}}\n"
        report = analyse(Source("net.yaml", declared + self.TEXT))
        assert report.totals.complete and report["b"].params == 36 and report["b"].macs == 81
        assert report["c"].output_shape == (4, 2, 2) and report["b"].explain("params").lines[0].step.value == 36  # type: ignore[union-attr]

    def test_what_is_not_declared_is_not_known_and_never_zero(self) -> None:
        declared = "types: {Deform: {args: [out_channels], shape: [out_channels, in_height - 2, in_width - 2], params: 9 * in_channels}}\n"
        report = analyse(Source("net.yaml", declared + self.TEXT))
        row, totals = report["b"], report.totals
        assert (row.params, row.macs, row.flops, row.buffers, row.intensity, row.receptive_field) == (
            36,
            None,
            None,
            None,
            None,
            None,
        )
        assert not totals.complete and totals.text("params") == f"{totals.params} parameters"
        assert totals.text("macs").startswith("≥ ") and totals.text("flops").startswith("≥ ")
        bounds = report.to_dict()["totals"]["lower_bounds"]
        assert {"macs", "flops", "buffers", "weight_bytes"} <= set(bounds) and not {"params", "depth", "layers"} & set(
            bounds
        )
        assert report["c"].receptive_field is None, "what comes after it is not known either"
        assert [line.text for line in row.explain("macs,receptive-field").lines] == [
            "not known: the spec does not declare them", "not known: the spec does not say what it sees",
        ]  # fmt: skip


class TestExpressions:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("1 + 2 * 3 - 4 // 3 % 2", 6), ("2 ** 10 / 4", 256), ("a if b else c", 1), ("not b or a == 1 and b", True),
            ("d[0] + d[-1]", 4), ("d[1:]", [2, 3]), ("[a, 2] + d", [1, 2, 1, 2, 3]), ("[0] * 3", [0, 0, 0]), ("1 < 2 <= 2 != 3", True),
            ("min(3, a) + max(d)", 4), ("round(2.5) + int(2.9) + floor(-0.5) + ceil(0.1)", 4), ("abs(-3) + len(d) + sum(d)", 12),
            ("divisible(33, 8)", 32), ("2 in d", True), ("true", True), ("-a", -1), ("m == 'x'", True),
        ],
    )  # fmt: skip
    def test_values(self, text: str, value: Any) -> None:
        assert evaluate(text, {"a": 1, "b": True, "c": 3, "d": [1, 2, 3], "m": "x"}) == value

    @pytest.mark.parametrize("value", range(1, 200))
    def test_divisible_is_the_papers_rounding(self, value: int) -> None:
        # tensorflow/models, research/slim/nets/mobilenet: _make_divisible
        expected = max(8, int(value + 4) // 8 * 8)
        assert divisible(value, 8) == (expected + 8 if expected < 0.9 * value else expected)

    @pytest.mark.parametrize(
        "text",
        [
            "x.__class__", "__import__('os')", "open('f')", "(lambda: 0)()", "[i for i in [1]]", "{1: 2}", "{1}", "f'{1}'", "1; 2", "a := 1",
            "9**9**9", "10**16", "'a' * 3", "'%s' % 1", "[0] * 10**6", "1/0", "[][0]", "[1]['a']", "min()", "len(3)", "1 << 2", "~1", "1 @ 2",
            "max(key=abs)", "max(*[1, 2])", "1j", "b'x'", "...", "nope", "(" * 300, "x" * 600, "is_", "1 is 1", "(1, 2)", "print", "int('9' * 9)",
        ],
    )  # fmt: skip
    def test_nothing_else_runs(self, text: str) -> None:
        from cnncalc.errors import Misfit

        with pytest.raises(Misfit):
            evaluate(text, {"x": 1})

    def test_sizes_of_the_incoming_tensor(self) -> None:
        text = "input: [3, 8, 6]\nlayers: [{Conv2d: {out_channels: in_height * in_width, kernel_size: in_channels}}, Flatten, {Linear: {out_features: in_features // 2}}]"
        assert [layer.shape for layer in net(text).layers] == [(48, 6, 4), (1152,), (576,)]


def test_dim_stands_beside_a_merge() -> None:
    assert net("input: [4, 8, 8]\nlayers: [{concat: [[], []], dim: 2}]").nodes[-1].shape == (4, 16, 8)


def test_attention_takes_query_key_and_value() -> None:
    text = "input: {q: [5, 8], kv: [9, 6]}\nlayers: [{MultiheadAttention: {num_heads: 2, kdim: 6, vdim: 6}, from: [q, kv, kv]}]"
    assert net(text).nodes[-1].shape == (5, 8)


def test_a_merge_of_one_branch_keeps_its_name() -> None:
    text = "input: [4, 8, 8]\nlayers: {sum: {add: [[{a: ReLU}], {when: false, layers: []}]}, b: {add: [sum, input]}}"
    assert [net(text).nodes[i].name for i in net(text).nodes[-1].inputs] == ["a", "input"]


@pytest.mark.parametrize(
    "text",
    [
        "layers: {? " + "a" * 101 + "\n: ReLU}",
        "layers: [{ReLU: {}, note: " + "n" * 2001 + "}]",
        "layers: [{ReLU: {}, from: []}]",
        "layers: [a: ReLU, b: Tanh, {add: [[], []], from: [a, b]}]",
        "layers: [{a: ReLU}, {a: {ReLU: {}, repeat: 2}}]",
        "layers: {\"x{'a..b'}\": ReLU}",
        "layers: {'x{null}': ReLU}",
        "args: {in_channels: 3}\nlayers: [ReLU]",
        "args: {class: 3}\nlayers: [ReLU]",
        "types: {when: {shape: same}}\nlayers: [ReLU]",
        'name: "\\e[31m"\nlayers: [ReLU]',
        "args: {a: '[[0]*10000]*10000'}\nlayers: [ReLU]",
        "args: {a: 'sum([[0], [1]])'}\nlayers: [ReLU]",
        "blocks: {b: {args: [n], layers: "
        + "[" * 40
        + "{b: {n: n - 1}, when: n > 0}"
        + "]" * 40
        + "}}\nlayers: [{b: {n: 50}}]",
        "layers: [{layers: [[], [], [], []], repeat: 149000}]",
        "layers: [{ReLU: {}, repeat: 3000}, {ReLU: {}, repeat: 10000, from: 'nope{i}'}]",
    ],
    ids=lambda text: text[:40],
)
def test_what_would_be_too_much_or_mean_two_things_is_refused(text: str) -> None:
    import time

    start = time.process_time()
    with pytest.raises(SpecError):
        net("input: [4, 8, 8]\n" + text)
    assert time.process_time() - start < 3


def test_yaml_is_read_as_yaml_1_2() -> None:
    graph = net("input: [1, 8, 8]\nlayers: {on: ReLU, yes: Tanh, 010: ReLU, 0: ReLU}\nnote: 12:30\n")
    assert [layer.name for layer in graph.layers] == ["on", "yes", "010", "0"]


def test_anchors_and_merge_keys() -> None:
    text = "input: [1, 8, 8]\nargs: &d {width: 3, k: 1}\nlayers:\n  - Conv2d: &c {out_channels: width, kernel_size: k}\n  - Conv2d: {<<: *c, kernel_size: 3}\n"
    assert [layer.shape for layer in net(text).layers] == [(3, 8, 8), (3, 6, 6)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("input: [1, 8, 8]\nlayers: {a: ReLU, b: {ReLU: {}, from: input}}", "dead-end"),
        ("input: {a: [1, 8], b: [1, 8]}\nlayers: [{ReLU: {}, from: a}]", "unused-input"),
        ("input: [1, 8, 8]\nfoo: 1\nlayers: [ReLU]", "unused-key"),
        ("input: [1, 8, 8]\nargs: {a: 1}\nlayers: [ReLU]", "unused-argument"),
        ("input: [1, 8, 8]\nblocks: {b: {args: [x: 1], layers: [ReLU]}}\nlayers: [b]", "unused-argument"),
        ("input: [1, 8, 8]\nblocks: {b: {layers: [ReLU]}}\nlayers: [ReLU]", "unused-block"),
        ("input: [1, 8, 8]\nlayers: [{Linear: {out_features: 2}}]", "linear-on-map"),
        ("input: [224, 224, 3]\nlayers: [ReLU]", "channels-last"),
    ],
)
def test_warnings(text: str, code: str) -> None:
    assert [warning.code for warning in net(text).warnings] == [code]
