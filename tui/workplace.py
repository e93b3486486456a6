"""What the wizard asks of the composition root. Only that builds object graphs; the wizard never sees which."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from atlasdb_recovery.journal.sessions import SessionSummary
    from atlasdb_recovery.procedure.runner import Outcome
    from atlasdb_recovery.procedure.step import Step
    from tui.bridge import Bridge


class Explanation(NamedTuple):
    """How an error ends: in words an operator can act on, and as an exit code."""

    exit_code: int
    lines: tuple[str, ...]


class Opening(NamedTuple):
    """What is known of a session before its first event: for the banner and the rail."""

    procedure: str
    mode: str
    keyspace: str
    steps: "Sequence[Step]"


class Workplace(Protocol):
    """One operator's place: settings, journals, and the procedures that can be run from it."""

    read_only: bool

    def sessions(self) -> "list[SessionSummary]":
        """The newest first."""
        ...

    def opening(self, procedure: str) -> Opening:
        """Raises for settings that cannot be used; `explained` says why."""
        ...

    def opening_of(self, session: str) -> Opening:
        """Of a session that can be resumed or looked at."""
        ...

    async def begin(self, procedure: str, bridge: "Bridge", *, take_over: bool = False) -> "Outcome":
        """Run a new session. Cancelling it parks the session."""
        ...

    async def resume(self, session: str, bridge: "Bridge", *, take_over: bool = False) -> "Outcome": ...

    async def look(self, procedure: str, bridge: "Bridge") -> None:
        """Every guard and every plan as far as they can be told, without a session; changes nothing."""
        ...

    async def follow(self, session: str, bridge: "Bridge") -> None:
        """Feed the view from that session's journal as it grows; until it is cancelled."""
        ...

    def explained(self, error: BaseException) -> Explanation: ...

    def report(self, session: str) -> Path | None:
        """Where the session's report lies, if it has been written."""
        ...
