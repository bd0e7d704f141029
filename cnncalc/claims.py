"""Check claims: every `expect` of a spec against what is computed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .errors import Problem, Source, SpecError, did_you_mean, wrong_call
from .formula import number
from .graph import Claim
from .ops import readable
from .report import Part, Report, Row, analyse
from .spec.model import Spec, open_spec

FIGURES = ("params", "weights", "biases", "buffers", "macs", "flops", "other", "connections")
OF_PARTS = ("shape", *FIGURES, "output_bytes", "receptive_field")
OF_NETWORKS = (
    "shape",
    *FIGURES,
    "trainable_params",
    "depth",
    "layers",
    "weight_bytes",
    "activation_bytes",
    "peak_inference_bytes",
    "receptive_field",
)


#: What is published of a network and not computed here: carried, for tables and charts.
CARRIED = ("top1", "top5", "error", "accuracy", "mnist_error", "map", "map50", "mean_iu", "psnr")


class Verdict(NamedTuple):
    """One claim, what is computed for it, and whether they agree."""

    claim: Claim
    computed: Any
    holds: bool
    work: str  # the work behind the computed number, where they do not agree

    @property
    def part(self) -> str:
        return self.claim.name or "network"


class Checked(NamedTuple):
    """The verdicts on one network.

    `carried` are figures that nobody computes here, such as accuracies. `disputed` are figures that were published and
    that the spec says the network does not have: they hold as long as they do not agree.
    """

    title: str
    report: Report
    verdicts: Sequence[Verdict]
    carried: Sequence[Claim]
    warnings: Sequence[Problem]
    disputed: Sequence[Verdict] = ()

    @property
    def holds(self) -> bool:
        return all(verdict.holds for verdict in (*self.verdicts, *self.disputed))


#: Layers of all variants of a file together, and warnings of a kind, when it is checked.
MOST_LAYERS, MOST_WARNINGS = 1_000_000, 20


def check(spec: str | Path | Source) -> list[Checked]:
    """Check a spec; a family that is named without a variant is checked variant by variant. Raises `SpecError`.

    >>> [(each.title, each.holds) for each in check("lenet")]
    [('LeNet-5', True)]
    """
    found = open_spec(spec)
    # A file of the zoo may bear the name of one of its variants (googlenet.yaml); its name means the whole family here.
    whole = not found.variant or found.variant == Path(found.source.name).stem
    names = ["", *found.variants] if whole else [found.variant]
    results, layers = [], 0
    for name in names:
        results.append(_checked(found._replace(variant=name)))
        layers += len(results[-1].report)
        if layers > MOST_LAYERS:
            message = f"its variants have more than {MOST_LAYERS:,} layers together"
            raise wrong_call(message, f"check one: {found.source.name}:{names[-1]}", where=found.source.name)
    return [each for each in results if each.verdicts or each.disputed or len(results) == 1]


def _checked(spec: Spec) -> Checked:
    report = analyse(spec.graph())
    _refuse_words((*report.graph.claims, *report.graph.disputes), spec.source)
    verdicts, carried = [], []
    warnings: list[Problem] = []
    for claim in report.graph.claims:
        known = OF_PARTS if claim.name else OF_NETWORKS
        if claim.quantity in known:
            verdicts.append(_verdict(report, claim))
            continue
        carried.append(claim)
        if len(warnings) < MOST_WARNINGS and (claim.name or claim.quantity not in CARRIED):
            warnings.append(_not_checked("expect", claim, known, spec.source))
    for claim in report.graph.disputes:
        known = OF_PARTS if claim.name else OF_NETWORKS
        if len(warnings) < MOST_WARNINGS and claim.quantity not in (*known, *CARRIED):
            warnings.append(_not_checked("disputed", claim, known, spec.source))
    disputed = [_disputed(report, claim) for claim in report.graph.disputes]
    return Checked(report.title, report, verdicts, carried, warnings, disputed)


def _refuse_words(found: Sequence[Claim], source: Source) -> None:
    """Raise `SpecError` for figures that are claimed to be words."""
    wrong = [
        Problem("claim", f"{claim.quantity} {claim.value!r} is no figure", source, claim.place, hint="as in 61.7K")
        for claim in found
        if isinstance(claim.value, str)
        and claim.quantity in (*OF_PARTS, *OF_NETWORKS)
        and not ROUNDED.fullmatch(claim.value)
    ]  # fmt: skip
    if wrong:
        raise SpecError(wrong[:MOST_WARNINGS])


def _not_checked(key: str, claim: Claim, known: Sequence[str], source: Source) -> Problem:
    hint = did_you_mean(claim.quantity, known) or f"what is computed: {', '.join(known)}"
    message = f"warning: {key}: {claim.quantity} is not computed, and so not checked"
    return Problem("claim", message, source, claim.place, hint=hint)


def _verdict(report: Report, claim: Claim) -> Verdict:
    computed = _computed(report, claim)
    holds = computed is not None and _agree(claim.value, computed)
    return Verdict(claim, computed, holds, "" if holds else _work(report, claim))


def _disputed(report: Report, claim: Claim) -> Verdict:
    if claim.quantity not in (OF_PARTS if claim.name else OF_NETWORKS):
        return Verdict(claim, None, True, "")
    computed = _computed(report, claim)
    return Verdict(claim, computed, computed is not None and not _agree(claim.value, computed), "")


def _computed(report: Report, claim: Claim) -> Any:
    if claim.name:
        part = report.part(claim.name)
        last = _last_row(report, claim.name)
        return _of_part(part, last, claim.quantity)
    outputs = [report.graph.nodes[i] for i in report.graph.outputs]
    if claim.quantity == "shape":
        return list(outputs[0].shape) if outputs and outputs[0].shape is not None else None
    if claim.quantity == "layers":
        return len(report.rows) if report.totals.complete else None
    if claim.quantity == "receptive_field":
        return _field(report[outputs[0].name]) if outputs and outputs[0].op is not None else None
    return getattr(report.totals, claim.quantity) if report.totals.complete else None


def _last_row(report: Report, name: str) -> Row | None:
    group = report.graph.groups.get(name)
    node = report.graph.nodes[group.output] if group else None
    found = report[node.name if node else name] if node is None or node.op is not None else None
    return found


def _of_part(part: Part, last: Row | None, quantity: str) -> Any:
    if quantity == "shape":
        return None if part.output_shape is None else list(part.output_shape)
    if quantity == "receptive_field":
        return None if last is None else _field(last)
    return getattr(part.figures, quantity) if part.complete else None


def _field(row: Row) -> list[Any] | None:
    return list(row.receptive_field.size) if row.receptive_field else None


#: A figure as papers print it: 61.1M.
ROUNDED = re.compile(r"\s*(\d{1,15})(?:\.(\d{1,15}))?\s*([KMGTk])\s*")


def _agree(claimed: Any, computed: Any) -> bool:
    """Exactly, or to the digits that were printed: 61.1M agrees with 61,100,840."""
    if isinstance(computed, list):
        return claimed == computed or (not isinstance(claimed, list) and all(each == claimed for each in computed))
    rounded = ROUNDED.fullmatch(claimed) if isinstance(claimed, str) else None
    if rounded is None:
        return bool(claimed == computed)
    digits = len(rounded.group(2) or "")
    unit = {"K": 10**3, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}[rounded.group(3)]
    printed = int(rounded.group(1) + (rounded.group(2) or ""))
    # Half a unit of the last printed digit, in integers: |printed·unit − computed·10^digits| ≤ unit/2.
    return bool(2 * abs(printed * unit - computed * 10**digits) <= unit)


def _work(report: Report, claim: Claim) -> str:
    """The work behind what is computed for a claim; a sentence where there is nothing to work out."""
    from .analysis.explain import QUESTIONS, explain_row, totals

    question = {"receptive_field": "receptive-field", "output_bytes": "memory"}.get(claim.quantity, claim.quantity)
    question = "params" if question in ("weights", "biases", "buffers", "trainable_params") else question
    if question not in QUESTIONS:
        return ""
    rows = report.rows_of(claim.name)[:12] if claim.name else ()
    found = [explain_row(row, question) for row in rows] if claim.name else list(totals(report, question))
    work = "\n".join(str(each) for each in found if each.lines)
    return work or f"{claim.name or 'the network'} has no {claim.quantity}"


def shown(value: Any) -> str:
    """A claimed or computed value as people read it."""
    if value is None:
        return "not known"
    if isinstance(value, (list, tuple)):
        return readable(tuple(value)) if len(value) != 2 else "×".join(map(str, value))
    return number(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)


def claims(results: Sequence[Checked]) -> Iterator[tuple[Checked, Verdict]]:
    """All verdicts of several networks."""
    for result in results:
        for verdict in result.verdicts:
            yield result, verdict
