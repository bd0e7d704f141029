"""Runs a stranger's PyTorch program and writes down what its model computes, as JSON.

This folder runs in a process of its own, with the interpreter that has the model's packages: it imports PyTorch and the
standard library, and nothing of cnncalc. `python capture REQUEST RESULT` reads the one and writes the other.
"""
