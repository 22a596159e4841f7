"""Answers in, scores and level verdicts out: parsers, metrics, levels, workbooks, exporter."""
