"""cnncalc: the calculator for convolutional networks that shows its work.

>>> import cnncalc
>>> r = cnncalc.analyse("lenet")
>>> r.totals.params
61706
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.2.0"
__all__ = [
    "Report",
    "SpecError",
    "analyse",
    "build",
    "check",
    "compare",
    "explain",
    "export",
    "flat",
    "formulas",
    "load",
    "measure",
    "render",
    "run",
    "schema",
    "solve",
    "story",
    "summary",
    "sweep",
    "symbolic",
    "view",
    "zoo",
]

if TYPE_CHECKING:
    from .answers.check import check
    from .answers.compare import compare
    from .answers.explain import explain
    from .answers.formulas import in_teaching_order as formulas
    from .answers.layers import view
    from .answers.summary import summary
    from .answers.zoo import story, zoo
    from .errors import SpecError
    from .exporters.export import export
    from .formats import render
    from .language.flat import flat
    from .language.model import load
    from .language.schema import schema
    from .pytorch.bench.api import measure
    from .pytorch.build import build
    from .pytorch.run import run
    from .report import Report, analyse
    from .spaces.api import sweep
    from .spaces.solve import solve
    from .spaces.symbolic import Symbolic as symbolic

#: What the package offers and the file that holds it, which is loaded when it is first asked for.
_LATER = {
    "Report": ("report", "Report"),
    "SpecError": ("errors", "SpecError"),
    "analyse": ("report", "analyse"),
    "build": ("pytorch.build", "build"),
    "check": ("answers.check", "check"),
    "compare": ("answers.compare", "compare"),
    "explain": ("answers.explain", "explain"),
    "export": ("exporters.export", "export"),
    "flat": ("language.flat", "flat"),
    "formulas": ("answers.formulas", "in_teaching_order"),
    "load": ("language.model", "load"),
    "measure": ("pytorch.bench.api", "measure"),
    "render": ("formats", "render"),
    "run": ("pytorch.run", "run"),
    "schema": ("language.schema", "schema"),
    "solve": ("spaces.solve", "solve"),
    "story": ("answers.zoo", "story"),
    "summary": ("answers.summary", "summary"),
    "sweep": ("spaces.api", "sweep"),
    "symbolic": ("spaces.symbolic", "Symbolic"),
    "view": ("answers.layers", "view"),
    "zoo": ("answers.zoo", "zoo"),
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, function = _LATER[name]
    return getattr(import_module(f"{__name__}.{module}"), function)
