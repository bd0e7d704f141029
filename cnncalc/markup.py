"""Text from outside, made fit for Markdown and LaTeX."""

from __future__ import annotations

import re

from .printable import printable, printable_lines

#: What Markdown, GitHub's and pandoc's additions to it included, finds something in: emphasis, code, links, HTML,
#: entities, tables, mathematics, what is struck out, raised, cited or marked up; and addresses and GitHub's :names: of
#: pictures, by their colon or dot.
_MEANT = re.compile(
    r"(?<![^\W_])_|_(?![^\W_])|[\\`*\[\]<>|#&~$^{}@]|:(?=//|[\w+-]+:)|(?<=^Table):|(?<=www)\.|^[-+=:!%]"
    r"|^(\(?(?:\d+|[a-z]|[ivxlcdm]+))[.)](?=\s|$)",
    re.IGNORECASE,
)


def markdown(text: str) -> str:
    r"""A text on one line in which Markdown finds nothing to interpret.

    >>> print(markdown("*a* <b>"), markdown("1. x"), markdown("https://x.org"))
    \*a\* \<b\> 1\. x https\://x.org
    """
    line = " ".join(printable(text).split())
    return _MEANT.sub(lambda found: f"{found[1]}\\{found[0][-1]}" if found[1] else f"\\{found[0]}", line)


def fenced(text: str) -> str:
    """Lines as they are, in a fence that nothing in them closes."""
    longest = max((len(run) for run in re.findall("~+", text)), default=0)
    fence = "~" * max(3, longest + 1)
    return f"{fence}text\n{printable_lines(text)}\n{fence}"


_LATEX = {
    "\\": r"\textbackslash{}", "_": r"\_", "%": r"\%", "&": r"\&", "#": r"\#", "$": r"\$", "{": r"\{", "}": r"\}",
    "\0": "{}",
    "[": "{[}", "]": "{]}", "*": "{*}",  # behind \\ they would be its arguments
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
    "×": r"$\times$", "→": r"$\to$", "−": "$-$", "·": r"$\cdot$", "≥": r"$\ge$", "≤": r"$\le$", "∏": r"$\prod$", "∑": r"$\sum$",
    "²": "$^2$", "⁹": "$^9$", "…": r"\dots{}", "⌊": r"$\lfloor$", "⌋": r"$\rfloor$", "⌈": r"$\lceil$", "⌉": r"$\rceil$", "₁": "$_1$",
    "α": r"$\alpha$", "β": r"$\beta$", "γ": r"$\gamma$", "λ": r"$\lambda$", "Φ": r"$\Phi$", "Σ": r"$\Sigma$", "µ": r"$\mu$",
}  # fmt: skip


#: Between two signs that LaTeX would make one of: -- is a dash, ?` another mark, ,, a quote.
_LIGATURE = re.compile("(?<=[-?!`',])(?=[-`',])")
#: Letters and signs beyond ASCII that LaTeX sets without a package or font of its own.
_LETTERS = frozenset(
    "¡¢£¤¥¦§¨©ª¬®¯°±²³´¶¸¹º¼½¾¿ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝßàáâãäåæçèéêëìíîïñòóôõö÷øùúûüýÿĀāĂăĆćĈĉĊċČčĎďĒēĔĕĖėĚěĜĝĞğĠġĢģĤĥĨĩĪīĬĭİıĲĳĴĵĶķ"
    "ĹĺĻļĽľŁłŃńŅņŇňŌōŎŏŐőŒœŔŕŖŗŘřŚśŜŝŞşŠšŢţŤťŨũŪūŬŭŮůŰűŴŵŶŷŸŹźŻżŽžƒǄǅǆǇǈǉǊǋǌǍǎǏǐǑǒǓǔǢǣǦǧǨǩǰǴǵȘșȚțȲȳȷ‐‑‒–—―‖‘’“”"
)


def latex(text: str) -> str:
    """A text on one line in which LaTeX finds nothing to interpret; letters that no font need have become ?."""
    line = _LIGATURE.sub("\0", " ".join(printable(text).split()))
    return "".join(_LATEX.get(each) or (each if each.isascii() or each in _LETTERS else "?") for each in line)
