"""Runs: plan, prompts, traffic (limits, retries, dispatch) and the journal of every raw answer."""
