"""Check claims: every `expect` of a spec against what is computed."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from ..errors import Problem, Source, SpecError, did_you_mean, usage_error
from ..graph import Claim
from ..language.model import graph_of
from ..language.spec import Spec, open_spec
from ..quantities import number, readable, rounded
from ..record import Record
from ..report import Report, analyse
from ..report.figures import BY_NAME, OF_LAYERS, OF_NETWORK, QUESTIONS
from ..table import EMPTY, AtLeast, Bullet, Column, Line, Table

#: What is published of a network and not computed here: carried, for tables and charts.
CARRIED = ("top1", "top5", "error", "accuracy", "mnist_error", "map", "map50", "mean_iu", "psnr")

#: Claims that fail whose work is shown.
FAILURES = 20


def quantities(claim: Claim) -> tuple[str, ...]:
    """What may be claimed of a part, or of the network: all figures that it has."""
    return tuple(OF_LAYERS) if claim.name else tuple(OF_NETWORK)


class Verdict(Record):
    """One claim, what is computed for it, and whether they agree."""

    claim: Claim
    computed: Any
    holds: bool
    work: str  # the work behind the computed number, where they do not agree

    @property
    def part(self) -> str:
        return self.claim.name or "network"


class Checked(Record):
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
    opened = open_spec(spec)
    # A file of the zoo may bear the name of one of its variants (googlenet.yaml); its name means the whole family here.
    whole = not opened.variant or opened.variant == Path(opened.source.name).stem
    names = ["", *opened.variants] if whole else [opened.variant]
    results, layers = [], 0
    for name in names:
        results.append(_checked(opened._replace(variant=name)))
        layers += len(results[-1].report)
        if layers > MOST_LAYERS:
            message = f"its variants have more than {MOST_LAYERS:,} layers together"
            raise usage_error(message, f"check one: {opened.source.name}:{names[-1]}", where=opened.source.name)
    return [result for result in results if result.verdicts or result.disputed or len(results) == 1]


def _checked(spec: Spec) -> Checked:
    report = analyse(graph_of(spec))
    _refuse_words((*report.graph.claims, *report.graph.disputes), spec.source)
    verdicts, carried = [], []
    warnings: list[Problem] = []
    for claim in report.graph.claims:
        known = quantities(claim)
        if claim.quantity in known:
            verdicts.append(_verdict(report, claim))
            continue
        carried.append(claim)
        if len(warnings) < MOST_WARNINGS and (claim.name or claim.quantity not in CARRIED):
            warnings.append(_not_checked("expect", claim, known, spec.source))
    for claim in report.graph.disputes:
        known = quantities(claim)
        if len(warnings) < MOST_WARNINGS and claim.quantity not in (*known, *CARRIED):
            warnings.append(_not_checked("disputed", claim, known, spec.source))
    disputed = [_disputed(report, claim) for claim in report.graph.disputes]
    return Checked(report.title, report, verdicts, carried, warnings, disputed)


def _refuse_words(written: Sequence[Claim], source: Source) -> None:
    """Raise `SpecError` for figures that are claimed to be words."""
    wrong = [
        Problem("claim", f"{claim.quantity} {claim.value!r} is no figure", source, claim.place, hint="as in 61.7K")
        for claim in written
        if isinstance(claim.value, str)
        and claim.quantity in quantities(claim)
        and not rounded(claim.value)
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
    if claim.quantity not in quantities(claim):
        return Verdict(claim, None, True, "")
    computed = _computed(report, claim)
    return Verdict(claim, computed, computed is not None and not _agree(claim.value, computed), "")


def _computed(report: Report, claim: Claim) -> Any:
    """What is computed for a claim; None where it is not known, or not all of it."""
    part = report.part(claim.name) if claim.name else report.whole
    value = BY_NAME[claim.quantity].of(part)
    if value is None or value == EMPTY or isinstance(value, AtLeast):
        return None
    return list(value) if isinstance(value, tuple) else value


def _agree(claimed: Any, computed: Any) -> bool:
    """Exactly, or to the digits that were printed: 61.1M agrees with 61,100,840."""
    if isinstance(computed, list):
        return claimed == computed or (not isinstance(claimed, list) and all(size == claimed for size in computed))
    printed = rounded(claimed) if isinstance(claimed, str) else None
    return bool(claimed == computed) if printed is None else printed.agrees(computed)


def _work(report: Report, claim: Claim) -> str:
    """The work behind what is computed for a claim; a sentence where there is nothing to work out."""
    question = _QUESTIONS.get(claim.quantity) or BY_NAME[claim.quantity].question
    if question not in QUESTIONS:
        return ""
    if claim.name:
        found = [row.explain(question) for row in report.rows_of(claim.name)[:12]]
    else:
        total = report.explain(question)
        found = [total] if total else []
    work = "\n".join(str(each) for each in found if each.lines)
    return work or f"{claim.name or 'the network'} has no {claim.quantity}"


#: The questions that explain figures that are none of their own.
_QUESTIONS = dict.fromkeys(("weights", "biases", "buffers", "trainable_params"), "params")


def shown(value: Any) -> str:
    """A claimed or computed value as people read it."""
    if value is None:
        return "not known"
    if isinstance(value, (list, tuple)):
        return readable(value) if len(value) != 2 else "×".join(map(str, value))
    return number(value) if isinstance(value, (int, float, Fraction)) and not isinstance(value, bool) else str(value)


def claims(results: Sequence[Checked]) -> Iterator[tuple[Checked, Verdict]]:
    """All verdicts of several networks."""
    for result in results:
        for verdict in result.verdicts:
            yield result, verdict


def verdicts(results: Sequence[Checked]) -> Table:
    """The claims of several networks, and the work behind those that fail."""
    columns = (
        Column("network", "network"),
        Column("part", "part"),
        Column("quantity", "quantity"),
        Column("claimed", "claimed", shown, True),
        Column("computed", "computed", shown, True),
        Column("holds", "holds", _holds),
    )
    pairs = list(claims(results))
    disputed = [(result, verdict) for result in results for verdict in result.disputed]
    lines = [
        Line(
            (
                result.title,
                verdict.part,
                verdict.claim.quantity,
                verdict.claim.value,
                _known(verdict.computed),
                verdict.holds,
            ),
            "pass" if verdict.holds else "fail",
        )
        for result, verdict in pairs
    ]
    lines += [
        Line(
            (result.title, each.part, each.claim.quantity, each.claim.value, _disputed_value(each), "disputed"),
            "copies" if each.holds else "fail",
        )
        for result, each in disputed
    ]
    failed = [(result, verdict) for result, verdict in pairs if not verdict.holds]
    notes = [_failure(result, verdict) for result, verdict in failed[:FAILURES]]
    if len(failed) > FAILURES:
        notes.append(f"… and {len(failed) - FAILURES} more that fail")
    notes += [_dispute(result, verdict) for result, verdict in disputed]
    agreeing = [verdict for _, verdict in disputed if not verdict.holds]
    if agreeing:
        notes.append(f"{len(agreeing)} of the figures that are disputed AGREE with what is computed")
    if not results:
        return Table("", (), [], document=[])
    if not pairs:
        notes.append("nothing is claimed: an expect: beside a layer, or for the network, would be checked")
    else:
        notes.append(
            f"{len(pairs) - len(failed)} of {len(pairs)} claims hold"
            + (f", {len(failed)} FAIL" if failed else "")
            + (f"; {len(disputed)} published figure{'s' * (len(disputed) != 1)} disputed, as above" if disputed else "")
        )
    document = [_as_data(*each) | {"disputed": False} for each in pairs]
    # What is disputed is no claim of the spec's: it neither holds nor fails.
    document += [_as_data(*each) | {"holds": None, "disputed": True, "note": each[1].claim.note} for each in disputed]
    return Table("", columns if lines else (), lines, (), tuple(notes), document=document)


def _holds(value: Any) -> str:
    return "yes" if value is True else "NO"


def _disputed_value(verdict: Verdict) -> Any:
    """What is computed for a disputed figure; nothing for what is not computed at all."""
    return "" if verdict.computed is None and verdict.holds else _known(verdict.computed)


def _dispute(result: Checked, verdict: Verdict) -> str:
    """Who says what, and why it is not so."""
    claim = verdict.claim
    said = f"{result.title}, {verdict.part}: {claim.quantity} {shown(claim.value)}, {claim.source}"
    return Bullet(f"{said}: {claim.note}")


def _known(value: Any) -> Any:
    return "not known" if value is None else value


def _failure(result: Checked, verdict: Verdict) -> str:
    claim = verdict.claim
    place = f"{result.report.graph.source.name}:{claim.place.line}" if claim.place else result.report.graph.source.name
    text = (
        f"{place}: {verdict.part}: {claim.quantity} is claimed as {shown(claim.value)}, "
        f"but computed as {shown(verdict.computed)}"
    )
    text += f"\n  source of the claim: {claim.source}" if claim.source else ""
    text += _with_buffers(result.report, verdict)
    return text + (f"\n{textwrap.indent(verdict.work, '  ')}" if verdict.work else "") + "\n"


def _with_buffers(report: Report, verdict: Verdict) -> str:
    """A hint where a claim is right for parameters and buffers together, as the 4·C of a batch normalisation."""
    claim = verdict.claim
    if claim.quantity not in ("params", "trainable_params") or not isinstance(verdict.computed, int):
        return ""
    buffers = (report.part(claim.name) if claim.name else report.whole).sums.buffers
    if not buffers or claim.value != verdict.computed + buffers:
        return ""
    return f"\n  the claim holds with the {number(buffers)} running statistics, which are buffers and no parameters"


def _as_data(result: Checked, verdict: Verdict) -> dict[str, Any]:
    claim = verdict.claim
    return {
        "network": result.title,
        "part": verdict.part,
        "quantity": claim.quantity,
        "claimed": claim.value,
        "computed": verdict.computed,
        "holds": verdict.holds,
        "line": claim.place.line if claim.place else None,
        "source": claim.source,
    }
