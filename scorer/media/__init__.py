"""Decodes media files into arrays, within bounds, for the metrics that look at them. Nothing here raises anything but Undecodable."""

from __future__ import annotations


class Undecodable(Exception):
    """A file is missing, broken, too large or not of its kind; says which in one line."""
