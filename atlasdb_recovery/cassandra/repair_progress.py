"""The lines of a running repair, folded as they arrive."""

from atlasdb_recovery.cassandra.ports import Line
from atlasdb_recovery.cassandra.repair_options import range_count
from atlasdb_recovery.cassandra.repair_ranges import Range
from atlasdb_recovery.cassandra.repair_transcript import Failed, SessionFinished, Started, Statement, statement


class RepairProgress:
    """What `nodetool repair` has said so far. Shows how far it is; whether it worked is for `judge` alone.

    `last_line` is the newest line as it came (foreign text); `last_sign_of_life` its arrival in seconds since the
    command started, None before the first.
    """

    def __init__(self) -> None:
        self.statements: list[Statement] = []
        self.failures: list[Failed] = []
        self.starts: list[Started] = []
        self.last_line = ""
        self.last_sign_of_life: float | None = None
        self._done: dict[Range, None] = {}
        self._failed: dict[Range, None] = {}

    def add(self, line: Line) -> Statement | None:
        """Take one line of either stream; what it says."""
        self.last_line, self.last_sign_of_life = line.text, line.at
        found = statement(line.text)
        if found is None:
            return None
        self.statements.append(found)
        match found:
            case Started():
                self.starts.append(found)
            case SessionFinished():
                self._done.update(dict.fromkeys(found.ranges))
            case Failed():
                self.failures.append(found)
                self._failed.update(dict.fromkeys(found.ranges))
            case _:
                pass
        return found

    @property
    def ranges_done(self) -> frozenset[Range]:
        """Ranges of sessions that finished, tokens as printed, without those of sessions that failed."""
        return frozenset(self._done.keys() - self._failed.keys())

    @property
    def ranges_failed(self) -> frozenset[Range]:
        """Ranges of sessions that failed, tokens as printed."""
        return frozenset(self._failed)

    @property
    def ranges_expected(self) -> int | None:
        """How many ranges the commands seen so far set out to repair; None where their first line was lost."""
        counts = {(start.number, start.parent_id): range_count(start.options) for start in self.starts}
        known = [count for count in counts.values() if count is not None]
        return sum(known) if known else None

    @property
    def parent_ids(self) -> tuple[str, ...]:
        """The parent session ids on the "Starting" lines (3.11 and later), in order."""
        return tuple(dict.fromkeys(start.parent_id for start in self.starts if start.parent_id))
