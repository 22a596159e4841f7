"""Metrics that need the weights of a published network."""
