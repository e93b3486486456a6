"""What the wizard asks of the composition root. Only that builds object graphs; the wizard never sees which."""

from collections.abc import Callable, Mapping, Sequence
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


class DraftField(NamedTuple):
    """One setting that can be typed. `kind`: file, directory, text, or its choices with a bar between."""

    key: str
    label: str
    help: str
    kind: str


class Draft(Protocol):
    """Settings while they are being written."""

    @property
    def path(self) -> Path:
        """The file that `save` writes."""
        ...

    def values(self) -> dict[str, str]:
        """What is set now, by dotted key."""
        ...

    def problems(self, typed: Mapping[str, str]) -> dict[str, str]:
        """What is wrong, of every key; under "" what belongs to no single one, and then no key is known to be right."""
        ...

    def save(self, typed: Mapping[str, str]) -> Path:
        """Raises OSError."""
        ...

    async def try_nodetool(self, typed: Mapping[str, str]) -> tuple[str, ...]:
        """What one harmless call of nodetool answers, in lines."""
        ...


class Opening(NamedTuple):
    """What is known of a session before its first event: for the banner and the rail."""

    procedure: str
    mode: str
    keyspace: str
    steps: "Sequence[Step]"


class Lesson(NamedTuple):
    """One scenario to practise. `not_real`: why it cannot be run on real nodes; "" if it can."""

    name: str
    title: str
    not_real: str


class Leaving(NamedTuple):
    """What becomes of a session that is left before its end."""

    help: str
    """In sentences, for the help screen."""
    parked: str
    """What parking it means, for the question asked when only the session is left."""
    left: str
    """The same, when the program is left with it."""
    farewell: tuple[str, ...]
    """Lines printed once the program is left; () where the session's own last lines say it."""


class Deed(NamedTuple):
    """Something that can be done in the practice world, and what it stands for in life.

    One that `destroys` is asked about once more.
    """

    key: str
    name: str
    stands_for: str
    destroys: bool


class Practice(Protocol):
    """One scenario being played."""

    async def prepare(self, say: Callable[[str], None]) -> Sequence[str]:
        """Make the practice world; `say` is told how it comes along. Returns the briefing, in paragraphs."""
        ...

    def opening(self) -> Opening: ...

    async def begin(self, bridge: "Bridge") -> "Outcome":
        """A new restore session."""
        ...

    async def resume(self, bridge: "Bridge") -> "Outcome":
        """The restore session that can go on where it was; a new one where there is none."""
        ...

    def leaving(self) -> Leaving: ...

    def deeds(self) -> Sequence[Deed]:
        """What can be done now in the practice world: what only looks first, what destroys last."""
        ...

    async def do(self, key: str) -> str:
        """Do it; returns what is seen afterwards."""
        ...

    async def debrief(self) -> Sequence[str]:
        """In lines; headings are not indented."""
        ...

    async def close(self) -> None:
        """The practice world ends."""
        ...


class Workplace(Protocol):
    """One operator's place: settings, journals, and the procedures that can be run from it."""

    read_only: bool

    def draft(self) -> tuple[Sequence[DraftField], Draft]:
        """The settings that can be typed, and where they lie."""
        ...

    def use(self, typed: Mapping[str, str]) -> None:
        """Settings for the sessions opened from now on."""
        ...

    def sessions(self) -> "list[SessionSummary]":
        """The newest first."""
        ...

    def give_up(self, session: str, reason: str) -> Sequence[str]:
        """It is not resumed any more. Returns what is left to do, in sentences."""
        ...

    def opening(self, procedure: str) -> Opening:
        """Raises for settings that cannot be used; `explained` says why."""
        ...

    def leaving(self) -> Leaving:
        """Of the sessions opened from here, beside practice."""
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

    def lessons(self) -> Sequence[Lesson]:
        """The scenarios there are to practise."""
        ...

    def practice(self, name: str, *, speed: str, nodes: str) -> Practice:
        """`speed`: real, 10x or instant. `nodes`: simulated, or real and a version."""
        ...

    def explained(self, error: BaseException) -> Explanation: ...

    def held_by(self, error: BaseException) -> str | None:
        """The session that holds the lock which this error tells of; "" if its journal is not here.

        None for an error that tells of no lock.
        """
        ...

    def keep_picture(self, session: str, name: str, svg: str) -> Path | None:
        """A picture of a screen as evidence, beside the session's journal; None if that is not on disk.

        Raises OSError.
        """
        ...

    def report(self, session: str) -> Path | None:
        """Where the session's report lies, if it has been written."""
        ...
