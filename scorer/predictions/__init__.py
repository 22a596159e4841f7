"""Prediction files of the official submission form: read, scored, written. No service loads this."""
