"""The layer types, one family a file. Importing this package registers them all."""

from ..formula import Step
from . import (
    activation,
    arithmetic,
    attention,
    blur,
    conv,
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
    "convolution": (conv,),
    "pooling": (pool, blur),
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

__all__ = [
    "FAMILIES",
    "MERGES",
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
