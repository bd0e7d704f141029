"""What a spec claims of its network: `expect`, and what it says was published and is not so, `disputed`."""

from __future__ import annotations

from collections.abc import Sequence as Items

from ..errors import did_you_mean
from ..graph import Claim
from .reader import Mapping, Node, Scalar, Sequence
from .workspace import Names, Workspace

_EXAMPLE = "disputed: [{variant: small, params: 6.9M, source: table 4, note: why it is not so}]"
_PARTS = "parts: {conv1: {macs: 118M, source: table 1}}"
_WORDS = ("source", "note")


class ClaimReader:
    """Reads the claims about the network of one variant."""

    def __init__(self, space: Workspace, variant: str, variants: Items[str], names: Names) -> None:
        self.space, self.variant, self.variants, self.names = space, variant, variants, names

    def expected(self, node: Mapping) -> list[Claim]:
        """The claims of `expect`: those beside the variant's name, or the direct ones where no variant is asked for."""
        claims: list[Claim] = []
        for key, scalar, value in node.items():
            if isinstance(value, Mapping):
                if key not in self.variants:
                    self._no_variant("expect", key, scalar)
                elif key == self.variant:
                    claims += self._of_variant(value)
        if not self.variant:
            direct = {key: pair for key, pair in node.pairs.items() if not isinstance(pair[1], Mapping)}
            claims += self._claims(Mapping(direct, node.place))
        return claims

    def _of_variant(self, node: Mapping) -> list[Claim]:
        """The claims about a variant, and about its `parts`: a paper's table that other variants do not follow."""
        parts = node.get("parts")
        found = self._claims(Mapping({key: pair for key, pair in node.pairs.items() if key != "parts"}, node.place))
        if parts is None:
            return found
        if not isinstance(parts, Mapping):
            self.space.problem("expect", "parts wants names of layers with claims", parts.place, _PARTS)
            return found
        for name, scalar, claimed in parts.items():
            if not isinstance(claimed, Mapping):
                self.space.problem("expect", f"{name} wants claims", claimed.place, _PARTS)
            elif self._is_part(scalar):
                found += [claim._replace(name=name) for claim in self._claims(claimed)]
        return found

    def disputed(self, node: Node | None) -> list[Claim]:
        """The entries of `disputed` about this variant: published figures that the network does not have."""
        if node is None:
            return []
        if not isinstance(node, Sequence):
            self.space.problem("disputed", "disputed wants a list", node.place, _EXAMPLE)
            return []
        found = []
        for entry in node.items:
            if not isinstance(entry, Mapping):
                self.space.problem("disputed", "what is disputed stands by name", entry.place, _EXAMPLE)
                continue
            lacking = [word for word in _WORDS if not isinstance(entry.get(word), Scalar)]
            if lacking:
                message = f"what is disputed has a source, and a note that says why: no {lacking[0]} here"
                self.space.problem("disputed", message, entry.place, _EXAMPLE)
            elif not set(entry.pairs) - {*_WORDS, "part", "variant"}:
                self.space.problem("disputed", "no figure is disputed here", entry.place, _EXAMPLE)
            elif self._is_meant(entry) and self._has_part(entry):
                part = entry.get("part")
                name = part.text if isinstance(part, Scalar) else ""
                found += [claim._replace(name=name) for claim in self._claims(entry, ("part", "variant"))]
        return found

    def _is_meant(self, entry: Mapping) -> bool:
        """Whether an entry is about this variant: it names it, or names none and neither is one asked for."""
        node = entry.get("variant")
        parts = node.items if isinstance(node, Sequence) else [] if node is None else [node]
        names = [part for part in parts if isinstance(part, Scalar)]
        for name in names:
            if name.text not in self.variants:
                self._no_variant("disputed", name.text, name)
        return self.variant in [name.text for name in names] if names else not self.variant

    def _has_part(self, entry: Mapping) -> bool:
        part = entry.get("part")
        return not isinstance(part, Scalar) or self._is_part(part)

    def _is_part(self, name: Scalar) -> bool:
        graph = self.space.graph
        if self.space.outputs.get(name.text, -1) >= graph.input_count:
            return True
        if not graph.errors:  # behind one that is unknown, parts may be missing
            hint = did_you_mean(name.text, self.space.outputs)
            self.space.problem("expect", f"there is no part {name.text}", name.place, hint)
        return False

    def _claims(self, node: Mapping, others: Items[str] = ()) -> list[Claim]:
        """The claims in a mapping, all keys but `others`."""
        texts = {
            key: value.text for key, _, value in node.items() if isinstance(value, Scalar) and key in (*_WORDS, *others)
        }
        return [
            Claim(
                "",
                key,
                value.text if key == "paper" and isinstance(value, Scalar) else self.space.claimed(value, self.names),
                value.place,
                texts.get("source", ""),
                texts.get("note", ""),
            )
            for key, _, value in node.items()
            if key not in texts and key not in others
        ]

    def _no_variant(self, key: str, name: str, scalar: Scalar) -> None:
        hint = did_you_mean(name, self.variants) or f"variants are {', '.join(self.variants) or 'not declared'}"
        self.space.problem("expect", f"{key} names the variant {name}, which there is not", scalar.place, hint)
