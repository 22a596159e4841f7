"""Laws of a queue's rules, whatever is done with it and when."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from genlevel.runtime.queue.port import ACK_WAIT_S, MOST_AGE_S, SAME_S
from tests.runtime.queue.messages import Messages, Taken

TOPICS = st.sampled_from(["ask.one", "score.any"])
SECONDS = st.sampled_from([0.0, 0.5, ACK_WAIT_S / 2, ACK_WAIT_S, SAME_S, MOST_AGE_S])


class Work(RuleBasedStateMachine):
    """Publishes, takes, ends, gives up and lets time pass; beside it, what must be where."""

    taken = Bundle("taken")

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.messages = Messages()
        self.published: dict[int, tuple[str, str]] = {}  # topic and key by the number that is the body
        self.at: dict[int, float] = {}
        self.ended: set[int] = set()
        self.given_up: dict[str, int] = {}  # number by key
        self.tries: dict[int, int] = {}
        self.held: dict[int, tuple[int, float]] = {}  # by whom (which try), until when
        self.same: dict[str, float] = {}

    @rule(topic=TOPICS, key=st.sampled_from("abcd"))
    def publish(self, topic: str, key: str) -> None:
        number = len(self.published)
        added = self.messages.publish(topic, str(number).encode(), key, self.now)
        assert added == (self.same.get(key, 0.0) <= self.now)
        if added:
            self.same[key] = self.now + SAME_S
            self.published[number] = (topic, key)
            self.at[number] = self.now

    @rule(target=taken, topic=TOPICS, most=st.integers(1, 3))
    def take(self, topic: str, most: int) -> Any:
        found = self.messages.take(topic, most, self.now)
        free = [number for number, where in self.published.items() if where[0] == topic and self.is_free(number)]
        assert [int(taken.body) for taken in found] == free[:most]
        for taken in found:
            number = int(taken.body)
            assert (taken.topic, taken.key) == self.published[number]
            assert taken.tries == self.tries.get(number, 0) + 1
            self.tries[number] = taken.tries
            self.held[number] = (taken.tries, self.now + ACK_WAIT_S)
        return multiple(*found)

    def is_free(self, number: int) -> bool:
        return number not in self.ended and self.held.get(number, (0, 0.0))[1] <= self.now

    def is_own(self, taken: Taken) -> bool:
        number = int(taken.body)
        return number not in self.ended and not self.is_free(number) and self.held[number][0] == taken.tries

    @rule(taken=consumes(taken))
    def done(self, taken: Taken) -> None:
        self.messages.done(taken)
        self.ended.add(int(taken.body))

    @rule(taken=taken, delay_s=SECONDS)
    def later(self, taken: Taken, delay_s: float) -> None:
        if self.is_own(taken):
            self.held[int(taken.body)] = (taken.tries, self.now + delay_s)
        self.messages.later(taken, delay_s, self.now)

    @rule(taken=taken)
    def working(self, taken: Taken) -> None:
        if self.is_own(taken):
            self.held[int(taken.body)] = (taken.tries, self.now + ACK_WAIT_S)
        self.messages.working(taken, self.now)

    @rule(taken=consumes(taken))
    def give_up(self, taken: Taken) -> None:
        self.messages.give_up(taken, "no", self.now)
        self.ended.add(int(taken.body))
        self.given_up.pop(taken.key, None)
        self.given_up[taken.key] = int(taken.body)

    @rule(key=st.sampled_from("abcd"), retried=st.booleans())
    def end_dead_letter(self, key: str, retried: bool) -> None:
        found = self.messages.retry_dead(key, self.now) if retried else self.messages.forget_dead(key)
        number = self.given_up.pop(key, None)
        assert (None if found is None else int(found.body)) == number
        if number is not None and retried:
            assert found is not None
            # It is a new message with the old body.
            (again,) = [
                taken for taken in self.messages.take(found.topic, 1000, self.now) if int(taken.body) == number and taken.tries == 1
            ]
            self.messages.done(again)
            for other in list(self.published):
                if self.published[other][0] == found.topic and self.is_free(other):
                    self.tries[other] = self.tries.get(other, 0) + 1
                    self.held[other] = (self.tries[other], self.now + ACK_WAIT_S)

    @rule(topic=TOPICS)
    def drop(self, topic: str) -> None:
        self.messages.drop(topic)
        self.ended |= {number for number, where in self.published.items() if where[0] == topic}

    @rule(seconds=SECONDS)
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.ended |= {number for number, at in self.at.items() if at + MOST_AGE_S <= self.now}

    @invariant()
    def nothing_is_lost(self) -> None:
        there: dict[str, list[int]] = {}
        for number, (topic, _) in self.published.items():
            if number not in self.ended:
                there.setdefault(topic, []).append(number)
        topics = self.messages.topics(self.now)
        assert {topic: depth.waiting + depth.in_hand for topic, depth in topics.items()} == {
            topic: len(numbers) for topic, numbers in there.items()
        }
        for topic, numbers in there.items():
            assert topics[topic].in_hand == sum(1 for number in numbers if number in self.tries)
            assert self.messages.next_s(topic) == min(self.held.get(number, (0, 0.0))[1] for number in numbers)
        assert [int(letter.body) for letter in self.messages.dead_letters()] == list(reversed(self.given_up.values()))


TestWork = Work.TestCase


def test_a_lapsed_message_is_nobodys_to_keep_or_to_give_back() -> None:
    messages = Messages()
    messages.publish("ask.run", b"", "key", 0.0)
    (taken,) = messages.take("ask.run", 1, 0.0)
    messages.later(taken, 1000.0, ACK_WAIT_S)
    messages.working(taken, ACK_WAIT_S)
    assert [again.tries for again in messages.take("ask.run", 1, ACK_WAIT_S)] == [2]
