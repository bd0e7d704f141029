"""A report as plain data, in the form that JSON has; and the schema of that form."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any

from ..table import AtLeast
from .convention import CONVENTION
from .figures import FIGURES, OF_LAYERS, OF_NETWORK, Figure
from .network import Network

SCHEMA_VERSION = 1

#: The figures of each layer, and the totals; a shape is told apart, with the layer's inputs.
_LAYER = [figure for figure in OF_LAYERS.values() if figure.document and figure.key != "shape"]
#: Those that layers of one kind share; and the others, which are a matter of where a layer stands.
_ALIKE = [figure for figure in _LAYER if figure.alike]
_OTHERS = [figure for figure in _LAYER if not figure.alike]
_TOTALS = [(name, figure) for name, figure in OF_NETWORK.items() if figure.document and name != "shape"]


def document(report: Network) -> dict[str, Any]:
    """A report as plain data. What is not known is null; the `lower_bounds` are known to be at least so much."""
    made = layer_by_layer(report)
    return {**made, "layers": list(made["layers"])}


def layer_by_layer(report: Network) -> dict[str, Any]:
    """The same for whoever writes it: its layers come one after the other, and are never there all together."""
    graph, totals, whole = report.graph, report.totals, report.whole
    values = {name: whole.value(figure.key) for name, figure in _TOTALS}
    return {
        "schema_version": SCHEMA_VERSION,
        "model": graph.name,
        "variant": graph.variant,
        "source": graph.source.name,
        "batch": report.batch,
        "dtype": report.dtype,
        "optimizer": report.optimizer,
        "device": report.setting.device,
        "regime": _regime(report),
        "convention": CONVENTION,
        "inputs": [{"name": node.name, "shape": _shape(node.shape)} for node in graph.inputs],
        "layers": _layers(report),
        "totals": {
            **{name: figure.json(whole) for name, figure in _TOTALS},
            "complete": totals.complete,
            "lower_bounds": [name for name, value in values.items() if isinstance(value, AtLeast)],
        },
        "outputs": [{"name": graph.nodes[i].name, "shape": _shape(graph.nodes[i].shape)} for i in graph.outputs],
        "warnings": [
            {
                "code": each.code,
                "message": each.message.removeprefix("warning: "),
                "line": each.place.line if each.place else None,
                "column": each.place.column if each.place else None,
            }
            for each in (*graph.errors, *graph.warnings)
        ],
    }


def _layers(report: Network) -> Iterator[dict[str, Any]]:
    nodes, shared = report.graph.nodes, dict[Hashable, dict[str, Any]]()
    mixed = report.setting.amp or report.setting.int8
    for row in report.rows:
        layer, part, kind = nodes[row.node], row.part, report.kind(row.node)
        alike = shared.get(kind)
        if alike is None:
            alike = shared[kind] = {figure.key: figure.json(part) for figure in _ALIKE}
        yield {
            "name": layer.name,
            "type": layer.type,
            "line": layer.place.line if layer.place else None,
            "inputs": [nodes[i].name for i in layer.inputs],
            "input_shapes": [_shape(report.shaped(i)) for i in layer.inputs],
            "output_shape": _shape(report.shaped(row.node)),
            **alike,
            **{figure.key: figure.json(part) for figure in _OTHERS},
            **({"shares": row.shares} if row.shares else {}),
            **(_types(report, row.node) if mixed else {}),
        }


def _types(report: Network, node: int) -> dict[str, Any]:
    """The type of a layer's output, and the layer that it became a part of."""
    fate = report.fates[node] if report.fates else None
    part_of = report.graph.nodes[fate.of].name if fate and fate.kind == "part" else None
    return {"dtype": report.dtypes[node], "part_of": part_of}


def _regime(report: Network) -> dict[str, Any]:
    """How a network is run and its steps are made, where that is particular."""
    setting, regime = report.setting, report.regime
    names = [node.name for node in report.graph.nodes]
    return {
        "amp": setting.amp or None,
        "int8": setting.int8,
        "channels_last": setting.channels_last,
        "frozen": [names[node] for node in sorted(setting.frozen)],
        "checkpointed": [[names[node] for node in part] for part in regime.checkpointed],
        "accumulate": regime.accumulate,
        "processes": regime.processes,
        "recomputed_macs": report.recomputed_macs,
    }


def _shape(shape: Sequence[int] | None) -> list[int] | None:
    return None if shape is None else list(shape)


def document_schema() -> dict[str, Any]:
    """The JSON Schema (draft 7) of the document, each figure with its unit and what it says.

    >>> document_schema()["properties"]["totals"]["properties"]["macs"]["type"]
    ['number', 'null']
    """
    text, whole = {"type": "string"}, {"type": ["integer", "null"]}
    shape = {"type": ["array", "null"], "items": {"type": "integer"}}
    named = {"type": "object", "required": ["name", "shape"], "properties": {"name": text, "shape": shape}}
    layer = {
        "name": text,
        "type": text,
        "line": whole,
        "shares": {**text, "description": "the layer that it is once more, with its weights"},
        "dtype": {**text, "description": "the type of its output, in mixed precision and in int8"},
        "part_of": {
            "type": ["string", "null"],
            "description": "the layer that it is a part of once the network is quantized",
        },
        "inputs": {"type": "array", "items": text},
        "input_shapes": {"type": "array", "items": shape},
        "output_shape": shape,
        **{figure.key: _described(figure) for figure in _LAYER},
    }
    totals = {
        **{name: _described(figure) for name, figure in _TOTALS},
        "complete": {"type": "boolean", "description": "whether all of it is known"},
        "lower_bounds": {
            "type": "array",
            "items": {"enum": [name for name, _ in _TOTALS]},
            "description": "the totals of which a part is not known: at least so much",
        },
    }
    warning = {"code": text, "message": text, "line": whole, "column": whole}
    properties = {
        "schema_version": {"const": SCHEMA_VERSION},
        **dict.fromkeys(("model", "variant", "source", "dtype", "optimizer", "device", "convention"), text),
        "batch": {"type": "integer", "minimum": 1},
        "regime": _object(
            {
                "amp": {"type": ["string", "null"], "description": "the narrow type of autocast"},
                "int8": {"type": "boolean", "description": "whether the network is quantized after training"},
                "channels_last": {"type": "boolean"},
                "frozen": {"type": "array", "items": text, "description": "layers that are not trained"},
                "checkpointed": {"type": "array", "items": {"type": "array", "items": text}},
                "accumulate": {"type": "integer", "description": "batches before an update"},
                "processes": {"type": "integer", "description": "of DistributedDataParallel"},
                "recomputed_macs": {**whole, "description": "multiply-adds of what checkpoints run again, of a batch"},
            }
        ),
        "inputs": {"type": "array", "items": named},
        "layers": {"type": "array", "items": _object(layer, optional=("shares", "dtype", "part_of"))},
        "totals": _object(totals),
        "outputs": {"type": "array", "items": named},
        "warnings": {"type": "array", "items": _object(warning)},
    }
    return {"$schema": "http://json-schema.org/draft-07/schema#", "title": "cnncalc report", **_object(properties)}


def _object(properties: dict[str, Any], optional: Sequence[str] = ()) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "required": required, "properties": properties}


def _described(figure: Figure) -> dict[str, Any]:
    unit = f" [{figure.unit}]" if figure.unit else ""
    kind = ["object", "array", "null"] if figure.key not in _NUMBERS else ["number", "null"]
    return {"type": kind, "description": f"{figure.what}{unit}"}


_NUMBERS = {key for key, figure in FIGURES.items() if figure.document is True and figure.key != "shape"}
