"""Tests. A package, so that another one of this name among the installed ones is not taken for it."""
