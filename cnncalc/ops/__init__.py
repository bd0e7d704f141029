"""The layer types, one family a file. Importing this package registers them all."""

from ..formula import Step
from . import (
    activation,
    adaptive_pool,
    arithmetic,
    attention,
    blur,
    conv,
    conv_transpose,
    dropout,
    image_norm,
    lenet,
    linear,
    merge,
    norm,
    pad,
    pool,
    rearrange,
    reduce,
    resample,
    response_norm,
    shape,
    softmax,
    token,
)
from .actions import Shape
from .base import (
    REGISTRY,
    Argument,
    Call,
    Count,
    Gradients,
    Op,
    Parameter,
    Reach,
    Window,
    Work,
    value_of,
)

#: The families in teaching order, each with the files that its layer types stand in.
FAMILIES = {
    "convolution": (conv, conv_transpose),
    "pooling": (pool, adaptive_pool, blur),
    "fully connected": (linear,),
    "activation": (activation, softmax, arithmetic),
    "normalisation": (norm, image_norm, response_norm),
    "dropout": (dropout,),
    "shape": (shape, rearrange, reduce),
    "resampling": (resample,),
    "padding": (pad,),
    "merge": (merge,),
    "attention": (attention, token),
    "LeNet-5": (lenet,),
}

#: The types that join branches.
MERGES = tuple(name for name, cls in REGISTRY.items() if issubclass(cls, merge.Merge))

#: What makes the modules that torch.nn has not, by their names.
OWN_MODULES = {name: cls.torch_module for name, cls in REGISTRY.items() if cls.torch_module is not None}
OWN_MODULES |= {name: make for cls in REGISTRY.values() for name, make in cls.variants.items()}

__all__ = [
    "FAMILIES",
    "MERGES",
    "OWN_MODULES",
    "REGISTRY",
    "Argument",
    "Call",
    "Count",
    "Gradients",
    "Op",
    "Parameter",
    "Reach",
    "Shape",
    "Step",
    "Window",
    "Work",
    "value_of",
]
