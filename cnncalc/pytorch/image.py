"""A picture as a network expects it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..errors import usage_error
from ..ops import Shape
from ..pictures import MOST_PIXELS, Pictures, opened
from ..printable import printable
from ..record import Record

#: Bytes of a file of labels.
LARGEST_LABELS = 1 << 20


class Guess(Record):
    """One of the classes that a network holds likely."""

    number: int
    share: float
    name: str


def picture(path: str, shape: Shape, prepared: Pictures) -> Tensor:
    """A batch of one, upright as its EXIF data say, resized, cut out of the middle and normalised.

    Resizing and cropping are torchvision's, to the pixel; a picture that is smaller than what is cut out is enlarged.
    """
    if len(shape) != 3 or shape[0] not in (1, 3):
        raise usage_error("the network takes no picture: its input is no image of 1 or 3 channels", where=path)
    image = opened(path, "RGB" if shape[0] == 3 else "L")
    from PIL.Image import Resampling

    channels, height, width = shape
    size = _size(image.size, prepared.resize, (height, width))
    if size[0] * size[1] > MOST_PIXELS:
        raise usage_error(
            f"{image.size[0]:,}×{image.size[1]:,} pixels would become {size[0]:,}×{size[1]:,}, "
            f"so that the shorter side has {min(size)}; at most {MOST_PIXELS:,} are made",
            "a picture that is less narrow",
            where=path,
        )
    image = image.resize(size, getattr(Resampling, prepared.interpolation.upper()))
    left, top = round((size[0] - width) / 2), round((size[1] - height) / 2)
    image = image.crop((left, top, left + width, top + height))
    values = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8).reshape(height, width, channels)
    tensor = values.permute(2, 0, 1).float() / 255
    means = _by_channel(prepared.mean, channels, "--mean", path)
    deviations = _by_channel(prepared.std, channels, "--std", path)
    if not bool((deviations > 0).all()):
        raise usage_error("--std must be above 0")
    return ((tensor - means) / deviations).unsqueeze(0)


def _size(size: tuple[int, int], resize: Sequence[int], crop: tuple[int, int]) -> tuple[int, int]:
    """Width and height after resizing: at least those that are cut out.

    >>> _size((640, 427), (256,), (224, 224)), _size((640, 427), (128, 171), (112, 112))
    ((383, 256), (171, 128))
    """
    (width, height), (high, wide) = size, crop
    if len(resize) == 2:
        return max(resize[1], wide), max(resize[0], high)
    shorter = resize[0] if resize else min(crop)
    longer = int(shorter * max(size) / min(size))
    made = (shorter, longer) if width <= height else (longer, shorter)
    if made[0] >= wide and made[1] >= high:
        return made
    factor = max(wide / width, high / height)
    return max(wide, round(width * factor)), max(high, round(height * factor))


def _by_channel(values: Sequence[float], channels: int, option: str, path: str) -> Tensor:
    if len(values) not in (1, channels):
        raise usage_error(f"{option} has {len(values)} values, but a picture {channels} channels", where=path)
    return torch.tensor(list(values) * (channels // len(values))).reshape(channels, 1, 1)


def read_labels(path: str) -> list[str]:
    """The names of classes, one a line; raises `SpecError`."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(LARGEST_LABELS + 1)
        if len(text) > LARGEST_LABELS:
            raise usage_error(f"is longer than {LARGEST_LABELS:,} characters", "one name a line", where=path)
        return [printable(line).strip()[:60] for line in text.rstrip("\n").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise usage_error(
            f"cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}", where=path
        ) from None


def guesses(out: Tensor, labels: Sequence[str] = (), most: int = 5) -> list[Guess]:
    """The most likely classes of one image, from logits, or from what a softmax made of them.

    Raises `SpecError` for labels of another number than the classes, and where the outputs are no finite numbers.
    """
    values = out.detach().float().reshape(-1)
    if not bool(torch.isfinite(values).all()):
        raise usage_error("what comes out of the network is not finite", "do the weights hold NaN or infinity?")
    if labels and len(labels) != values.numel():
        raise usage_error(f"there are {len(labels):,} labels, but the network has {values.numel():,} outputs",
                         "one name a line, in the order of the classes")  # fmt: skip
    sums_to_one = bool((values >= 0).all()) and abs(float(values.sum()) - 1) < 1e-3
    shares = values if sums_to_one else torch.softmax(values, 0)
    best = torch.topk(shares, min(most, shares.numel()))
    return [
        Guess(int(i), float(share), labels[int(i)] if labels else "")
        for share, i in zip(best.values, best.indices, strict=True)
    ]
