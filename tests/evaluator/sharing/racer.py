"""A process that spends of a run's budget as fast as it can: racer.py URL NAME LEDGER. Each call is billed BILLED."""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time

from evaluator.journal.journal import Journal
from evaluator.journal.records import Answer, OpenCalls
from evaluator.journal.usage import Usage
from evaluator.sharing import purse as purse_module
from evaluator.sharing.member_table import MemberTable
from evaluator.sharing.purse import Purse
from evaluator.sharing.purse_table import PurseTable
from evaluator.traffic.budget import Amount, Bill, DoesNotFit
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.leases import LeaseTable
from genlevel.runtime.patience import DatabasePatience

BILLED, DEAREST, AT_ONCE = 30, 90, 8


async def main(url: str, name: str, ledger: str) -> None:
    journal = Journal(url, patience=DatabasePatience.of(10.0))
    lease = LeaseTable(journal.engine).acquire(f"member run {name}", name, ttl_s=1000.0)
    assert lease is not None
    members = MemberTable(journal.engine)
    member = members.join("run", 1, name, lease)
    purse = Purse(members, PurseTable(journal.engine), member, "m", journal.writes)
    bills = os.open(ledger, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    numbers = iter(range(1, 10_000))

    async def spend() -> None:
        refused = 0
        while refused < 3:
            number = next(numbers)
            worst = random.randint(BILLED, DEAREST)
            try:
                reservation = await purse.budget.reserve("m", "t", Amount(worst, 0))
            except DoesNotFit:
                refused += 1
                continue
            note = member.number << 20 | number
            await journal.note(OpenCalls("run", note, "t", False, 1, worst, 0, member=member.number), lease)
            if not purse.budget.begin(reservation):
                continue
            await asyncio.sleep(0.002)
            os.write(bills, f"{name} {BILLED}\n".encode())
            purse.budget.settle(reservation, Bill(BILLED, 0))
            answer = Answer("run", "t", f"{name}-{number}", Outcome.ANSWERED, usage=Usage(), cost_nano_usd=BILLED, created=time.time())
            await journal.record(answer._replace(member=member.number), lease, closes=("run", note))

    purse_module.LOOK_S = 0.1
    await purse.open()
    looking = asyncio.create_task(purse.run())
    await asyncio.gather(*(spend() for _ in range(AT_ONCE)))
    looking.cancel()
    await journal.written()
    await purse.close()
    journal.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
