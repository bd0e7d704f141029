"""The model and its spec, side by side: FLOPs by PyTorch's counter, and outputs with the same weights."""

from __future__ import annotations

import contextlib
import sys
from typing import Any

from .common import BATCH, Refused, first_line
from .exported import arguments
from .model import MADE, example, given, plain_result, prepared


def verified(request: dict[str, Any], question: dict[str, Any]) -> dict[str, Any]:
    """Whether a spec has the model's keys, its FLOPs by PyTorch's counter, and its outputs with the model's weights."""
    import torch
    import torch.nn.attention
    from torch.utils.flop_counter import FlopCounterMode

    sys.path.append(question["package"])
    try:
        from cnncalc.errors import Source, SpecError
        from cnncalc.pytorch.build import build
    except ImportError as error:
        return {"failed": f"this Python has no {error.name}"}
    torch.manual_seed(0)
    model = MADE[1] if len(MADE) > 1 else built_for_real(torch, MADE[0], request["settings"])
    if request.get("weights"):
        load_weights(torch, model, request["weights"])
    model.train(False)
    prepared(model, request)
    inputs = given(model, request, request["name"])
    tensors = {name: example(torch, each, "cpu") for name, each in inputs.items()}
    with plainly(torch):
        with FlopCounterMode(display=False) as counter:
            positional, named = arguments(model, tensors)
            expected = list(values_in(model(*positional, **named)))
        answer: dict[str, Any] = {"flops": counter.get_total_flops() // BATCH}
        try:
            made = build(Source(request["name"], question["spec"]))
        except SpecError as error:
            return {**answer, "unbuilt": error.problems[0].message}
        made.train(False)
        theirs, ours = model.state_dict(), made.state_dict()
        answer["strange"] = [name for name in ours if name not in theirs][:20]
        if answer["strange"]:
            return answer
        kept = {name: theirs[name].reshape(ours[name].shape) for name in ours
                if theirs[name].numel() == ours[name].numel()}  # fmt: skip
        made.load_state_dict(kept, strict=False)
        found = list(values_in(made(*tensors.values())))
    answer["results"] = len(expected)
    answer["same"] = len(expected) == len(found) and all(
        torch.equal(a, b) for a, b in zip(expected, found, strict=True))  # fmt: skip
    if not answer["same"] and len(expected) == len(found):
        pairs = [(a, b) for a, b in zip(expected, found, strict=True) if a.shape == b.shape and a.is_floating_point()]
        if len(pairs) == len(found):
            answer["apart"] = max(float((a - b).abs().max() / a.abs().max().clamp_min(1e-30)) for a, b in pairs)
    return answer


@contextlib.contextmanager
def plainly(torch: Any) -> Any:
    """Without gradients, and attention by operations that the counter knows."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with torch.no_grad(), torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


def built_for_real(torch: Any, made: Any, settings: dict[str, Any]) -> Any:
    """The model with values in its tensors."""
    return made if isinstance(made, torch.nn.Module) else made(**settings)


def load_weights(torch: Any, model: Any, path: str) -> None:
    """Weights from a file, of which nothing is run."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise Refused(f"{path} cannot be loaded: {first_line(error)}", "a state_dict, saved with torch.save") from None
    try:
        model.load_state_dict(state.get("state_dict", state))
    except Exception as error:
        raise Refused(f"{path} does not fit: {first_line(error)}") from None


def values_in(value: Any) -> Any:
    """The tensors in what a model gives back."""
    value = plain_result(value)
    if isinstance(value, (tuple, list)):
        for each in value:
            yield from values_in(each)
    elif isinstance(value, dict):
        yield from values_in(list(value.values()))
    elif hasattr(value, "shape"):
        yield value
