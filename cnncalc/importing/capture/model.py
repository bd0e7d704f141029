"""Somebody's model: found, built, given an example, and captured."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import importlib.util
import inspect
import os
import sys
from pathlib import Path
from typing import Any

from .common import BATCH, GIVEN, Depends, Refused, frame_of, has_lazy, is_users, short
from .decided import followed
from .detectors import NOTE, OF_REGIONS, is_detector, without_boxes
from .exported import written

#: What makes the model, and the model, where its tensors hold values.
MADE: list[Any] = []


def captured(request: dict[str, Any]) -> dict[str, Any]:
    """The program of a model."""
    try:
        import torch
    except ImportError:
        hint = "pip install 'cnncalc[torch]', or --python PATH names an interpreter that has it"
        raise Refused("PyTorch is not installed for this Python", hint) from None

    torch.manual_seed(0)
    made, title = found(request)
    MADE[:] = [made]
    with watched_constructors():
        model, real = built(made, request["settings"], request)
    for path, module in model.named_modules():
        if isinstance(module, torch.jit.ScriptModule):
            raise Refused(f"{path or title} is TorchScript, and no program", "import what it was made from")
    notes = ready(model, request)
    inputs = given(model, request, title)
    tensors = {name: example(torch, each, "cpu" if real else "meta") for name, each in inputs.items()}
    try:
        exported, decided = followed(torch, model, tensors)
    except Exception as error:
        wants_values = isinstance(error, Depends) or (not isinstance(error, Refused) and "meta" in str(error))
        if real or not wants_values:
            raise
        # Tensors that `forward` makes stand on the processor, or what it decides wants values: so must the model.
        model, real = made if isinstance(made, torch.nn.Module) else made(**request["settings"]), True
        ready(model, request)
        tensors = {name: example(torch, each, "cpu") for name, each in inputs.items()}
        exported, decided = followed(torch, model, tensors)
    if real:
        MADE.append(model)
    program = written(torch, model, exported, inputs, title, request)
    return {"program": {**program, "notes": [*notes, *decided, *program["notes"]], "files": files_of()}}


def ready(model: Any, request: dict[str, Any]) -> list[str]:
    """Let a model be as it is captured, and give back what can be followed; gives what is to be said of it."""
    model.train(bool(request["train"]))
    notes = prepared(model, request)
    model.register_forward_hook(lambda module, given, result: plain_result(result))
    return notes


def plain_result(result: Any) -> Any:
    """What a model gives back, where that is an object of its own class, as a dictionary of what is in it."""
    if dataclasses.is_dataclass(result) and not isinstance(result, (dict, type)):
        return {each.name: getattr(result, each.name) for each in dataclasses.fields(result)}
    return result


def prepared(model: Any, request: dict[str, Any]) -> list[str]:
    """Let a detector stop before its boxes, with the inputs that its parts want; gives what is to be said of it."""
    if not is_detector(model):
        return []
    regions, asked = without_boxes(model), request["inputs"]
    image = asked.get("image") or asked.get("")
    if image:
        inputs = {name: {"shape": shape, "dtype": "float32"} for name, shape in regions.items()}
        request["inputs"] = {**inputs, **asked, "image": image}
        request["inputs"].pop("", None)
    return [NOTE, OF_REGIONS] if regions else [NOTE]


def files_of() -> dict[str, str]:
    """The user's files that were run, with what is in them as a hash; and the libraries with their versions."""
    import hashlib

    found: dict[str, str] = {}
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if file and is_users(file) and str(file).endswith(".py"):
            with contextlib.suppress(OSError):
                found[os.path.abspath(file)] = hashlib.sha256(Path(file).read_bytes()).hexdigest()
    return found


def found(request: dict[str, Any]) -> tuple[Any, str]:
    """What makes the model, and how it is called."""
    kind, name = request["kind"], request["name"]
    if kind == "timm":
        try:
            import timm  # type: ignore[import-not-found]
        except ImportError:
            raise Refused("timm is not installed for this Python", "--python PATH names the one that has it") from None
        if not timm.is_model(name):
            near = timm.list_models(f"*{name}*")[:5]
            raise Refused(f"timm has no model {name}", f"did you mean {' or '.join(near)}?" if near else "")
        return (lambda **settings: timm.create_model(name, pretrained=False, **settings)), name
    sys.path.insert(0, request["folder"])
    module = loaded(request)
    thing: Any = module
    for part in name.split("."):
        if not hasattr(thing, part):
            names = [each for each, value in vars(module).items() if callable(value) and not each.startswith("_")
                     and getattr(value, "__module__", "") == module.__name__]  # fmt: skip
            raise Refused(
                f"there is no {name} in {request['path']}", f"it has {', '.join(names[:12])}" if names else ""
            )
        thing = getattr(thing, part)
    return thing, name


def loaded(request: dict[str, Any]) -> Any:
    """The module that the model stands in, run."""
    try:
        if request["kind"] == "package":
            return importlib.import_module(request["path"])
        spec = importlib.util.spec_from_file_location(Path(request["path"]).stem, request["path"])
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        return module
    except SyntaxError as error:
        raise Refused(f"it is no Python: {error.msg}", "", f"{short(error.filename or '')}:{error.lineno}") from None
    except ModuleNotFoundError as error:
        hint = f"install {error.name}, or name the Python that has it: --python PATH"
        raise Refused(f"there is no module {error.name}", hint, frame_of(error)) from None
    except SystemExit:
        hint = "what runs when the file is imported belongs under if __name__ == '__main__':"
        raise Refused("the file ends the program when it is imported", hint) from None


def built(made: Any, settings: dict[str, Any], request: dict[str, Any]) -> tuple[Any, bool]:
    """The model, and whether its tensors hold values: without them nothing is worked out and nothing is stored."""
    import torch

    if isinstance(made, torch.nn.Module):
        return made, next((True for p in made.parameters() if p.device.type != "meta"), False)
    if not callable(made):
        raise Refused(f"{request['name']} is no class and no function", "name what makes the model")
    missing = wanted(made, settings)
    if missing:
        given = " ".join(f"--set {name}=…" for name in missing)
        raise Refused(f"{request['name']} wants {', '.join(missing)}", given)
    try:
        with torch.device("meta"):
            model = made(**settings)
        real = any(tensor.device.type != "meta" for tensor in (*model.parameters(), *model.buffers()))
        if not real and not has_lazy(model):
            return model, False
    except Refused:
        raise
    except Exception:  # some initialise their weights in a way that needs values
        pass
    model = made(**settings)
    if not isinstance(model, torch.nn.Module):
        raise Refused(f"{request['name']} makes a {type(model).__name__}, and no nn.Module")
    return model, True


def wanted(made: Any, settings: dict[str, Any]) -> list[str]:
    """The arguments that a constructor wants and is not given."""
    try:
        parameters = inspect.signature(made).parameters.values()
    except (TypeError, ValueError):
        return []
    return [each.name for each in parameters
            if each.default is each.empty and each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)
            and each.name not in settings]  # fmt: skip


def given(model: Any, request: dict[str, Any], title: str) -> dict[str, dict[str, Any]]:
    """The inputs by the names that `forward` has for them: shapes without the batch, and types."""
    forward = inspect.signature(model.forward).parameters.values()
    names = [each.name for each in forward if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
    needed = [each.name for each in forward if each.default is each.empty and each.name in names]
    asked = request["inputs"]
    if not asked:
        config = getattr(model, "default_cfg", None) or {}
        size = config.get("input_size") if isinstance(config, dict) else None
        if size and len(needed) <= 1:
            return {(names or ["x"])[0]: {"shape": list(size), "dtype": "float32"}}
        if not size:
            each = " ".join(f"--input {name}=3x224x224" for name in needed) if len(needed) > 1 else "--input 3x224x224"
            raise Refused(f"what goes into {title} is not known", f"say its shape, without the batch: {each}")
    if list(asked) == [""]:
        if len(needed) > 1:
            each = " ".join(f"--input {name}=…" for name in needed)
            raise Refused(f"{title} takes {len(needed)} inputs: {', '.join(needed)}", each)
        return {(names or ["x"])[0]: asked[""]}
    strange = [name for name in asked if name and names and name not in names]
    if strange:
        raise Refused(f"forward has no input {strange[0]}", f"it takes {', '.join(names)}")
    missing = [name for name in needed if name not in asked]
    if missing:
        raise Refused(f"forward wants {', '.join(missing)} as well", " ".join(f"--input {n}=…" for n in missing))
    return {name: asked[name] for name in names if name in asked}


def example(torch: Any, spec: dict[str, Any], device: str) -> Any:
    """A tensor as the model takes it."""
    dtype = getattr(torch, spec.get("dtype") or "float32", None)
    if not isinstance(dtype, torch.dtype):
        raise Refused(f"there is no type {spec['dtype']}", "float32, float16, bfloat16, int64, int32 or bool")
    shape = (BATCH, *spec["shape"])
    return (
        torch.rand(shape).to(dtype).to(device)
        if dtype.is_floating_point
        else torch.zeros(shape, dtype=dtype).to(device)
    )


@contextlib.contextmanager
def watched_constructors() -> Any:
    """Note what each module's constructor is given: the names that the program has for its numbers."""
    import torch

    def watch(frame: Any, event: str, _: Any) -> None:
        if event != "call" or frame.f_code.co_name != "__init__":
            return
        code = frame.f_code
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        values = frame.f_locals
        module = values.get(names[0]) if names else None
        if isinstance(module, torch.nn.Module):
            kept = GIVEN.setdefault(id(module), (module, {}))[1]
            for name in names[1:]:
                kept.setdefault(name, values.get(name))

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        yield
    finally:
        sys.setprofile(before)
