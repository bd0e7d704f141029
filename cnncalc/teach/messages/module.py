"""Modules: how they are written, put together and called."""

from __future__ import annotations

import re

from ...errors import did_you_mean
from ...graph import Graph
from .base import Answer, message, plain

#: What Python has by itself, and nobody wrote.
_PLAIN = ("NoneType", "list", "tuple", "dict", "str", "int", "float", "bool", "function", "builtin_function_or_method")
_NOT_A_TENSOR = {
    "NoneType": ("forward ends without return, or a function works in place and gives nothing", "return x in forward"),
    "tuple": (
        "an LSTM, MultiheadAttention or a pool with return_indices gives several things",
        "x, _ = layer(x); nn.Sequential cannot hold such a layer",
    ),
    "list": ("several outputs are passed on as one", "torch.stack(x) or torch.cat(x, 1), or one of them"),
    "ndarray": ("layers take tensors, not arrays of NumPy", "torch.from_numpy(x).float()"),
    "Image": ("layers take tensors, not pictures of Pillow", "transforms.ToTensor()(picture).unsqueeze(0)"),
    "str": ("the name of a file is no picture", "open it: Image.open(path), then ToTensor"),
    "dict": ("a batch of the DataLoader is a dict, or the network gives one", 'x["pixel_values"], or how it is called'),
}


@message(r"\b(\w{1,80})\(\): argument '(\w{1,80})' \(position \d+\) must be Tensor, not ([\w.]+)")
def not_a_tensor(match: re.Match[str], graph: Graph | None) -> Answer:
    function, kind = match[1], match[3].rpartition(".")[2]
    says = f"{function} received a {kind} in place of a tensor"
    if kind in _NOT_A_TENSOR:
        reason, change = _NOT_A_TENSOR[kind]
        return Answer(says, (reason,), (change,))
    return Answer(
        says,
        (f"nn.{kind}(x) makes a layer and does not use it, if {kind} is one",),
        (
            f"self.layer = nn.{kind}(…) in __init__, and self.layer(x) in forward; or its function in torch.nn.functional",
        ),
    )


plain(
    r"cannot assign (?:module|parameters?|buffers?) before Module\.__init__\(\) call",
    "a module is built before nn.Module is",
    "super().__init__() is missing, or stands below the first layer",
    "super().__init__() as the first line of __init__",
)
plain(
    r"Module \[(ModuleList|ModuleDict)\] is missing the required \"forward\" function",
    "a {1} was called, and it cannot be",
    "it only holds modules; who goes through them is your forward",
    "for layer in self.layers: x = layer(x); or nn.Sequential, which can be called",
)
plain(
    r"Module \[((?!ModuleList|ModuleDict)\w+)\] is missing the required \"forward\" function",
    "{1} has no forward",
    "it is called otherwise (forwrd?), or is indented so that it belongs to __init__",
    "def forward(self, x): at the same level as __init__",
)
plain(
    r"(?<!\S)(\S{1,200})\.forward\(\) missing (\d+) required positional arguments?: (.{1,80})",
    "forward of {1} needs more than it was given: {3}",
    "nn.Sequential hands on one thing; a network of several inputs wants them all",
    "net(x, y) with all inputs, in the order of forward",
)
plain(
    r"(?<!\S)(\S{1,200})\.forward\(\) takes (\d+) positional arguments? but (\d+) were given",
    "forward of {1} takes {2} things, self included, and was given {3}",
    "self is missing in def forward(self, x), or the network is called with too much",
    "def forward(self, x):",
)


@message(r"\b(\w{1,80})\.__init__\(\) got an unexpected keyword argument '(\w{1,80})'")
def argument(match: re.Match[str], graph: Graph | None) -> Answer:
    from ...ops import REGISTRY

    kind, given = match[1], match[2]
    cls = REGISTRY.get(kind)
    names = [each.name for each in cls.arguments() if each.name not in cls.own_arguments] if cls else []
    near = [name for name in names if name.startswith(given) or given.startswith(name)]
    hint = f"{near[0]}=" if near else did_you_mean(given, names)
    told = f"it takes {', '.join(names)}" if names else "its documentation lists what it takes"
    return Answer(f"{kind} has no argument {given}", (told,), (hint or f"cnncalc ops {kind} explains each",))


@message(r"\b(\w{1,80})\.__init__\(\) missing (\d+) required positional arguments?: ([\w', and]{1,120})")
def missing(match: re.Match[str], graph: Graph | None) -> Answer:
    names = re.findall(r"'(\w+)'", match[3])
    return Answer(
        f"{match[1]} was given too little: {match[3].strip()}",
        ("it has no default" if len(names) == 1 else "they have no defaults",),
        (f"{match[1]}(…, {', '.join(f'{name}=…' for name in names)})",),
    )


@message(r"'(\w{1,80})' object has no attribute '(\w{1,80})'")
def attribute(match: re.Match[str], graph: Graph | None) -> Answer:
    if match[1] in _PLAIN:
        nothing = match[1] == "NoneType"
        return Answer(
            f"{match[2]} is asked of a {match[1]}, which has none",
            ("what gave it ends without return" if nothing else "what gave it is no tensor, or a list of them",),
            (
                "return … where it was made"
                if nothing
                else "print(type(x)); torch.stack(x), torch.tensor(x), or one of them",
            ),
        )
    return Answer(
        f"{match[1]} has no {match[2]}",
        ("it is called otherwise in __init__, or is made on some way only", "or a library is of another version"),
        (f"self.{match[2]} = … in __init__, and the same name in forward",),
    )


plain(
    r"(?<!\S)(\S{1,200}) is not a Module subclass",
    "nn.Sequential or a ModuleList holds {1}, which is no module",
    "functions have no place in it, and a list is not unpacked by itself",
    ("nn.ReLU() in place of F.relu", "nn.Sequential(*layers) with a star"),
)
plain(
    r"'(Linear|Sequential|Conv\dd|\w*Net\w*)' object is not iterable",
    "{1} is used where a list of parameters is wanted, as in an optimizer",
    "an optimizer takes the parameters, not the network",
    "torch.optim.SGD(net.parameters(), lr=0.1)",
)
plain(
    r"a Tensor with (\d+) elements cannot be converted to Scalar",
    ".item() was called for a tensor of {1} numbers",
    "one number can be taken out of it only if there is one",
    "x.mean().item(), or x.tolist() for all of them",
)
plain(
    r"Boolean value of Tensor with more than one value is ambiguous",
    "a tensor of several numbers stands where yes or no is asked",
    (
        "if x > 0 asks of every number, and there is no one answer",
        "or a class is called with tensors, as nn.CrossEntropyLoss(output, target): it is made first, and then called",
    ),
    ("(x > 0).all() or .any()", "nn.CrossEntropyLoss()(output, target), or F.cross_entropy(output, target)"),
)
plain(
    r"dropout probability has to be between 0 and 1, but got (\S{1,200})",
    "{1} is no probability",
    "it is a share, not per cent",
    "Dropout(0.5)",
)
