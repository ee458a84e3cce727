"""The parts of the quote gate. ``render/framing.py`` is its door, and nobody else may come in (docs/quote-gate.md)."""
