"""Networks that stand elsewhere, in a PyTorch program or a file, written as specs.

Every reader ends in a `Program` of operations or in a `Flat` network of layers; the flat network is folded into blocks
and repeats, proved to be the same, and written down.
"""
