"""The network as an ONNX file, with the shapes of all values in it."""

from __future__ import annotations

import contextlib
import io
import logging
import re
import warnings
from collections.abc import Collection
from typing import Any

import numpy as np
import torch

from ..errors import Problem, SpecError, usage_error
from ..graph import Graph
from ..quantities import mib
from .build import build
from .scopes import layer_of, name_layers, note_blocks
from .weights import load_weights, read_weights

#: The oldest set of operators that models may be written in; the newest is onnx's own.
OLDEST_OPSET = 13
#: Bytes of a file of ONNX, which holds all its weights, at most: the format's own bound.
MOST_BYTES = 2**31
#: What the exporter's rules are called that would make one layer of two.
FUSES = re.compile("BatchNorm|Relu|Clip|SuccessiveM|SlicesSplit")


def onnx_model(graph: Graph, weights: str = "", seed: int = 0, weights_key: str = "", opset: int = 0) -> bytes:
    """A network as ONNX, in evaluation mode, its batch size open; raises `SpecError`.

    The weights are those of a file, or freshly drawn. `opset` is the set of operators, 0 for the exporter's choice.
    """
    try:
        import onnx
        import onnxscript  # noqa: F401
    except ImportError as error:
        missing = error.name or "onnx"
        raise usage_error(
            f"{missing} is not installed, which the export needs", "pip install 'cnncalc[torch,onnx]'"
        ) from None
    newest = int(onnx.defs.onnx_opset_version())
    if opset and not OLDEST_OPSET <= opset <= newest:
        raise usage_error(
            f"there is no opset {opset} here", f"from {OLDEST_OPSET} to {newest}, which onnx {onnx.__version__} knows"
        )
    for layer in graph.layers:
        if getattr(layer.op, "divisor_override", None):
            message = f"{layer.name} ({layer.type}) has divisor_override, which PyTorch's exporter would silently drop"
            raise SpecError([Problem("inexpressible", message, graph.source, layer.place)])
    torch.manual_seed(seed)
    net = build(graph).eval()
    size = sum(tensor.numel() * tensor.element_size() for tensor in net.state_dict().values())
    if size >= MOST_BYTES:
        most = f"a file of ONNX holds less than {mib(MOST_BYTES)}"
        raise usage_error(
            f"the weights of {graph.name} take {mib(size)}, and {most}",
            "--to torch writes the network without its weights",
        )
    if weights:
        loaded = load_weights(net, read_weights(weights, weights_key))
        if not loaded.fits:
            raise usage_error("does not fit the network: " + "; ".join(loaded.lines(4)), where=weights)
    for module in net.modules():  # where channels lie last, PyTorch would write its result by the strides in memory
        if isinstance(module, torch.nn.AdaptiveAvgPool2d):
            module.register_forward_pre_hook(lambda _, given: (given[0].contiguous(),))
    name_layers(net, graph)
    # A batch of two: what is one would be taken for fixed.
    inputs = tuple(torch.randn(2, *(node.shape or ())) for node in graph.inputs)
    names = [node.name for node in graph.inputs]
    results = list(dict.fromkeys(graph.nodes[i].name for i in graph.outputs))
    # A result is called as the spec calls it, unless a parameter or an input is called so already.
    taken = {*names, *net.state_dict()}
    single = len(results) == 1 and len(graph.nodes[graph.outputs[0]].shape or ()) == 1
    results = [
        name if name not in taken else "logits" if single and "logits" not in taken else f"{name}.out"
        for name in results
    ]
    batch = torch.export.Dim("batch")
    with _quiet() as said:
        try:
            program = torch.onnx.export(
                net,
                inputs,
                dynamo=True,
                input_names=names,
                output_names=results,
                dynamic_shapes=tuple({0: batch} for _ in inputs),
                opset_version=opset or None,
                optimize=False,
                verbose=False,
            )
        except SpecError:
            raise
        except Exception as error:  # whatever the exporter says of a layer that it cannot translate
            if isinstance(_root(error), KeyboardInterrupt):
                raise KeyboardInterrupt from None
            hint = "another layer in its place; --to torch writes all of them"
            raise usage_error(f"PyTorch cannot export {graph.name} as ONNX: {_cause(error)}", hint) from None
    del said
    assert program is not None
    _simplify(program, graph, net.state_dict().keys())
    note_blocks(program.model.graph.all_nodes(), graph)
    model = program.model_proto
    if opset:
        model = _in_opset(model, opset, graph)
    # Shapes for viewers, of whatever the exporter left without.
    with contextlib.suppress(Exception):
        model = onnx.shape_inference.infer_shapes(model)
    return bytes(model.SerializeToString())


def _simplify(program: Any, graph: Graph, state: Collection[str]) -> None:
    """Work out what is constant, such as the shapes of views. Layers stay those of the spec: a runtime fuses them.

    The exporter's own rules would fold normalisations into convolutions, make one of a ReLU behind a ReLU, and drop
    factors that are one and summands that are zero as yet: layers and parameters would be gone. So they do not see what
    the parameters are, nor which operators are layers that scale.
    """
    from onnxscript import ir, optimizer, rewriter

    rules = getattr(rewriter, "_DEFAULT_REWRITE_RULES", None)
    if rules is None:  # another version of onnxscript: as its exporter does
        program.optimize()
        return
    values = [value for name, value in program.model.graph.initializers.items() if name in state]
    hidden = [(value, value.const_value) for value in values if len(value.const_value.shape) < 2]
    scales = {layer.name for layer in graph.layers if layer.type == "Scale"}
    products = [node for node in program.model.graph if node.op_type == "Mul" and layer_of(node) in scales]
    for value, tensor in hidden:
        value.const_value = ir.tensor(np.full(tuple(tensor.shape), 2, tensor.dtype.numpy()))
    for node in products:
        node.op_type, node.domain = "Scale", "cnncalc"
    try:
        kept = [rule for rule in rules if not FUSES.search(str(rule.name))]
        for _ in range(2):
            _fold(optimizer, program.model, state)
            rewriter.rewrite(program.model, kept)
    finally:
        for value, tensor in hidden:
            value.const_value = tensor
        for node in products:
            node.op_type, node.domain = "Mul", ""
    optimizer.remove_unused_nodes(program.model)


def _fold(optimizer: Any, model: Any, state: Collection[str]) -> None:
    """Work out constants, but nothing that a parameter goes into: each keeps its name and shape in the file."""
    try:
        optimizer.fold_constants(model, should_fold=lambda node: False if _takes(node, state) else None)
    except TypeError:  # an older onnxscript, which cannot be told
        optimizer.fold_constants(model)


def _takes(node: Any, state: Collection[str]) -> bool:
    """Whether an operator takes a parameter; to turn one round, as linear layers do, is worked out all the same."""
    return node.op_type != "Transpose" and any(value is not None and value.name in state for value in node.inputs)


def _in_opset(model: Any, opset: int, graph: Graph) -> Any:
    """A model in a set of operators: converted where the exporter wrote another; raises `SpecError`."""
    import onnx
    from onnx import version_converter

    written = next(each.version for each in model.opset_import if each.domain in ("", "ai.onnx"))
    if written == opset:
        return model
    try:
        converted = version_converter.convert_version(model, opset)
        onnx.checker.check_model(converted)
    except Exception as error:  # whatever the converter says of an operator that is too new
        hint = f"the exporter writes opset {written}: leave --opset out"
        raise usage_error(f"{graph.name} cannot be written in opset {opset}: {_cause(error)}", hint) from None
    return converted


@contextlib.contextmanager
def _quiet() -> Any:
    """The exporter's chatter, kept away from the terminal."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    said = io.StringIO()
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            warnings.simplefilter("ignore")
            yield said
    finally:
        logger.setLevel(level)


def _root(error: BaseException) -> BaseException:
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def _cause(error: BaseException) -> str:
    error = _root(error)
    said = " ".join(str(error).split())
    unknown = re.search(r"No ONNX function found for .*?aten\.(\w+)", said)
    if unknown:
        return f"ONNX has no function for {unknown[1]}, which one of its layers is made of"
    return said.rpartition("failed: ")[2][:200] or type(error).__name__
