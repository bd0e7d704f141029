"""PyTorch's operations as layers: one reader for each, by the operation's name. Importing this registers them all."""

from . import activation, arithmetic, attention, convolution, normalisation, pooling, shape
from .table import READERS

__all__ = ["READERS", "activation", "arithmetic", "attention", "convolution", "normalisation", "pooling", "shape"]
