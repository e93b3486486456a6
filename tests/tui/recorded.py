"""Whole sessions on the simulated cluster, as the records that their journals hold."""

from collections.abc import Sequence
from pathlib import Path

from atlasdb_recovery.events import Event
from atlasdb_recovery.journal.record import MemoryJournal
from atlasdb_recovery.practice.simulated_practice import SimulatedPractice
from atlasdb_recovery.procedure.backup import backup_steps
from atlasdb_recovery.procedure.restore import restore_steps
from atlasdb_recovery.procedure.runner import Outcome
from atlasdb_recovery.procedure.session import SessionState
from atlasdb_recovery.procedure.step import Step
from tests.restore.arena import Arena
from tui.session_view import SessionView

STEPS = {"backup": backup_steps, "restore": restore_steps}


async def recorded(directory: Path) -> dict[str, list[Event]]:
    """A backup and a restore, from their first event to their last."""
    arena = Arena(SimulatedPractice(data_root=directory / "nodes"), directory, stages=15)
    await arena.exercise.make_history()
    backup, restore = MemoryJournal(), MemoryJournal()
    await arena.back_up_running_service(backup)
    await arena.exercise.lose_keyspace()
    assert await arena.restore(journal=restore) is Outcome.DONE
    journals = {"backup": backup, "restore": restore}
    return {name: [record.event for record in journal.records()] for name, journal in journals.items()}


def seen(events: Sequence[Event], procedure: str) -> SessionView:
    """What the screens know after these events."""
    steps: Sequence[Step] = STEPS[procedure]()
    view, state = SessionView(steps, mode="LIVE"), SessionState()
    for event in events:
        state.apply(event)
        view.apply(event, state)
    return view
