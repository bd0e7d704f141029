"""Types and devices that do not agree, and what NumPy and PyTorch say to each other."""

from __future__ import annotations

import re

from ...graph import Graph
from .base import Answer, message, plain

#: What PyTorch calls its types, by the name in Python.
_NAMES = {
    "float64": ("double", "torch.DoubleTensor"),
    "float32": ("float", "torch.FloatTensor"),
    "float16": ("c10::half", "half", "torch.HalfTensor"),
    "bfloat16": ("c10::bfloat16", "bfloat16", "torch.BFloat16Tensor"),
    "uint8": ("unsigned char", "byte", "torch.ByteTensor"),
    "int64": ("long", "long int", "torch.LongTensor"),
    "int32": ("int", "torch.IntTensor"),
    "bool": ("bool", "torch.BoolTensor"),
}
_WHERE_FROM = {
    "float64": "float64 is what NumPy makes of decimal numbers, and torch.from_numpy keeps it",
    "uint8": "uint8 is what pictures are read as: 0 to 255",
    "int64": "int64 is what whole numbers are: labels, indices, torch.tensor([1, 2])",
    "float16": "float16: a network or its input went through .half(), and the other did not",
    "bfloat16": "bfloat16: a network or its input was converted, and the other was not",
}


def _plain_name(name: str) -> str:
    base = name.replace("torch.cuda.", "torch.").strip()
    return next((plain for plain, names in _NAMES.items() if base.lower() in [n.lower() for n in names]), base)


@message(
    r"Input type \(([\w.: ]+)\) and (?:weight|bias) type \(([\w.: ]+)\) should be the same",
    r"mat1 and mat2 must have the same dtype, but got (\w{1,80}) and (\w{1,80})",
    r"expected m1 and m2 to have the same dtype, but got: (\w{1,80}) != (\w{1,80})",
)
def types(match: re.Match[str], graph: Graph | None) -> Answer:
    given, owned = match[1], match[2]
    if ("cuda" in given) != ("cuda" in owned):
        places = ["the GPU" if "cuda" in each else "the processor" for each in (given, owned)]
        return Answer(
            f"the input lies on {places[0]}, the weights on {places[1]}",
            ("network and data must lie on one device; x.to(device) gives a new tensor, and does not change x",),
            ("net.to(device) and x = x.to(device), with the same device",),
        )
    arrives, own = _plain_name(given), _plain_name(owned)
    reasons = [_WHERE_FROM[each] for each in dict.fromkeys((arrives, own)) if each in _WHERE_FROM]
    change = "x = x.float()" if own == "float32" else f"x = x.to(torch.{own})"
    if not own.startswith(("float", "bfloat")):
        change = "network and input of one type"
    elif arrives == "uint8":
        change += " / 255, which brings pictures to 0 … 1"
    return Answer(
        f"the input is {arrives}, the weights are {own}",
        tuple(reasons) or ("PyTorch converts neither by itself",),
        (change,),
    )


@message(
    r"Expected all tensors to be on the same device, but (?:found at least two devices, (\S{1,200}) and (\S{1,200}?)!|got (?:\w+ is on )?(\S{1,200}?),? different from other tensors on (\S{1,200}))",
    r"Tensor on device (\S{1,200}) is not on the expected device (\S{1,200}?)!",
)
def devices(match: re.Match[str], graph: Graph | None) -> Answer:
    a, b = [group for group in match.groups() if group][:2]
    return Answer(
        f"two tensors lie on different devices: {a} and {b}",
        (
            "network and data must lie on one device; x.to(device) gives a new tensor, and does not change x",
            "a tensor that forward makes, or that is an attribute and no buffer, does not move with the network",
        ),
        (
            "net.to(device); x, y = x.to(device), y.to(device)",
            "in a module: self.register_buffer(…), and torch.zeros(…, device=x.device) in forward",
        ),
    )


plain(
    r"Torch not compiled with CUDA enabled",
    "this PyTorch was built without CUDA",
    ("the package for processors is installed, or the computer has no NVIDIA GPU",),
    (
        'device = "cuda" if torch.cuda.is_available() else "cpu"',
        "pytorch.org tells the command that installs PyTorch with CUDA",
    ),
)
plain(
    r"(?:No CUDA GPUs are available|Found no NVIDIA driver on your system)",
    "PyTorch sees no NVIDIA GPU",
    "there is none, it has no driver, or CUDA_VISIBLE_DEVICES hides it",
    ('device = "cuda" if torch.cuda.is_available() else "cpu"', "nvidia-smi tells what the driver sees"),
)
plain(
    r"CUDA error: device-side assert triggered",
    "a check inside a CUDA kernel failed; the line that PyTorch names is often a later one",
    "most often an index is out of range: a label outside 0 … classes − 1 in a loss, or a word outside an Embedding",
    "run it once on the processor, or with CUDA_LAUNCH_BLOCKING=1, which tells the right line",
)
plain(
    r"mean\(\): could not infer output dtype\. Input dtype must be either a floating point or complex dtype\. Got: (\w{1,80})",
    "the mean of whole numbers ({1}) is asked for",
    "a mean is a decimal number, and PyTorch does not choose its type",
    "x.float().mean()",
)
plain(
    r'"(\w{1,80})" not implemented for \'(\w{1,80})\'',
    "there is no such operation ({1}) for the type {2}",
    "most operations of networks are for decimal numbers; some are not there for float16 on a processor",
    "x.float(), where the values may be decimal",
)
plain(
    r"result type Float can't be cast to the desired output type (\w{1,80})",
    "decimal numbers are to be put where {1} is: in the target of a loss, or by an operation in place",
    (
        "binary cross entropy and squared errors compare decimal numbers; labels are read as whole ones",
        "x += 0.5 cannot change the type of x",
    ),
    ("target.float()", "x = x + 0.5"),
)
plain(
    r"Found dtype (\w{1,80}) but expected (\w{1,80})",
    "two tensors that belong together have the types {1} and {2}; most often the target of a loss is {1}",
    "squared errors and binary cross entropy want targets of the network's type",
    "target.float()",
)
plain(
    r"Expected tensor for argument #\d+ '(\w{1,80})' to have one of the following scalar types: ([\w, ]+); but got (\S{1,200}) instead",
    "'{1}' must be {2}, and is {3}",
    "an Embedding looks up rows by their numbers, which are whole",
    "x.long()",
)

# -- NumPy -----------------------------------------------------------------------------------------------------------

plain(
    r"Can't call numpy\(\) on Tensor that requires grad",
    "NumPy is to have a tensor that autograd keeps track of",
    "NumPy does not know gradients",
    "x.detach().numpy(), or with torch.no_grad(): around the forward pass",
)
plain(
    r"can't convert (\S{1,200}) device type tensor to numpy",
    "NumPy is to have a tensor that lies on {1}",
    "NumPy sees the memory of the processor only",
    "x.cpu().numpy(), with .detach() before it where it has a gradient",
)
plain(
    r"Got unsupported ScalarType (\w{1,80})",
    "NumPy has no type {1}",
    "it is PyTorch's alone",
    "x.float().numpy()",
)
plain(
    r"can't convert np\.ndarray of type numpy\.(\w{1,80})",
    "PyTorch has no type for an array of {1}",
    "an array of objects holds rows of different lengths, texts or None: it is no table of numbers",
    "np.stack or np.array(…, dtype=np.float32), after the rows have one length",
)
plain(
    r"At least one stride in the given numpy array is negative",
    "an array that is read backwards is to become a tensor",
    "array[::-1], np.flip and img[:, :, ::-1] (BGR to RGB) only look at the array from its end",
    "torch.from_numpy(array.copy())",
)
plain(
    r"expected np\.ndarray \(got (\w{1,80})\)",
    "torch.from_numpy received a {1}",
    "it takes arrays of NumPy only",
    "torch.tensor(…) takes lists and numbers",
)
plain(
    r"\b(\w{1,80})\(\) received an invalid combination of arguments - got \(numpy\.ndarray",
    "{1} received an array of NumPy",
    "layers of PyTorch take tensors",
    "torch.from_numpy(x).float()",
)
