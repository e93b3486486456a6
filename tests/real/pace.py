"""How long a restore took to begin, and its guards."""

from collections.abc import Iterable

from atlasdb_recovery.events import GuardChecked, StepIntended
from atlasdb_recovery.journal.chain import Record


class Pace:
    """Seconds by the journal's clock: up to the first change of the cluster, and of the guards after it."""

    def __init__(self, records: Iterable[Record]) -> None:
        first = previous = None
        self.until_first_change = self.guards = self.whole = 0.0
        for record in records:
            first, previous = first or record, previous or record
            event = record.event
            self.whole = (record.time - first.time).total_seconds()
            if isinstance(event, StepIntended) and event.step == "restore-store" and not self.until_first_change:
                self.until_first_change = self.whole
            elif isinstance(event, GuardChecked) and event.step and self.until_first_change:
                self.guards += (record.time - previous.time).total_seconds()
            previous = record

    def describe(self) -> str:
        return (
            f"first change after {self.until_first_change:.1f} s, later guards {self.guards:.1f} s, "
            f"{self.whole:.1f} s in all"
        )
