"""What a run asks, decided before the first call: tasks and sample, prompts, requests, outputs, the most it can cost."""
