"""The same values in another shape."""

from __future__ import annotations

from typing import Any

from ..errors import Misfit
from ..formula import formula, prod
from ..quantities import readable
from .actions import Action, Setting, Shape, Store, view
from .base import Op, Reach, Size, Window, arg
from .kinds import whole, whole_list

RIDNIK = "Ridnik et al. (2020), TResNet, section 3.1: SpaceToDepth stem"


@formula("channels of SpaceToDepth", chapter="output size", symbol="K", unit="channels", source=RIDNIK)
def deeper(C: Any, R: Any) -> Any:
    return C * R * R


@formula("output size of SpaceToDepth", chapter="output size", symbol="O", unit="px", source=RIDNIK)
def smaller(N: Any, R: Any) -> Any:
    return N // R


class SpaceToDepth(Op):
    """Blocks of an image become channels, the place in the block before the channel: TResNet's stem."""

    block_size: int = arg(whole(), "height and width of a block", default=4, letter="R")

    spatial = 2
    yields = True
    operations = ()
    keeps = ()
    passes_gradient = True
    example = "SpaceToDepth: {block_size: 4}"
    example_input = (3, 224, 224)

    def check(self, *shapes: Shape) -> None:
        super().check(*shapes)
        for size in shapes[0][1:]:
            if size % self.block_size:
                raise Misfit(
                    f"block_size is {self.block_size}, which does not divide the {size} pixels at {{layer}}",
                    f"use a divisor of {size}",
                    "block_size",
                )

    def output(self, *shapes: Shape) -> tuple[Size, ...]:
        channels = deeper.step(C=shapes[0][0], R=self.block_size)
        return (channels, *(smaller.step(N=size, R=self.block_size) for size in shapes[0][1:]))

    def actions(self, setting: Setting, out: Shape, *shapes: Shape) -> tuple[Action, ...]:
        R, (C, H, W) = self.block_size, shapes[0]
        sizes = (C, H // R, R, W // R, R)
        moved = [axis for axis in (2, 4, 0, 1, 3) if sizes[axis] > 1]
        return super().actions(setting, out, *shapes) if moved != sorted(moved) else view()

    def reach(self, out: Shape, *shapes: Shape) -> tuple[Reach, ...]:
        # Each output is one pixel of its block: the block is a bound for all of them.
        window = Window(self.block_size, self.block_size, 0, exact=self.block_size == 1, unit=1)
        return (Reach(0), *(Reach(axis, window) for axis in (1, 2)))

    @staticmethod
    def torch_module() -> Any:
        from torch import Tensor, nn

        class SpaceToDepth(nn.Module):
            """Blocks of an image become channels, the place in the block before the channel."""

            def __init__(self, block_size: int = 4) -> None:
                super().__init__()
                self.block_size = block_size

            def forward(self, x: Tensor) -> Tensor:
                (N, C, H, W), R = x.shape, self.block_size
                blocks = x.reshape(N, C, H // R, R, W // R, R).permute(0, 3, 5, 1, 2, 4)
                return blocks.reshape(N, C * R * R, H // R, W // R)

        return SpaceToDepth


class Reshape(Op):
    """The values of an image, in their order, in another shape; torch.nn has no module for it."""

    shape: tuple[int, ...] = arg(
        whole_list(-1, single=False), "the new sizes without the batch; −1 for the one that follows from the others"
    )

    yields = True
    view = True
    operations = ()
    passes_gradient = True
    example = "Reshape: {shape: [8, 8, -1]}"

    def sizes(self, shape: Shape) -> Shape:
        """The new sizes, worked out; raises `Misfit`."""
        known = tuple(size for size in self.shape if size != -1)
        values, product, open_ = prod(shape), prod(known), len(self.shape) - len(known)
        if 0 in known or open_ > 1 or (values % product if open_ else values != product):
            raise Misfit(
                f"the {values:,} values of {readable(shape)} at {{layer}} cannot take the shape {list(self.shape)}",
                f"the sizes multiply to {values:,}; one of them may be −1",
                "shape",
            )
        return tuple(values // product if size == -1 else size for size in self.shape)

    def check(self, *shapes: Shape) -> None:
        super().check(*shapes)
        self.sizes(shapes[0])

    def output(self, *shapes: Shape) -> tuple[Size, ...]:
        return self.sizes(shapes[0])

    def module_arguments(self, *shapes: Shape) -> dict[str, Any]:
        return {"shape": list(self.shape)}

    def reach(self, out: Shape, *shapes: Shape) -> tuple[Reach, ...]:
        # Axes that stay are followed; where some are joined or split, every output may see all of them.
        found: list[Reach] = []
        before, after = shapes[0], out
        first = second = 0
        while first < len(before):
            old, new = [first], [second]
            while prod(tuple(before[i] for i in old)) != prod(tuple(after[i] for i in new if i < len(after))):
                if prod(tuple(before[i] for i in old)) < prod(tuple(after[i] for i in new if i < len(after))):
                    old.append(old[-1] + 1)
                else:
                    new.append(new[-1] + 1)
            alone = len(old) == len(new) == 1 and second < len(after)
            found += [Reach(second)] if alone else [Reach(None, Window(before[i], 1, 0, exact=False)) for i in old]
            first, second = old[-1] + 1, new[-1] + 1
        return tuple(found)

    def actions(self, setting: Setting, out: Shape, *shapes: Shape) -> tuple[Action, ...]:
        apart = setting.channels_last and len(shapes[0]) == 3 and shapes[0][0] > 1 and prod(shapes[0][1:]) > 1
        if apart and out != shapes[0]:  # channels lie last: they are copied to the front
            return (Action((("y", Store(out)),)),)
        return super().actions(setting, out, *shapes)

    @staticmethod
    def torch_module() -> Any:
        from torch import Tensor, nn

        class Reshape(nn.Module):
            """The values in another shape, each image by itself."""

            def __init__(self, shape: list[int]) -> None:
                super().__init__()
                self.shape = shape

            def forward(self, x: Tensor) -> Tensor:
                return x.reshape(x.shape[0], *self.shape)

        return Reshape
