"""What is known of a network: the registry of figures, the report, its table of layers and its JSON document."""

from . import figures  # noqa: F401  # declares them
from .parts import Part, Row, Totals
from .report import Report, analyse

__all__ = ["Part", "Report", "Row", "Totals", "analyse"]
