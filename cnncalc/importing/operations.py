"""What is known of PyTorch's operations by their names, and how the references in their arguments are found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

#: Operations that write something else into a tensor.
WRITES = frozenset(("copy", "fill", "zero", "index_put", "index_copy", "masked_fill", "scatter", "index_add"))
#: Operations whose result is their argument.
ALIASES = frozenset(("contiguous", "clone", "detach", "alias", "lift_fresh", "to", "_to_copy", "expand", "expand_as"))
#: Operations that leave the values as they are, in another shape.
SHAPES_ONLY = frozenset(("view", "reshape", "unsqueeze", "squeeze", "flatten"))
#: Operations whose result shares the storage of their argument.
VIEWS = SHAPES_ONLY | frozenset(
    "slice select getitem split split_with_sizes chunk unbind narrow transpose permute expand t".split()  # noqa: SIM905
)


#: Convolutions whose weights begin with the channels that come out.
CONVOLUTIONS = frozenset(("conv1d", "conv2d", "conv3d"))
#: Those whose weights begin with the channels that go in.
TRANSPOSED = frozenset(("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"))
#: Operations that multiply and add, and have no layer type: what they cost is not known. All others go element by
#: element, or move what there is.
UNKNOWN_WORK = frozenset((
    *("matmul", "bmm", "mm", "addmm", "linear", "einsum", "baddbmm", "addbmm", "mv"),
    *("addmv", "dot", "vdot", "inner", "outer", "ger", "addr", "kron", "tensordot", "chain_matmul", "bilinear"),
    *("_trilinear", "cdist", "_cdist_forward", "pdist", "stft", "istft", "cholesky", "inverse", "det", "logdet"),
    *("slogdet", "qr", "svd", "matrix_exp", "matrix_power", "triangular_solve", "cholesky_solve", "cholesky_inverse"),
    *("lu_solve", "geqrf", "cov", "_int_mm", "_scaled_mm", "_grouped_mm", "_sparse_mm", "_addmm_activation"),
))  # fmt: skip
#: What the names of others of them begin with.
UNKNOWN_BEGINNINGS = ("conv", "_conv", "lstm", "gru", "rnn", "_thnn_fused", "fft_", "_fft_", "linalg_", "_linalg_")
#: ONNX's operators of which the work is not known, where they are not read.
MULTIPLIES = frozenset((
    *("Attention", "Conv", "ConvInteger", "ConvTranspose", "DeformConv", "Einsum", "GRU", "Gemm", "LSTM", "MatMul"),
    *("MatMulInteger", "QLinearConv", "QLinearMatMul", "RNN"),
))  # fmt: skip


def named(op: str) -> str:
    """The name of an operation without that of its overload; of a library's own with that of the library.

    >>> named("conv2d.padding"), named("relu_.default"), named("getitem"), named("com.mine::relu")
    ('conv2d', 'relu_', 'getitem', 'com.mine::relu')
    """
    return op if "::" in op else op.partition(".")[0]


def first_reference(node: Mapping[str, Any]) -> str:
    """The name of the first tensor that an operation takes, or an empty string."""
    first = next(iter(references(node["given"])), None)
    return str(first["tensor"]) if first else ""


def references(given: Any) -> Iterator[dict[str, Any]]:
    """The references to tensors among arguments."""
    if isinstance(given, dict):
        if isinstance(given.get("tensor"), str):  # an argument may be called so as well
            yield given
        else:
            for value in given.values():
                yield from references(value)
    elif isinstance(given, list):
        for value in given:
            yield from references(value)


def camel(op: str) -> str:
    """The name of a declared type for an operation.

    >>> camel("grid_sampler_2d"), camel("com.mine::fused_relu")
    ('GridSampler2d', 'FusedRelu')
    """
    parts = op.rpartition("::")[2].split("_")
    return "".join(part[:1].upper() + part[1:] for part in parts if part) or "Unknown"
