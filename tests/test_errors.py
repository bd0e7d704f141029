"""Every message whole: the place, the cause, the way out."""

from __future__ import annotations

import pytest

from cnncalc import SpecError, analyse
from cnncalc.errors import Source

MESSAGES = {
    "the example of the language": (
        """\
input: [3, 8, 8]
layers:
  features:
    - Conv2d: {out_channels: 6, kernel_size: 3}
    - Conv2d: {out_channels: 6, kernel_size: 2}
    - ReLU
    - MaxPool2d: {kernel_size: 7}
""",
        """\
net.yaml:7:32: kernel 7 does not fit the 5×5 map that reaches features.3
    7 |     - MaxPool2d: {kernel_size: 7}
      |                                ^
  the map shrank to 5×5 at features.1 (Conv2d, line 5)
  hint: use kernel_size ≤ 5, or padding ≥ 1""",
    ),
    "unknown layer": (
        """\
input: [3, 8, 8]
layers:
  - Conv2D: {out_channels: 6, kernel_size: 3}
  - ReLu
""",
        """\
net.yaml:3:5: there is no layer type or block Conv2D
    3 |   - Conv2D: {out_channels: 6, kernel_size: 3}
      |     ^
  hint: you mean Conv2d, which calls filters out_channels and strides stride

net.yaml:4:5: there is no layer type or block ReLu
    4 |   - ReLu
      |     ^
  hint: did you mean ReLU?""",
    ),
    "unknown argument": (
        """\
input: [3, 8, 8]
layers:
  - Conv2d: {out_chanels: 6, kernel_size: 3}
""",
        """\
net.yaml:3:14: Conv2d has no argument out_chanels
    3 |   - Conv2d: {out_chanels: 6, kernel_size: 3}
      |              ^
  hint: did you mean out_channels or in_channels?""",
    ),
    "missing argument": (
        """\
input: [3, 8, 8]
layers:
  - Conv2d: {out_channels: 6}
""",
        """\
net.yaml:3:5: Conv2d wants kernel_size
    3 |   - Conv2d: {out_channels: 6}
      |     ^
  hint: size of the kernel; Conv2d: {out_channels: 64, kernel_size: 7, stride: 2, padding: 3}""",
    ),
    "wrong type": (
        """\
input: [3, 8, 8]
layers:
  - Conv2d: {out_channels: 6, kernel_size: 2.5}
""",
        """\
net.yaml:3:44: kernel_size must be a whole number ≥ 1, or one for each axis, not 2.5
    3 |   - Conv2d: {out_channels: 6, kernel_size: 2.5}
      |                                            ^""",
    ),
    "wrong length": (
        """\
input: [3, 8, 8]
layers:
  - Conv2d: {out_channels: 6, kernel_size: [3, 3, 3]}
""",
        """\
net.yaml:3:44: kernel_size must be a whole number ≥ 1, or a list of 2, not [3, 3, 3]
    3 |   - Conv2d: {out_channels: 6, kernel_size: [3, 3, 3]}
      |                                            ^""",
    ),
    "wrong word": (
        """\
input: [3, 8, 8]
layers:
  - Conv2d: {out_channels: 6, kernel_size: 3, padding_mode: zero}
""",
        """\
net.yaml:3:61: there is no 'zero' here
    3 |   - Conv2d: {out_channels: 6, kernel_size: 3, padding_mode: zero}
      |                                                             ^
  hint: did you mean zeros?""",
    ),
    "arguments without names": (
        """\
input: [3, 8, 8]
layers:
  - Conv2d: 8
""",
        """\
net.yaml:3:13: Conv2d takes its arguments by name
    3 |   - Conv2d: 8
      |             ^
  hint: Conv2d: {out_channels: …}""",
    ),
    "arguments not indented": (
        """\
input: [3, 8, 8]
layers:
  - Conv2d:
    out_channels: 8
""",
        """\
net.yaml:4:5: out_channels is not a key beside Conv2d
    4 |     out_channels: 8
      |     ^
  hint: the arguments of Conv2d belong inside: Conv2d: {out_channels: …}, or further to the right""",
    ),
    "groups": (
        """\
input: [6, 8, 8]
layers:
  - Conv2d: {out_channels: 6, kernel_size: 3, groups: 4}
""",
        """\
net.yaml:3:55: groups is 4, but 6 channels reach layer 0, and 4 does not divide 6
    3 |   - Conv2d: {out_channels: 6, kernel_size: 3, groups: 4}
      |                                                       ^
  8×8×6 is the input
  hint: use a divisor of 6""",
    ),
    "stated channels": (
        """\
input: [3, 8, 8]
layers:
  - Conv2d: {in_channels: 1, out_channels: 6, kernel_size: 3}
""",
        """\
net.yaml:3:27: in_channels is 1, but 3 reach layer 0
    3 |   - Conv2d: {in_channels: 1, out_channels: 6, kernel_size: 3}
      |                           ^
  8×8×3 is the input
  hint: leave in_channels out: the graph knows it""",
    ),
    "dilation": (
        """\
input: [3, 8, 8]
layers:
  - Conv2d: {out_channels: 6, kernel_size: 3, dilation: 4}
""",
        """\
net.yaml:3:44: kernel 3 with dilation 4, 9 wide, does not fit the 8×8 map that reaches layer 0
    3 |   - Conv2d: {out_channels: 6, kernel_size: 3, dilation: 4}
      |                                            ^
  8×8×3 is the input
  hint: use kernel_size ≤ 2, or padding ≥ 1""",
    ),
    "same with stride": (
        """\
input: [3, 8, 8]
layers:
  - Conv2d: {out_channels: 6, kernel_size: 3, stride: 2, padding: same}
""",
        """\
net.yaml:3:67: padding 'same' is not defined for a stride above 1
    3 |   - Conv2d: {out_channels: 6, kernel_size: 3, stride: 2, padding: same}
      |                                                                   ^
  8×8×3 is the input
  hint: PyTorch refuses it; give the padding as numbers""",
    ),
    "pool padding": (
        """\
input: [3, 8, 8]
layers:
  - MaxPool2d: {kernel_size: 2, padding: 2}
""",
        """\
net.yaml:3:42: padding 2 is more than half of the window, 2
    3 |   - MaxPool2d: {kernel_size: 2, padding: 2}
      |                                          ^
  8×8×3 is the input
  hint: use padding ≤ 1, or a pad layer before the pool""",
    ),
    "output padding": (
        """\
input: [3, 8, 8]
layers:
  - ConvTranspose2d: {out_channels: 2, kernel_size: 2, output_padding: 1}
""",
        """\
net.yaml:3:72: output_padding 1 is not smaller than the stride 1 or the dilation 1
    3 |   - ConvTranspose2d: {out_channels: 2, kernel_size: 2, output_padding: 1}
      |                                                                        ^
  8×8×3 is the input
  hint: use output_padding ≤ 0""",
    ),
    "axes": (
        """\
input: [3, 8, 8]
layers:
  - Flatten
  - Conv2d: {out_channels: 2, kernel_size: 2}
""",
        """\
net.yaml:4:5: Conv2d wants channels, height and width; layer 1 receives 192
    4 |   - Conv2d: {out_channels: 2, kernel_size: 2}
      |     ^
  192 comes from 0 (Flatten, line 3)
  hint: a vector has no axes to slide over: is it behind a Flatten?""",
    ),
    "add": (
        """\
input: [3, 8, 8]
layers:
  - add:
      - - Conv2d: {out_channels: 6, kernel_size: 3}
      - - Conv2d: {out_channels: 6, kernel_size: 1}
""",
        """\
net.yaml:3:5: layer 2 adds 6×6×6 and 8×8×6, which are not equal
    3 |   - add:
      |     ^
  6×6×6 comes from 0 (Conv2d, line 4)
  8×8×6 comes from 1 (Conv2d, line 5)
  hint: let both branches end with the same shape: a 1×1 convolution with the same stride is usual""",
    ),
    "concat": (
        """\
input: [3, 8, 8]
layers:
  - concat:
      - - MaxPool2d: {kernel_size: 2}
      - []
""",
        """\
net.yaml:3:5: layer 1 joins 4×4×3 and 8×8×3, which differ in more than the channels
    3 |   - concat:
      |     ^
  4×4×3 comes from 0 (MaxPool2d, line 4)
  8×8×3 is the input
  hint: let all branches end with the same size: same strides, and padding that keeps the size""",
    ),
    "in a block": (
        """\
input: [3, 8, 8]
blocks:
  b:
    args: [c]
    layers:
      - Conv2d: {out_channels: c, kernel_size: 9}
layers:
  body:
    - b: {c: 4}
""",
        """\
net.yaml:6:48: kernel 9 does not fit the 8×8 map that reaches body.0.0
    6 |       - Conv2d: {out_channels: c, kernel_size: 9}
      |                                                ^
  8×8×3 is the input
  in block b, used in line 9 as body.0
  hint: use kernel_size ≤ 8, or padding ≥ 1""",
    ),
    "block argument": (
        """\
input: [3, 8, 8]
blocks: {b: {args: [c], layers: [ReLU]}}
layers:
  - b: {d: 4}
  - b
""",
        """\
net.yaml:4:9: block b has no argument d
    4 |   - b: {d: 4}
      |         ^
  hint: it takes c

net.yaml:5:5: block b wants c
    5 |   - b
      |     ^
  hint: b: {c: …}""",
    ),
    "block without end": (
        """\
input: [3, 8, 8]
blocks: {b: {layers: [b]}}
layers: [b]
""",
        """\
net.yaml:2:23: block b is used more than 60 levels deep: b → b → b → b → b
    2 | blocks: {b: {layers: [b]}}
      |                       ^
  in block b, used in line 2 as …0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0
  hint: a block that uses itself needs a when: that ends it""",
    ),
    "too many layers": (
        """\
input: [3, 8, 8]
layers:
  - ReLU: {}
    repeat: 10**12
""",
        """\
net.yaml:4:13: at least 1,000,000,000,000 layers; a network may have 150,000
    4 |     repeat: 10**12
      |             ^
  hint: is there a digit too many?""",
    ),
    "too large a number": (
        """\
input: [3, 8, 8]
layers:
  - Conv2d: {out_channels: 9**9**9**9, kernel_size: 3}
""",
        """\
net.yaml:3:28: 9**387420489 is a number beyond ±10^15
    3 |   - Conv2d: {out_channels: 9**9**9**9, kernel_size: 3}
      |                            ^""",
    ),
    "attribute": (
        """\
input: [3, 8, 8]
layers:
  - Conv2d: {out_channels: in_channels.real, kernel_size: 3}
""",
        """\
net.yaml:3:28: 'in_channels.real' may not stand in an expression: attribute is not among what a spec may use
    3 |   - Conv2d: {out_channels: in_channels.real, kernel_size: 3}
      |                            ^
  hint: allowed are names, arithmetic, comparisons, and or not, a if c else b, lists, min, max, round, int, floor, ceil, abs, len, sum, divisible, sqrt, log2""",
    ),
    "call": (
        """\
input: [3, 8, 8]
layers:
  - Conv2d: {out_channels: open(1), kernel_size: 3}
""",
        """\
net.yaml:3:28: 'open' cannot be called
    3 |   - Conv2d: {out_channels: open(1), kernel_size: 3}
      |                            ^
  hint: there are min, max, round, int, floor, ceil, abs, len, sum, divisible, sqrt, log2""",
    ),
    "unknown name": (
        """\
input: [3, 8, 8]
args: {width: 8}
layers:
  - Conv2d: {out_channels: widht, kernel_size: 3}
""",
        """\
net.yaml:4:28: there is no 'widht' here
    4 |   - Conv2d: {out_channels: widht, kernel_size: 3}
      |                            ^
  hint: did you mean width?""",
    ),
    "comma without quotes": (
        """\
input: [3, 8, 8]
layers:
  - Conv2d: {out_channels: max(4, 8), kernel_size: 3}
""",
        """\
net.yaml:3:37: Conv2d has no argument 8)
    3 |   - Conv2d: {out_channels: max(4, 8), kernel_size: 3}
      |                                     ^
  hint: inside { }, an expression with , or [ ] wants quotes: {out_channels: 'max(8, c)'}""",
    ),
    "bracket without quotes": (
        """\
input: [3, 8, 8]
args: {d: [1]}
layers:
  - Conv2d: {out_channels: d[0], kernel_size: 3}
""",
        """\
net.yaml:4:29: this is not YAML: did not find expected ',' or '}'
    4 |   - Conv2d: {out_channels: d[0], kernel_size: 3}
      |                             ^
  hint: inside { }, an expression with , or [ ] wants quotes: {repeat: 'depths[0]'}""",
    ),
    "from": (
        """\
input: [3, 8, 8]
layers:
  conv1: ReLU
  b: {ReLU: {}, from: conv2}
""",
        """\
net.yaml:4:23: there is no earlier layer conv2
    4 |   b: {ReLU: {}, from: conv2}
      |                       ^
  hint: did you mean conv1?""",
    ),
    "two names": (
        """\
input: [3, 8, 8]
layers:
  - a: ReLU
  - a: ReLU
""",
        """\
net.yaml:4:8: there are two layers named a (line 3)
    4 |   - a: ReLU
      |        ^
  hint: give one another name""",
    ),
    "key beside a layer": (
        """\
input: [3, 8, 8]
layers:
  - {ReLU: {}, repeet: 2}
""",
        """\
net.yaml:3:16: repeet is not a key beside ReLU
    3 |   - {ReLU: {}, repeet: 2}
      |                ^
  hint: did you mean repeat?""",
    ),
    "foreach": (
        """\
input: [3, 8, 8]
layers:
  - {ReLU: {}, foreach: {a: [1, 2], b: [1]}}
""",
        """\
net.yaml:3:25: the lists of foreach differ in length: a has 2, b has 1
    3 |   - {ReLU: {}, foreach: {a: [1, 2], b: [1]}}
      |                         ^
  hint: each column is one copy""",
    ),
    "yes": (
        """\
input: [3, 8, 8]
layers:
  - ReLU: {inplace: yes}
""",
        """\
net.yaml:3:21: there is no 'yes' here
    3 |   - ReLU: {inplace: yes}
      |                     ^
  hint: write true or false""",
    ),
    "no input": (
        """\
layers: [ReLU]
""",
        """\
net.yaml:1:1: there is no input
    1 | layers: [ReLU]
      | ^
  hint: input: [3, 224, 224]   # channels, height, width""",
    ),
    "bad input": (
        """\
input: [3, 0]
layers: [ReLU]
""",
        """\
net.yaml:1:8: an input is a list of 1 to 4 sizes ≥ 1, channels first, not [3, 0]
    1 | input: [3, 0]
      |        ^
  hint: input: [3, 224, 224]   # channels, height, width; the batch is never written""",
    ),
    "no layers": (
        """\
input: [3, 8, 8]
layer: [ReLU]
""",
        """\
net.yaml:1:1: there are no layers
    1 | input: [3, 8, 8]
      | ^
  hint: should layer be layers?""",
    ),
    "which input": (
        """\
input: {a: [3], b: [3]}
layers: [ReLU]
""",
        """\
net.yaml:2:10: layer 0 does not say which input it takes
    2 | layers: [ReLU]
      |          ^
  hint: from: a or b""",
    ),
    "a list": (
        """\
- ReLU
""",
        """\
net.yaml:1:1: a spec is a mapping with input and layers; this is a list
    1 | - ReLU
      | ^
  hint: `cnncalc new my_net` writes a spec to begin with""",
    ),
    "empty": (
        """\
""",
        """\
net.yaml:1:1: the file is empty
  hint: `cnncalc new my_net` writes a spec to begin with""",
    ),
    "tab": (
        """\
input: [3, 8, 8]
layers:
	- ReLU
""",
        """\
net.yaml:3:1: a tab where YAML wants spaces
    3 |  - ReLU
      | ^
  hint: indent with spaces""",
    ),
    "duplicate key": (
        """\
input: [3, 8, 8]
layers:
  a: ReLU
  a: Tanh
""",
        """\
net.yaml:4:3: a stands twice in one mapping, first in line 3
    4 |   a: Tanh
      |   ^
  hint: names in a mapping are unique; layers of the same type want a list: - ReLU""",
    ),
    "open bracket": (
        """\
input: [3, 8, 8]
layers:
  - Conv2d: {out_channels: 3
""",
        """\
net.yaml:4:1: this is not YAML: did not find expected ',' or '}'
  hint: the bracket that line 3 opens is not closed""",
    ),
    "tag": (
        """\
input: !!python/name:os.system [3]
layers: [ReLU]
""",
        """\
net.yaml:1:8: the tag tag:yaml.org,2002:python/name:os.system means nothing here
    1 | input: !!python/name:os.system [3]
      |        ^
  hint: remove it""",
    ),
    "alias to itself": (
        """\
input: &a [*a]
layers: [ReLU]
""",
        """\
net.yaml:1:12: *a contains itself
    1 | input: &a [*a]
      |            ^""",
    ),
    "two documents": (
        """\
input: [3]
layers: [ReLU]
---
a: b
""",
        """\
net.yaml:3:1: a spec is one document; a second one begins here
    3 | ---
      | ^
  hint: remove the ---""",
    ),
    "variant sets what args lack": (
        """\
input: [3]
args: {width: 1}
variants: {v: {widht: 2}}
layers: [ReLU]
""",
        """\
net.yaml:3:16: variant v sets widht, which args does not have
    3 | variants: {v: {widht: 2}}
      |                ^
  hint: did you mean width?""",
    ),
    "expect of a variant that there is not": (
        """\
input: [3]
variants: {small: {}}
expect: {smal: {params: 1}}
layers: [ReLU]
""",
        """\
net.yaml:3:10: expect names the variant smal, which there is not
    3 | expect: {smal: {params: 1}}
      |          ^
  hint: did you mean small?""",
    ),
    "several at once": (
        """\
input: [3, 8, 8]
layers:
  - Conv2d: {out_channels: six, kernel_size: 3}
  - MaxPool2d: {kernel_size: -1}
  - {ReLU: {}, when: maybe}
""",
        """\
net.yaml:3:28: there is no 'six' here
    3 |   - Conv2d: {out_channels: six, kernel_size: 3}
      |                            ^
  hint: args: declares names for the whole file

net.yaml:4:30: kernel_size must be a whole number ≥ 1, or one for each axis, not -1
    4 |   - MaxPool2d: {kernel_size: -1}
      |                              ^

net.yaml:5:22: there is no 'maybe' here
    5 |   - {ReLU: {}, when: maybe}
      |                      ^
  hint: args: declares names for the whole file""",
    ),
    "published weights": (
        """\
input: [3, 8, 8]
layers: [ReLU]
pretrained:
  - {source: mine, size: 256}
  - {resize: 256}
  - {source: mine, files: {small: x}}
  - {source: mine, interpolation: cubic}
  - {source: mine, resize: 0}
  - {source: mine, crop: [1, 2, 3]}
  - {source: mine, mean: [0.5, x]}
  - {source: mine, std: 0}
""",
        """\
net.yaml:4:20: published weights have no size
    4 |   - {source: mine, size: 256}
      |                    ^
  hint: did you mean resize?

net.yaml:5:5: published weights have a source: who published them, and what they are called
    5 |   - {resize: 256}
      |     ^
  hint: pretrained: [{source: "torchvision, IMAGENET1K_V1", variant: small, resize: 256, crop: 224}]

net.yaml:6:28: pretrained names the variant small, which there is not
    6 |   - {source: mine, files: {small: x}}
      |                            ^
  hint: variants are not declared

net.yaml:7:35: there is no interpolation cubic
    7 |   - {source: mine, interpolation: cubic}
      |                                   ^
  hint: did you mean bicubic?

net.yaml:8:28: resize is a number of pixels, or height and width: 256, or [128, 171]
    8 |   - {source: mine, resize: 0}
      |                            ^
  hint: pretrained: [{source: "torchvision, IMAGENET1K_V1", variant: small, resize: 256, crop: 224}]

net.yaml:9:26: crop is a number of pixels, or height and width: 256, or [128, 171]
    9 |   - {source: mine, crop: [1, 2, 3]}
      |                          ^
  hint: pretrained: [{source: "torchvision, IMAGENET1K_V1", variant: small, resize: 256, crop: 224}]

net.yaml:10:26: mean has a number for each channel: [0.485, 0.456, 0.406]
   10 |   - {source: mine, mean: [0.5, x]}
      |                          ^
  hint: pretrained: [{source: "torchvision, IMAGENET1K_V1", variant: small, resize: 256, crop: 224}]

net.yaml:11:25: std must be above 0
   11 |   - {source: mine, std: 0}
      |                         ^
  hint: pretrained: [{source: "torchvision, IMAGENET1K_V1", variant: small, resize: 256, crop: 224}]""",
    ),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_message(name: str) -> None:
    text, expected = MESSAGES[name]
    try:
        found = "\n\n".join(error.text for error in analyse(Source("net.yaml", text)).graph.errors)
    except SpecError as error:
        found = str(error)
    assert found == expected
