"""Metrics of text: overlap with references, labels, transcripts, code."""
