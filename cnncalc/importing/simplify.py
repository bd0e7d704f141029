"""Several operations that are one layer of the language: a channel shuffle written by hand, a norm between permutes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..ops.border import upper_pads
from .values import BIASED, FIXED, FROZEN, POWER, SCALED, SHIFTED, Pending


class _Pass:
    """A rewrite of the pending layers: what is replaced goes, and numbers follow."""

    def __init__(self, pending: Sequence[Pending], outputs: Sequence[int]) -> None:
        self.pending, self.outputs = list(pending), list(outputs)
        self.users: dict[int, list[int]] = {}
        for number, each in enumerate(self.pending):
            for i in each.inputs:
                self.users.setdefault(i, []).append(number)
        self.gone: set[int] = set()

    def next(self, number: int, type_: str) -> int | None:
        """The one layer that takes the output of another, if it is of a type."""
        users = self.users.get(number, [])
        if len(users) != 1 or number in self.outputs or self.pending[users[0]].type != type_:
            return None
        return users[0]

    def replace(self, numbers: Sequence[int], made: Pending) -> None:
        """Put one layer in the place of several in a row, with what went into the first of them, once."""
        *before, last = numbers
        self.gone.update(before)
        inputs = tuple(dict.fromkeys(self.pending[numbers[0]].inputs))
        self.pending[last] = made._replace(inputs=inputs, shape=self.pending[last].shape)

    def done(self) -> tuple[list[Pending], list[int]]:
        """The layers that are left, renumbered."""
        place: dict[int, int] = {}
        kept: list[Pending] = []
        for number, each in enumerate(self.pending):
            if number not in self.gone:
                place[number] = len(kept)
                kept.append(each)
        moved = [each._replace(inputs=tuple(place[i] for i in each.inputs)) for each in kept]
        return moved, [place[i] for i in self.outputs]


def _layer_norm_2d(work: _Pass, number: int) -> None:
    first = work.pending[number]
    if first.type != "Permute" or first.arguments.get("dims") != [0, 2, 3, 1]:
        return
    norm = work.next(number, "LayerNorm")
    back = None if norm is None else work.next(norm, "Permute")
    if norm is None or back is None or work.pending[back].arguments.get("dims") != [0, 3, 1, 2]:
        return
    given = work.pending[norm].arguments
    if set(given) - {"eps", "elementwise_affine"} or not given.get("elementwise_affine", True):
        return
    if len({each.modules[-1][:1] for each in (first, work.pending[norm], work.pending[back]) if each.modules}) > 1:
        return
    eps = given.get("eps", 1e-5)
    work.replace((number, norm, back), work.pending[norm]._replace(
        type="LayerNorm2d", arguments={} if eps == 1e-6 else {"eps": eps}))  # fmt: skip


def _channel_shuffle(work: _Pass, number: int) -> None:
    first = work.pending[number]
    sizes = first.arguments.get("unflattened_size")
    if first.type != "Unflatten" or first.arguments.get("dim") != 1 or not sizes or len(sizes) != 2:
        return
    turned = work.next(number, "Permute")
    back = None if turned is None else work.next(turned, "Flatten")
    if turned is None or back is None or work.pending[turned].arguments.get("dims", [])[:3] != [0, 2, 1]:
        return
    if work.pending[turned].arguments["dims"][3:] != list(range(3, len(first.shape) + 1)):
        return
    if work.pending[back].shape != work.pending[first.inputs[0]].shape or len(work.pending[back].shape) != 3:
        return
    work.replace((number, turned, back), work.pending[back]._replace(
        type="ChannelShuffle", arguments={"groups": sizes[0]}))  # fmt: skip


def _padded_pool(work: _Pass, number: int) -> None:
    """What is put around a map before a max pool and never the largest, is the pool's own padding."""
    first = work.pending[number]
    if not first.type.startswith("ConstantPad") or first.arguments.get("value") != float("-inf"):
        return
    pool = work.next(number, first.type.replace("ConstantPad", "MaxPool"))
    if pool is None or work.pending[pool].arguments.get("padding", 0) != 0:
        return
    sides = first.arguments["padding"]
    given = work.pending[pool].arguments
    kernel = given["kernel_size"]
    if any(side < 0 or 2 * side > kernel for side in as_sides(sides, 1) if isinstance(kernel, int)):
        return
    upper = is_upper(work.pending[first.inputs[0]].shape, sides, given, given.get("stride", kernel))
    arguments = {**given, "padding": "same_upper" if upper else sides}
    work.replace((number, pool), work.pending[pool]._replace(arguments=arguments))


def _is_of_channels(layer: Pending) -> bool:
    """Whether a layer learns a factor for each channel."""
    return layer.type == "LayerScale" and (not layer.arguments or layer.arguments.get("dim") == 1)


def _response_norm(work: _Pass, number: int) -> None:
    """Length over the map, divided by its mean over the channels, times the map, scaled, shifted and added to it."""
    length = work.pending[number]
    if length.type != "Norm" or length.arguments.get("p", 2) != 2 or not length.arguments.get("keepdim"):
        return
    x, users = length.inputs[0], work.users.get(number, [])
    mean = next((user for user in users if work.pending[user].type == "Mean"), None)
    shift = None if mean is None else work.next(mean, "Shift")
    share = None if shift is None else work.next(shift, "divide")
    product = None if share is None else work.next(share, "multiply")
    scaled = None if product is None else work.next(product, SCALED) or work.next(product, "LayerScale")
    total = None if scaled is None else work.next(scaled, "add")
    if mean is None or shift is None or share is None or product is None or scaled is None or total is None:
        return
    rest: tuple[int, ...] = (total,)
    if work.pending[scaled].type == "LayerScale":  # the summand is added at the end
        bias = work.next(total, SHIFTED) or work.next(total, BIASED)
        along_last = work.pending[scaled].arguments == {"shape": list(length.shape[-1:])}
        if bias is None or not (along_last or _is_of_channels(work.pending[scaled])):
            return
        rest = (total, bias)
    dims = length.arguments["dim"]
    last = {(1, 2): True, (2, 3): False}.get(tuple(dims)) if isinstance(dims, list) else None
    if last is None or work.pending[mean].arguments.get("dim") != (3 if last else 1) or set(users) != {mean, share}:
        return
    if x not in work.pending[product].inputs or x not in work.pending[total].inputs:
        return
    eps = work.pending[shift].arguments["value"]
    arguments = ({} if eps == 1e-6 else {"eps": eps}) | ({"channels_last": True} if last else {})
    owner = work.pending[scaled].owner
    owner = owner.lstrip("=").rpartition(".")[0] if owner.startswith("=") else owner
    made = work.pending[scaled]._replace(type="GlobalResponseNorm", arguments=arguments, owner=owner, figures=None)
    work.replace((number, mean, shift, share, product, scaled, *rest), made)


def _blur_pool(work: _Pass, number: int) -> None:
    """A mirrored border and a convolution of each channel with fixed filters; anti-aliasing has no others."""
    first = work.pending[number]
    blur = work.next(number, FIXED) if first.type == "ReflectionPad2d" else None
    if blur is None:
        return
    kernel, stride = (work.pending[blur].arguments[name] for name in ("filt_size", "stride"))
    if not isinstance(kernel, int) or not isinstance(stride, int) or kernel < 2:
        return
    if first.arguments["padding"] != (stride - 1 + kernel - 1) // 2:
        return
    arguments = ({} if kernel == 3 else {"filt_size": kernel}) | ({} if stride == 2 else {"stride": stride})
    made = work.pending[blur]._replace(type="BlurPool2d", arguments=arguments, figures=None)
    work.replace((number, blur), made)


def _upper_convolution(work: _Pass, number: int) -> None:
    """Zeros around a map as TensorFlow's SAME has them, more of them behind, are the convolution's own padding."""
    first = work.pending[number]
    conv = work.next(number, "Conv2d") if first.type == "ZeroPad2d" else None
    if conv is None or work.pending[conv].figures is not None or work.pending[conv].arguments.get("padding", 0) != 0:
        return
    given = work.pending[conv].arguments
    if not is_upper(work.pending[first.inputs[0]].shape, first.arguments["padding"], given, given.get("stride", 1)):
        return
    work.replace((number, conv), work.pending[conv]._replace(arguments={**given, "padding": "same_upper"}))


def as_sides(padding: int | Sequence[int], axes: int) -> Sequence[int]:
    """The padding of each side, the last axis first."""
    return [padding] * (2 * axes) if isinstance(padding, int) else padding


def is_upper(shape: Sequence[int], padding: int | Sequence[int], given: Mapping[str, Any], stride: Any) -> bool:
    """Whether the padding of each side is that of TensorFlow's SAME, and another before than behind."""
    axes = len(shape) - 1
    sizes = [tuple(value) if isinstance(value, list) else (value,) * axes
             for value in (given["kernel_size"], stride, given.get("dilation", 1))]  # fmt: skip
    wanted = upper_pads(tuple(shape[1:]), *sizes)
    around = [side for pair in reversed(wanted) for side in pair]
    return list(as_sides(padding, axes)) == around and any(before != behind for before, behind in wanted)


def _affine(work: _Pass, number: int) -> None:
    """A learnt factor and then a learnt summand for each channel, as Caffe scales behind a normalisation."""
    scale = work.pending[number]
    shift = work.next(number, SHIFTED) if _is_of_channels(scale) else None
    if shift is None:
        return
    sizes = [scale.shape[0], *(1 for _ in scale.shape[1:])]
    made = work.pending[shift]._replace(type="Affine", arguments={"shape": sizes}, figures=None, owner="")
    work.replace((number, shift), made)


def _frozen_norm(work: _Pass, number: int) -> None:
    """Times and plus what the fixed statistics and parameters of a normalisation give."""
    first = work.pending[number]
    shift = work.next(number, FROZEN["add"]) if first.type == FROZEN["mul"] else None
    if shift is not None:
        eps = first.arguments["eps"]
        made = work.pending[shift]._replace(
            type="FrozenBatchNorm2d", arguments={} if eps == 1e-5 else {"eps": eps}, figures=None
        )
        work.replace((number, shift), made)


def _local_response_norm(work: _Pass, number: int) -> None:
    """A map divided by a power of the mean of its squares, over some channels around each."""
    squares = work.pending[number]
    if squares.type != "multiply" or len(set(squares.inputs)) > 1:
        return
    row, found = [number], dict[str, Mapping[str, Any]]()
    for kinds in (("Unflatten",), ("ZeroPad2d", "ZeroPad3d"), ("AvgPool2d", "AvgPool3d"), ("Flatten",), ("Scale", ""),
                  ("Shift", ""), (POWER,), ("divide",)):  # fmt: skip
        following = next((after for kind in kinds if (after := work.next(row[-1], kind)) is not None), None)
        if following is not None:
            row.append(following)
            found[kinds[0]] = work.pending[following].arguments
        elif "" not in kinds:
            return
    pool, pad = found["AvgPool2d"], found["ZeroPad2d"]["padding"]
    size, *others = pool["kernel_size"] if isinstance(pool["kernel_size"], list) else [0]
    around = [*(0 for _ in others for _ in "ab"), size // 2, (size - 1) // 2]
    plain = pool.get("stride") == 1 and pool.get("padding", 0) == 0 and pool.get("count_include_pad", True)
    if not plain or pad != around or {*others} != {1} or squares.shape != work.pending[row[-2]].shape:
        return
    if work.pending[row[-1]].inputs != (squares.inputs[0], row[-2]):
        return
    arguments = {"size": size}
    given = {"alpha": found.get("Scale", {}).get("factor", 1), "beta": found[POWER]["exponent"],
             "k": found.get("Shift", {}).get("value", 0)}  # fmt: skip
    usual = {"alpha": 1e-4, "beta": 0.75, "k": 1.0}
    arguments |= {name: value for name, value in given.items() if value != usual[name]}
    work.replace(row, work.pending[row[-1]]._replace(type="LocalResponseNorm", arguments=arguments))


def _l2_norm(work: _Pass, number: int) -> None:
    """The channels at each position divided by their length, times a learnt factor for each."""
    length = work.pending[number]
    if length.type != "Norm" or length.arguments != {"dim": 1, "keepdim": True}:
        return
    shift = work.next(number, "Shift")
    share = None if shift is None else work.next(shift, "divide")
    scale = None if share is None else work.next(share, "LayerScale")
    if shift is None or share is None or scale is None or not _is_of_channels(work.pending[scale]):
        return
    if work.pending[share].inputs != (length.inputs[0], shift) or not work.pending[scale].owner.endswith(".weight"):
        return
    eps = work.pending[shift].arguments["value"]
    owner = work.pending[scale].owner.lstrip("=").removesuffix(".weight")
    made = work.pending[scale]._replace(type="L2Norm", arguments={} if eps == 1e-10 else {"eps": eps}, owner=owner)
    work.replace((number, shift, share, scale), made)


def _bias(work: _Pass, number: int) -> None:
    """A product or a convolution, and what is added to it: one layer, in ONNX often two operators."""
    product = work.pending[number]
    if product.arguments.get("bias") is not False:
        return
    total = work.next(number, BIASED) if product.type == "Linear" else None
    if total is None and (product.type.startswith("Conv") or len(product.shape) == 1):
        total = work.next(number, SHIFTED)
        name = "" if total is None else work.pending[total].owner.lstrip("=")
        if product.owner and name != f"{product.owner}.bias":
            return
    if total is not None:
        arguments = {name: value for name, value in product.arguments.items() if name != "bias"}
        work.replace((number, total), product._replace(arguments=arguments))


def _sum_of_several(work: _Pass, number: int) -> None:
    """Sums in a row, `a + b + c`, are one of several branches; not where a branch is worked out in between."""
    first = work.pending[number]
    total = work.next(number, "add") if first.type == "add" else None
    if total is None or any(i not in work.gone for i in range(number + 1, total)):
        return
    last = work.pending[total]
    (other,) = {*last.inputs} - {number}
    around = {each.modules[-1][0] if each.modules else "" for each in (first, last)}
    shapes = {work.pending[i].shape for i in (*first.inputs, other, total)}
    if len(around) > 1 or len(shapes) > 1 or not (other > max(first.inputs) or other < min(first.inputs)):
        return
    work.gone.add(number)
    work.pending[total] = last._replace(inputs=(*first.inputs, other))


RULES: tuple[Callable[[_Pass, int], None], ...] = (
    _layer_norm_2d,
    _channel_shuffle,
    _padded_pool,
    _response_norm,
    _blur_pool,
    _upper_convolution,
    _affine,
    _frozen_norm,
    _l2_norm,
    _local_response_norm,
    _bias,
    _sum_of_several,
)


def _chained(pending: Sequence[Pending]) -> list[Pending]:
    """What is joined to parts that were joined before, joined to the whole of them: DenseNet's features."""
    joined: dict[tuple[int, ...], int] = {}
    made: list[Pending] = []
    for number, each in enumerate(pending):
        if each.type == "concat" and not each.arguments:
            for length in range(len(each.inputs) - 1, 1, -1):
                before = joined.get(each.inputs[:length])
                if before is not None:
                    joined.setdefault(each.inputs, number)
                    each = each._replace(inputs=(before, *each.inputs[length:]))
                    break
            else:
                joined.setdefault(each.inputs, number)
        made.append(each)
    return made


def _at_home(pending: Sequence[Pending], outputs: Sequence[int]) -> tuple[list[Pending], list[int]]:
    """Merges of what enters a module with what leaves it, within that module: where a block of its own has them."""
    users: dict[int, list[int]] = {}
    inside: dict[str, set[int]] = {}
    for number, each in enumerate(pending):
        for i in each.inputs:
            users.setdefault(i, []).append(number)
        for key, *_ in each.modules:
            inside.setdefault(key, set()).add(number)
    behind: dict[int, int] = {}  # a merge → the last layer of the module that it belongs to
    made = list(pending)
    for number, each in enumerate(pending):
        if each.type != "concat" or len(each.inputs) != 2 or each.arguments:
            continue
        entry, exit_ = each.inputs
        if users.get(exit_) != [number] or exit_ in outputs:
            continue
        own = {key for key, *_ in each.modules}
        for depth, (key, _, _) in enumerate(pending[exit_].modules[:-1], 1):
            members = inside[key]
            taken = {i for member in members for i in pending[member].inputs if i not in members}
            left = {m for m in members if any(user not in members for user in users.get(m, ()))}
            if key not in own and len(members) > 1 and taken == {entry} and left == {exit_}:
                made[number] = each._replace(modules=(*pending[exit_].modules[:depth],))
                behind[number] = exit_
                for old, *_ in each.modules:
                    inside[old].discard(number)
                for new, *_ in made[number].modules:
                    inside[new].add(number)
                break
    return _moved(made, outputs, behind)


def _moved(
    pending: Sequence[Pending], outputs: Sequence[int], behind: dict[int, int]
) -> tuple[list[Pending], list[int]]:
    """The layers with some of them right behind others, renumbered."""
    follows: dict[int, list[int]] = {}
    for number, before in behind.items():
        follows.setdefault(before, []).append(number)
    order: list[int] = []
    for number in range(len(pending)):
        if number not in behind:
            waiting = [number]
            while waiting:
                now = waiting.pop(0)
                order.append(now)
                waiting += follows.get(now, [])
    place = {number: at for at, number in enumerate(order)}
    made = [pending[number]._replace(inputs=tuple(place[i] for i in pending[number].inputs)) for number in order]
    return made, [place[i] for i in outputs]


def simplified(pending: Sequence[Pending], outputs: Sequence[int], inputs: int) -> tuple[list[Pending], list[int]]:
    """The layers with what is one layer put together, and those that nothing needs left out."""
    pending, outputs = _at_home(_chained(pending), outputs)
    work = _Pass(pending, outputs)
    for rule in RULES:
        for number in range(inputs, len(work.pending)):
            if number not in work.gone:
                rule(work, number)
    needed = set(outputs)
    for number in range(len(work.pending) - 1, -1, -1):
        if number in needed:
            needed.update(work.pending[number].inputs)
        elif number >= inputs:
            work.gone.add(number)
    return work.done()
