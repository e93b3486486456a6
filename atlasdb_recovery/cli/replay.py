"""What a journal holds already, shown to the screens as of the time when it happened."""

from pathlib import Path

from atlasdb_recovery.journal.reader import JournalReader
from atlasdb_recovery.procedure.session import SessionState
from tui.bridge import Bridge


def replay(journal: Path, bridge: Bridge, state: SessionState, *, after: int) -> int:
    """Shows what the journal holds beyond record `after`. Returns the number of the last one shown."""
    for record in JournalReader(journal):
        if record.seq > after:
            after = record.seq
            state.apply(record.event)
            bridge.show(record.event, state, at=record.time)
    return after
