"""The registry of figures: everything that any command has to know of one, declared once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

from ..explanation import Derivation
from ..formula import CHAPTERS
from ..quantities import mebibytes, number
from ..table import EMPTY, AtLeast, known

#: All figures by key, in the order of the chapters.
FIGURES: dict[str, Figure] = {}
#: The figures of layers and of groups, by key; and those of the network, by the name of the total.
OF_LAYERS: dict[str, Figure] = {}
OF_NETWORK: dict[str, Figure] = {}
#: Figures by all names that they go by.
BY_NAME: dict[str, Figure] = {}

Value = Callable[[Any], Any]  # of a part
Derive = Callable[[Any], Iterable[Derivation]]  # of a row, or of all that is known of a network


class Figure:
    """A figure of layers, of groups of layers or of networks.

    `of` gives its value for a part of a network: None where it is not known, `AtLeast` where a part of it is not, EMPTY
    where there is none. Commands know it by its `key`; where the column of its layers, or the network's total, has
    another name, that is `column` or `total`. `scope` is "layers", "network" or "both".

    `question` is what `explain` calls it, and `derive` yields the work behind it for a layer; `derive_total` does so
    for the network, and where `summed` says what the total is called, that is the sum of the layers. `none` says why a
    layer has nothing of it.

    `additive` is whether the layers' add up to the group's; `totalled`, whether the network's stands below the layers',
    follows from it where nothing is said. `mebibytes` names the column of the same in MiB, `shared`
    that of the share in the network's. `watched` figures are told of when they change. `trained` ones belong to a
    training step: they are worked out when they are asked for, and are none of a dtype that cannot be trained. A figure
    that is the `quotient` of two others names them. `alike` ones are the same for all layers of a kind, as
    `Facts.kind` tells it, wherever they stand.
    """

    def __init__(
        self,
        key: str,
        title: str,
        unit: str,
        what: str,
        of: Value,
        *,
        chapter: str,
        scope: str = "both",
        column: str = "",
        total: str = "",
        show: Callable[[Any], str] = number,
        question: str = "",
        derive: Derive | None = None,
        derive_total: Derive | None = None,
        summed: str = "",
        none: Callable[[Any], str] | None = None,
        additive: bool = True,
        totalled: bool | None = None,
        mebibytes: str = "",
        shared: str = "",
        watched: str = "",
        trained: bool = False,
        document: Callable[[Any], Any] | bool = True,
        names: tuple[str, ...] = (),
        quotient: tuple[str, ...] = (),
        alike: bool = False,
    ) -> None:
        assert chapter in CHAPTERS and key not in FIGURES, key
        self.key, self.title, self.unit, self.what, self.of = key, title, unit, what, of
        self.chapter, self.scope, self.column, self.total = chapter, scope, column or key, total or key
        self.show, self.question, self.derive, self.derive_total = show, question, derive, derive_total
        self.summed, self.additive, self.mebibytes, self.shared = summed, additive, mebibytes, shared
        self.none = none
        self.totalled = additive if totalled is None else totalled
        self.watched, self.trained, self.document, self.names = watched, trained, document, names
        self.quotient, self.alike = quotient, alike or getattr(of, "alike", False)
        FIGURES[key] = self

    def __repr__(self) -> str:
        return f"<figure {self.key}: {self.what}>"

    @property
    def of_layers(self) -> bool:
        return self.scope != "network"

    @property
    def of_network(self) -> bool:
        return self.scope != "layers"

    def json(self, part: Any) -> Any:
        """Its value as plain data; what is known of it, where that is not all."""
        if callable(self.document):
            return self.document(part)
        value = part.value(self.key)
        if type(value) is int:  # nearly always
            return value
        value = known(value)
        if isinstance(value, Fraction):
            return float(value)
        return list(value) if isinstance(value, tuple) else None if value == EMPTY else value

    @property
    def in_bytes(self) -> bool:
        return self.unit == "bytes"

    def text(self, value: Any) -> str:
        """A value with its unit, as it stands in a sentence; bytes in MiB."""
        if value is None:
            return "not known"
        shown = mebibytes(known(value)) if self.in_bytes else self.show(known(value))
        unit = "MiB" if self.in_bytes else self.unit
        return f"{'≥ ' * isinstance(value, AtLeast)}{shown} {unit}".rstrip()


def arrange() -> None:
    """Put the figures that were declared into the order of the chapters, and under all their names."""
    figures = sorted(FIGURES.values(), key=lambda figure: CHAPTERS.index(figure.chapter))
    for table in (FIGURES, OF_LAYERS, OF_NETWORK, BY_NAME):
        table.clear()
    for figure in figures:
        FIGURES[figure.key] = figure
        if figure.of_layers:
            OF_LAYERS[figure.key] = figure
        if figure.of_network:
            OF_NETWORK[figure.total] = figure
        BY_NAME.update(dict.fromkeys((figure.key, figure.column, figure.total, *figure.names), figure))


def known_questions(trained: bool = True) -> tuple[str, ...]:
    """What `explain` may be asked; those of a training step are asked by name only."""
    return tuple(
        dict.fromkeys(each.question for each in FIGURES.values() if each.question and (trained or not each.trained))
    )
