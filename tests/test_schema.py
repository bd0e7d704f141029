"""The JSON Schema accepts the zoo, and notices while typing what the reader would refuse."""

from __future__ import annotations

import random
from typing import Any

import pytest
import specs
import yaml

from cnncalc.language.locate import zoo_files
from cnncalc.language.schema import schema
from cnncalc.ops import MERGES, REGISTRY

jsonschema = pytest.importorskip("jsonschema")
SCHEMA = schema()
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)


def test_it_is_a_draft_7_schema() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", zoo_files(), ids=lambda path: path.stem)
def test_the_zoo_is_valid(path: Any) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(yaml.safe_load(path.read_text("utf-8")))] == []


def test_every_layer_and_argument_is_described_with_its_formula() -> None:
    for name, cls in REGISTRY.items():
        if name in MERGES:
            continue
        found = SCHEMA["definitions"][name]
        assert "Example: " in found["description"]
        assert set(found["properties"]) == {argument.name for argument in cls.arguments()}
        assert all(each["description"] for each in found["properties"].values())
    assert "⌊(N + 2·P − D·(F − 1) − 1)/S⌋ + 1" in SCHEMA["definitions"]["Conv2d"]["description"]


@pytest.mark.parametrize("name", specs.ALONE)
def test_arguments_that_the_reader_takes_are_valid(name: str) -> None:
    validator = jsonschema.Draft7Validator({**SCHEMA["definitions"][name], "definitions": SCHEMA["definitions"]})
    rng = random.Random(name)
    for _ in range(30):
        arguments = specs.arguments(rng, name, specs.shape_for(rng, REGISTRY[name]))
        assert validator.is_valid(arguments), arguments


@pytest.mark.parametrize(
    ("definition", "value"),
    [
        ("Conv2d", {"out_chanels": 3, "kernel_size": 3}),
        ("Conv2d", {"kernel_size": 3}),
        ("Conv2d", {"out_channels": 0, "kernel_size": 3}),
        ("Conv2d", {"out_channels": 3, "kernel_size": [1, 2, 3, 4]}),
        ("ReLU", {"inplace": 1}),
        ("Dropout", {"p": 2}),
        ("mapping", {"ReLU": {}, "repeat": -1}),
        ("mapping", {"ReLU": {}, "when": 7}),
    ],
)
def test_mistakes_are_noticed(definition: str, value: Any) -> None:
    validator = jsonschema.Draft7Validator({**SCHEMA["definitions"][definition], "definitions": SCHEMA["definitions"]})
    assert not validator.is_valid(value)


@pytest.mark.parametrize("missing", ["input", "layers"])
def test_a_spec_needs_input_and_layers(missing: str) -> None:
    whole = {"input": [3, 8, 8], "layers": ["ReLU"]}
    assert VALIDATOR.is_valid(whole)
    assert not VALIDATOR.is_valid({key: value for key, value in whole.items() if key != missing})
