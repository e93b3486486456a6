"""The journals of a drill's sessions: in the practice world's time, and the world lives on with every record."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from atlasdb_recovery.events import ActedInPractice, Event
from atlasdb_recovery.journal.record import Journal, Record

Watched = Callable[[Event], None]


class DrillJournals:
    """Makes and opens journals on disk, as `Journal` does."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._open: list[DrillJournal] = []
        self._last: tuple[Path, str, frozenset[str]] | None = None
        self.records: list[Record] = []
        """Of all of them, in order of time."""
        self.watched: Watched = lambda _: None
        """Told of every event, once it is on record."""

    def create(self, state_dir: Path, session: str, *, secrets: frozenset[str]) -> "DrillJournal":
        self._last = (state_dir, session, secrets)
        return self._opened(Journal.create(state_dir, session, clock=self._clock, secrets=secrets))

    def open(self, state_dir: Path, session: str, *, secrets: frozenset[str]) -> "DrillJournal":
        self._last = (state_dir, session, secrets)
        return self._opened(Journal.open(state_dir, session, clock=self._clock, secrets=secrets))

    def acted(self, event: ActedInPractice) -> None:
        """On record in the session that runs, or else in the one that ran last."""
        if self._open:
            self._open[-1].append(event)
        elif self._last is not None:
            state_dir, session, secrets = self._last
            journal = self.open(state_dir, session, secrets=secrets)
            journal.append(event)
            journal.close()

    def _opened(self, journal: Journal) -> "DrillJournal":
        opened = DrillJournal(journal, self)
        self._open.append(opened)
        return opened

    def recorded(self, record: Record) -> None:
        self.records.append(record)
        self.watched(record.event)

    def closed(self, journal: "DrillJournal") -> None:
        if journal in self._open:
            self._open.remove(journal)


class DrillJournal:
    """One session's journal."""

    def __init__(self, journal: Journal, journals: DrillJournals) -> None:
        self._journal = journal
        self._journals = journals

    def append(self, event: Event, *, sync: bool = True) -> Record:
        record = self._journal.append(event, sync=sync)
        self._journals.recorded(record)
        return record

    def records(self) -> Iterator[Record]:
        return self._journal.records()

    def close(self) -> None:
        self._journals.closed(self)
        self._journal.close()
