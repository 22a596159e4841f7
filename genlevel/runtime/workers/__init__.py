"""The list of workers: which processes share a database and a queue, what each can do, and what it does now.

``worker`` has the values. ``table`` keeps them in the shared database; ``registration`` writes this process's row for as long as it lives.
"""

from genlevel.runtime.workers.worker import Doing, RunPart, ScoredTask, Seen, Worker, nobody_scores, who_scores

__all__ = ["Doing", "RunPart", "ScoredTask", "Seen", "Worker", "nobody_scores", "who_scores"]
