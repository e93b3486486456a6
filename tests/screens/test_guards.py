"""Every guard of the registry refuses and lets go through the screens: the real guard, before the step at which it
stands, through the real runner."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest
from textual.containers import VerticalScroll

from atlasdb_recovery.atlas import timestamp_file
from atlasdb_recovery.atlas.timestamp_file import BACKUP_FILE
from atlasdb_recovery.events import GuardOverruled, StepIntended
from atlasdb_recovery.journal import report
from atlasdb_recovery.journal.reader import JournalReader
from atlasdb_recovery.journal.record import Journal, journal_path
from atlasdb_recovery.procedure.backup import backup_steps
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.guards.guard import Guard
from atlasdb_recovery.procedure.guards.lock_guard import LockFree
from atlasdb_recovery.procedure.guards.put_back_guard import NotFastForwarded
from atlasdb_recovery.procedure.guards.sealed_timestamp import TimestampOfBackup
from atlasdb_recovery.procedure.guards.sweep_guards import ImmutableTimestampLocked
from atlasdb_recovery.procedure.removal.pre_images import Header
from atlasdb_recovery.procedure.restore import restore_steps
from atlasdb_recovery.procedure.runner import Runner
from atlasdb_recovery.procedure.step import Step
from atlasdb_recovery.procedure.timestamp_row import timestamp_row
from screens.dialogs.words import WordsDialog
from tests.procedure.guards.scene import Scene
from tests.procedure.guards.test_every_guard import EVERY
from tests.procedure.stage import ScriptedStep
from tests.screens.guard_causes import CAUSES, NEVER_REFUSE, Cause
from tests.screens.removal_feed import UNICODE, Feed, ScriptedPlace
from tests.screens.screen_operator import ScreenOperator
from tui.app import RecoveryApp
from tui.bridge import Refused, ToBegin
from tui.step_screen import StepScreen
from tui.workplace import Opening, Workplace

SIZE = (120, 36)
MAY_BE_OVERRULED = [kind for kind in CAUSES if kind.may_be_overruled]
REASON = "seen and agreed with the owner, ticket 4711"


class OfOneGuard(ScriptedStep):
    """For guards that stand before no step of a backup or restore, or only with TimeLock."""

    def __init__(self, guard: Guard) -> None:
        super().__init__()
        self._guard = guard

    def guards(self, context: Context) -> Sequence[Guard]:
        return [self._guard]


async def step_with(kind: type[Guard], scene: Scene, cause: Cause) -> tuple[list[Step], Step]:
    """The steps of the procedure, and the first that is not settled and has this guard; what lies before is."""
    if kind in {LockFree, ImmutableTimestampLocked}:
        step: Step = OfOneGuard(kind())
        return [step], step
    if kind is TimestampOfBackup:
        named = timestamp_file.read(scene.context.backup_dir / BACKUP_FILE)
        step = OfOneGuard(TimestampOfBackup(named, is_forward=False, is_of_file=True))
        return [step], step
    if kind is NotFastForwarded:
        row = await timestamp_row(scene.context)
        session = Header(
            session="a-session", cluster="practice", keyspace="shop", after=1, removal="delete", timestamp_row=row
        )
        step = OfOneGuard(NotFastForwarded(session))
        return [step], step
    steps = list(backup_steps() if cause.scene == "alive" else restore_steps())
    for step in steps:
        state = scene.context.state.step(step.name)
        if not state.is_settled and kind in map(type, step.guards(scene.context)):
            return steps, step
        state.status = "verified"
    raise AssertionError(f"no step has {kind.__name__}")


class Place(ScriptedPlace):
    """Where the real runner runs this one step."""

    def __init__(self, scene: Scene, steps: Sequence[Step], step: Step) -> None:
        super().__init__(self.run)
        self._scene = scene
        self._steps = steps
        self._step = step
        settings = scene.context.settings
        self.journal = Journal.create(settings.state_dir, scene.context.session, secrets=frozenset())
        self.path = journal_path(settings.state_dir, scene.context.session)

    def opening(self, procedure: str) -> Opening:
        return Opening(procedure, "PRACTICE", self._scene.keyspace, self._steps)

    async def run(self, feed: Feed) -> int:
        context, bridge = self._scene.context, feed.bridge
        first = self._scene.arena.started("restore", context.session)
        self.journal.append(first)
        context.state.apply(first)
        bridge.show(first, context.state)
        return await Runner([self._step], context, self.journal, bridge).run()


class GuardOperator(ScreenOperator):
    """In front of one step's guards."""

    place: Place
    mend: Callable[[], Awaitable[object]]
    """Takes away what made the guard refuse."""

    def row(self) -> str:
        """What stands of the guard under the cursor."""
        screen = self.app.screen
        assert isinstance(screen, StepScreen)
        return str(screen.guards.get_option(screen.guards.chosen).prompt)

    async def put_cursor_on(self, guard: str) -> None:
        screen = self.app.screen
        assert isinstance(screen, StepScreen)
        await self.pilot.press("home")
        for _ in range(screen.guards.option_count):
            if screen.guards.chosen == guard:
                return
            await self.pilot.press("down")
        raise AssertionError(f"{guard} is not in:\n{self.text}")

    async def details(self) -> str:
        """All of the guard under the cursor, from top to bottom."""
        await self.pilot.press("d")
        await self.until(lambda: isinstance(self.app.screen, WordsDialog), "the details")
        scroll, pages = self.app.screen.query_one(VerticalScroll), []
        await self.pilot.pause()
        while True:
            region = scroll.scrollable_content_region
            strips = self.app.screen._compositor.render_strips()[region.y : region.bottom]
            pages += [strip.text[region.x : region.right] for strip in strips]
            if scroll.scroll_y >= scroll.max_scroll_y:
                break
            scroll.scroll_page_down(animate=False, force=True)
            await self.pilot.pause()
        await self.pilot.press("escape")
        await self.until(lambda: isinstance(self.app.screen, StepScreen), "the step's screen")
        return " ".join(" ".join(pages).split())

    def is_open(self, key: str) -> bool:
        """Whether the key would act, as the footer shows it."""
        return self.app.screen.active_bindings[key].enabled

    def events(self) -> list[object]:
        return [record.event for record in JournalReader(self.place.path)]


@asynccontextmanager
async def before(kind: type[Guard], cause: Cause, directory: Path) -> AsyncIterator[GuardOperator]:
    """An operator at the step, while the guard refuses."""
    scene = await getattr(Scene, cause.scene)(cause.dialect, directory)
    steps, step = await step_with(kind, scene, cause)
    place = Place(scene, steps, step)
    app = RecoveryApp(cast("Workplace", place), UNICODE, first="restore")
    app.animation_level = "none"
    refusing = cause.refuse(scene)
    await refusing.__aenter__()
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        operator = GuardOperator(app, pilot)
        operator.place = place
        operator.mend = lambda: refusing.__aexit__(None, None, None)
        assert isinstance(await operator.decision(), Refused)
        yield operator
    place.journal.close()


def flattened(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("kind", CAUSES, ids=lambda kind: kind.__name__)
async def test_it_refuses_says_why_and_lets_go_once_the_cause_is_gone(kind: type[Guard], tmp_path: Path) -> None:
    cause, guard = CAUSES[kind], kind.__name__
    async with before(kind, cause, tmp_path) as operator:
        refusing = operator.waiting
        assert guard in {check.guard for check in refusing.refusals}
        [status] = [check.status for check in refusing.refusals if check.guard == guard]
        assert (guard if status == "blocked" else "could not look") in operator.text.split("Next is closed: ")[1]
        await operator.put_cursor_on(guard)
        assert re.search(rf"(REFUSES|UNKNOWN) +{guard}", operator.text)
        shown = flattened(operator.row())
        assert cause.evidence in shown
        assert cause.remedy in shown
        told = await operator.details()
        assert cause.evidence in told
        assert cause.remedy in told
        assert not operator.is_open("n")
        await operator.pilot.press("n")
        if not (kind.may_be_overruled or kind.answered_by):
            await operator.pilot.press("o")
            await operator.until_told(f"{guard} protects data: nobody can overrule it")
        assert operator.waiting is refusing
        await operator.mend()
        await operator.press("r")
        assert isinstance(await operator.decision(), ToBegin), operator.text
        assert operator.is_open("n")
        assert not any(isinstance(event, GuardOverruled | StepIntended) for event in operator.events())
        screen = operator.app.screen
        assert isinstance(screen, StepScreen)
        assert screen.step.guards[guard].check.status in {"passed", "warned", "not-applicable"}


@pytest.mark.parametrize("kind", MAY_BE_OVERRULED, ids=lambda kind: kind.__name__)
async def test_words_let_it_go_on_and_stand_in_journal_and_report(kind: type[Guard], tmp_path: Path) -> None:
    guard = kind.__name__
    async with before(kind, CAUSES[kind], tmp_path) as operator:
        refusing = operator.waiting
        await operator.put_cursor_on(guard)
        await operator.pilot.press("o")
        await operator.until_shown("Enter answers")
        await operator.typist.wait(0.0).type("ok")
        await operator.pilot.press("enter")
        await operator.until_told("A few words are needed.")
        assert operator.waiting is refusing
        await operator.pilot.press("backspace", "backspace")
        await operator.typist.type(REASON)
        await operator.pilot.press("enter")
        assert isinstance(await operator.decision(), ToBegin), operator.text
        await operator.put_cursor_on(guard)
        assert f"overruled: {REASON}" in flattened(operator.row())
        (overruled,) = [event for event in operator.events() if isinstance(event, GuardOverruled)]
        assert (overruled.guard, overruled.reason, overruled.by) == (guard, REASON, "wizard")
        path = operator.place.path
    report.write(JournalReader(path), path.with_name("report.md"), "md")
    written = path.with_name("report.md").read_text()
    assert guard in written
    assert REASON in written


def test_no_guard_of_the_registry_is_left_out() -> None:
    assert set(CAUSES) | NEVER_REFUSE == set(EVERY)
    assert not set(CAUSES) & NEVER_REFUSE
