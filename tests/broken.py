"""Programs that are wrong as beginners' programs are, and what PyTorch has to say of each."""

from __future__ import annotations

import copy
import io
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset, TensorDataset

#: The programs by name; each ends with an error.
PROGRAMS: dict[str, Callable[[], Any]] = {}


def broken(program: Callable[[], Any]) -> Callable[[], Any]:
    PROGRAMS[program.__name__] = program
    return program


def message_of(name: str) -> str:
    """What PyTorch says of a program; nothing where it says nothing."""
    with warnings.catch_warnings():
        try:
            PROGRAMS[name]()
        except Exception as error:
            return str(error)
    return ""


class LeNet(nn.Module):
    def __init__(self, classes=10, channels=1):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(400, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, classes)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = torch.flatten(x, 1)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))


@broken
def linear_other_size():
    LeNet()(torch.randn(1, 1, 28, 28))


@broken
def linear_without_flatten():
    nn.Sequential(nn.Conv2d(1, 6, 5), nn.Linear(3456, 10))(torch.randn(2, 1, 28, 28))


@broken
def linear_unbatched():
    LeNet()(torch.randn(1, 32, 32))


@broken
def linear_channels_only():
    nn.Sequential(nn.Conv2d(3, 16, 3), nn.Flatten(), nn.Linear(16, 10))(torch.randn(2, 3, 8, 8))


@broken
def linear_transposed():
    nn.Linear(784, 10)(torch.randn(784, 32))


@broken
def conv_channels_last():
    nn.Conv2d(3, 8, 3)(torch.randn(4, 32, 32, 3))


@broken
def conv_grey():
    nn.Conv2d(3, 8, 3)(torch.randn(4, 1, 32, 32))


@broken
def conv_rgba():
    nn.Conv2d(3, 8, 3)(torch.randn(4, 4, 32, 32))


@broken
def conv_colour_in_grey():
    nn.Conv2d(1, 8, 3)(torch.randn(4, 3, 32, 32))


@broken
def conv_chain():
    nn.Sequential(nn.Conv2d(3, 16, 3), nn.Conv2d(32, 8, 3))(torch.randn(1, 3, 32, 32))


@broken
def conv_no_batch_no_channel():
    nn.Conv2d(1, 8, 3)(torch.randn(28, 28))


@broken
def conv_flat():
    nn.Conv2d(1, 8, 3)(torch.randn(64, 784))


@broken
def conv_five():
    nn.Conv2d(3, 8, 3)(torch.randn(2, 4, 3, 8, 8))


@broken
def conv_batch_as_channels():
    nn.Conv2d(1, 8, 3)(torch.randn(64, 28, 28))


@broken
def conv_groups_in():
    nn.Conv2d(3, 8, 3, groups=2)


@broken
def conv_groups_out():
    nn.Conv2d(4, 9, 3, groups=2)


@broken
def conv_groups_run():
    nn.Conv2d(4, 8, 3, groups=2)(torch.randn(1, 3, 8, 8))


@broken
def conv_same_strided():
    nn.Conv2d(3, 8, 3, stride=2, padding="same")


@broken
def conv_stride_zero():
    nn.Conv2d(3, 8, 3, stride=0)(torch.randn(1, 3, 8, 8))


@broken
def conv_kernel_too_large():
    nn.Conv2d(3, 8, 7)(torch.randn(1, 3, 5, 5))


@broken
def conv_float_channels():
    nn.Conv2d(3, 16 / 2, 3)


@broken
def conv_transposed_channels():
    nn.ConvTranspose2d(16, 8, 2, stride=2)(torch.randn(1, 8, 4, 4))


@broken
def conv_transposed_output_padding():
    nn.ConvTranspose2d(8, 8, 3, stride=2, output_padding=2)(torch.randn(1, 8, 4, 4))


@broken
def pool_too_small():
    nn.Sequential(*[nn.MaxPool2d(2) for _ in range(4)])(torch.randn(1, 3, 8, 8))


@broken
def pool_padding():
    nn.MaxPool2d(2, padding=2)(torch.randn(1, 3, 8, 8))


@broken
def reflect_pad():
    nn.ReflectionPad2d(8)(torch.randn(1, 3, 8, 8))


@broken
def sum_sizes():
    torch.randn(1, 8, 16, 16) + torch.randn(1, 8, 14, 14)


@broken
def sum_channels():
    torch.randn(1, 8, 16, 16) + torch.randn(1, 16, 16, 16)


@broken
def cat_sizes():
    torch.cat([torch.randn(1, 8, 16, 16), torch.randn(1, 8, 14, 14)], 1)


@broken
def cat_axes():
    torch.cat([torch.randn(1, 8, 16, 16), torch.randn(8, 16, 16)])


@broken
def stack_sizes():
    torch.stack([torch.randn(3, 32, 32), torch.randn(3, 30, 30)])


class Odd(Dataset):
    def __init__(self, kind):
        self.kind = kind

    def __len__(self):
        return 8

    def __getitem__(self, i):
        if self.kind == "sizes":
            return torch.randn(3, 32 + i, 32), i
        if self.kind == "none":
            return None
        if self.kind == "image":
            from PIL import Image

            return Image.new("RGB", (4, 4)), 1
        if self.kind == "index":
            return [1, 2][i]
        if self.kind == "shape":
            return torch.randn(3, 2) @ torch.randn(3, 2)


@broken
def loader_sizes():
    next(iter(DataLoader(Odd("sizes"), batch_size=4)))


@broken
def loader_worker_sizes():
    next(iter(DataLoader(Odd("sizes"), batch_size=4, num_workers=1)))


@broken
def loader_none():
    next(iter(DataLoader(Odd("none"), batch_size=4)))


@broken
def loader_image():
    next(iter(DataLoader(Odd("image"), batch_size=4)))


@broken
def loader_index():
    next(iter(DataLoader(Odd("index"), batch_size=4)))


@broken
def loader_worker_shape():
    next(iter(DataLoader(Odd("shape"), batch_size=4, num_workers=1)))


@broken
def loader_empty():
    DataLoader(TensorDataset(torch.zeros(0, 3)), shuffle=True)


@broken
def loader_tensors():
    TensorDataset(torch.zeros(8, 3), torch.zeros(9))


@broken
def norm_channels():
    nn.Sequential(nn.Conv2d(3, 16, 3), nn.BatchNorm2d(32))(torch.randn(2, 3, 8, 8))


@broken
def norm_axes():
    nn.BatchNorm2d(8)(torch.randn(2, 8))


@broken
def norm_axes_1d():
    nn.BatchNorm1d(8)(torch.randn(2, 8, 4, 4))


@broken
def norm_single():
    nn.BatchNorm1d(8)(torch.randn(1, 8))


@broken
def norm_groups():
    nn.GroupNorm(4, 10)


@broken
def norm_groups_run():
    F.group_norm(torch.randn(1, 10, 4, 4), 4)


@broken
def norm_layer():
    nn.LayerNorm(10)(torch.randn(2, 12))


@broken
def view_size():
    torch.randn(4, 16, 5, 5).view(-1, 256)


@broken
def view_fixed():
    torch.randn(4, 16, 5, 5).view(4, 256)


@broken
def view_strides():
    torch.randn(2, 3, 4, 4).permute(0, 2, 3, 1).view(2, -1)


@broken
def reshape_size():
    torch.randn(10).reshape(3, 4)


@broken
def flatten_axis():
    torch.flatten(torch.randn(10), 1)


@broken
def permute_axes():
    torch.randn(3, 4, 4).permute(0, 3, 1, 2)


@broken
def squeeze_index():
    torch.randn(2, 3)[:, :, 0]


@broken
def index_bounds():
    torch.randn(5, 3)[5]


@broken
def index_float():
    torch.randn(5)[torch.tensor([1.0])]


@broken
def unflatten():
    nn.Unflatten(1, (3, 4))(torch.randn(2, 10))


@broken
def expand():
    torch.randn(3, 2).expand(4, 5)


@broken
def normalize_grey():
    torch.randn(1, 8, 8).sub_(torch.zeros(3, 1, 1))


@broken
def scalar():
    torch.randn(8).item()


@broken
def truth():
    if torch.randn(8) > 0:
        pass


@broken
def numpy_grad():
    nn.Linear(2, 2)(torch.randn(1, 2)).numpy()


@broken
def numpy_bfloat():
    torch.zeros(2, dtype=torch.bfloat16).numpy()


@broken
def numpy_device():
    torch.zeros(2, device="meta").numpy()


@broken
def numpy_object():
    torch.from_numpy(np.array([[1], [1, 2]], dtype=object))


@broken
def numpy_strides():
    torch.from_numpy(np.zeros((4, 4))[::-1])


@broken
def numpy_list():
    torch.from_numpy([1, 2])


@broken
def ragged():
    torch.tensor([[1, 2], [3]])


@broken
def input_double():
    nn.Conv2d(3, 8, 3)(torch.from_numpy(np.zeros((1, 3, 8, 8))))


@broken
def input_bytes():
    nn.Conv2d(3, 8, 3)(torch.zeros(1, 3, 8, 8, dtype=torch.uint8))


@broken
def input_half():
    nn.Conv2d(3, 8, 3)(torch.zeros(1, 3, 8, 8, dtype=torch.float16))


@broken
def linear_double():
    nn.Linear(3, 2)(torch.zeros(1, 3, dtype=torch.float64))


@broken
def linear_long():
    nn.Linear(3, 2)(torch.zeros(1, 3, dtype=torch.int64))


@broken
def mean_long():
    torch.arange(8).mean()


@broken
def softmax_long():
    torch.softmax(torch.arange(8), 0)


@broken
def devices_linear():
    nn.Linear(3, 2).to("meta")(torch.randn(1, 3))


@broken
def no_cuda():
    torch.zeros(1).to("cuda")


@broken
def no_cuda_checkpoint():
    old = torch.serialization.location_tag
    torch.serialization.location_tag = lambda s: "cuda:0"
    b = io.BytesIO()
    torch.save(torch.zeros(2), b)
    torch.serialization.location_tag = old
    b.seek(0)
    torch.load(b)


@broken
def no_memory():
    torch.empty(10**15)


@broken
def embedding_range():
    nn.Embedding(10, 3)(torch.tensor([10]))


@broken
def embedding_float():
    nn.Embedding(10, 3)(torch.tensor([1.0]))


@broken
def loss_label():
    F.cross_entropy(torch.randn(4, 10), torch.tensor([1, 2, 3, 10]))


@broken
def loss_label_negative():
    F.cross_entropy(torch.randn(4, 10), torch.tensor([1, 2, 3, -1]))


@broken
def loss_float_labels():
    F.cross_entropy(torch.randn(4, 10), torch.tensor([1.0, 2, 3, 4]))


@broken
def loss_int_labels():
    F.cross_entropy(torch.randn(4, 10), torch.tensor([1, 2, 3, 4], dtype=torch.int32))


@broken
def loss_onehot_long():
    F.cross_entropy(torch.randn(4, 10), F.one_hot(torch.tensor([1, 2, 3, 4]), 10))


@broken
def loss_column():
    F.cross_entropy(torch.randn(4, 10), torch.tensor([[1], [2], [3], [4]]))


@broken
def loss_nll_column():
    F.nll_loss(torch.randn(4, 10), torch.tensor([[1], [2], [3], [4]]))


@broken
def loss_masks():
    F.cross_entropy(torch.randn(2, 5, 8, 8), torch.zeros(2, 1, 8, 8, dtype=torch.long))


@broken
def loss_mask_size():
    F.cross_entropy(torch.randn(2, 5, 8, 8), torch.zeros(2, 6, 6, dtype=torch.long))


@broken
def loss_batch():
    F.cross_entropy(torch.randn(8, 10), torch.zeros(4, dtype=torch.long))


@broken
def loss_weights():
    F.cross_entropy(torch.randn(4, 10), torch.tensor([1, 2, 3, 4]), weight=torch.ones(3))


@broken
def bce_shape():
    F.binary_cross_entropy_with_logits(torch.randn(8, 1), torch.zeros(8))


@broken
def bce_shape2():
    F.binary_cross_entropy(torch.rand(8, 1), torch.zeros(8))


@broken
def bce_long():
    F.binary_cross_entropy_with_logits(torch.randn(8), torch.zeros(8, dtype=torch.long))


@broken
def bce_long2():
    F.binary_cross_entropy(torch.rand(8), torch.zeros(8, dtype=torch.long))


@broken
def bce_logits():
    F.binary_cross_entropy(torch.randn(8) * 9, torch.zeros(8))


@broken
def mse_shape():
    warnings.simplefilter("error")
    F.mse_loss(torch.randn(8, 1), torch.zeros(8))


@broken
def mse_size():
    warnings.simplefilter("ignore")
    F.mse_loss(torch.randn(8, 3), torch.zeros(8, 4))


@broken
def backward_none():
    torch.randn(3).sum().backward()


@broken
def backward_vector():
    torch.randn(3, requires_grad=True).mul(2).backward()


@broken
def backward_twice():
    l = (torch.randn(3, requires_grad=True) ** 2).sum()
    l.backward()
    l.backward()


@broken
def backward_inplace():
    x = torch.randn(3, requires_grad=True)
    y = torch.sigmoid(x)
    y.add_(1)
    y.sum().backward()


@broken
def backward_inplace_residual():
    a = nn.Conv2d(2, 2, 1)
    x = F.relu(a(torch.randn(1, 2, 4, 4)))
    y = a(x)
    x += y
    x.sum().backward()


@broken
def leaf_inplace():
    w = torch.randn(3, requires_grad=True)
    w -= 0.1


@broken
def inference_backward():
    n = nn.Linear(2, 2)
    with torch.inference_mode():
        x = torch.randn(1, 2) * 2
    n(x).sum().backward()


@broken
def requires_grad_nonleaf():
    (torch.randn(2, requires_grad=True) * 2).requires_grad_(False)


@broken
def requires_grad_long():
    torch.arange(3).requires_grad_()


@broken
def optimizer_empty():
    torch.optim.SGD([], lr=0.1)


@broken
def optimizer_module():
    torch.optim.SGD(nn.Linear(2, 2), lr=0.1)


@broken
def optimizer_nonleaf():
    torch.optim.SGD([torch.randn(2, requires_grad=True) * 2], lr=0.1)


@broken
def optimizer_state():
    a = torch.optim.SGD(nn.Linear(2, 2).parameters(), lr=0.1)
    b = torch.optim.SGD(nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)).parameters(), lr=0.1)
    b.load_state_dict(a.state_dict())


@broken
def state_module():
    LeNet().load_state_dict({"module." + k: v for k, v in LeNet().state_dict().items()})


@broken
def state_compiled():
    LeNet().load_state_dict({"_orig_mod." + k: v for k, v in LeNet().state_dict().items()})


@broken
def state_classes():
    LeNet(10).load_state_dict(LeNet(100).state_dict())


@broken
def state_missing():
    s = LeNet().state_dict()
    del s["fc3.bias"]
    LeNet().load_state_dict(s)


@broken
def state_unexpected():
    LeNet().load_state_dict(LeNet().state_dict() | {"extra.weight": torch.zeros(2)})


@broken
def state_other():
    LeNet().load_state_dict(nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8)).state_dict())


@broken
def state_checkpoint():
    LeNet().load_state_dict({"epoch": 3, "model_state_dict": LeNet().state_dict(), "optimizer": {}})


@broken
def state_model():
    LeNet().load_state_dict(LeNet())


@broken
def state_reversed():
    nn.DataParallel(LeNet()).load_state_dict(LeNet().state_dict())


@broken
def load_whole():
    b = io.BytesIO()
    torch.save(LeNet(), b)
    b.seek(0)
    torch.load(b)


@broken
def module_no_super():
    class N(nn.Module):
        def __init__(self):
            self.c = nn.Conv2d(1, 1, 1)

    N()


@broken
def module_no_forward():
    class N(nn.Module):
        def forwrd(self, x):
            return x

    N()(1)


@broken
def module_no_return():
    class N(nn.Module):
        def forward(self, x):
            x = x + 1

    nn.Linear(2, 2)(N()(torch.randn(1, 2)))


@broken
def module_called_wrongly():
    class N(nn.Module):
        def forward(self, x):
            return nn.ReLU(x)

    nn.Linear(2, 2)(N()(torch.randn(1, 2)))


@broken
def module_tuple():
    nn.Sequential(nn.LSTM(3, 4), nn.Linear(4, 2))(torch.randn(5, 1, 3))


@broken
def module_arguments():
    class N(nn.Module):
        def forward(self, x, y):
            return x

    N()(1)


@broken
def module_no_self():
    class N(nn.Module):
        def forward(x):
            return x

    N()(1)


@broken
def module_unknown_argument():
    nn.Conv2d(3, 8, kernel=3)


@broken
def module_missing_argument():
    nn.Conv2d(3, 8)


@broken
def module_attribute():
    class N(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1 = nn.Conv2d(1, 1, 1)

        def forward(self, x):
            return self.conv2(x)

    N()(1)


@broken
def sequential_list():
    nn.Sequential([nn.ReLU()])


@broken
def sequential_function():
    nn.Sequential(nn.Conv2d(1, 1, 1), F.relu)


@broken
def module_list():
    nn.ModuleList([nn.ReLU()])(torch.randn(1))


@broken
def input_numpy():
    nn.Conv2d(1, 1, 1)(np.zeros((1, 1, 4, 4)))


@broken
def deepcopy_nonleaf():
    copy.deepcopy(torch.randn(2, requires_grad=True) * 2)


@broken
def interpolate():
    F.interpolate(torch.randn(1, 3, 8), size=(4, 4))


@broken
def matmul3():
    torch.bmm(torch.randn(2, 3, 4), torch.randn(3, 4, 5))


@broken
def matmul4():
    torch.randn(3, 4) @ torch.randn(3, 4)


@broken
def dot():
    torch.dot(torch.randn(3, 4), torch.randn(4))


@broken
def shape_assign():
    x = torch.zeros(4, 3)
    x[0] = torch.zeros(4)


@broken
def uneven_unpool():
    x, i = F.max_pool2d(torch.randn(1, 1, 8, 8), 2, return_indices=True)
    F.max_unpool2d(x, i, 2, output_size=(20, 20))


@broken
def pool_axes():
    nn.MaxPool2d(2)(torch.randn(8))


@broken
def dropout_p():
    nn.Dropout(50)


@broken
def lr_string():
    torch.optim.SGD(nn.Linear(2, 2).parameters(), lr=-1)


@broken
def bce_target():
    F.binary_cross_entropy(torch.rand(4), torch.rand(4) + 2)


@broken
def stack_heights_channels_last():
    torch.stack([torch.randn(32, 32, 3), torch.randn(31, 32, 3)])


@broken
def conv_sequence_channels_last():
    nn.Conv1d(16, 8, 3)(torch.randn(4, 50, 16))


@broken
def conv_volume_without_channels():
    nn.Conv3d(1, 8, 3)(torch.randn(2, 16, 16, 16))


@broken
def in_place_of_whole_numbers():
    torch.ones(3).long().add_(0.5)


@broken
def linear_other_network():
    nn.Linear(512, 10)(torch.randn(1, 2048))


@broken
def none_has_no_backward():
    def loss(x):
        x.sum()

    loss(torch.ones(2)).backward()


@broken
def loss_of_a_mask():
    F.cross_entropy(torch.randn(1, 5, 4, 4), torch.full((1, 4, 4), 255))
