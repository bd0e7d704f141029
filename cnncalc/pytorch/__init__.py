"""The same spec as a real network: built, run, verified, measured. The only folder that imports PyTorch."""
