"""Checkpoints: keys, shapes, and files that are read elsewhere than they were written."""

from __future__ import annotations

import re

from ...graph import Graph
from .base import SIZES, Answer, message, plain, sizes

#: What wrappers put before the names of parameters, and who does.
_PREFIXES = {
    "module.": "DataParallel",
    "_orig_mod.": "torch.compile",
    "model.": "a class around the network, as Lightning's",
    "net.": "a class around the network",
    "backbone.": "a class around the network",
    "encoder.": "a class around the network",
}
#: Keys of a whole checkpoint, in which the weights are one entry.
_INSIDE = ("state_dict", "model_state_dict", "model", "weights", "net", "model_ema")
_KEYS = 200


def _keys(kind: str, text: str) -> list[str]:
    listed = re.search(rf"{kind} key\(s\) in state_dict: ((?:\"[^\"]*\"(?:, )?)+)", text)
    return re.findall(r'"([^"]*)"', listed[1])[:_KEYS] if listed else []


@message(r"Error\(s\) in loading state_dict for (\w{1,80}): ?(.*)")
def state(match: re.Match[str], graph: Graph | None) -> Answer:
    text = match[2]
    missing, unexpected = _keys("Missing", text), _keys("Unexpected", text)
    says = f"the file's weights and {match[1]} do not have the same names"
    for prefix, whose in _PREFIXES.items():
        if unexpected and missing and {prefix + key for key in missing} >= set(unexpected):
            return Answer(
                says,
                (f"all names in the file begin with {prefix!r}, which {whose} puts before them",),
                (f"{{key.removeprefix({prefix!r}): value for key, value in state.items()}}",),
            )
        if unexpected and missing and {prefix + key for key in unexpected} >= set(missing):
            wrapper = "net.module.load_state_dict(state)" if prefix == "module." else "load it into the network itself"
            return Answer(
                says,
                (f"the network is wrapped by {whose}: its names begin with {prefix!r}, and those in the file do not",),
                (f"{wrapper}, before it is wrapped",),
            )
    inside = [key for key in unexpected if key in _INSIDE]
    if inside:
        return Answer(
            "the file is a whole checkpoint, and the weights are one entry of it",
            (f"it holds {', '.join(unexpected[:6])}",),
            (f"net.load_state_dict(checkpoint[{inside[0]!r}])",),
        )
    other = re.search(
        rf"size mismatch for (\S{{1,200}}): .{{0,2000}}?torch\.Size\({SIZES}\).{{0,2000}}?torch\.Size\({SIZES}\)", text
    )
    if other and not missing and not unexpected:
        return _shape(other[1], sizes(other[2]), sizes(other[3]))
    reasons, change = [], ["cnncalc run SPEC --weights FILE lists all that differs"]
    if missing:
        reasons.append(f"the file lacks {_few(missing)}")
    if unexpected:
        reasons.append(f"the network has no {_few(unexpected)}")
    if (
        missing
        and unexpected
        and not {key.rpartition(".")[0] for key in missing} & {key.rpartition(".")[0] for key in unexpected}
    ):
        reasons.append("no module of the two has one name: it is another network, or its layers are called otherwise")
    elif missing and not unexpected:
        change.insert(0, "if those layers are new: load_state_dict(state, strict=False), and train them")
    elif unexpected and not missing:
        change.insert(0, "if they are not needed: load_state_dict(state, strict=False)")
    return Answer(says, tuple(reasons) or ("the message does not tell which",), tuple(change))


def _few(keys: list[str]) -> str:
    more = f" and {len(keys) - 3} more" if len(keys) > 4 else ""
    return ", ".join(keys[: 3 if more else 4]) + more


@message(
    rf"^(?!.*Error\(s\) in loading).*size mismatch for (\S{{1,200}}): copying a param with shape torch\.Size\({SIZES}\) from checkpoint, "
    rf"the shape in current model is torch\.Size\({SIZES}\)"
)
def shape(match: re.Match[str], graph: Graph | None) -> Answer:
    return _shape(match[1], sizes(match[2]), sizes(match[3]))


def _shape(name: str, theirs: tuple[int, ...], ours: tuple[int, ...]) -> Answer:
    last = bool(theirs and ours) and len(theirs) <= 2 and theirs[1:] == ours[1:]
    if last:
        reason = f"the checkpoint has {theirs[0]} classes, the model {ours[0]}"
        change = f"build the model with {theirs[0]} classes, load, then replace its last layer"
    else:
        reason = f"it is of another network: {list(theirs)} in the file, {list(ours)} in the model"
        change = "cnncalc run SPEC --weights FILE lists all that differs"
    return Answer(f"{name} has another shape in the checkpoint", (reason,), (change,), name.rpartition(".")[0])


plain(
    r"Expected state_dict to be dict-like, got <class '([\w.<>]+)'>",
    "load_state_dict received a {1}",
    "it takes the dictionary of weights: a network was saved whole, or given in place of it",
    "net.load_state_dict(other.state_dict())",
)
plain(
    r"Attempting to deserialize object on a CUDA device but torch\.cuda\.is_available\(\) is False",
    "a checkpoint that was written on a GPU is read where there is none",
    "tensors remember their device",
    'torch.load(path, map_location="cpu")',
)
plain(
    r"Weights only load failed.{0,2000}?Unsupported (?:global|class)[: ]*(?:GLOBAL )?([\w.]+)",
    "the file holds more than weights: an object of {1}",
    "since PyTorch 2.6 torch.load reads weights only; a network that was saved whole is code, which could do anything",
    (
        "save net.state_dict() in place of net, where the file is made",
        "weights_only=False only for a file that you made yourself",
    ),
)
plain(
    r"PytorchStreamReader failed (?:reading zip archive|in .{0,60})?: ?(.{0,80})",
    "the file is no whole checkpoint",
    "it was cut off while it was written or fetched, or is something else: a page that says that it is not there",
    "fetch it again, and compare its size with the published one",
)
