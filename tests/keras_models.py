"""What Keras makes of what is exported to it, in a process of its own that reads its standard input."""

from __future__ import annotations

import functools
import gc
import inspect
import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any

os.environ |= {"KERAS_BACKEND": "torch", "KERAS_TORCH_DEVICE": "meta"}  # before Keras is loaded
warnings.simplefilter("ignore")

import keras  # noqa: E402
import torch  # noqa: E402
from keras.src.initializers import random_initializers  # noqa: E402

# What is slow in building a thousand models, and says nothing of them: values of weights, signatures, and garbage below.
for cls in (random_initializers.RandomInitializer, random_initializers.VarianceScaling):
    cls.__call__ = lambda self, shape, dtype=None: torch.empty(shape, device="meta")
inspect.signature = functools.cache(inspect.signature)


def build() -> None:
    """Print what the models are like that the sources make."""
    sys.setrecursionlimit(20_000)  # Keras looks through a model recursively
    gc.disable()
    found = []
    for number, source in enumerate(json.load(sys.stdin)):
        names: dict[str, Any] = {"__name__": "exported"}
        exec(source, names)
        (made,) = [each for each in names.values() if getattr(each, "__module__", "") == "exported"]
        model = made()
        layers = [each for each in model.layers if not isinstance(each.output, (list, tuple))]
        found.append({
            "params": model.count_params(),
            "trainable": sum(int(each.value.numel()) for each in model.trainable_variables),
            "outputs": [list(each.shape[1:]) for each in model.outputs],
            "layers": {each.name: list(each.output.shape[1:]) for each in layers},
        })  # fmt: skip
        del model, layers, made, names
        keras.utils.clear_session(free_memory=False)
        if number % 300 == 0:
            gc.collect()
    print("FOUND", json.dumps(found))


def run() -> None:
    """Run sources as programs, one after the other."""
    for source in json.load(sys.stdin):
        exec(source, {"__name__": "__main__"})


def describe() -> None:
    """Write the descriptions of Keras' own models into a folder."""
    folder, *names = json.load(sys.stdin)
    for name in names:
        Path(folder, f"{name}.json").write_text(getattr(keras.applications, name)(weights=None).to_json(), "utf-8")
