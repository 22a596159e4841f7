"""genlevel measures how far a multimodal model is a generalist (General-Level over General-Bench)."""

__version__ = "0.1.0"
