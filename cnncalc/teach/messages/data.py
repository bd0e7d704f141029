"""Datasets and the DataLoader."""

from __future__ import annotations

from .base import plain

plain(
    r"default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found <class 'NoneType'>",
    "the dataset gives None for an example",
    "__getitem__ ends without return on some way, or skips an example by returning None",
    "return something on every way; leave out broken examples when the dataset is made, or in a collate_fn",
)
plain(
    r"default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found <class '(PIL\.[\w.]+)'>",
    "the dataset gives pictures of Pillow, which cannot be put into a batch",
    "the transform that makes tensors of them is missing, or is not used",
    "transforms.ToTensor() as the last transform, or torchvision.transforms.v2.functional.to_image",
)
plain(
    r"default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found <class '((?!NoneType|PIL)[\w.]+)'>",
    "the dataset gives objects of {1}, which cannot be put into a batch",
    "a batch is made of tensors, arrays, numbers, and dicts or lists of them",
    "a tensor or a number in __getitem__, or a collate_fn of your own",
)
plain(
    r"num_samples should be a positive integer value, but got num_samples=0",
    "the dataset is empty",
    "no file was found: a wrong folder, another ending, or a split of which nothing is left",
    "print(len(dataset)), and the folder that it looks into",
)
plain(
    r"DataLoader worker \(pid(?:\(s\))? ([\d, ]+)\) (?:is killed by signal: (\w{1,80})|exited unexpectedly)",
    "a worker process of the DataLoader died",
    "most often memory, or the shared memory of a container (/dev/shm), ran out; or a library crashed",
    "num_workers=0 tells what it was; docker run --shm-size=8g; a smaller batch or fewer workers",
)
plain(
    r"Trying to resize storage that is not resizable",
    "examples of different sizes are put into one batch, in a worker process",
    "a batch is one tensor: what it is made of must have one shape",
    "Resize with both sides, or a collate_fn that pads",
)
