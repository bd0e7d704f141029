"""What the exporters' sources may hold: what is written by them, and the names of the network's parts."""

from __future__ import annotations

from collections.abc import Sequence

from ..generated import Vocabulary
from ..graph import Graph
from ..ops import OWN_MODULES, REGISTRY
from .common import RESERVED


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TORCH_IMPORTS = frozenset(
    [
        "import torch",
        "from torch import nn",
        "from torch import Tensor, nn",
        "from typing import Any",
        "from torch.nn import functional as F",
        "from collections import OrderedDict",
    ]
)
_METHODS = _words(
    "__init__ forward eval parameters numel shape add_module register_parameter get_submodule get_parameter expand view"
)
_OF_TORCH = _words(
    "nn Module ModuleList Sequential Parameter pad cat mean permute maximum stack sum amax linalg vector_norm full "
    "randn inference_mode inf"
)


def of_torch(graph: Graph, words: frozenset[str], own: Sequence[str], more: Sequence[str] = ()) -> Vocabulary:
    """For PyTorch: `words` are the classes, parameters and variables that were named, `own` the classes copied."""
    parts = frozenset(part for layer in graph.layers for part in layer.name.split("."))
    return Vocabulary(
        names=words | RESERVED | frozenset(["__name__", "__init__", "forward", "net", "out", *OWN_MODULES]),
        attributes=parts | words | _METHODS,
        libraries=frozenset(["torch", "nn", "F"]),
        functions=_OF_TORCH | frozenset(REGISTRY),
        imports=_TORCH_IMPORTS | frozenset(more),
        trusted=own,
    )


#: What the source for Keras calls by name.
KERAS = frozenset(["keras", "layers", "ops"])
_KERAS_IMPORTS = frozenset(["import keras", "from keras import layers, ops"])
#: Functions of keras.ops that are written.
_OPS = _words(
    "celu clip gelu glu hard_shrink log_softmax max mean pad repeat soft_shrink softmax softplus stack sum threshold"
)
_OF_KERAS = frozenset(
    [
        *_words("Input Model config set_image_data_format initializers Constant"),
        *_words(
            "Activation Add Subtract Maximum Concatenate Dense Dropout AlphaDropout Permute Reshape MultiHeadAttention"
        ),
        *_words("BatchNormalization GroupNormalization LayerNormalization RMSNormalization ReLU LeakyReLU ELU PReLU"),
        *_OPS,
        *(f"{kind}{axes}D" for axes in (1, 2, 3) for kind in ("Conv", "UpSampling", "ZeroPadding")),
        *(f"Conv{axes}DTranspose" for axes in (1, 2, 3)),
        *(
            f"{how}{kind}Pooling{axes}D"
            for axes in (1, 2, 3)
            for kind in ("Max", "Average")
            for how in ("", "Adaptive", "Global")
        ),
    ]
)


def of_keras(words: frozenset[str], names: frozenset[str]) -> Vocabulary:
    """For Keras: `words` are the function and the variables that were named, `names` those of layers and model."""
    return Vocabulary(
        names=words | KERAS | frozenset(["__name__", "float"]),
        attributes=frozenset(["summary"]),
        libraries=KERAS,
        functions=_OF_KERAS,
        imports=_KERAS_IMPORTS,
        texts=names | frozenset(["-inf"]),
    )
