"""The wizard's composition root: settings, journals and live sessions, for the screens to run.

What is imported here at the top is paid for before the first picture; the engine comes in when a session is opened.
"""

import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.look import Look, prepare_environment
from tui.workplace import Draft, DraftField, Explanation, Leaving, Lesson, Opening, Practice, Workplace

if TYPE_CHECKING:
    from atlasdb_recovery.cli.graph import Graph
    from atlasdb_recovery.cli.sessions import Session
    from atlasdb_recovery.journal.sessions import SessionSummary
    from atlasdb_recovery.procedure.runner import Outcome
    from atlasdb_recovery.procedure.session import SessionState
    from atlasdb_recovery.settings import Settings
    from tui.bridge import Bridge

FOLLOWED_EVERY = 0.5
PARKED = (
    "Parking stops before the next effect and writes everything down; what Cassandra itself is doing goes on. The "
    "session can be resumed."
)
LEAVING = Leaving(
    help="Leaving parks the session: it goes on with `atlasdb-recovery resume`, and asks the cluster what is true "
    "instead of repeating.",
    parked=PARKED,
    left=PARKED,
    farewell=(),
)


class LiveWorkplace:
    """Sessions on a live cluster, as `recovery.yml` and flags name it."""

    def __init__(
        self,
        graph: "Graph | None",
        settings_file: Path | None,
        overrides: Mapping[str, Any],
        *,
        read_only: bool = False,
        take_over: bool = False,
        resume_command: Callable[[str], str] | None = None,
    ) -> None:
        """`graph`: None is the live one, which is imported when it is first needed."""
        self.read_only = read_only
        self._given_graph = graph
        self._settings_file = settings_file
        self._overrides = overrides
        self._typed: dict[str, str] = {}
        self._take_over = take_over
        self._resume_command = resume_command or (lambda session: f"atlasdb-recovery resume {session}")

    def settings(self) -> "Settings":
        from atlasdb_recovery.cli.flags import settings_path
        from atlasdb_recovery.settings import load

        path = settings_path(self._settings_file)
        is_there = path is None or path.exists() or not self._typed
        return load(path if is_there else None, self._overrides, typed=self._typed)

    def draft(self) -> tuple[Sequence[DraftField], Draft]:
        from atlasdb_recovery.cli.flags import DEFAULT_FILE
        from atlasdb_recovery.cli.settings_draft import FIELDS, SettingsDraft

        asked = [field for field in FIELDS if field.key not in self._overrides]
        path = self._settings_file or Path(DEFAULT_FILE)
        return asked, SettingsDraft(path, self._overrides, self._typed)

    def use(self, typed: Mapping[str, str]) -> None:
        self._typed |= typed

    def sessions(self) -> "list[SessionSummary]":
        from atlasdb_recovery.journal.sessions import sessions

        return sessions(self._state_dir())

    def give_up(self, session: str, reason: str) -> Sequence[str]:
        from atlasdb_recovery.cli.abort import given_up

        return given_up(self._state_dir(), session, reason, self.settings)

    def opening(self, procedure: str) -> Opening:
        from atlasdb_recovery.cli.sessions import PROCEDURES

        return Opening(procedure, "LIVE", self.settings().keyspace, PROCEDURES[procedure]())

    def leaving(self) -> Leaving:
        return LEAVING

    def opening_of(self, session: str) -> Opening:
        from atlasdb_recovery.cli.sessions import PROCEDURES
        from atlasdb_recovery.journal.record import JournalMissing, journal_path
        from atlasdb_recovery.journal.sessions import summary

        path = journal_path(self._state_dir(), session)
        if not path.exists():
            raise JournalMissing(f"there is no session {session} in {self._state_dir()}")
        found = summary(path)
        return Opening(found.procedure, found.mode, found.keyspace, PROCEDURES[found.procedure]())

    async def begin(self, procedure: str, bridge: "Bridge", *, take_over: bool = False) -> "Outcome":
        return await self._session(bridge, take_over).run_new(procedure)

    async def resume(self, session: str, bridge: "Bridge", *, take_over: bool = False) -> "Outcome":
        from atlasdb_recovery.procedure.session import SessionState

        self._replay(session, bridge, SessionState(), after=0)
        return await self._session(bridge, take_over).run_again(session)

    def _session(self, bridge: "Bridge", take_over: bool) -> "Session":
        from atlasdb_recovery.cli.sessions import Session
        from atlasdb_recovery.procedure.answers import Answers

        return Session(
            self._graph,
            self.settings(),
            bridge,
            Answers(),
            self._resume_command,
            take_over=take_over or self._take_over,
        )

    async def look(self, procedure: str, bridge: "Bridge") -> None:
        from atlasdb_recovery.cli.looking import look
        from atlasdb_recovery.cli.sessions import PROCEDURES
        from atlasdb_recovery.procedure.front_end import Choice
        from atlasdb_recovery.procedure.plan import Plan

        first = PROCEDURES[procedure]()[0]
        choice = Choice.RETRY
        while choice is Choice.RETRY:
            await look(self._graph, procedure, self.settings(), bridge)
            choice = await bridge.advance(first, Plan(title="look again"))

    async def follow(self, session: str, bridge: "Bridge") -> None:
        from atlasdb_recovery.procedure.session import SessionState

        state, shown = SessionState(), 0
        while state.outcome not in {"completed", "aborted"}:
            shown = self._replay(session, bridge, state, after=shown)
            self._tell_whether_at_work(session, bridge, state)
            await asyncio.sleep(FOLLOWED_EVERY)

    def _tell_whether_at_work(self, session: str, bridge: "Bridge", state: "SessionState") -> None:
        """A process that was killed has said nothing of its end. Where that can't be told, nothing is said."""
        from datetime import datetime

        from atlasdb_recovery.journal.record import journal_path
        from atlasdb_recovery.journal.sessions import is_being_written, summary

        path = journal_path(self._state_dir(), session)
        is_told_already = state.outcome != "running" or bridge.view.stopped or not state.session
        if is_told_already or is_being_written(path) is not False:
            return
        said = f"its process ended without a word. Go on with: {self._resume_command(session)}"
        bridge.view.broke_off(said, datetime.fromisoformat(summary(path).last))

    def _replay(self, session: str, bridge: "Bridge", state: "SessionState", *, after: int) -> int:
        from atlasdb_recovery.cli.replay import replay
        from atlasdb_recovery.journal.record import journal_path

        return replay(journal_path(self._state_dir(), session), bridge, state, after=after)

    def lessons(self) -> "Sequence[Lesson]":
        from atlasdb_recovery.cli.played_drill import lessons

        return lessons()

    def practice(self, name: str, *, speed: str, nodes: str) -> "Practice":
        from atlasdb_recovery.cli.played_drill import PlayedDrill

        return PlayedDrill(name, speed=speed, nodes=nodes)

    def explained(self, error: BaseException) -> Explanation:
        from atlasdb_recovery.atlas.yaml_document import ConfigurationError
        from atlasdb_recovery.cli.ending import explanation

        code, lines = explanation(error)
        if isinstance(error, ConfigurationError) and not error.file:
            lines = (f"{error.what}.", *error.remedy.splitlines())
        return Explanation(code, lines)

    def held_by(self, error: BaseException) -> str | None:
        from atlasdb_recovery.journal.lock import LockHeld
        from atlasdb_recovery.journal.record import JournalInUse, journal_path

        if isinstance(error, JournalInUse):
            return error.path.parent.name
        if not isinstance(error, LockHeld):
            return None
        session = error.holder.session
        return session if journal_path(self._state_dir(), session).exists() else ""

    def keep_picture(self, session: str, name: str, svg: str) -> Path | None:
        from atlasdb_recovery.journal.evidence import keep
        from atlasdb_recovery.journal.record import journal_path

        journal = journal_path(self._state_dir(), session)
        return keep(journal, f"{name}.svg", svg) if journal.exists() else None

    def report(self, session: str) -> Path | None:
        from atlasdb_recovery.journal.record import journal_path

        path = journal_path(self._state_dir(), session).with_name("report.html")
        return path if path.exists() else None

    @property
    def _graph(self) -> "Graph":
        from atlasdb_recovery.cli.graph import live_graph

        return self._given_graph or live_graph

    def _state_dir(self) -> Path:
        """The settings' own; the default one where there are no usable settings yet."""
        import platformdirs

        from atlasdb_recovery.atlas.yaml_document import ConfigurationError

        try:
            return self.settings().state_dir
        except ConfigurationError:
            return platformdirs.user_state_path("atlasdb-recovery")


def run_wizard(workplace: Workplace, look: Look, *, first: str = "", session: str = "") -> int:
    """Until the operator leaves; the farewell stays in the terminal's scrollback. Returns the exit code."""
    prepare_environment(look)
    from tui.app import RecoveryApp

    app = RecoveryApp(workplace, look, first=first, session=session)
    app.run()
    for line in app.farewell:
        print(line)
    return app.return_code or 0


def is_possible() -> bool:
    """A terminal that can be drawn on, at both ends."""
    import os

    return (
        sys.stdin is not None
        and sys.stdin.isatty()
        and sys.stdout.isatty()
        and os.environ.get("TERM", "") not in {"", "dumb"}
    )
