"""However members come, die, give back, mishear and are billed: no more is spent than the cap and what bills were above their worst cases,
and a call that there is money for is made."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import StaticPool, create_engine, insert, select, update

from evaluator.journal.member_spending import MemberSpending
from evaluator.journal.notes import NoteStatements
from evaluator.journal.records import Answer, OpenCalls
from evaluator.journal.rows import answer_insert
from evaluator.journal.tables import members, metadata, runs
from evaluator.journal.usage import Usage
from evaluator.sharing.member_table import Member, MemberTable
from evaluator.sharing.purse import Account
from evaluator.sharing.purse_table import Answer as Told
from evaluator.sharing.purse_table import PurseTable
from evaluator.traffic.budget import Amount, Bill, Budget
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.leases import LeaseTable, Standing, note_written
from genlevel.runtime.room.tables import leases
from genlevel.runtime.room.tables import metadata as room_metadata
from tests.evaluator.sharing.conftest import record

RUN, MODEL = "run", "m"
LEAST = {"a": 3, "b": 20}
"""The least that a call of a task is billed; one of unknown fate is billed at most that."""


@dataclass(eq=False)
class Call:
    number: int
    task: str
    worst: int
    asking: asyncio.Task | None = None
    begun: bool = False


@dataclass(eq=False)
class Process:
    member: Member
    lease: object
    account: Account
    calls: list[Call] = field(default_factory=list)
    unwritten: list[tuple[Answer, int]] = field(default_factory=list)
    asked: object = None
    told: Told | None = None

    def of(self, *, begun):
        return [call for call in self.calls if call.begun == begun and granted(call)]

    @property
    def waiting(self):
        return [call for call in self.calls if not call.asking.done()]


def granted(call):
    return call.asking.done() and not call.asking.cancelled() and call.asking.exception() is None


class SharedMoney(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
        metadata.create_all(self.engine)
        room_metadata.create_all(self.engine)
        self.members, self.purses = MemberTable(self.engine, moment_s=0.0), PurseTable(self.engine)
        self.leases = LeaseTable(self.engine)
        self.notes, self.spending, self.answers = NoteStatements(self.engine), MemberSpending(self.engine), answer_insert(self.engine)
        self.living: list[Process] = []
        self.dead: list[Process] = []
        self.numbers = 0
        # The oracle: plain sums. known, unknown: what was billed; above: of that, what was above the worst cases.
        self.known = self.unknown = self.above = self.most_unknown = 0
        self.caps: list[int] = []

    def teardown(self):
        for process in self.living:
            for call in process.waiting:
                call.asking.cancel()
        self.turn()
        self.loop.close()
        self.engine.dispose()

    @initialize(cap=st.integers(0, 400))
    def begin(self, cap):
        with self.engine.begin() as connection:
            row = {name: getattr(record(), name) for name in runs.columns.keys() if hasattr(record(), name)}  # noqa: SIM118
            connection.execute(insert(runs).values({**row, "wanted": 0}))
        self.set_cap(cap)

    def set_cap(self, cap):
        self.caps.append(cap)
        with self.engine.begin() as connection:
            connection.execute(update(runs).values(traffic=f'{{"budgetNanoUsd": "{cap}"}}'))

    def turn(self):
        for _ in range(3):
            self.loop.run_until_complete(asyncio.sleep(0))

    # -- coming and going ------------------------------------------------------------------------------------------

    @rule()
    @precondition(lambda self: len(self.living) < 4)
    def join(self):
        self.numbers += 1
        name = f"p{self.numbers}"
        lease = self.leases.acquire(f"member {RUN} {name}", name, ttl_s=1000.0)
        account = Account(MODEL, Budget())
        self.living.append(Process(self.members.join(RUN, 1, name, lease), lease, account))
        self.exchange(self.living[-1])

    @rule(place=st.integers(0, 3), share=st.floats(0, 1))
    @precondition(lambda self: self.living)
    def die(self, place, share):
        """A process is killed: its calls in flight are billed all the same, and it is not known."""
        process = self.living.pop(place % len(self.living))
        for call in process.waiting:
            call.asking.cancel()
        self.turn()
        for call in process.of(begun=True):
            self.bill_unknown(call, round(share * LEAST[call.task]))
        self.dead.append(process)

    @rule(place=st.integers(0, 9))
    @precondition(lambda self: self.dead)
    def fence(self, place):
        process = self.dead.pop(place % len(self.dead))
        with self.engine.begin() as connection:
            connection.execute(update(leases).where(leases.c.name == process.member.lease).values(until_s=1.0))
            assert self.members.fence(connection, process.member)
        for answer, number in process.unwritten:
            assert not self.write(process, answer, number), "a woken process writes nothing"

    @rule(place=st.integers(0, 3))
    @precondition(lambda self: self.living)
    def leave(self, place):
        process = self.living[place % len(self.living)]
        if process.calls:
            return
        self.write_all(process)
        self.members.close(process.member, process.account.budget.committed)
        self.living.remove(process)

    @rule(cap=st.integers(0, 400))
    def tune(self, cap):
        self.set_cap(cap)

    # -- calls -----------------------------------------------------------------------------------------------------

    @rule(place=st.integers(0, 3), task=st.sampled_from(sorted(LEAST)), more=st.integers(0, 60))
    @precondition(lambda self: self.living)
    def ask(self, place, task, more):
        process = self.living[place % len(self.living)]
        self.numbers += 1
        call = Call(self.numbers, task, LEAST[task] + more)
        call.asking = self.loop.create_task(process.account.budget.reserve(MODEL, task, Amount(call.worst, 0)))
        process.calls.append(call)
        self.turn()

    @rule(place=st.integers(0, 3))
    @precondition(lambda self: self.living)
    def start_calls(self, place):
        """What has a place in the budget begins, once its note is durable."""
        process = self.living[place % len(self.living)]
        for call in process.of(begun=False):
            note = OpenCalls(RUN, call.number, call.task, False, 1, call.worst, 0, member=process.member.number)
            assert self.under(process, lambda connection, note=note: self.notes.write(connection, [note]))
            call.begun = process.account.budget.begin(call.asking.result())
            if not call.begun:
                self.under(process, lambda connection, note=note: self.notes.close(connection, [(RUN, note.number)]))
                process.calls.remove(call)
        self.turn()

    @rule(place=st.integers(0, 3), which=st.integers(0, 9), share=st.floats(0, 1), times=st.sampled_from([1, 1, 1, 4]), late=st.booleans())
    @precondition(lambda self: any(process.of(begun=True) for process in self.living))
    def bill(self, place, which, share, times, late):
        """A call ends with a bill, up to its worst case or, of a provider that lies, above. late: its answer is not written yet."""
        process = self.with_calls(place)
        call = process.of(begun=True)[which % len(process.of(begun=True))]
        low = LEAST[call.task]
        billed = low if late else times * (low + round(share * (call.worst - low)))
        self.known += billed
        self.above += max(0, billed - call.worst)
        excess = billed / call.worst if billed > call.worst else 0.0
        self.end(process, call, Bill(billed, 0), cost_nano_usd=billed, excess=excess)
        if not late:
            self.write_all(process)

    @rule(place=st.integers(0, 3), share=st.floats(0, 1))
    @precondition(lambda self: any(process.of(begun=True) for process in self.living))
    def bill_of_unknown_fate(self, place, share):
        process = self.with_calls(place)
        call = process.of(begun=True)[0]
        self.bill_unknown(call, round(share * LEAST[call.task]))
        self.end(process, call, Bill(None, 0), unknown_calls=1, unknown_nano_usd=call.worst)
        self.write_all(process)

    @rule(place=st.integers(0, 3))
    @precondition(lambda self: self.living)
    def write_late(self, place):
        self.write_all(self.living[place % len(self.living)])

    # -- money -----------------------------------------------------------------------------------------------------

    @rule(place=st.integers(0, 3))
    @precondition(lambda self: self.living)
    def look(self, place):
        self.exchange(self.living[place % len(self.living)])

    @rule(place=st.integers(0, 3))
    @precondition(lambda self: self.living)
    def ask_for_money(self, place):
        process = self.living[place % len(self.living)]
        process.asked, process.told = process.account.ask(), None

    @rule(place=st.integers(0, 3))
    @precondition(lambda self: any(process.asked for process in self.living))
    def grant(self, place):
        """The table is changed; whoever asked may hear of it later, or never."""
        asking = [process for process in self.living if process.asked]
        process = asking[place % len(asking)]
        process.told, process.asked = self.purses.exchange(process.member, process.asked), None

    @rule(place=st.integers(0, 3))
    @precondition(lambda self: any(process.told for process in self.living))
    def hear(self, place):
        told = [process for process in self.living if process.told]
        process = told[place % len(told)]
        process.account.take(process.told)
        process.told = None
        self.turn()

    @rule(place=st.integers(0, 3))
    @precondition(lambda self: any(process.told or process.asked for process in self.living))
    def lose(self, place):
        lost = [process for process in self.living if process.told or process.asked]
        process = lost[place % len(lost)]
        process.told = process.asked = None

    @rule()
    @precondition(lambda self: self.living)
    def all_is_idle(self):
        """What is in flight ends, and the dead are fenced: then every call that waits is made, or there is no money for it."""
        while self.dead:
            self.fence(0)
        refused = self.refused()
        for _ in range(40):
            for process in self.living:
                process.asked = process.told = None
                self.start_calls(self.living.index(process))
                for call in process.of(begun=True):
                    self.known += LEAST[call.task]
                    self.end(process, call, Bill(LEAST[call.task], 0), cost_nano_usd=LEAST[call.task])
                self.write_all(process)
                self.exchange(process)
            if not any(process.calls for process in self.living):
                break
            if not self.above:  # else calls count as more than their worst cases
                for call in self.refused() - refused:
                    assert call.worst > self.caps[-1] - self.known - self.most_unknown
            for process in self.living:
                process.calls = [call for call in process.calls if not call.asking.done() or granted(call)]
        assert not any(process.calls for process in self.living)

    # -- what holds ------------------------------------------------------------------------------------------------

    @invariant()
    def no_more_is_spent_than_the_cap(self):
        if self.caps:
            in_flight = sum(call.worst for process in self.living for call in process.of(begun=True))
            assert self.known + self.unknown + in_flight <= max(self.caps) + self.above

    @invariant()
    def nobody_spends_more_than_the_table_has(self):
        with self.engine.begin() as connection:
            granted = dict(connection.execute(select(members.c.number, members.c.granted_nano_usd)).all())
        for process in self.living:
            limit, _ = process.account.budget.limits
            assert limit <= granted[process.member.number]

    # -- within ----------------------------------------------------------------------------------------------------

    def refused(self):
        return {call for process in self.living for call in process.calls if call.asking.done() and not granted(call)}

    def with_calls(self, place):
        busy = [process for process in self.living if process.of(begun=True)]
        return busy[place % len(busy)]

    def bill_unknown(self, call, billed):
        self.unknown += billed
        self.most_unknown += call.worst

    def end(self, process, call, bill, **cost):
        process.account.budget.settle(call.asking.result(), bill)
        process.calls.remove(call)
        answer = Answer(RUN, call.task, str(call.number), Outcome.ANSWERED, usage=Usage(), member=process.member.number, **cost)
        process.unwritten.append((answer, call.number))
        self.turn()

    def write_all(self, process):
        for answer, number in process.unwritten:
            assert self.write(process, answer, number)
        process.unwritten.clear()

    def write(self, process, answer, number):
        def put(connection):
            connection.exec_driver_sql(self.answers.sql, [self.answers.row(answer)])
            self.spending.add(connection, [answer])
            self.notes.close(connection, [(RUN, number)])

        return self.under(process, put)

    def under(self, process, put):
        """Writes under a process's lease, as the journal does. False: it is not this one's any more."""
        self.numbers += 1
        with self.engine.begin() as connection:
            if note_written(connection, process.lease, self.numbers) is not Standing.HELD:
                return False
            put(connection)
        return True

    def exchange(self, process):
        process.asked = process.told = None
        told = self.purses.exchange(process.member, process.account.ask())
        process.account.take(told)
        self.turn()


TestSharedMoney = SharedMoney.TestCase
TestSharedMoney.settings = settings(max_examples=20, stateful_step_count=30)
