"""The timestamp service's servers on the screens of the steps that talk to it: leader, followers, failovers."""

from typing import cast

import pytest
from syrupy.assertion import SnapshotAssertion

from atlasdb_recovery.events import Event, FactEstablished, PlanMade, Progressed, StepFailed, StepIntended
from atlasdb_recovery.procedure import facts
from atlasdb_recovery.procedure.backup import backup_steps
from atlasdb_recovery.procedure.plan import Plan
from atlasdb_recovery.procedure.steps.fast_forward import FastForward
from tests.screens.conftest import StillClock, settled_picture
from tests.screens.ending_feed import FORWARD, before_fast_forward, timelock_plan
from tests.screens.removal_feed import (
    ASCII,
    COLORLESS,
    NODES,
    UNICODE,
    Feed,
    Script,
    ScriptedPlace,
    guards,
    settled,
    shown,
    started,
    until,
    wizard,
)
from tui.app import RecoveryApp
from tui.look import Look
from tui.workplace import Opening, Workplace

SMALL, WIDE = (80, 24), (160, 50)
FETCH, BACK_UP = "fetch-backup-timestamp", "back-up-store"
SERVERS = [f"https://timelock-{n}:8421" for n in (1, 2, 3)]


class BackupPlace(ScriptedPlace):
    def opening(self, procedure: str) -> Opening:
        return Opening(procedure, "LIVE", "orders", backup_steps())


def backing_up(script: Script, look: Look = UNICODE) -> RecoveryApp:
    app = RecoveryApp(cast("Workplace", BackupPlace(script)), look, first="backup")
    app.animation_level = "none"
    return app


def said(feed: Feed, server: str, role: str, note: str = "") -> None:
    """As the engine tells it."""
    feed(feed.state.server_asked(server, role, note))


def looked(feed: Feed, *roles: str) -> None:
    for server, role in zip(SERVERS, roles, strict=True):
        said(feed, server, role)


def fetching(*, lost: bool = False, clock: StillClock | None = None) -> Script:
    """The second server leads when the fetch begins, and dies; the third is elected, unless nobody is."""

    async def script(feed: Feed) -> int:
        lock = FactEstablished(step=FETCH, name=facts.IMMUTABLE_LOCK, value={"immutable": 7, "token": "t"})
        plan = PlanMade(step=FETCH, title="fetch a fresh timestamp into backup.timestamp", lines=(), fingerprint="f")
        opened: list[Event] = [started(), *settled("preflight"), *guards(FETCH), plan]
        feed(*opened, StepIntended(step=FETCH, fingerprint="f", attempt=1), lock)
        looked(feed, "follows", "leads", "follows")
        if clock is not None:
            clock.now += 3
        said(feed, SERVERS[1], "silent", "[Errno 111] Connection refused")
        if not lost:
            said(feed, SERVERS[2], "leads")
        await feed.bridge.keep_alive()
        return 0

    return script


@pytest.mark.parametrize(
    ("size", "look"),
    [(SMALL, UNICODE), (WIDE, UNICODE), (SMALL, ASCII), (SMALL, COLORLESS)],
    ids=["small", "wide", "ascii", "no-color"],
)
async def test_a_failover_during_the_fetch(
    size: tuple[int, int], look: Look, picture: SnapshotAssertion, still_clock: StillClock
) -> None:
    app = backing_up(fetching(clock=still_clock), look)
    async with app.run_test(size=size) as pilot:
        text = await until(
            app,
            pilot,
            "timestamp service: 3 servers, 1 failover",
            f"follows {SERVERS[0]}",
            f"no answer {SERVERS[1]}",
            f"leads {SERVERS[2]}",
            f"failover 0:00 ago: {SERVERS[2]} instead of {SERVERS[1]}",
        )
        assert "asked 0:03 ago" in text
        assert "NONE" not in text
        assert await settled_picture(pilot) == picture


async def test_without_a_leader_that_is_said(still_clock: StillClock) -> None:
    app = backing_up(fetching(lost=True))
    async with app.run_test(size=SMALL) as pilot:
        await until(app, pilot, "3 servers; NONE is known to lead now", "Connection refused")


async def test_one_that_led_before_is_not_said_to_follow(still_clock: StillClock) -> None:
    async def script(feed: Feed) -> int:
        feed(started(), *settled("preflight"))
        looked(feed, "leads", "follows", "follows")
        said(feed, SERVERS[1], "leads")
        await feed.bridge.keep_alive()
        return 0

    app = backing_up(script)
    async with app.run_test(size=SMALL) as pilot:
        await until(app, pilot, f"led before {SERVERS[0]}", f"leads {SERVERS[1]}")


@pytest.mark.parametrize(
    ("size", "look"), [(SMALL, UNICODE), (WIDE, UNICODE), (SMALL, ASCII)], ids=["small", "wide", "ascii"]
)
async def test_beside_the_fast_forward(
    size: tuple[int, int], look: Look, picture: SnapshotAssertion, still_clock: StillClock
) -> None:
    async def script(feed: Feed) -> int:
        feed(*before_fast_forward(), *guards(FORWARD))
        looked(feed, "follows", "leads", "follows")
        feed(timelock_plan(2_000_000))
        await feed.bridge.advance(FastForward(), Plan(title="fast-forward"))
        return 0

    app = wizard(script, look)
    async with app.run_test(size=size) as pilot:
        await until(app, pilot, "n begins fast-forward", f"leads {SERVERS[1]}", "fresh now", "guards hold")
        assert await settled_picture(pilot) == picture


async def test_a_certificate_that_is_not_trusted_stands_with_its_server(still_clock: StillClock) -> None:
    async def script(feed: Feed) -> int:
        feed(started())
        said(feed, SERVERS[0], "refused", "a certificate is not accepted")
        await feed.bridge.keep_alive()
        return 0

    app = backing_up(script)
    async with app.run_test(size=SMALL) as pilot:
        await until(app, pilot, f"refused {SERVERS[0]}", "a certificate is not accepted")


async def test_a_failure_has_the_room_on_a_small_screen(still_clock: StillClock) -> None:
    """What failed, why and what to do are read whole; the servers are one line."""
    remedy = "Sweep may have deleted meanwhile what is needed at B: this backup proves nothing. Take a new one."

    async def script(feed: Feed) -> int:
        plan = PlanMade(step=BACK_UP, title="back up", lines=("a", "b", "c", "d", "e"), fingerprint="f")
        feed(started(), *settled("preflight"), *settled(FETCH))
        looked(feed, "follows", "leads", "follows")
        feed(*guards(BACK_UP), plan, StepIntended(step=BACK_UP, fingerprint="f", attempt=1))
        feed(*(Progressed(step=BACK_UP, unit="bytes", done=5, scope=node) for node in NODES))
        feed(StepFailed(step=BACK_UP, problem="the lock was lost", evidence=("another one leads",), remedy=remedy))
        await feed.bridge.keep_alive()
        return 0

    app = backing_up(script)
    async with app.run_test(size=SMALL) as pilot:
        await until(app, pilot, f"3 timestamp servers; {SERVERS[1]} leads", "FAILED: the lock was lost", remedy)


async def test_many_servers_leave_the_leader_in_sight(still_clock: StillClock) -> None:
    async def script(feed: Feed) -> int:
        feed(started())
        for number in range(9):
            said(feed, f"https://app-{number}:3828/orders/api", "leads" if number == 8 else "follows")
        await feed.bridge.keep_alive()
        return 0

    app = backing_up(script)
    async with app.run_test(size=SMALL) as pilot:
        await until(app, pilot, "9 servers", "leads https://app-8:3828/orders/api", "and 4 more")


async def test_a_stored_bound_has_no_servers() -> None:
    async def script(feed: Feed) -> int:
        feed(started(), *settled("preflight"), *guards(FETCH))
        await feed.bridge.keep_alive()
        return 0

    app = backing_up(script)
    async with app.run_test(size=SMALL) as pilot:
        await until(app, pilot, "ClusterIdentityUnchanged")
        assert "timestamp service:" not in shown(app)
