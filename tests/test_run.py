"""cnncalc run: both columns, a verdict that can fail, weights and pictures from strangers."""

from __future__ import annotations

import json
import pickle
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import cnncalc

from cnncalc import SpecError, analyse, load
from cnncalc.errors import Source
from cnncalc.pictures import MEAN, STD, Pictures, chosen, usual

torch = pytest.importorskip("torch", reason="run needs PyTorch: pip install 'cnncalc[torch]'")

from cnncalc.answers.verification import layers_table  # noqa: E402
from cnncalc.cli.terminal import fits  # noqa: E402
from cnncalc.formats import render  # noqa: E402
from cnncalc.pytorch.allocations import allocated  # noqa: E402
from cnncalc.pytorch.build import build  # noqa: E402
from cnncalc.pytorch.image import guesses, picture, read_labels  # noqa: E402
from cnncalc.pytorch.verify import GROUPED, ONE_VALUE, TOLERATED, verify  # noqa: E402
from cnncalc.pytorch.weights import load_weights, read_weights  # noqa: E402


def verified(spec: str | Source, batch: int = 2, **options: Any) -> Any:
    graph = load(spec)
    torch.manual_seed(0)
    inputs = [torch.randn(batch, *(each.shape or ())) for each in graph.inputs]
    return verify(analyse(graph, batch=batch, optimizer="adam"), build(graph), inputs, **options)


@pytest.mark.parametrize(
    "name",
    [
        "lenet",
        "lenet_1998",
        "neocognitron",
        "mlp",
        "resnet20",
        "resnet18",
        "mobilenet_v2_035",
        "googlenet_aux",
        "densenet121",
        "alexnet",
    ],
)
def test_every_figure_of_the_zoo_agrees_with_what_happens(name: str) -> None:
    found = verified(name, train=True)
    assert found.agrees, [each for each in (*found.comparisons, *found.totals) if not each.agrees]
    assert {each.quantity for each in found.totals} >= {
        "output shapes", "parameters", "buffers", "FLOPs (2·MACs)", "peak of activations, bytes", "kept for backward, bytes",
        "gradients, bytes", "optimizer state, bytes", "backward FLOPs (2·MACs)",
    }  # fmt: skip
    assert (GROUPED in found.remarks) == (name in ("mobilenet_v2_035", "lenet_1998"))


@pytest.mark.parametrize(("change", "quantity"), [
    ("out_channels: 7", "output"), ("bias: false", "parameters"), ("padding: 2", "FLOPs"), ("groups: 2", "parameters"), ("padding_mode: reflect, padding: 1", "kept, bytes"),
])  # fmt: skip
def test_a_network_that_is_not_the_spec_s_is_found_out(change: str, quantity: str) -> None:
    def text(more: str) -> Source:
        return Source(
            "net.yaml", f"input: [4, 9, 9]\nlayers: [PReLU, {{Conv2d: {{out_channels: 8, kernel_size: 3{more}}}}}]"
        )

    claimed, built = (
        load(text("")),
        load(
            text(", " + change).__class__(
                "net.yaml",
                text(", " + change).text.replace(
                    "out_channels: 8, kernel_size: 3, out_channels", "kernel_size: 3, out_channels"
                ),
            )
        ),
    )
    found = verify(analyse(claimed, batch=2), build(built), [torch.randn(2, 4, 9, 9)])
    assert not found.agrees and quantity in {each.quantity for each in found.comparisons if not each.agrees}


def test_attention_agrees_to_the_last_integer() -> None:
    text = "input: [6, 8]\nlayers: [{MultiheadAttention: {num_heads: 2}}, {Linear: {out_features: 4}}]"
    found = verified(Source("attention.yaml", text), train=True)
    work = [each for each in (*found.comparisons, *found.totals) if "FLOPs" in each.quantity]
    assert found.agrees and len(work) == 4 and all(each.calculated == each.measured for each in work)
    assert work[0].calculated > 0


def test_a_tolerated_difference_has_a_name_and_a_bound() -> None:
    text = "input: [49, 64]\nlayers: [{MultiheadAttention: {num_heads: 8}}, Flatten, {Linear: {out_features: 10}}]"
    found = verified(Source("attention.yaml", text), train=True)
    (step,) = [each for each in found.totals if each.quantity == "step's activations, bytes"]
    if step.calculated != step.measured:
        assert step.agrees and "MultiheadAttention" in step.remark
        assert abs(step.calculated - step.measured) <= TOLERATED * step.measured
    plain = verified("resnet20", train=True)
    (step,) = [each for each in plain.totals if each.quantity == "step's activations, bytes"]
    assert step.calculated == step.measured and not step.remark


def test_batch_normalisation_of_single_values_is_said_and_not_compared() -> None:
    text = Source("one.yaml", "input: [8]\nlayers: [{Linear: {out_features: 4}}, BatchNorm1d]")
    found = verified(text, batch=1)
    assert found.agrees and found.remarks == (ONE_VALUE,)
    assert "kept for backward, bytes" in {each.quantity for each in verified(text, batch=2).totals}


def test_running_statistics_are_left_as_they_were() -> None:
    graph = load("resnet20")
    net = build(graph)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    verify(analyse(graph, batch=2), net, [torch.randn(2, 3, 32, 32)])
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items()) and not net.training


def test_the_command() -> None:
    done = cnncalc("run", "lenet", "--train", "--optimizer", "adam")
    assert done.returncode == 0 and done.stderr == ""
    assert "figures agree" in done.stdout and "latency" in done.stdout
    assert "peak of activations, bytes      75,264     75,264  yes" in done.stdout


@pytest.mark.parametrize(
    "options",
    [["--dtype", "bfloat16"], ["--dtype", "amp"], ["--batch", "1"], ["--input", "1x40x40"], ["--dtype", "float16"]],
    ids=" ".join,
)
def test_the_command_in_other_settings(options: list[str], tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text(
        "input: [1, 32, 32]\nlayers: [{Conv2d: {out_channels: 4, kernel_size: 3}}, BatchNorm2d, ReLU, {AdaptiveAvgPool2d: {output_size: 1}}, Flatten, {Linear: {out_features: 3}}]"
    )
    done = cnncalc("run", "net.yaml", "--no-bench", "--format", "json", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr + done.stdout[-500:]
    assert json.loads(done.stdout)["agrees"]


# -- weights ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def state() -> dict[str, Any]:
    torch.manual_seed(3)
    return dict(build("lenet").state_dict())


@pytest.mark.parametrize("form", ["plain", "checkpoint", "parallel", "safetensors"])
def test_weights_in_all_usual_forms(form: str, state: dict[str, Any], tmp_path: Path) -> None:
    path = str(tmp_path / ("w.safetensors" if form == "safetensors" else "w.pth"))
    if form == "safetensors":
        from safetensors.torch import save_file

        save_file(state, path)
    else:
        content = {f"module.{key}": value for key, value in state.items()} if form == "parallel" else state
        torch.save({"epoch": 3, "state_dict": content} if form == "checkpoint" else content, path)
    net = build("lenet")
    assert load_weights(net, read_weights(path)).fits
    assert all(torch.equal(value, state[key]) for key, value in net.state_dict().items())


def test_what_does_not_fit_is_listed(state: dict[str, Any], tmp_path: Path) -> None:
    del state["C5.bias"]
    state["extra.weight"] = torch.zeros(2)
    state["output.weight"] = torch.zeros(100, 84)
    torch.save(state, tmp_path / "w.pth")
    done = cnncalc("run", "lenet", "--weights", "w.pth", "--no-bench", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.split("\n")[1:5] == [
        "w.pth does not fit the network:",
        "  missing: C5.bias",
        "  unexpected: extra.weight",
        "  of another shape: output.weight: [10, 84] here, [100, 84] in the file",
    ]


def test_the_verdict_is_about_the_weights_too(state: dict[str, Any], tmp_path: Path) -> None:
    torch.save(dict(build("resnet20").state_dict()), tmp_path / "other.pth")
    done = cnncalc("run", "lenet", "--weights", "other.pth", "--no-bench", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout.rstrip().endswith("the weights do not fit, though all figures agree")
    assert "0 tensors loaded from other.pth" in done.stdout
    assert "other.pth does not fit the network: 10 missing" in done.stdout
    done = cnncalc("run", "lenet", "--weights", "other.pth", "--no-bench", "-f", "json", cwd=tmp_path)
    document = json.loads(done.stdout)
    assert done.returncode == 1 and document["agrees"] is False and document["figures_agree"] is True


def test_what_was_loaded_is_told(state: dict[str, Any], tmp_path: Path) -> None:
    half = {f"module._orig_mod.{key}": value.half() for key, value in state.items()}
    half["module._orig_mod.C1.bias"][0] = float("nan")
    torch.save({"epoch": 3, "optimizer": {"state": {}}, "model": half}, tmp_path / "w.pth")
    done = cnncalc("run", "lenet", "--weights", "w.pth", "--no-bench", cwd=tmp_path)
    told = "10 tensors loaded from w.pth, entry model, 'module._orig_mod.' taken off their names"
    assert done.returncode == 0 and f"{told}, 10 cast from float16 to float32" in done.stdout
    assert "NaN or infinity in C1.bias" in done.stdout
    done = cnncalc("run", "lenet", "--weights", "w.pth", "--no-bench", "-f", "json", cwd=tmp_path)
    loaded = json.loads(done.stdout)["weights"]
    assert (loaded["tensors"], loaded["key"], loaded["prefix"]) == (10, "model", "module._orig_mod.")
    assert loaded["not_finite"] == ["C1.bias"] and loaded["cast"] == ["10 cast from float16 to float32"]


def test_several_sets_of_weights_are_not_chosen_in_silence(state: dict[str, Any], tmp_path: Path) -> None:
    other = {key: value + 1 for key, value in state.items()}
    moments = {"state": {0: {"step": torch.tensor(1.0)}}}
    torch.save({"model": state, "model_ema": other, "optimizer": moments}, tmp_path / "w.pth")
    done = cnncalc("run", "lenet", "--weights", "w.pth", "--no-bench", cwd=tmp_path)
    assert done.returncode == 2 and "holds several sets of weights: model, model_ema" in done.stderr
    assert "--weights-key" in done.stderr
    done = cnncalc("run", "lenet", "--weights", "w.pth", "--weights-key", "model_ema", "--no-bench", cwd=tmp_path)
    assert done.returncode == 0 and "entry model_ema" in done.stdout
    assert torch.equal(read_weights(str(tmp_path / "w.pth"), "model_ema")["C1.bias"], other["C1.bias"])
    done = cnncalc("run", "lenet", "--weights", "w.pth", "--weights-key", "model_em", "--no-bench", cwd=tmp_path)
    assert done.returncode == 2 and "did you mean model_ema" in done.stderr
    done = cnncalc("run", "lenet", "--weights-key", "model", "--no-bench", cwd=tmp_path)
    assert done.returncode == 2 and "--weights-key goes with --weights" in done.stderr


def test_lightning_keeps_more_than_the_network(state: dict[str, Any], tmp_path: Path) -> None:
    kept = {f"model.{key}": value for key, value in state.items()} | {"criterion.weight": torch.ones(10)}
    torch.save({"state_dict": kept, "pytorch-lightning_version": "2"}, tmp_path / "w.ckpt")
    net = build("lenet")
    loaded = load_weights(net, read_weights(str(tmp_path / "w.ckpt")))
    assert loaded.prefix == "model." and loaded.unexpected == ("criterion.weight",) and not loaded.missing
    assert torch.equal(net.state_dict()["C1.bias"], state["C1.bias"])


class Evil:
    def __reduce__(self) -> Any:
        return exec, ("raise SystemExit('code of the file ran')",)


@pytest.mark.parametrize(
    "content",
    [b"", b"not weights", pickle.dumps({"a": Evil()}), pickle.dumps([1, 2])],
    ids=["empty", "text", "code", "list"],
)
@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
def test_files_that_are_no_weights(content: bytes, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    done = cnncalc("run", "lenet", "--weights", name, "--no-bench", cwd=tmp_path)
    assert (
        done.returncode == 2
        and done.stderr.startswith(name)
        and "Traceback" not in done.stderr
        and "code of the file ran" not in done.stderr + done.stdout
    )


# -- what is allocated ---------------------------------------------------------------------------------------------


@pytest.fixture
def _two_threads() -> Iterator[None]:
    """The rules are those of several threads: with a single one PyTorch leaves fewer convolutions to oneDNN."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(("name", "batch"), [
    ("resnet20", 8), ("lenet", 1), ("lenet", 8), ("squeezenet1_1", 1), ("mobilenet_v3_small", 2), ("shufflenet_v2_x0_5", 2), ("vdsr", 1),
    ("fsrcnn", 1), ("alexnet", 1), ("dcgan_generator", 2), ("m3", 2), ("srcnn_955", 2),
])  # fmt: skip
@pytest.mark.usefixtures("_two_threads")
def test_what_is_allocated_lies_in_the_band_that_is_predicted(name: str, batch: int) -> None:
    """The allocator's events, oneDNN's copies included, beside the rules for one and two widths of vectors."""
    report = analyse(name, batch=batch)
    inputs = [torch.randn(batch, *(each.shape or ())) for each in report.graph.inputs]
    found = allocated(build(report.graph).eval(), inputs)
    low, high = report.totals.peak.allocated
    assert low - 4096 <= found.peak <= high
    assert found.peak >= report.totals.peak_inference_bytes, "tensors alone are never more"


@pytest.mark.usefixtures("_two_threads")
def test_what_a_convolution_takes_inside() -> None:
    """Random convolutions, each alone: the copies that oneDNN makes of input, weights and output, or windows unrolled."""
    rng = random.Random(3)
    for _ in range(40):
        kernel, channels = rng.choice([1, 3, 5]), rng.choice([1, 3, 8, 20, 32])
        groups = rng.choice([1, 1, channels])
        filters = channels * rng.choice([1, 2]) if groups > 1 else rng.choice([2, 8, 12, 32])
        arguments = {"out_channels": filters, "kernel_size": kernel, "stride": rng.choice([1, 2]),
                     "padding": rng.randrange(kernel), "groups": groups}  # fmt: skip
        size, batch = rng.choice([6, 15, 32, 48]), rng.choice([1, 2, 4])
        spec = f"input: [{channels}, {size}, {size}]\nlayers: [Conv2d: {json.dumps(arguments)}]"
        report = analyse(Source("net.yaml", spec), batch=batch)
        found = allocated(build(report.graph).eval(), [torch.randn(batch, channels, size, size)])
        low, high = report.totals.peak.allocated
        assert low - 4096 <= found.peak <= high, (arguments, size, batch)


def test_run_and_memory_tell_what_is_allocated() -> None:
    done = cnncalc("run", "resnet20", "--batch", "8", "--no-bench")
    assert "allocated for activations: 2." in done.stdout and "most inside an operation: layer" in done.stdout
    document = json.loads(cnncalc("run", "resnet20", "--batch", "8", "--no-bench", "-f", "json").stdout)["allocated"]
    assert document["tensor_bytes"] < document["activation_bytes"] <= document["predicted_bytes"][1]
    assert document["beside_output_bytes"]["layer1.0.conv2"] > document["beside_output_bytes"]["layer3.0.conv2"] // 2
    told = cnncalc("memory", "vgg16", "--batch", "8", "--device", "cpu", "--budget", "2GiB").stdout
    assert "826.54 MiB  allocated_bytes: on cpu, at features.2" in told and "40  by allocated_bytes" in told
    told = cnncalc("memory", "vgg16", "--device", "cuda").stdout
    assert "were not learnt" in told and "allocated, at least" in told


# -- pictures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "CMYK"])
@pytest.mark.parametrize("shape", [(3, 224, 224), (1, 32, 32), (3, 20, 50)])
def test_pictures_of_all_modes(mode: str, shape: tuple[int, int, int], tmp_path: Path) -> None:
    Image = pytest.importorskip("PIL.Image", reason="Pillow reads pictures: pip install 'cnncalc[torch]'")
    path = str(tmp_path / ("p.jpg" if mode == "CMYK" else "p.png"))
    Image.new(mode, (300, 180)).save(path)
    made = picture(path, shape, usual(*shape))
    assert made.shape == (1, *shape)
    if mode in ("RGB", "L", "P"):  # black
        expected = [-0.485 / 0.229, -0.456 / 0.224, -0.406 / 0.225] if shape[0] == 3 else [0.0]
        assert torch.allclose(made.mean((0, 2, 3)), torch.tensor(expected), atol=1e-5)


#: Preparation of a picture: ours, and torchvision's.
PREPARED = [
    (Pictures("", (256,), (224,)), (180, 301)),
    (Pictures("", (256,), (224,)), (301, 180)),
    (Pictures("", (236,), (224,)), (500, 375)),
    (Pictures("", (342,), (299,), mean=(0.5,) * 3, std=(0.5,) * 3), (427, 640)),
    (Pictures("", (320,), (300,), "bicubic"), (331, 500)),
    (Pictures("", (255,), (240,), "bicubic"), (97, 61)),
]


@pytest.mark.parametrize(("prepared", "size"), PREPARED)
def test_a_picture_equals_torchvision_s_transforms(prepared: Pictures, size: tuple[int, int], tmp_path: Path) -> None:
    from test_build import torchvision

    transforms = torchvision().transforms
    Image = pytest.importorskip("PIL.Image", reason="Pillow reads pictures: pip install 'cnncalc[torch]'")
    torch.manual_seed(0)
    pixels = (torch.rand(size[1], size[0], 3) * 255).to(torch.uint8)
    Image.frombytes("RGB", size, bytes(pixels.flatten().tolist())).save(tmp_path / "p.png")
    mode = transforms.InterpolationMode(prepared.interpolation)
    theirs = transforms.Compose([
        transforms.Resize(prepared.resize[0], mode), transforms.CenterCrop(prepared.crop[0]), transforms.ToTensor(),
        transforms.Normalize(prepared.mean, prepared.std),
    ])(Image.open(tmp_path / "p.png"))  # fmt: skip
    ours = picture(str(tmp_path / "p.png"), (3, prepared.crop[0], prepared.crop[0]), prepared)[0]
    assert torch.equal(ours, theirs)


def test_the_published_weights_say_how_they_want_their_pictures(tmp_path: Path) -> None:
    """GoogLeNet and Inception v3 were trained on values from −1 to 1, EfficientNet on pictures resized bicubically."""
    Image = pytest.importorskip("PIL.Image", reason="Pillow reads pictures: pip install 'cnncalc[torch]'")
    Image.new("RGB", (320, 300), "red").save(tmp_path / "p.png")
    document = json.loads(
        cnncalc("run", "inception_v3", "--image", "p.png", "--no-bench", "-f", "json", cwd=tmp_path).stdout
    )
    shown = document["picture"]
    assert (shown["resize"], shown["crop"], shown["mean"], shown["std"]) == ([342], [299, 299], [0.5] * 3, [0.5] * 3)
    assert "torchvision" in shown["source"]
    done = cnncalc("run", "squeezenet1_1", "--image", "p.png", "--no-bench", "--input", "3x112x112", cwd=tmp_path)
    assert "picture: shorter side to 128 (bilinear), the middle 112×112, mean 0.485" in done.stdout
    assert "as torchvision 0.28, IMAGENET1K_V1 (squeezenet1_1-b8a52dc0) want it" in done.stdout
    done = cnncalc("run", "resnet20", "--image", "p.png", "--no-bench", "--interpolation", "bicubic", cwd=tmp_path)
    assert "shorter side to 37 (bicubic)" in done.stdout and "no weights are known" in done.stdout


TORCHVISION = json.loads((Path(__file__).parent / "data" / "pictures.json").read_text())
#: Networks that torchvision normalises as for ImageNet, and that undo it by themselves: values from −1 to 1.
TRANSFORM_INPUT = ("googlenet", "inception_v3")


@pytest.mark.parametrize("name", TORCHVISION)
def test_the_zoo_wants_pictures_as_torchvision_s_weights_do(name: str) -> None:
    """`tests/data/pictures.json` is what torchvision 0.28 says of each set of weights, in its order."""
    told = []
    for each in load(name).pretrained:
        sides = list(each.crop) * len(each.resize)
        mean, std = list(each.mean), list(each.std)
        if name in TRANSFORM_INPUT:
            assert (mean, std) == ([0.5] * 3, [0.5] * 3) and "transform_input" in each.note
            mean, std = list(MEAN), list(STD)
        told.append({
            "weights": each.source.removeprefix("torchvision 0.28, "), "file": each.file, "resize": list(each.resize), "crop": sides,
            "interpolation": each.interpolation, "mean": mean, "std": std,
        })  # fmt: skip
    assert told == TORCHVISION[name]


def test_the_name_of_the_file_tells_which_published_weights_it_holds() -> None:
    published = load("resnet50").pretrained
    assert [each.resize for each in published] == [(256,), (232,)]
    assert chosen(published, "/models/resnet50-11ad3fa6.pth") == published[1]
    assert chosen(published, "mine.pth") == published[0] and chosen([], "mine.pth") is None


def test_a_picture_is_turned_upright(tmp_path: Path) -> None:
    """As its EXIF data say: a camera that was held upright writes the picture lying on its side."""
    Image = pytest.importorskip("PIL.Image", reason="Pillow reads pictures: pip install 'cnncalc[torch]'")
    upright = Image.new("RGB", (20, 40), "black")
    upright.paste("white", (0, 0, 20, 10))
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "lying.png", exif=exif)
    upright.save(tmp_path / "upright.png")
    plain = Pictures("", (20,), (20,))
    both = [picture(str(tmp_path / f"{name}.png"), (3, 40, 20), plain) for name in ("lying", "upright")]
    assert torch.equal(*both) and both[0][0, 0, 0, 0] > both[0][0, 0, -1, 0]


def test_five_guesses_with_names(tmp_path: Path) -> None:
    Image = pytest.importorskip("PIL.Image", reason="Pillow reads pictures: pip install 'cnncalc[torch]'")
    Image.new("RGB", (40, 40), "red").save(tmp_path / "p.png")
    (tmp_path / "names.txt").write_text("\n".join(f"thing {i}" for i in range(10)) + "\n")
    done = cnncalc("run", "resnet20", "--image", "p.png", "--labels", "names.txt", "--no-bench", cwd=tmp_path)
    lines = done.stdout.split("\n")[:5]
    assert done.returncode == 0 and all("% " in line and "class " in line and "thing " in line for line in lines)
    assert len(read_labels(str(tmp_path / "names.txt"))) == 10
    logits = torch.tensor([[0.0, 3.0, 1.0]])
    assert (
        [each.number for each in guesses(logits)] == [1, 2, 0] == [each.number for each in guesses(logits.softmax(1))]
    )


def test_labels_and_outputs_that_cannot_be_meant(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="there are 2 labels, but the network has 3 outputs"):
        guesses(torch.tensor([[0.0, 3.0, 1.0]]), ["a", "b"])
    with pytest.raises(SpecError, match="is not finite"):
        guesses(torch.tensor([[0.0, float("nan"), 1.0]]))
    (tmp_path / "names.txt").write_text("red\x1b[31m\n" + "x" * 500)
    assert read_labels(str(tmp_path / "names.txt")) == ["red�[31m", "x" * 60]


def test_a_narrow_terminal_shows_both_figures_in_one_cell() -> None:
    found = verified("lenet")
    narrow = layers_table(found, beside=False)
    assert not fits(layers_table(found), 80) and fits(narrow, 80)
    assert "156 =" in render(narrow, "table")
    wrong = found._replace(comparisons=[each._replace(measured=157, agrees=False) if each.calculated == 156 else each
                                        for each in found.comparisons])  # fmt: skip
    assert "156 ≠ 157" in render(layers_table(wrong, beside=False), "table")


def test_the_document_says_what_was_run() -> None:
    document = json.loads(cnncalc("run", "lenet", "--no-bench", "--dtype", "amp", "-f", "json").stdout)
    assert (document["kind"], document["model"], document["batch"], document["dtype"]) == (
        "cnncalc run",
        "LeNet-5",
        2,
        "amp",
    )
    assert document["inputs"] == [{"name": "input", "shape": [1, 32, 32]}]
    assert "float32 · autocast" in cnncalc("run", "lenet", "--no-bench", "--dtype", "amp").stdout


@pytest.mark.parametrize(("arguments", "message"), [
    (["run", "lenet", "--image", "none.png"], "none.png: cannot be read: No such file or directory"),
    (["run", "lenet", "--image", "bad.png"], "bad.png: is no picture that can be read"),
    (["run", "vector.yaml", "--image", "bad.png"], "bad.png: the network takes no picture"),
    (["run", "lenet", "--mean", "1,2"], "--labels, --resize, --interpolation, --mean and --std go with --image"),
    (["run", "lenet", "--image", "bad.png", "--mean", "x"], "--mean x makes no sense"),
    (["run", "lenet", "--weights", "none.pth"], "none.pth: cannot be read"),
    (["run", "lenet", "--device", "cuda:9"], "cuda"),
    (["run", "vgg16", "--batch", "100000"], "GiB are free"),
    (["run", "nothing"], "nothing"),
    (["run", "unknown.yaml"], "there is no layer type or block Foo"),
    (["run", "declared.yaml"], "Deform is declared in the spec"),
])  # fmt: skip
def test_what_cannot_be_run_is_one_message(arguments: list[str], message: str, tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"no picture")
    (tmp_path / "vector.yaml").write_text("input: [30]\nlayers: [ReLU]")
    (tmp_path / "unknown.yaml").write_text("input: [3]\nlayers: [Foo]")
    (tmp_path / "declared.yaml").write_text("input: [3]\ntypes: {Deform: {shape: same}}\nlayers: [Deform]")
    done = cnncalc(*arguments, "--no-bench", cwd=tmp_path)
    assert done.returncode == 2 and message in done.stderr and "Traceback" not in done.stderr and done.stdout == ""


def test_a_spec_error_is_no_traceback_in_the_library() -> None:
    with pytest.raises(SpecError, match="must be above 0"):
        raise_for_std()


def raise_for_std() -> None:
    import tempfile

    Image = pytest.importorskip("PIL.Image", reason="Pillow reads pictures: pip install 'cnncalc[torch]'")
    with tempfile.NamedTemporaryFile(suffix=".png") as file:
        Image.new("RGB", (8, 8)).save(file.name)
        picture(file.name, (3, 8, 8), Pictures(std=(0.0,)))


@pytest.mark.parametrize(("arguments", "said"), [
    (["lenet", "--weights", ""], "--weights names no file"),
    (["lenet", "--image", " "], "--image names no file"),
    (["unet", "--input", "1x188x188", "--image", "picture.png"], "is for segmentation: its output names no classes"),
    (["lenet", "--weights", "complex.pt"], "holds complex numbers"),
    (["lenet", "--weights", "sparse.pt"], "holds a sparse tensor"),
    (["lenet", "--weights", "empty.pt"], "is empty"),
])  # fmt: skip
def test_what_cannot_be_loaded_or_shown(arguments: list[str], said: str, tmp_path: Path) -> None:
    from PIL import Image

    Image.new("L", (200, 200)).save(tmp_path / "picture.png")
    state = {"C1.weight": torch.zeros(6, 1, 5, 5)}
    torch.save({key: value.to(torch.complex64) for key, value in state.items()}, tmp_path / "complex.pt")
    torch.save({key: value.to_sparse() for key, value in state.items()}, tmp_path / "sparse.pt")
    (tmp_path / "empty.pt").write_bytes(b"")
    done = cnncalc("run", *arguments, "--no-bench", "--batch", "1", cwd=tmp_path)
    assert done.returncode == 2 and said in done.stderr and "Traceback" not in done.stderr, done.stderr
