"""Lines that are not too long, and runs of similar items as loops."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ..generated import literal

WIDTH = 110


def optional_module(made: str, name: str, condition: str) -> str:
    """A module that is None where a condition does not hold."""
    if "\n" not in made:
        return f"{made} if {condition} else None"
    return f"None\nif {condition}:\n    self.{name} = " + made.replace("\n", "\n    ")


def listed(made: Sequence[tuple[str, str]]) -> list[str]:
    """Statements that make a list of layers, each with the condition on which it is there."""
    lines, at = ["        layers = []"], 0
    while at < len(made):
        condition, end = made[at][0], at + 1
        while end < len(made) and made[end][0] == condition:
            end += 1
        items, indent = looped([each for _, each in made[at:end]]), 12 if condition else 8
        if condition:
            lines.append(f"        if {condition}:")
        if at == 0 and not condition:
            lines[0] = wrapped("layers = [", items, "]", 8)
        elif len(items) == 1 and not items[0].startswith("*"):
            lines.append(" " * indent + f"layers.append({items[0]})".replace("\n", "\n" + " " * indent))
        else:
            lines.append(wrapped("layers += [", items, "]", indent))
        at = end
    return lines


def contained(parts: Mapping[str, str]) -> str:
    """The module that holds others by their paths: a list where these are numbers, else one with names.

    >>> contained({"0": "nn.ReLU()", "1": "nn.Tanh()"})
    'nn.ModuleList([nn.ReLU(), nn.Tanh()])'
    """
    held: dict[str, dict[str, str]] = {}
    for path, made in parts.items():
        head, _, inside = path.partition(".")
        held.setdefault(head, {})[inside] = made
    items = {name: inside[""] if "" in inside else contained(inside) for name, inside in held.items()}
    if are_numbered(parts):
        items_ = looped(list(items.values()))
        if len(items_) == 1 and items_[0].startswith("*("):
            return f"nn.ModuleList{items_[0][1:]}"
        return wrapped("nn.ModuleList([", items_, "])", 0)
    pairs = looped([f"({literal(name)}, {made})" for name, made in items.items()])
    return "nn.Sequential(OrderedDict(" + wrapped("[", pairs, "]", 0) + "))"


def are_numbered(parts: Mapping[str, str]) -> bool:
    """Whether the outermost names of modules, by their paths, are 0, 1, 2 …"""
    heads = list(dict.fromkeys(path.partition(".")[0] for path in parts))
    return heads == [str(i) for i in range(len(heads))]


def broken(line: str) -> str:
    """A line that is too long, its outermost call over several lines."""
    start = line.find("(", len(line) - len(line.lstrip()) + 1)
    if len(line) <= WIDTH or start < 0:
        return line
    indent = " " * (len(line) - len(line.lstrip()))
    end = _closing(line, start)
    items, depth, begin = [], 0, start + 1
    for at in range(start + 1, end):
        depth += (line[at] in "([{") - (line[at] in ")]}")
        if line[at] == "," and depth == 0:
            items.append(line[begin:at].strip())
            begin = at + 1
    items.append(line[begin:end].strip())
    if len(items) == 1:
        return "\n".join([line[: start + 1], *broken(f"{indent}    {items[0]}").split("\n"), indent + line[end:]])
    rows, row = [], ""
    for item in items:
        if row and len(indent) + len(row) + len(item) + 6 > WIDTH:
            rows.append(row)
            row = ""
        row += f"{item}, "
    rows.append(row)
    inner = [broken(f"{indent}    {each.rstrip()}") for each in rows]
    if " for " in line[end:]:
        return line  # a loop is read in one line
    return "\n".join([line[: start + 1], *inner, indent + line[end:]])


def _closing(line: str, start: int) -> int:
    depth = 0
    for at in range(start, len(line)):
        depth += (line[at] in "([{") - (line[at] in ")]}")
        if depth == 0:
            return at
    return len(line)


def wrapped(head: str, items: Sequence[str], tail: str, indent: int) -> str:
    """Items on one line, or one a line where that is too long."""
    space = " " * indent
    line = f"{space}{head}{', '.join(items)}{tail}"
    if len(line) + 16 <= WIDTH and "\n" not in line:
        return line
    inner = [re.sub(r"^", space + "    ", item, flags=re.MULTILINE) + "," for item in items]
    return "\n".join([f"{space}{head}", *inner, f"{space}{tail}"])


def looped(items: Sequence[str]) -> list[str]:
    """Runs of items that are equal, or whose numbers grow in equal steps, as loops."""
    found: list[str] = []
    at = 0
    while at < len(items):
        length = _run(items, at)
        if length >= 3 or (length == 2 and items[at] == items[at + 1] and len(items[at]) > 30):
            found.append(f"*({_template(items[at], items[at + 1])} for i in range({length}))".replace(
                "for i in", "for _ in" if items[at] == items[at + 1] else "for i in"))  # fmt: skip
            at += length
        else:
            found.append(items[at])
            at += 1
    return found


def _run(items: Sequence[str], start: int) -> int:
    if start + 1 >= len(items) or "\n" in items[start]:
        return 1
    steps = _steps(items[start], items[start + 1])
    if steps is None:
        return 1
    end = start + 1
    while end + 1 < len(items) and _steps(items[end], items[end + 1]) == steps:
        end += 1
    return end - start + 1


#: Numbers that grow. Digits of other scripts belong to names.
_NUMBER = re.compile("[0-9]+")


def _numbers(text: str) -> list[int]:
    return [int(number) for number in _NUMBER.findall(text)]


def _steps(a: str, b: str) -> tuple[int, ...] | None:
    """By how much each number grows from one text to another that is otherwise the same."""
    if _NUMBER.sub("#", a) != _NUMBER.sub("#", b):
        return None
    steps = tuple(y - x for x, y in zip(_numbers(a), _numbers(b), strict=True))
    if any(steps) and " for i in " in a:
        return None  # its own i would hide the other
    for step, match in zip(steps, _NUMBER.finditer(a), strict=True):
        quoted = a[: match.start()].count('"') % 2
        around = a[match.start() - 1 : match.start()], a[match.end() : match.end() + 1]
        if step and not quoted and (re.match(r"[\w.-]", around[0]) or re.match(r"[\w.]", around[1])):
            return None  # the number belongs to a name, has a sign or decimals
        if step and quoted and match[0].startswith("0") and len(match[0]) > 1:
            return None  # 01, 02 … are not what i makes
    return steps


def _template(a: str, b: str) -> str:
    """The text with its growing numbers as expressions in i; inside quotes, as in f"layer{i + 1}"."""
    steps = iter(_steps(a, b) or ())

    def grown(match: re.Match[str]) -> str:
        step, start = next(steps), int(match[0])
        if step == 0:
            return match[0]
        factor = "i" if step == 1 else f"{step} * i"
        expression = factor if start == 0 else f"{start} + {factor}" if step != 1 else f"i + {start}"
        quoted = a[: match.start()].count('"') % 2
        factors = re.search(r"[*/] ?$", a[: match.start()]) or re.match(r" ?[*/]", a[match.end() :])
        return f"{{{expression}}}" if quoted else f"({expression})" if factors else expression

    text = _NUMBER.sub(grown, a)
    return re.sub(r'"([^"]*\{[^"]*)"', r'f"\1"', text)
