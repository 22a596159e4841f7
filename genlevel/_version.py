"""The number of this version, for what may not load anything else."""

__version__ = "0.1.0"
