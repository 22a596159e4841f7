"""What decides a run before all of it is asked: predictions of the full run's tests, and in which order to ask. Values in, values out."""
