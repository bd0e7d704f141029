"""The language as a JSON Schema (draft 7), for editors: completion, explanation, and a first check while typing."""

from __future__ import annotations

from typing import Any

from ..formula import Step
from ..ops import FAMILIES, MERGES, REGISTRY, Op, Shape
from ..ops.base import Argument
from ..pictures import INTERPOLATIONS

FILE = "cnncalc.schema.json"
_EXPRESSION = {"type": "string", "description": "an expression, such as 'hidden * 2'"}


def schema() -> dict[str, Any]:
    """The JSON Schema of the language.

    >>> schema()["definitions"]["Conv2d"]["required"]
    ['out_channels', 'kernel_size']
    """
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "cnncalc architecture",
        "type": "object",
        "required": ["input", "layers"],
        "properties": _properties(),
        "definitions": {
            **_language(),
            **{name: _type(name, cls) for name, cls in REGISTRY.items() if name not in MERGES},
        },
    }


def _properties() -> dict[str, Any]:
    shape = _ref("shape")
    names = {"type": "object", "additionalProperties": True}
    return {
        "name": {"type": "string", "description": "what the network is called"},
        "source": {"type": "string", "description": "the paper, or wherever the network comes from"},
        "year": {"type": "integer", "description": "when the network was published"},
        "task": {"type": "string", "description": "what it is for: classification, detection, segmentation …"},
        "note": {"type": "string"},
        "input": {
            "description": "channels, height, width; the batch is never written. Several inputs by name.",
            "anyOf": [shape, _EXPRESSION, {"type": "object", "additionalProperties": shape, "minProperties": 1}],
        },
        "args": {**names, "description": "the knobs of a family, with their defaults"},
        "variants": {
            "type": "object",
            "additionalProperties": {"anyOf": [names, {"type": "null"}]},
            "description": "named settings of args",
        },
        "blocks": {
            "type": "object",
            "description": "parts that are used like layer types",
            "additionalProperties": {
                "type": "object",
                "required": ["layers"],
                "properties": {
                    "args": {},
                    "layers": _ref("layers"),
                    "note": {"type": "string"},
                    "source": {"type": "string"},
                },
                "additionalProperties": False,
            },
        },
        "types": {
            "type": "object",
            "description": "layer types that the file declares",
            "additionalProperties": {"type": "object"},
        },
        "layers": _ref("layers"),
        "outputs": {
            "description": "the layers whose outputs are results, if not only the last",
            "anyOf": [{"type": "string"}, {"type": "array", "items": _ref("output")}],
        },
        "space": _space(),
        "expect": {**names, "description": "what was published, checked by `cnncalc check`; by variant in a family"},
        "pretrained": {
            "description": "which weights are published, and how they want their pictures",
            "type": "array",
            "items": _pretrained(),
        },
        "disputed": {
            "description": "what was published and is not so, with a source, and a note that says why",
            "type": "array",
            "items": {
                **names,
                "required": ["source", "note"],
                "properties": {
                    "variant": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
                    "part": {"type": "string", "description": "the layer or group, if not the whole network"},
                    "source": {"type": "string"},
                    "note": {"type": "string"},
                },
            },
        },
    }


def _space() -> dict[str, Any]:
    number = {"anyOf": [{"type": "number"}, _EXPRESSION]}
    ends = {"from": number, "to": {**number, "description": "the last value"}, "by": number}
    range_ = {"type": "object", "required": ["from", "to"], "additionalProperties": False, "properties": ends}
    where = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
    return {
        "type": "object",
        "description": "the values that knobs take in `cnncalc sweep`: args, items as depths[2], input; a, b together",
        "properties": {"where": {**where, "description": "conditions between knobs, as width % groups == 0"}},
        "additionalProperties": {"anyOf": [{"type": "array", "minItems": 1}, range_, _EXPRESSION]},
    }


def _pretrained() -> dict[str, Any]:
    text = {"type": "string"}
    side = {"type": "integer", "minimum": 1}
    sides = {"anyOf": [side, {"type": "array", "items": side, "minItems": 1, "maxItems": 2}]}
    channels = {"anyOf": [{"type": "number"}, {"type": "array", "items": {"type": "number"}, "maxItems": 4}]}
    return {
        "type": "object",
        "required": ["source"],
        "additionalProperties": False,
        "properties": {
            "source": {**text, "description": "who published the weights, and what they are called"},
            "variant": {"anyOf": [text, {"type": "array", "items": text}]},
            "files": {
                "anyOf": [text, {"type": "object", "additionalProperties": text}],
                "description": "what the name of the file begins with, of each variant in a family",
            },
            "resize": {**sides, "description": "pixels of the shorter side, or height and width"},
            "crop": {**sides, "description": "pixels of what is cut out of the middle"},
            "interpolation": {"enum": list(INTERPOLATIONS)},
            "mean": {**channels, "description": "of each channel; ImageNet's where nothing is said"},
            "std": {**channels, "description": "the standard deviation of each channel; ImageNet's if not said"},
            "note": text,
        },
    }


def _language() -> dict[str, Any]:
    beside = _beside()
    merges = {
        name: {
            "description": _summary(REGISTRY[name]),
            "anyOf": [_ref("branches"), _ref("merge"), *([_ref("layers")] if REGISTRY[name].yields else [])],
        }
        for name in MERGES
    }
    types = {
        name: {
            "description": _description(name, cls),
            # What yields may be the name of a layer.
            "anyOf": [
                _ref(name),
                *([] if _required(cls) else [{"type": "null"}]),
                *([_ref("layers")] if cls.yields else []),
            ],
        }
        for name, cls in REGISTRY.items()
        if name not in MERGES
    }
    layer, earlier = _ref("layer"), {"type": "string", "description": "an earlier layer"}
    use = {
        "description": "an earlier layer, group or block once more, with its weights",
        "anyOf": [earlier, {"type": "integer", "minimum": 0}, _ref("layers")],
    }
    return {
        "shape": {
            "type": "array",
            "minItems": 1,
            "maxItems": 4,
            "items": {"anyOf": [{"type": "integer", "minimum": 1}, _EXPRESSION]},
        },
        "layers": {"anyOf": [{"type": "array", "items": layer}, layer]},
        "layer": {"anyOf": [{"$ref": "#/definitions/word"}, {"type": "array", "items": layer}, _ref("mapping")]},
        "word": {
            "anyOf": [
                {"type": "string", "description": "a block, or a type declared in the file"},
                {"enum": [name for name, cls in REGISTRY.items() if not _required(cls) and name not in MERGES]},
            ]
        },
        "mapping": {
            "type": "object",
            "properties": {**types, **merges, "layers": _ref("layers"), "inline": _ref("layers"), "use": use, **beside},
            # Any other key is the name of a layer, or a block with its arguments.
            "additionalProperties": {"anyOf": [layer, {"type": "object"}, {"type": "null"}]},
        },
        "branches": {"type": "array", "items": {"anyOf": [_ref("branch"), _ref("layers"), earlier]}},
        "branch": {
            "description": "many branches by repeat and foreach, or one under a condition",
            "type": "object",
            "required": ["branch"],
            "anyOf": [{"required": [key]} for key in ("when", "repeat", "foreach")],
            "properties": {
                "branch": {"anyOf": [_ref("layers"), earlier]},
                **{key: beside[key] for key in ("when", "repeat", "foreach", "from", "note")},
            },
            "additionalProperties": False,
        },
        "output": {
            "anyOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "required": ["from", "when"],
                    "properties": {"from": {"type": "string"}, "when": beside["when"]},
                },
            ]
        },
        "merge": {
            "type": "object",
            "required": ["branches"],
            "properties": {"branches": _ref("branches"), "dim": {"type": "integer"}},
        },
    }


def _beside() -> dict[str, Any]:
    count = {"anyOf": [{"type": "integer", "minimum": 0}, _EXPRESSION]}
    return {
        "when": {
            "description": "the layer is skipped where this is false",
            "anyOf": [{"type": "boolean"}, _EXPRESSION],
        },
        "repeat": {"description": "so many copies in a row, `i` counting from 0", **count},
        "foreach": {
            "description": "one copy a column, the names bound",
            "type": "object",
            "additionalProperties": {"anyOf": [{"type": "array"}, _EXPRESSION]},
        },
        "from": {
            "description": "the earlier layer that this one takes its input from",
            "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
        },
        "expect": {"description": "a claim, checked by `cnncalc check`", "type": "object"},
        "note": {"description": "shown beside the layer in reports", "type": "string"},
    }


def _type(name: str, cls: type[Op]) -> dict[str, Any]:
    arguments = cls.arguments()
    return {
        "type": "object",
        "description": _description(name, cls),
        "properties": {argument.name: _argument(argument) for argument in arguments},
        "required": [argument.name for argument in arguments if argument.required],
        "additionalProperties": False,
    }


def _argument(argument: Argument) -> dict[str, Any]:
    described = argument.doc + (f" ({argument.letter} in the formulas)" if argument.letter else "")
    if argument.inferred:
        described += "; the graph knows it, and where it is stated it is checked"
    made: dict[str, Any] = {"description": described, "anyOf": [_with_expressions(argument.kind.schema), _EXPRESSION]}
    if argument.kind.words and list(argument.kind.schema) == ["enum"]:
        made["anyOf"] = [argument.kind.schema, {**_EXPRESSION, "pattern": r"[^A-Za-z\-]|^[a-z_]+$"}]
    if not argument.required and not argument.inferred:
        made["default"] = list(argument.default) if isinstance(argument.default, tuple) else argument.default
    return made


def _with_expressions(schema: dict[str, Any]) -> dict[str, Any]:
    """What a value may be, where the items of a list may be expressions."""
    made = dict(schema)
    if "anyOf" in made:
        made["anyOf"] = [_with_expressions(each) for each in made["anyOf"]]
    if made.get("type") == "array":
        made["items"] = {"anyOf": [_with_expressions(made["items"]), _EXPRESSION]}
    return made


def _description(name: str, cls: type[Op]) -> str:
    lines = [_summary(cls)]
    for step in example_steps(cls):
        lines.append(f"{step.formula.symbol or step.formula.name} = {step.formula.text}")
    return "\n".join([*dict.fromkeys(lines), f"Example: {cls.example}"])


def example_input(cls: type[Op]) -> Shape:
    """A shape on which the example of a layer type works."""
    return cls.example_input or {1: (64, 128), 3: (64, 16, 28, 28)}.get(cls.spatial, (64, 28, 28))


def example_layers(cls: type[Op]) -> list[str]:
    """The example of a layer type as entries of a list of layers, with the layer before it that it needs."""
    if cls.places_of:
        pool = cls.example.replace(cls.type(), cls.places_of)
        return [f"- pool: {{{pool}}}", f"- {{{cls.example}, from: [pool, pool]}}"]
    return [f"- {cls.example}"]


def example_steps(cls: type[Op]) -> list[Step]:
    """The formulas of a layer type, as its example uses them: size, parameters, work."""
    from ..errors import Source
    from .model import load

    shape = example_input(cls)
    graph = load(Source("example", "\n".join([f"input: {list(shape)}", "layers:", *example_layers(cls)])))
    layer = graph.nodes[-1]
    assert layer.op is not None and layer.shape is not None
    shapes = tuple(each for each in graph.shapes_into(layer) if each is not None)
    work = layer.op.work(layer.shape, *shapes)
    steps = [size for size in layer.op.output(*shapes) if isinstance(size, Step)]
    steps += [count.step for count in layer.op.counts(*shapes)]
    steps += [step for step in (work.macs, work.other, work.connections) if step is not None]
    return list({step.formula.name: step for step in steps}.values())


def family_of(cls: type[Op]) -> str:
    """The family of a layer type, by the file that it stands in."""
    return next(
        (family for family, files in FAMILIES.items() if cls.__module__ in [module.__name__ for module in files]), ""
    )


def _summary(cls: type[Op]) -> str:
    return (cls.__doc__ or "").strip().splitlines()[0]


def _required(cls: type[Op]) -> bool:
    return any(argument.required for argument in cls.arguments())


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/definitions/{name}"}
