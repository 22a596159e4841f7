"""What a NATS server keeps of a queue: a stream of work, from which a message goes when it is done, and one of dead letters.

https://docs.nats.io/nats-concepts/jetstream/streams. Streams and consumers are made again whenever they are missed, so that a server that
lost its data, or a person who deleted them, stops nothing.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import Enum

from nats.js.api import AckPolicy, ConsumerConfig, DiscardPolicy, RetentionPolicy, StorageType, StreamConfig, StreamInfo

from genlevel.runtime.queue.port import MOST_AGE_S, SAME_S, DeadLetter

DEAD_DAYS = 30
_DEAD_BYTES = 16 << 20
_DEAD_LETTERS = 10_000
_IDLE_S = 3600.0  # after which a consumer that nobody asks goes; its messages stay
_LONGEST_REASON = 2000
MESSAGE_ID = "Nats-Msg-Id"
KEY = "Genlevel-Key"
LETTER = "Genlevel-Letter"


@dataclass(frozen=True, slots=True)
class Names:
    """The names that a queue has on a server. prefix: what it shares with no other queue there."""

    prefix: str

    @property
    def work(self) -> str:
        """The stream of work."""
        return f"{self.prefix.upper()}_WORK"

    @property
    def dead(self) -> str:
        """The stream of dead letters."""
        return f"{self.prefix.upper()}_DEAD"

    @property
    def all_work(self) -> str:
        """The subjects of all work."""
        return f"{self.prefix}.work.>"

    @property
    def all_hints(self) -> str:
        """The subjects of all hints."""
        return f"{self.prefix}.hint.>"

    def subject(self, topic: str) -> str:
        """Of a topic's messages."""
        return f"{self.prefix}.work.{topic}"

    def hint(self, topic: str) -> str:
        """Of hints to a topic."""
        return f"{self.prefix}.hint.{topic}"

    def topic(self, subject: str) -> str:
        """The topic of a subject of work or of hints."""
        return subject.removeprefix(f"{self.prefix}.").partition(".")[2]

    def letter(self, key: str) -> str:
        """The subject of the dead letter of a key."""
        return f"{self.prefix}.dead.{hashlib.sha256(key.encode()).hexdigest()[:32]}"

    def consumer(self, topic: str) -> str:
        """The name of a topic's consumer. "~" is in no topic."""
        return topic.replace(".", "~")

    def topic_of(self, consumer: str) -> str:
        """The topic of a consumer."""
        return consumer.replace("~", ".")


def stream_of_work(names: Names, replicas: int) -> StreamConfig:
    """A message is durable, and refused if there is no room, rather than that an older one is dropped."""
    return StreamConfig(
        name=names.work,
        description="genlevel: work that is not done",
        subjects=[names.all_work],
        retention=RetentionPolicy.WORK_QUEUE,
        discard=DiscardPolicy.NEW,
        storage=StorageType.FILE,
        num_replicas=replicas,
        max_age=MOST_AGE_S,
        duplicate_window=SAME_S,
    )


def stream_of_dead_letters(names: Names, replicas: int) -> StreamConfig:
    """One letter a key, for DEAD_DAYS, as long as there is room: the oldest go first."""
    return StreamConfig(
        name=names.dead,
        description="genlevel: work that was given up",
        subjects=[f"{names.prefix}.dead.*"],
        retention=RetentionPolicy.LIMITS,
        discard=DiscardPolicy.OLD,
        storage=StorageType.FILE,
        num_replicas=replicas,
        max_age=DEAD_DAYS * 86_400.0,
        max_bytes=_DEAD_BYTES,
        max_msgs=_DEAD_LETTERS,
        max_msgs_per_subject=1,
        duplicate_window=SAME_S,
    )


def consumer_of(names: Names, topic: str, ack_wait_s: float) -> ConsumerConfig:
    """What all who work on a topic take its messages from."""
    return ConsumerConfig(
        name=names.consumer(topic),
        durable_name=names.consumer(topic),
        filter_subject=names.subject(topic),
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=ack_wait_s,
        max_ack_pending=-1,
        inactive_threshold=_IDLE_S,
    )


def reader_of_dead_letters() -> ConsumerConfig:
    """What one look at the dead letters reads them from."""
    return ConsumerConfig(ack_policy=AckPolicy.NONE, inactive_threshold=30.0, mem_storage=True)


def differences(wanted: StreamConfig, found: StreamInfo) -> list[str]:
    """What somebody has changed in a stream so that it no longer keeps what is promised, by the names that NATS has for it."""
    there = found.config
    differs: list[str] = []
    kinds: tuple[tuple[str, Enum | None, Enum | None], ...] = (
        ("retention", there.retention, wanted.retention),
        ("discard", there.discard, wanted.discard),
        ("storage", there.storage, wanted.storage),
    )
    differs += [f"{name} is {_word(found_kind)}, not {_word(kind)}" for name, found_kind, kind in kinds if found_kind != kind]
    if not set(wanted.subjects or ()) <= set(there.subjects or ()):
        differs.append(f"subjects are {there.subjects}, not {wanted.subjects}")
    if (there.max_msgs_per_subject or -1) > 0 > (wanted.max_msgs_per_subject or -1):
        differs.append(f"max_msgs_per_subject is {there.max_msgs_per_subject}, not -1")
    if there.sealed or there.no_ack:
        differs.append("it is sealed or acknowledges nothing")
    return differs


def _word(kind: object) -> object:
    """What NATS calls it; the library leaves what it read as text."""
    return kind.value if isinstance(kind, Enum) else kind


def letter_headers(letter: DeadLetter) -> dict[str, str]:
    """What a dead letter's message says beside its body."""
    told = {"key": letter.key, "topic": letter.topic, "reason": letter.reason[:_LONGEST_REASON], "tries": letter.tries, "at": letter.at}
    return {LETTER: json.dumps(told)}


def letter_of(headers: dict[str, str] | None, body: bytes) -> DeadLetter | None:
    """The dead letter of a message; None: it is none of ours."""
    try:
        told = json.loads((headers or {})[LETTER])
        return DeadLetter(str(told["key"]), str(told["topic"]), body, str(told["reason"]), int(told["tries"]), float(told["at"]))
    except (KeyError, TypeError, ValueError):
        return None
