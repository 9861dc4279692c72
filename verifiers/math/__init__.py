"""Sameness of mathematical answers: ``reading.read`` gives an answer's key, and equal keys are equal
answers. What it cannot read is for math-verify, in ``workers``."""
