"""A spec written down for other programs: as PyTorch source, as Keras source. Text only; no framework is needed."""
