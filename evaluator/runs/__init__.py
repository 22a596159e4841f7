"""A run while it goes on, and looked at again: reader and workers, its judge, its scoring, its answers."""
