"""`python -m tests.real.dying WHEN TAG STEP COUNT ARGUMENTS…`: the program, which kills itself by SIGKILL at one place.

WHEN is `before` or `after` the COUNT-th record of this TAG and STEP is written to the journal. Nothing is flushed,
closed or told to anybody, children go on: as if the machine's memory had run out. With TAG `write` it is the COUNT-th
write of that STEP to a node, as soon as it has been acknowledged.
"""

import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any
from unittest.mock import patch

from atlasdb_recovery.cassandra.connection import Connection
from atlasdb_recovery.cli.main import run
from atlasdb_recovery.events import Event, StepIntended
from atlasdb_recovery.journal.chain import Record
from atlasdb_recovery.journal.record import Journal


class Death:
    """Waits for its moment."""

    def __init__(self, when: str, tag: str, step: str, count: int) -> None:
        self.when, self.tag, self.step, self.left = when, tag, step, count
        self.intended = ""

    def looks_at(self, tag: str, step: str, when: str) -> None:
        if (when, tag, step) == (self.when, self.tag, self.step):
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def of_records(self, append: Callable[..., Record]) -> Callable[..., Record]:
        def watched(journal: Journal, event: Event, *, sync: bool = True) -> Record:
            tag = str(event.__struct_config__.tag)
            self.looks_at(tag, event.step, "before")
            record = append(journal, event, sync=sync)
            if isinstance(event, StepIntended):
                self.intended = event.step
            self.looks_at(tag, event.step, "after")
            return record

        return watched

    def of_writes(self, sent: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def watched(connection: Connection, cql: str, *arguments: Any, **options: Any) -> Any:
            page = await sent(connection, cql, *arguments, **options)
            if not cql.startswith("SELECT"):
                self.looks_at("write", self.intended, "after")
            return page

        return watched


if __name__ == "__main__":
    when, tag, step, count, *arguments = sys.argv[1:]
    death = Death(when, tag, step, int(count))
    with (
        patch.object(Journal, "append", death.of_records(Journal.append)),
        patch.object(Connection, "once", death.of_writes(Connection.once)),
        patch.object(Connection, "conditional", death.of_writes(Connection.conditional)),
    ):
        sys.exit(run(arguments))
