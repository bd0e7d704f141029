"""torchvision's detectors up to their post-processing, since boxes come in numbers that depend on the data."""

from __future__ import annotations

from typing import Any

#: What parts of a detector compute of a region, by the pooling that gives it: the input, and the parts in turn.
HEADS = {
    "box_roi_pool": ("regions", ("box_head", "box_predictor")),
    "mask_roi_pool": ("mask_regions", ("mask_head", "mask_predictor")),
    "keypoint_roi_pool": ("keypoint_regions", ("keypoint_head", "keypoint_predictor")),
}


def is_detector(model: Any) -> bool:
    """Whether a model is one of torchvision's detectors."""
    own = type(model).__module__.startswith("torchvision.models.detection.")
    return own and hasattr(model, "transform") and hasattr(model, "backbone")


def without_boxes(model: Any) -> dict[str, list[int]]:
    """Let a detector's `forward` compute what its networks do; gives the shapes of the inputs besides the image.

    What is left out: resizing and normalising before, and anchors, boxes and their suppression behind. What is
    computed of regions takes one of them, as it is pooled, for an input of its own.
    """
    shapes = regions(model)
    model.forward = FORWARDS[tuple(shapes)].__get__(model)
    return shapes


def regions(model: Any) -> dict[str, list[int]]:
    """The shapes of what is pooled for the heads of a two-stage detector."""
    heads = getattr(model, "roi_heads", None)
    found = {}
    for pool, (name, _) in HEADS.items():
        pooling = getattr(heads, pool, None)
        if pooling is not None:
            found[name] = [model.backbone.out_channels, *pooling.output_size]
    return found


def predicted(model: Any, image: Any, **pooled: Any) -> list[Any]:
    """What the heads give, for places and for regions."""
    features = model.backbone(image)
    maps = list(features.values()) if isinstance(features, dict) else [features]
    found = [model.rpn.head(maps) if hasattr(model, "rpn") else model.head(maps)]
    for name, parts in HEADS.values():
        if name in pooled:
            value = pooled[name]
            for part in parts:
                value = getattr(model.roi_heads, part)(value)
            found.append(value)
    return found


def _of_places(model: Any, image: Any) -> Any:
    return predicted(model, image)


def _of_boxes(model: Any, image: Any, regions: Any) -> Any:
    return predicted(model, image, regions=regions)


def _of_masks(model: Any, image: Any, regions: Any, mask_regions: Any) -> Any:
    return predicted(model, image, regions=regions, mask_regions=mask_regions)


def _of_keypoints(model: Any, image: Any, regions: Any, keypoint_regions: Any) -> Any:
    return predicted(model, image, regions=regions, keypoint_regions=keypoint_regions)


#: A `forward` for each set of inputs besides the image; its parameters are the names of the inputs.
FORWARDS = {
    (): _of_places,
    ("regions",): _of_boxes,
    ("regions", "mask_regions"): _of_masks,
    ("regions", "keypoint_regions"): _of_keypoints,
}
NOTE = "up to its post-processing: images come resized and normalised, and no boxes are made of what comes out"
OF_REGIONS = "what is computed of regions is counted for one of them"
