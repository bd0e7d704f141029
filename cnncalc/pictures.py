"""Pictures, and how a network wants them: what its published weights were trained with."""

from __future__ import annotations

import warnings
from pathlib import PurePath
from typing import Any

from .errors import SpecError, usage_error
from .printable import printable
from .record import Record

#: What pictures may be. Pillow knows many more formats, and has other programs read some of them.
FORMATS = ("JPEG", "PNG")
#: Pixels of a picture, as it is and after it was enlarged: more than a camera's, and a bounded memory.
MOST_PIXELS = 64_000_000

#: The mean and standard deviation of ImageNet's red, green and blue.
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

#: How pixels between pixels are found.
INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos")


class Pictures(Record):
    """How pictures are prepared for a set of weights, and whose they are.

    The shorter side is brought to `resize` pixels, or the whole to that height and width; the middle `crop` is cut out,
    where nothing is cut if it is empty; values from 0 to 1 lose the `mean` and are divided by `std`, channel by
    channel. `file` is what the published file's name begins with.

    >>> print(Pictures("torchvision", (256,), (224,)))
    shorter side to 256 (bilinear), the middle 224×224, mean 0.485, 0.456, 0.406, deviation 0.229, 0.224, 0.225
    """

    source: str = ""
    resize: tuple[int, ...] = ()
    crop: tuple[int, ...] = ()
    interpolation: str = "bilinear"
    mean: tuple[float, ...] = MEAN
    std: tuple[float, ...] = STD
    file: str = ""
    note: str = ""

    def __str__(self) -> str:
        parts = []
        if self.resize:
            to = "×".join(map(str, self.resize)) if len(self.resize) > 1 else str(self.resize[0])
            parts.append(f"{'to' if len(self.resize) > 1 else 'shorter side to'} {to} ({self.interpolation})")
        if self.crop:
            parts.append(f"the middle {self.crop[0]}×{self.crop[-1]}")
        for what, values in (("mean", self.mean), ("deviation", self.std)):
            parts.append(f"{what} {', '.join(f'{value:g}' for value in values)}")
        return ", ".join(parts)

    @property
    def whose(self) -> str:
        """Whose weights they are, and what their file is called."""
        return f"{self.source} ({self.file})" if self.file else self.source

    def fit(self, height: int, width: int) -> Pictures:
        """The same for an input of another size, all in proportion.

        >>> Pictures("", (256,), (224,)).fit(448, 448).resize
        (512,)
        """
        if not self.crop or (self.crop[0], self.crop[-1]) == (height, width):
            return self._replace(crop=(height, width))
        factor = min(height, width) / min(self.crop)
        return self._replace(resize=tuple(round(side * factor) for side in self.resize), crop=(height, width))


def usual(channels: int, height: int, width: int) -> Pictures:
    """As for ImageNet, where nothing else is known: three channels normalised, others left between 0 and 1.

    >>> print(usual(1, 28, 28))
    shorter side to 32 (bilinear), the middle 28×28, mean 0, deviation 1
    """
    made = Pictures("", (256,), (224,)).fit(height, width)
    return made if channels == 3 else made._replace(mean=(0.0,), std=(1.0,))


def named(published: list[Pictures], weights: str) -> list[Pictures]:
    """Those of the published weights that a file of weights is, by its name."""
    name = PurePath(weights).name
    return [each for each in published if each.file and name.startswith(each.file)]


def chosen(published: list[Pictures], weights: str) -> Pictures | None:
    """Those of the published weights that a file of weights is, by its name; the first ones otherwise.

    >>> both = [Pictures("V1", (256,), file="resnet50-0676ba61"), Pictures("V2", (232,), file="resnet50-11ad3fa6")]
    >>> chosen(both, "models/resnet50-11ad3fa6.pth").source, chosen(both, "mine.pth").source
    ('V2', 'V1')
    """
    return next(iter([*named(published, weights), *published]), None)


def opened(path: str, mode: str) -> Any:
    """A picture of a file as one of Pillow's, upright as its EXIF data say, in "RGB" or "L"; raises `SpecError`."""
    try:
        from PIL import Image, ImageOps, UnidentifiedImageError
    except ImportError:
        raise usage_error("Pillow is not installed", "pip install 'cnncalc[png]'", where=path) from None
    try:
        with warnings.catch_warnings(), Image.open(path, formats=FORMATS) as found:
            warnings.simplefilter("ignore")  # of what Pillow thinks odd in a file
            if found.width * found.height > MOST_PIXELS:
                raise usage_error(
                    f"has {found.width:,}×{found.height:,} pixels; at most {MOST_PIXELS:,} are read",
                    "a smaller picture",
                    where=path,
                )
            upright = ImageOps.exif_transpose(found)
            if upright.mode.startswith("I"):  # 16 bits, which a conversion would cut off
                upright = upright.point(lambda value: value / 256).convert("L")
            return upright.convert(mode)
    except SpecError:
        raise
    except UnidentifiedImageError:
        raise usage_error("is no picture that can be read", "a JPEG or PNG file", where=path) from None
    except Exception as error:  # whatever a file from a stranger makes Pillow say
        said = printable(str(getattr(error, "strerror", None) or error))[:160]
        raise usage_error(f"cannot be read: {said or type(error).__name__}", where=path) from None


def covering(path: str, height: int, width: int) -> bytes:
    """The middle of a picture, resized so that it just fills so many rows and columns, as red, green and blue bytes."""
    image = opened(path, "RGB")
    from PIL import ImageOps

    return bytes(ImageOps.fit(image, (width, height)).tobytes())
