"""JSON documents as values."""

from __future__ import annotations

from typing import Any, TypeAlias

Document: TypeAlias = dict[str, Any]
"""A JSON object as a command prints it. docs/json.md describes every field, and a test holds the commands to that page."""
