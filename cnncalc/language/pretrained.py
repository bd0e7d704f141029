"""Which weights are published for a network, and how they want their pictures: `pretrained`."""

from __future__ import annotations

from typing import Any

from ..errors import did_you_mean
from ..pictures import INTERPOLATIONS, Pictures
from .reader import Mapping, Node, Scalar, Sequence
from .workspace import Workspace

EXAMPLE = 'pretrained: [{source: "torchvision, IMAGENET1K_V1", variant: small, resize: 256, crop: 224}]'
KEYS = ("source", "variant", "files", "resize", "crop", "interpolation", "mean", "std", "note")
#: Pixels of a side, and numbers for the channels of a picture.
MOST_PIXELS, MOST_CHANNELS = 10_000, 4


def pretrained(space: Workspace, variant: str, variants: list[str], node: Node | None) -> list[Pictures]:
    """The entries of `pretrained` about one variant, in the order in which they are written."""
    if node is None:
        return []
    if not isinstance(node, Sequence) or not all(isinstance(entry, Mapping) for entry in node.items):
        space.problem("pretrained", "pretrained wants a list of published weights", node.place, EXAMPLE)
        return []
    return [found for entry in node.items if (found := _Entry(space, variant, variants, entry).read())]


class _Entry:
    """One entry, as it is read for one variant."""

    def __init__(self, space: Workspace, variant: str, variants: list[str], node: Node) -> None:
        assert isinstance(node, Mapping)
        self.space, self.variant, self.variants, self.node = space, variant, variants, node

    def read(self) -> Pictures | None:
        """What it says; None where it is about other variants, or is wrong."""
        for key, scalar, _ in self.node.items():
            if key not in KEYS:
                hint = did_you_mean(key, KEYS) or f"it may say {', '.join(KEYS)}"
                self._wrong(f"published weights have no {key}", scalar, hint)
                return None
        if not isinstance(self.node.get("source"), Scalar):
            self._wrong("published weights have a source: who published them, and what they are called", self.node)
            return None
        if not self._is_meant():
            return None
        interpolation = self._text("interpolation") or "bilinear"
        if interpolation not in INTERPOLATIONS:
            hint = did_you_mean(interpolation, INTERPOLATIONS) or f"one of {', '.join(INTERPOLATIONS)}"
            self._wrong(f"there is no interpolation {interpolation}", self.node.get("interpolation"), hint)
            return None
        resize, crop = self._sides("resize"), self._sides("crop")
        mean, std = self._channels("mean"), self._channels("std")
        if resize is None or crop is None or mean is None or std is None:
            return None
        if std and min(std) <= 0:
            self._wrong("std must be above 0", self.node.get("std"))
            return None
        standard = Pictures()
        return Pictures(
            self._text("source"), resize, crop, interpolation, mean or standard.mean, std or standard.std,
            self._file(), self._text("note"),
        )  # fmt: skip

    def _wrong(self, message: str, at: Node | None, hint: str = EXAMPLE) -> None:
        self.space.problem("pretrained", message, (at or self.node).place, hint)

    def _text(self, key: str) -> str:
        node = self.node.get(key)
        return node.text if isinstance(node, Scalar) else ""

    def _is_meant(self) -> bool:
        """Whether it is about this variant: it names it, or names none and neither is one asked for."""
        named = self.node.get("variant")
        parts = named.items if isinstance(named, Sequence) else [] if named is None else [named]
        names = [(part.text, part) for part in parts if isinstance(part, Scalar)]
        files = self.node.get("files")
        if isinstance(files, Mapping):
            names += [(key, scalar) for key, scalar, _ in files.items()]
        for name, scalar in names:
            if name not in self.variants:
                hint = did_you_mean(name, self.variants) or f"variants are {', '.join(self.variants) or 'not declared'}"
                self._wrong(f"pretrained names the variant {name}, which there is not", scalar, hint)
        return self.variant in [name for name, _ in names] if names else not self.variant

    def _file(self) -> str:
        files = self.node.get("files")
        own = files.get(self.variant) if isinstance(files, Mapping) else files
        return own.text if isinstance(own, Scalar) else ""

    def _sides(self, key: str) -> tuple[int, ...] | None:
        """One side or height and width, () where nothing is said; None after an error."""
        numbers = self._numbers(key)
        if numbers is None or len(numbers) > 2 or not all(_is_side(number) for number in numbers):
            self._wrong(f"{key} is a number of pixels, or height and width: 256, or [128, 171]", self.node.get(key))
            return None
        return tuple(numbers)

    def _channels(self, key: str) -> tuple[float, ...] | None:
        numbers = self._numbers(key)
        if numbers is None or len(numbers) > MOST_CHANNELS or not all(abs(number) <= 1e6 for number in numbers):
            self._wrong(f"{key} has a number for each channel: [0.485, 0.456, 0.406]", self.node.get(key))
            return None
        return tuple(float(number) for number in numbers)

    def _numbers(self, key: str) -> list[Any] | None:
        node = self.node.get(key)
        parts = node.items if isinstance(node, Sequence) else [] if node is None else [node]
        values = [part.value if isinstance(part, Scalar) else None for part in parts]
        return values if all(isinstance(each, (int, float)) and not isinstance(each, bool) for each in values) else None


def _is_side(number: Any) -> bool:
    return isinstance(number, int) and 1 <= number <= MOST_PIXELS
