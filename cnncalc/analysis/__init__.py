"""The questions that are asked of a graph, one a file."""

from . import cost, depth, memory, receptive_field, training

__all__ = ["cost", "depth", "memory", "receptive_field", "training"]
