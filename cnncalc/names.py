"""What layers, blocks, types, arguments, inputs and variants may be called.

A name comes from whoever wrote the spec, and goes into paths, pages, tables and source code. So it is letters of any
script with their combining marks, digits, `_` and `-`, and nothing that could be read as something else: no quotes,
brackets, spaces, controls, and nothing that Unicode's compatibility form (NFKC) changes, since Python reads two such
names as one.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from keyword import iskeyword

from .printable import printable

#: Characters of a name.
LONGEST = 100
#: The rule, as a hint says it.
RULE = f"at most {LONGEST} letters, digits, _ and -, no space; a dot stands between a list and what is in it"

_ASCII = re.compile(r"[A-Za-z0-9_-]+")


def is_name(text: str) -> bool:
    """Whether a part of a path may be called so.

    >>> [is_name(each) for each in ("conv1", "größe", "слой-2", "दो", "x y", "a.b", 'x"', "ﬁx", "")]
    [True, True, True, True, False, False, False, False, False]
    """
    if not 0 < len(text) <= LONGEST:
        return False
    return _ASCII.fullmatch(text) is not None or _is_name_of_a_script(text)


@lru_cache(maxsize=1024)
def _is_name_of_a_script(text: str) -> bool:
    if unicodedata.normalize("NFKC", text) != text or printable(text) != text:  # fillers cannot be seen
        return False
    before = ""
    for character in text:
        kind = unicodedata.category(character)
        if kind[0] == "M":  # an enclosing mark (Me) draws a box around its letter
            if before not in ("L", "M") or kind == "Me":
                return False
        elif kind[0] != "L" and kind != "Nd" and character not in "_-":
            return False
        before = kind[0]
    return True


def is_path(text: str) -> bool:
    """Whether each part of a text with dots is a name, as in `layer1.0.conv1` or `mobilenet_v2_1.4`."""
    return is_name(text) if "." not in text else all(map(is_name, text.split(".")))


def is_word(text: str) -> bool:
    """Whether expressions can use a name: a name that is an identifier of Python, and none of its own words.

    >>> is_word("width"), is_word("ширина"), is_word("a-b"), is_word("if")
    (True, True, False, False)
    """
    return is_name(text) and text.isidentifier() and not iskeyword(text)


#: Names that PyTorch's nn.Module uses itself. (`cnncalc.build` asks PyTorch; here there may be none.)
TAKEN = frozenset(
    """
    T_destination add_module apply bfloat16 buffers call_super_init children compile cpu cuda double
    dump_patches eval extra_repr float forward get_buffer get_extra_state get_parameter get_submodule half ipu
    load_state_dict modules mtia named_buffers named_children named_modules named_parameters parameters
    register_backward_hook register_buffer register_forward_hook register_forward_pre_hook
    register_full_backward_hook register_full_backward_pre_hook register_load_state_dict_post_hook
    register_load_state_dict_pre_hook register_module register_parameter register_state_dict_post_hook
    register_state_dict_pre_hook requires_grad_ set_extra_state set_submodule share_memory state_dict to
    to_empty train training type xpu zero_grad
    """.split()  # noqa: SIM905
)


def refused_by_torch(name: str) -> str:
    """What else a name is in PyTorch, so that no part of a network can bear it there; empty where it can.

    >>> refused_by_torch("in"), refused_by_torch("forward"), refused_by_torch("conv1")
    ('a word of Python', 'something else: nn.Module.forward', '')
    """
    if iskeyword(name):
        return "a word of Python"
    return f"something else: nn.Module.{name}" if name in TAKEN or name.startswith("_") else ""


#: Where PyTorch's exporter notes the modules around an operator of ONNX: their paths and their classes.
ONNX_PATHS, ONNX_CLASSES = "pkg.torch.onnx.name_scopes", "pkg.torch.onnx.class_hierarchy"
#: What stands there before the type of a layer that PyTorch has no module for.
ONNX_LAYERS = "cnncalc.layers."
