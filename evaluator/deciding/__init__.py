"""What a run asks that asks only until something is decided: in which order, and what its answers say. How it is driven: evaluator.runs."""
