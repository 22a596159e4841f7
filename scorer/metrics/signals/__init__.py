"""Metrics of signals: values, series, pictures, videos, sounds, points, measured without a network."""
