"""cnncalc: the calculator for convolutional networks that shows its work.

>>> import cnncalc
>>> r = cnncalc.analyse("lenet")
>>> r.totals.params
61706
"""

from .errors import SpecError
from .formula import in_teaching_order as formulas
from .report import Report, analyse
from .spec.model import load

__version__ = "0.1.0"
__all__ = ["Report", "SpecError", "analyse", "formulas", "load"]
