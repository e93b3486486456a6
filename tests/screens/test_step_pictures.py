"""How the steps look on which nothing is destroyed, and the two pages around a practice session."""

from collections.abc import Sequence
from typing import NamedTuple, cast

import msgspec
import pytest
from syrupy.assertion import SnapshotAssertion
from textual.app import App

from atlasdb_recovery.events import (
    CommandStarted,
    Event,
    FactEstablished,
    PlanMade,
    Progressed,
    SessionCompleted,
    StepIntended,
)
from atlasdb_recovery.procedure import facts
from atlasdb_recovery.procedure.backup import backup_steps
from screens.briefing import BriefingScreen
from screens.debrief import DebriefScreen
from tests.screens.conftest import StillClock, settled_picture
from tests.screens.removal_feed import ASCII, UNICODE, B, F, Feed, ScriptedPlace, guards, settled, started, until
from tui.app import RecoveryApp
from tui.look import Look
from tui.workplace import Opening, Workplace

SMALL, WIDE = (80, 24), (160, 50)
SIZES = pytest.mark.parametrize(
    ("size", "look"), [(SMALL, UNICODE), (WIDE, UNICODE), (SMALL, ASCII)], ids=["small", "wide", "ascii"]
)
COMMAND = ("nodetool", "-h", "127.0.0.2", "-p", "7199")


class Place(ScriptedPlace):
    def opening(self, procedure: str) -> Opening:
        opening = super().opening(procedure)
        return opening._replace(steps=backup_steps()) if procedure == "backup" else opening


def planned(step: str, *words: str) -> PlanMade:
    lines = (" ".join((*COMMAND, *words)), f"then each of the 3 nodes in the same way: {' '.join(words)}")
    return PlanMade(step=step, title=f"{step} of keyspace orders", lines=lines, fingerprint="f")


def refused() -> Sequence[Event]:
    """Two guards refuse, one of them because it could not look; one warns."""
    found = {
        "NoClientsConnected": ("blocked", "10.2.0.7:51124, DataStax Java driver 4.17, as atlas, on 127.0.0.2"),
        "KeyspaceEmpty": ("unknown", "could not look: OperationTimedOut"),
        "ClocksClose": ("warned", "127.0.0.3 is 1.4 s ahead"),
    }
    return started(), *guards("preflight", **found)


def restoring() -> Sequence[Event]:
    step = "restore-store"
    return (
        started(),
        *settled("preflight", "B = 2,499,870; F = 2,500,001"),
        *guards(step),
        planned(step, "import", "orders"),
        StepIntended(step=step, fingerprint="f", attempt=1),
        CommandStarted(step=step, source="127.0.0.2", command=(*COMMAND, "import", "orders", "_transactions")),
        Progressed(step=step, unit="tables", done=5, total=14, scope="127.0.0.1"),
        Progressed(step=step, unit="tables", done=3, total=14, scope="127.0.0.2"),
    )


def backing_up() -> Sequence[Event]:
    step = "back-up-store"
    return (
        msgspec.structs.replace(started(), procedure="backup"),
        *settled("preflight", "cluster prod-eu-1, 3 nodes"),
        *settled("fetch-backup-timestamp", "B = 2,499,870"),
        *guards(step),
        planned(step, "snapshot", "-t", "20261123T031502Z", "orders"),
        StepIntended(step=step, fingerprint="f", attempt=1),
        Progressed(step=step, unit="files", done=211, total=640),
    )


def sealed() -> Sequence[Event]:
    steps = [event for step in backup_steps() for event in settled(step.name, f"{step.title}: found true")]
    timestamps = (
        FactEstablished(step="fetch-backup-timestamp", name=facts.BACKUP_TIMESTAMP, value=B),
        FactEstablished(step="fetch-fast-forward-timestamp", name=facts.FAST_FORWARD_TIMESTAMP, value=F),
    )
    began = msgspec.structs.replace(started(), procedure="backup")
    return began, *timestamps, *steps, SessionCompleted(evidence=("all",))


class Shown(NamedTuple):
    """What happened until now, and words that stand on the screen then."""

    procedure: str
    events: Sequence[Event]
    words: str


STEPS = {
    "preflight": Shown("restore", refused(), "10.2.0.7:51124"),
    "restore-store": Shown("restore", restoring(), "5 of 14"),
    "back-up-store": Shown("backup", backing_up(), "211 of 640"),
    "seal-backup": Shown("backup", sealed(), "Backup complete"),
}


def wizard_at(step: str, look: Look) -> RecoveryApp:
    """The application in the middle of this step, or after the last one."""
    procedure, events, _ = STEPS[step]

    async def script(feed: Feed) -> int:
        feed(*events)
        if not isinstance(events[-1], SessionCompleted):
            await feed.bridge.keep_alive()
        return 0

    app = RecoveryApp(cast("Workplace", Place(script)), look, first=procedure)
    app.animation_level = "none"
    return app


@SIZES
@pytest.mark.parametrize("step", STEPS)
async def test_a_step_looks_as_it_did(
    step: str, size: tuple[int, int], look: Look, picture: SnapshotAssertion, still_clock: StillClock
) -> None:
    app = wizard_at(step, look)
    async with app.run_test(size=size) as pilot:
        await until(app, pilot, STEPS[step].words)
        assert await settled_picture(pilot) == picture


class OnePage(App[None]):
    CSS_PATH = "../../tui/wizard.tcss"


@SIZES
async def test_the_page_that_pages_the_operator(size: tuple[int, int], look: Look, picture: SnapshotAssertion) -> None:
    app = OnePage()
    async with app.run_test(size=size) as pilot:
        screen = BriefingScreen("A node dies in the middle of the repair", look, read_only=False)
        await app.push_screen(screen)
        screen.ready(("03:12. The orders service is down: its keyspace is gone.", "Bring it back to B."), "restore")
        assert await settled_picture(pilot) == picture


@SIZES
async def test_the_page_that_looks_back(size: tuple[int, int], look: Look, picture: SnapshotAssertion) -> None:
    app = OnePage()
    lines = (
        "DEBRIEF: A node dies in the middle of the repair",
        "What happened",
        "  03:21  127.0.0.3 went down while it was being repaired",
        "What was missed",
        "  nothing",
        "The rule behind it",
        "  A repair is done when every range of every node is accounted for.",
    )
    async with app.run_test(size=size) as pilot:
        await app.push_screen(DebriefScreen(lines))
        assert await settled_picture(pilot) == picture
