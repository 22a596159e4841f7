"""The queue of work that many processes share: shards of runs and scoring, as messages that are delivered until they are done.

``port`` says what a queue is and promises. ``local`` is one within a process, by the rules in ``messages``.
"""

from genlevel.runtime.queue.port import ACK_WAIT_S, DeadLetter, Delivery, Depth, Queue

__all__ = ["ACK_WAIT_S", "DeadLetter", "Delivery", "Depth", "Queue"]
