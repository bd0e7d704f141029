"""What counts as one operation, and what the backward pass costs."""

from __future__ import annotations

from typing import Any

from ..formula import formula

#: What counts as one operation, as an activation says it and as the convention does.
OPERATIONS = {
    "compare": "comparison",
    "add": "addition",
    "subtract": "subtraction",
    "multiply": "multiplication",
    "divide": "division",
    "negate": "negation",
    "absolute value": "absolute value",
    "power": "power",
    "root": "root",
    "exponential": "exponential",
    "logarithm": "logarithm",
    "tanh": "tanh",
    "error function": "error function",
}
*_SEVERAL, _LAST = OPERATIONS.values()
#: The rule by which they are counted.
COUNTED = f"one for each {', '.join(_SEVERAL)} or {_LAST}"


@formula(
    "work for each element",
    chapter="other work",
    symbol="FLOPs",
    unit="operations",
    source=f"counted: {COUNTED}",
)
def elementwise_work(E: Any, Q: Any) -> Any:
    return E * Q


BACKWARD = "Goodfellow, Bengio & Courville (2016), Deep Learning, section 9.5"


@formula(
    "multiply-adds of the input's gradient",
    chapter="training",
    symbol="MACs",
    unit="MAC",
    source=BACKWARD + ": the kernel, transposed, on the gradient of the output",
)
def input_gradient_macs(MACs: Any) -> Any:
    """As many products as forwards; none where the input wants no gradient, as in the first layer."""
    return MACs


@formula(
    "multiply-adds of the weights' gradient",
    chapter="training",
    symbol="MACs",
    unit="MAC",
    source=BACKWARD + ": the input, correlated with the gradient of the output",
)
def weight_gradient_macs(MACs: Any) -> Any:
    """As many products as forwards."""
    return MACs
