"""Monitors of deployed models: what is asked when, what it is held against, and when it is an alarm."""
