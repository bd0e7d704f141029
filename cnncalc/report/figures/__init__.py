"""The registry of figures, one family a file: what is counted, in which unit, by which steps, and how it is shown.

Columns, totals, JSON and its schema, `expect`, `--columns`, `--sort`, `compare`, `zoo`, `explain`, the watcher and the
documentation know a figure from here. A module that is put here is a family of figures everywhere.
"""

import pkgutil
from importlib import import_module

from ..registry import BY_NAME, FIGURES, OF_LAYERS, OF_NETWORK, Figure, arrange, known_questions

for _module in pkgutil.iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
arrange()

#: What is asked of `explain` where nothing is said, and all that may be: what a training step costs only by name.
QUESTIONS, ALL_QUESTIONS = known_questions(trained=False), known_questions()

__all__ = ["ALL_QUESTIONS", "BY_NAME", "FIGURES", "OF_LAYERS", "OF_NETWORK", "QUESTIONS", "Figure"]
