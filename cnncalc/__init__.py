"""cnncalc: the calculator for convolutional networks that shows its work.

>>> import cnncalc
>>> r = cnncalc.analyse("lenet")
>>> r.totals.params
61706
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .errors import SpecError
from .report import Report, analyse
from .spec.model import load

__version__ = "0.1.0"
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
    "run",
    "schema",
    "story",
    "summary",
    "view",
    "zoo",
]

if TYPE_CHECKING:
    from .analysis.explain import explain
    from .bundled import story, zoo
    from .catalogue import comparison as compare
    from .catalogue import in_teaching_order as formulas
    from .claims import check
    from .exporters.source import export
    from .pytorch.bench.api import measure
    from .pytorch.build import build
    from .pytorch.run import run
    from .render.views import summary, view
    from .spec.flat import flat
    from .spec.schema import schema

#: What commands print beside a report, as functions that return data. They load when they are first asked for.
_LATER = {
    "build": ("pytorch.build", "build"),
    "check": ("claims", "check"),
    "compare": ("catalogue", "comparison"),
    "explain": ("analysis.explain", "explain"),
    "export": ("exporters.source", "export"),
    "formulas": ("catalogue", "in_teaching_order"),
    "measure": ("pytorch.bench.api", "measure"),
    "run": ("pytorch.run", "run"),
    "schema": ("spec.schema", "schema"),
    "flat": ("spec.flat", "flat"),
    "story": ("bundled", "story"),
    "summary": ("render.views", "summary"),
    "view": ("render.views", "view"),
    "zoo": ("bundled", "zoo"),
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, function = _LATER[name]
    return getattr(import_module(f"{__name__}.{module}"), function)
