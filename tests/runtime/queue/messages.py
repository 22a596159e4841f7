"""The rules of a queue, as a state that changes with time: who may take which message when. Knows no clock and no waiting.

What ``local`` has in memory; NATS JetStream has the same rules for those who share a server (work-queue retention, explicit
acknowledgement: https://docs.nats.io/nats-concepts/jetstream/consumers).
"""

from __future__ import annotations

from dataclasses import dataclass

from genlevel.runtime.queue.port import ACK_WAIT_S, MOST_AGE_S, SAME_S, DeadLetter, Depth


@dataclass(slots=True)
class _Message:
    topic: str
    key: str
    body: bytes
    gone_s: float  # when it is too old
    tries: int = 0
    free_s: float = 0.0  # when it may be taken


@dataclass(frozen=True, slots=True)
class Taken:
    """A message that somebody took. number: the message's; tries: with this time."""

    number: int
    topic: str
    key: str
    body: bytes
    tries: int


class Messages:
    """All messages of a queue. Times are seconds of one clock that never goes back. ack_wait_s: how long a message is somebody's."""

    def __init__(self, ack_wait_s: float = ACK_WAIT_S) -> None:
        self._ack_wait_s = ack_wait_s
        self._messages: dict[int, _Message] = {}
        self._numbers = 0
        self._keys: dict[str, float] = {}  # until when each is the same message, by that time
        self._dead: dict[str, DeadLetter] = {}

    def publish(self, topic: str, body: bytes, key: str, now: float) -> bool:
        """Adds a message; False: one by this key was added within SAME_S."""
        while self._keys and (oldest := next(iter(self._keys))) and self._keys[oldest] <= now:
            del self._keys[oldest]
        if key in self._keys:
            return False
        self._keys[key] = now + SAME_S
        self._add(topic, body, key, now)
        return True

    def _add(self, topic: str, body: bytes, key: str, now: float) -> None:
        self._numbers += 1
        self._messages[self._numbers] = _Message(topic, key, body, now + MOST_AGE_S)

    def _pass_to(self, now: float) -> None:
        """Removes what is too old."""
        while self._messages and self._messages[oldest := next(iter(self._messages))].gone_s <= now:
            del self._messages[oldest]

    def take(self, topic: str, most: int, now: float) -> list[Taken]:
        """Up to so many messages that are nobody's; they are the caller's for a while."""
        self._pass_to(now)
        free = [number for number, message in self._messages.items() if message.topic == topic and message.free_s <= now]
        return [self._taken(number, now) for number in free[:most]]

    def _taken(self, number: int, now: float) -> Taken:
        message = self._messages[number]
        message.tries += 1
        message.free_s = now + self._ack_wait_s
        return Taken(number, message.topic, message.key, message.body, message.tries)

    def next_s(self, topic: str) -> float | None:
        """From when on the next message may be taken, if nothing else happens; None: there is none."""
        return min((message.free_s for message in self._messages.values() if message.topic == topic), default=None)

    def done(self, taken: Taken) -> None:
        """Removes it, whoever has it now."""
        self._messages.pop(taken.number, None)

    def later(self, taken: Taken, delay_s: float, now: float) -> None:
        """Whoever has it gives it back, to be taken after so many seconds."""
        if self._is_held(taken, now):
            self._messages[taken.number].free_s = now + delay_s

    def working(self, taken: Taken, now: float) -> None:
        """Whoever has it has it as long again from now."""
        self.later(taken, self._ack_wait_s, now)

    def _is_held(self, taken: Taken, now: float) -> bool:
        message = self._messages.get(taken.number)
        return message is not None and message.tries == taken.tries and now < message.free_s

    def give_up(self, taken: Taken, reason: str, at: float) -> None:
        """Makes a dead letter of it. at: UNIX seconds."""
        self.bury(DeadLetter(taken.key, taken.topic, taken.body, reason, taken.tries, at))
        self.done(taken)

    def bury(self, letter: DeadLetter) -> None:
        """Adds a dead letter, in place of one by the same key."""
        self._dead.pop(letter.key, None)
        self._dead[letter.key] = letter

    def topics(self, now: float) -> dict[str, Depth]:
        """How many messages each topic has, those without any left out."""
        self._pass_to(now)
        found: dict[str, Depth] = {}
        for message in self._messages.values():
            before = found.get(message.topic, Depth())
            new = message.tries == 0
            found[message.topic] = Depth(before.waiting + new, before.in_hand + (not new))
        return found

    def drop(self, topic: str) -> None:
        """Removes all messages of a topic."""
        self._messages = {number: message for number, message in self._messages.items() if message.topic != topic}

    def dead_letters(self) -> list[DeadLetter]:
        """All of them, newest first."""
        return list(reversed(self._dead.values()))

    def forget_dead(self, key: str) -> DeadLetter | None:
        """Removes a dead letter, if there is one by this key."""
        return self._dead.pop(key, None)

    def retry_dead(self, key: str, now: float) -> DeadLetter | None:
        """Adds the message of a dead letter again and removes that, if there is one by this key."""
        if letter := self.forget_dead(key):
            self._add(letter.topic, letter.body, letter.key, now)
        return letter
