"""The registry of figures, one family a file: what is counted, in which unit, by which steps, and how it is shown.

Columns, totals, JSON and its schema, `expect`, `--columns`, `--sort`, `compare`, `zoo`, `explain`, the watcher and the
documentation know a figure from here. A module that is put here is a family of figures everywhere.
"""

import pkgutil
from importlib import import_module

from ...formula import CHAPTERS
from .base import FIGURES, Figure

for _module in pkgutil.iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

_ordered = sorted(FIGURES.items(), key=lambda item: CHAPTERS.index(item[1].chapter))
FIGURES.clear()
FIGURES.update(_ordered)

#: The figures of layers and of groups, by key; and those of the network, by the name of the total.
OF_LAYERS = {figure.key: figure for figure in FIGURES.values() if figure.of_layers}
OF_NETWORK = {figure.total: figure for figure in FIGURES.values() if figure.of_network}
#: Figures by all names that they go by.
BY_NAME = {
    name: figure for figure in FIGURES.values() for name in (figure.key, figure.column, figure.total, *figure.names)
}

#: What is asked of `explain` where nothing is said, and all that may be: what a training step costs only by name.
QUESTIONS = tuple(dict.fromkeys(each.question for each in FIGURES.values() if each.question and not each.trained))
ALL_QUESTIONS = tuple(dict.fromkeys(each.question for each in FIGURES.values() if each.question))

__all__ = ["ALL_QUESTIONS", "BY_NAME", "FIGURES", "OF_LAYERS", "OF_NETWORK", "QUESTIONS", "Figure"]
