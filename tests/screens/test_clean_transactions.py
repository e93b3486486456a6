"""The removal's screen: what an operator sees before, while and after transactions are removed."""

from collections.abc import Awaitable, Callable, Sequence

import pytest
from syrupy.assertion import SnapshotAssertion

from atlasdb_recovery.events import (
    Event,
    FactEstablished,
    Progressed,
    StepFailed,
    StepIntended,
    StepPerformed,
    StepVerified,
)
from atlasdb_recovery.procedure import facts
from atlasdb_recovery.procedure.plan import Plan
from atlasdb_recovery.procedure.steps.clean_transactions import CleanTransactions
from tests.screens.conftest import StillClock, settled_picture
from tests.screens.removal_feed import (
    ASCII,
    CLEAN,
    COLORLESS,
    EXPORT,
    UNICODE,
    B,
    Feed,
    before_removal,
    flat,
    guards,
    plan,
    removal_facts,
    shown,
    until,
    wizard,
)
from tui.look import Look

SMALL, WIDE = (80, 24), (160, 50)
Then = Callable[[Feed], Awaitable[None]]


async def forever(feed: Feed) -> None:
    """The engine waits for the operator."""
    await feed.bridge.advance(CleanTransactions(), Plan(title="the removal"))


def at_work(*events: Event) -> Then:
    """The engine does something: it waits for nobody."""

    async def then(feed: Feed) -> None:
        feed(*events)
        await feed.bridge.keep_alive()

    return then


def removal(then: Then = forever, *events: Event) -> Callable[[Feed], Awaitable[int]]:
    async def script(feed: Feed) -> int:
        feed(*before_removal(), *events)
        await then(feed)
        return 0

    return script


PLANNED: Sequence[Event] = (*guards(), plan(removal_facts(odd=3)))
INTENDED = StepIntended(step=CLEAN, fingerprint="5ab3c2d1e0f94877", attempt=1)
EXPORTED = FactEstablished(step=CLEAN, name=facts.EXPORT, value={"path": EXPORT, "count": 1_284, "digest": "d"})
REMOVED = FactEstablished(step=CLEAN, name=facts.REMOVED, value={"count": 1_284, "export": EXPORT})
PROOF = f"no transaction committed after {B} is left: 402,113 cells of _transactions, 9,120 cells of _transactions2"


def progress(unit: str, scope: str, done: int, total: int | None = None) -> Progressed:
    return Progressed(step=CLEAN, unit=unit, scope=scope, done=done, total=total)


@pytest.mark.parametrize(
    ("size", "look"),
    [(SMALL, UNICODE), (WIDE, UNICODE), (SMALL, ASCII), (SMALL, COLORLESS)],
    ids=["small", "wide", "ascii", "no-color"],
)
async def test_before_anything_is_removed(
    size: tuple[int, int], look: Look, picture: SnapshotAssertion, still_clock: StillClock
) -> None:
    """What matters stands on the screen without scrolling, at 80×24 too."""
    app = wizard(removal(forever, *PLANNED), look)
    async with app.run_test(size=size) as pilot:
        text = await until(app, pilot, "n begins clean-transactions: it destroys")
        for wanted in (
            f"1,284 transactions committed after B = {B}",
            "1: 886   2: 142   3: 256",
            "1000051 to 2499870",
            "7 (began before it); staging 1",
            "3, never touched",
            "delete 1 and 2, abort 3",
            "211,500 at or below B stay",
            "1,284 beyond B go",
            "B - 1,048,574",
            "B + 4,095",
        ):
            assert wanted in text
        assert EXPORT in flat(app).replace(" ", "") or size == WIDE
        assert "11 guards hold" in text if size == SMALL else "ClusterIdentityUnchanged" in text
        assert look is not ASCII or text.isascii()
        assert await settled_picture(pilot) == picture


async def test_wide_and_high_all_of_it_is_side_by_side(still_clock: StillClock) -> None:
    app = wizard(removal(forever, *PLANNED))
    async with app.run_test(size=WIDE) as pilot:
        text = await until(app, pilot, "n begins clean-transactions")
        for wanted in (
            'DELETE FROM "orders"."_transactions" USING TIMESTAMP ? WHERE key = ? AND column1 = ? AND column2 = ?',
            "writes the abort marker 0x00 above the commit's own write time, at ALL; never deleted",
            "start 1000045, commit 1000051, schema 1",
            "7 straddle B: started before, committed after",
            "start 1000012, commit 1000051, schema 1",
            "_transactions key 0x0000000000000002 column1 0x74 column2 -1 value 0xff000002 (4 bytes): no VarLong",
        ):
            assert wanted in text


async def test_each_odd_cell_can_be_reached(still_clock: StillClock) -> None:
    found = removal_facts(odd=60) | {"odd": 67}
    app = wizard(removal(forever, *guards(), plan(found)))
    async with app.run_test(size=SMALL) as pilot:
        await until(app, pilot, "67, never touched")
        await pilot.press("c")
        text = await until(app, pilot, "67 odd cells")
        assert "key 0x0000000000000000" in text
        seen: set[int] = set()
        while "and 7 more: `atlasdb-recovery inspect transactions`" not in flat(app):
            text = shown(app)
            seen |= {number for number in range(60) if f"key 0x{number:016x}" in text}
            await pilot.press("pagedown")
            while shown(app) == text:
                await pilot.pause(0.02)
        seen |= {number for number in range(60) if f"key 0x{number:016x}" in shown(app)}
        assert seen == set(range(60))


async def test_the_statements_can_be_read_where_the_screen_is_small() -> None:
    app = wizard(removal(forever, *PLANNED))
    async with app.run_test(size=SMALL) as pilot:
        await until(app, pilot, "n begins clean-transactions")
        await pilot.press("c")
        await until(app, pilot, 'DELETE FROM "orders"."_transactions" USING TIMESTAMP ?')
        await pilot.press("escape")
        await until(app, pilot, "n begins clean-transactions")


async def test_a_guard_that_refuses_takes_the_room_it_needs() -> None:
    refused = guards(NoClientsConnected=("blocked", "127.0.0.2: 10.1.2.3:5123 (user atlas, driver Java)"))
    app = wizard(removal(at_work(), *refused, plan()))
    async with app.run_test(size=SMALL) as pilot:
        await until(app, pilot, "REFUSES", "127.0.0.2: 10.1.2.3:5123", "Mend it.")


async def test_the_guards_can_be_looked_at_instead_of_the_findings() -> None:
    warned = guards(SweepBelowBackup=("warned", "2 of 16 sweep progress cells lie beyond B"))
    app = wizard(removal(forever, *warned, plan()))
    async with app.run_test(size=SMALL) as pilot:
        await until(app, pilot, "11 guards hold, SweepBelowBackup warns", "beyond B go")
        await pilot.press("g")
        text = await until(app, pilot, "2 of 16 sweep progress cells lie beyond B")
        assert "beyond B go" not in text
        await pilot.press("g")
        await until(app, pilot, "beyond B go")


async def test_while_it_looks_it_says_how_far_it_is(still_clock: StillClock) -> None:
    app = wizard(removal(at_work(progress("cells read", "scan", 0)), *guards()))
    async with app.run_test(size=SMALL) as pilot:
        await until(app, pilot, "looking", "nothing is changed by that")
        still_clock.now += 10
        assert app.bridge is not None
        app.bridge.show(progress("cells read", "scan", 450_000), app.bridge.view.state)
        await until(app, pilot, "450,000 cells read, 45,000/s")


async def test_the_removal_from_its_export_to_its_proof(picture: SnapshotAssertion, still_clock: StillClock) -> None:
    app = wizard(removal(at_work(), *PLANNED))
    async with app.run_test(size=SMALL) as pilot:
        await until(app, pilot, "1,284 transactions")
        assert app.bridge is not None
        feed = Feed(app.bridge)
        feed.state = app.bridge.view.state
        feed(INTENDED, progress("transactions exported", "export", 700))
        await until(app, pilot, "▶ exported", "700 transactions exported of 1,284", "· removed", "· proof")
        feed(progress("transactions exported", "export", 1_284), EXPORTED)
        feed(progress("transactions removed", "remove", 0, 1_284))
        still_clock.now += 2
        feed(progress("transactions removed", "remove", 512, 1_284))
        await until(app, pilot, "✓ exported", "1,284 rows as they were, fsynced", "▶ removed")
        await until(app, pilot, "512 of 1,284 transactions removed, 256/s, about 3 seconds left", "at work for 0:00:02")
        assert await settled_picture(pilot) == picture(name="removing")
        feed(progress("transactions removed", "remove", 1_284, 1_284), REMOVED, StepPerformed(step=CLEAN, seconds=5.0))
        feed(progress("cells read", "rescan", 0, 411_233))
        still_clock.now += 4
        feed(progress("cells read", "rescan", 200_000, 411_233))
        await until(app, pilot, "✓ removed", "1,284 of 1,284, each read back at ALL", "▶ rescanned", "50,000/s")
        assert "are left" not in shown(app)
        feed(StepVerified(step=CLEAN, evidence=(f"{PROOF} read at ALL",)))
        await until(app, pilot, "fast-forward is not begun")
        app.show_step(CLEAN)
        await until(app, pilot, "✓ rescanned", f"✓ proof 0 transactions committed after B = {B} are left", PROOF)
        assert await settled_picture(pilot) == picture(name="proven")


async def test_nothing_to_remove_is_said_plainly() -> None:
    nothing = removal_facts(0, first_commit=None, last_commit=None, straddling=0, staging=0, histogram={"-3": 5})
    app = wizard(removal(forever, *guards(), plan(nothing)))
    async with app.run_test(size=SMALL) as pilot:
        await until(app, pilot, f"Nothing has to be removed: no transaction committed after B = {B}")
        await until(app, pilot, "402,113 cells of _transactions", "5 at or below B stay", "0 beyond B go")


async def test_a_failure_is_told_beside_how_far_it_came() -> None:
    failed = StepFailed(
        step=CLEAN,
        problem="the transaction that started at 1000045 could not be removed",
        evidence=("after 3 attempts: value 0xc0ffee, write time 99",),
        remedy="Check the clocks, then resume.",
    )
    script = removal(at_work(INTENDED, EXPORTED, failed), *PLANNED)
    app = wizard(script)
    async with app.run_test(size=SMALL) as pilot:
        await until(
            app, pilot, "✓ exported", "✗ removed", "· rescanned", "FAILED: the transaction that started at 1000045"
        )
        await until(app, pilot, "Check the clocks, then resume.")


async def test_what_is_not_on_record_is_not_claimed() -> None:
    """The process died in the middle; found done afterwards."""
    found = StepVerified(step=CLEAN, evidence=(PROOF,), found_done=True)
    app = wizard(removal(at_work(INTENDED, found), *PLANNED))
    async with app.run_test(size=SMALL) as pilot:
        await until(app, pilot, "fast-forward is not begun")
        app.show_step(CLEAN)
        text = await until(app, pilot, f"0 transactions committed after B = {B} are left")
        assert flat(app).count("its end is not on record") == 2
        assert "each read back" not in text


async def test_an_export_of_an_earlier_attempt_is_not_taken_for_this_one() -> None:
    earlier = FactEstablished(step=CLEAN, name=facts.EXPORT, value={"path": "/earlier.jsonl", "count": 9})
    again = StepIntended(step=CLEAN, fingerprint="5ab3c2d1e0f94877", attempt=2)
    app = wizard(removal(at_work(earlier, again), *PLANNED))
    async with app.run_test(size=SMALL) as pilot:
        text = await until(app, pilot, "▶ exported")
        assert "/earlier.jsonl" not in text
