"""Runs that many evaluators share: who works on them, on what, and for how much money."""
