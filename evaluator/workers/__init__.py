"""Who works: this evaluator among those that share a queue, what its scorer can do, and what waits in the queue."""
