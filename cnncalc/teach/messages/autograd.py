"""The backward pass and the optimizer."""

from __future__ import annotations

import re

from ...graph import Graph
from .base import SIZES, Answer, message, plain


@message(
    rf"modified by an inplace operation: \[(\S{{1,200}}) {SIZES}\](?:, which is output (\d+) of (\w{{1,80}}))?, is at version (\d+); expected version (\d+)"
)
def in_place(match: re.Match[str], graph: Graph | None) -> Answer:
    kind = re.sub(r"Backward\d*$", "", match[4] or "")
    made = f", the result of {kind}," if kind else ""
    return Answer(
        f"a tensor of [{match[2]}]{made} was changed in place after autograd had kept it for the backward pass",
        (
            "x += y, x[…] = y and relu_ write over x; so does a step of the optimizer between forward and backward",
            "what is added in place after a ReLU or a sigmoid is needed by that layer's own backward pass",
        ),
        (
            "x = x + y in place of x += y; inplace=False",
            "torch.autograd.set_detect_anomaly(True) names the line of the forward pass",
        ),
    )


plain(
    r"Trying to backward through the graph a second time",
    "backward was called twice for one forward pass",
    (
        "what autograd had kept is freed after the first time",
        "a state, a loss or a hidden vector of the step before takes its graph with it into this one",
    ),
    ("h = h.detach() between the steps; total += loss.item()", "(loss1 + loss2).backward() for two losses of one pass"),
)
plain(
    r"element 0 of tensors does not require grad and does not have a grad_fn",
    "the loss does not depend on anything that is trained",
    (
        "the forward pass was under no_grad, or went through .detach(), .item(), .data or NumPy",
        "or all parameters are frozen; or argmax, round or a comparison stands before the loss, which have no gradient",
    ),
    "print loss.requires_grad, and of each tensor on the way",
)
plain(
    r"grad can be implicitly created only for scalar outputs",
    "backward was called for a tensor of several numbers",
    "the gradient is that of one number, the loss; reduction='none' leaves one for each example",
    "loss.mean().backward()",
)
plain(
    r"a leaf Variable that requires grad is being used in an in-place operation",
    "a parameter is changed in place while autograd keeps track of it",
    "w -= lr * w.grad is to be a step of training, and autograd takes it for a part of the network",
    "with torch.no_grad(): around the update, or an optimizer",
)
plain(
    r"Inference tensors cannot be saved for backward",
    "a tensor that was made under inference_mode is used in training",
    "such tensors have no place for a gradient, also later",
    "torch.no_grad() in place of inference_mode, or x.clone() outside of it",
)
plain(
    r"you can only change requires_grad flags of leaf variables",
    "requires_grad is set of a tensor that was computed",
    "it is set of parameters, and what is computed of them follows",
    "parameter.requires_grad_(False) to freeze; x.detach() to cut x off",
)
plain(
    r"[oO]nly Tensors of floating point (?:and complex )?dtype can require gradients",
    "a tensor of whole numbers is to have a gradient",
    "a gradient is there for decimal numbers only",
    "x.float().requires_grad_()",
)
plain(
    r"Only Tensors created explicitly by the user \(graph leaves\) support the deepcopy protocol",
    "a tensor that was computed is to be copied with deepcopy",
    "it holds its graph; where a module is copied, it has such a tensor as an attribute",
    "x.detach().clone(); in a module: self.register_buffer(…)",
)
plain(
    r"optimizer got an empty parameter list",
    "the optimizer has nothing to train",
    "layers in a plain list or dict are not found: net.parameters() is empty",
    "nn.ModuleList or nn.ModuleDict in place of the list or dict; print(list(net.parameters()))",
)
plain(
    r"can't optimize a non-leaf Tensor",
    "the optimizer is given a tensor that was computed",
    "nn.Parameter(…).to(device), or a product of a parameter, is no parameter any more",
    "nn.Parameter(x.to(device)): the parameter last",
)
plain(
    r"loaded state dict (?:contains a parameter group that doesn't match the size of optimizer's group|has a different number of parameter groups)",
    "the optimizer's state in the file is that of another network, or of other groups",
    "it keeps its state by the order of the parameters: their number has changed since",
    "the same network and groups as when it was saved; or begin with a fresh optimizer",
)
plain(
    r"Invalid learning rate: (\S{1,200})",
    "{1} is no learning rate",
    "it must be 0 or more",
    "lr=0.1 for SGD and lr=0.001 for Adam are common to begin with",
)
