"""A session read from its journal is shown with the journal's times: ages, durations, the log's lines."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from atlasdb_recovery.cli.replay import replay
from atlasdb_recovery.events import (
    CommandStarted,
    Event,
    LinePrinted,
    Progressed,
    SessionParked,
    SessionResumed,
    StepIntended,
    TimestampServerSeen,
)
from atlasdb_recovery.journal.record import Journal, journal_path
from atlasdb_recovery.procedure.restore import restore_steps
from atlasdb_recovery.procedure.session import SessionState
from tests.screens.removal_feed import CLEAN, SESSION, UNICODE, before_removal, guards, settled, started
from tui.bridge import Bridge
from tui.figures import ago, clock_time
from tui.session_view import SessionView
from tui.widgets.guard_summary import summary

HOUR = 3600.0
SERVER = "https://timelock-1"


def replayed(directory: Path, events: Sequence[Event], *, ago: float, each: float) -> Bridge:
    """The first one was recorded so many seconds ago, and one more every so many seconds."""
    began, count = datetime.now(UTC) - timedelta(seconds=ago), 0

    def clock() -> datetime:
        nonlocal count
        count += 1
        return began + timedelta(seconds=each * (count - 1))

    journal = Journal.create(directory, SESSION, clock=clock)
    for event in events:
        journal.append(event)
    journal.close()
    bridge = Bridge(SessionView(restore_steps(), mode="READ-ONLY", keyspace="orders"))
    replay(journal_path(directory, SESSION), bridge, SessionState(), after=0)
    return bridge


def test_durations_and_ages_are_the_journals(tmp_path: Path) -> None:
    events = [started(), *settled("preflight", "ok"), *guards(CLEAN)[:1]]
    view = replayed(tmp_path, events, ago=1_000, each=10).view
    assert view.steps["preflight"].seconds == pytest.approx(20, abs=0.1)
    (guard,) = view.steps[CLEAN].guards.values()
    assert time.monotonic() - guard.at == pytest.approx(1_000 - 40, abs=5)
    assert time.monotonic() - view.began == pytest.approx(1_000, abs=5)
    assert "looked at 16:0" in summary(view.steps[CLEAN].guards, {}, UNICODE).plain


def test_what_ended_long_ago_took_no_longer_than_it_did(tmp_path: Path) -> None:
    events = [*before_removal(), StepIntended(step=CLEAN, fingerprint="f", attempt=1)]
    events += [SessionParked(step=CLEAN, reason="interrupted")]
    view = replayed(tmp_path, events, ago=400 * 24 * HOUR, each=60).view
    assert view.seconds == pytest.approx(60 * (len(events) - 1), abs=0.1)
    assert view.steps[CLEAN].seconds == pytest.approx(60, abs=0.1)
    view.apply(SessionResumed(operator="bea", host="here", process=1), view.state)
    assert view.seconds == pytest.approx(400 * 24 * HOUR, abs=5)


def test_a_repairs_silence_and_a_servers_age_are_the_journals(tmp_path: Path) -> None:
    node = "127.0.0.1"
    events = [
        started(),
        TimestampServerSeen(server=SERVER, role="leads"),
        StepIntended(step="repair", fingerprint="f", attempt=1),
        CommandStarted(step="repair", source=node, command=("nodetool", "repair")),
        LinePrinted(step="repair", source=node, stream="out", text="Starting repair command #1"),
        Progressed(step="repair", unit="ranges", done=1, total=8, scope=node),
    ]
    for days in (0, 400):
        back = days * 24 * HOUR + 500
        (place := tmp_path / str(days)).mkdir()
        view = replayed(place, events, ago=back, each=10).view
        now = time.monotonic()
        assert now - view.servers_at[SERVER] == pytest.approx(back - 10, abs=5)
        assert view.repair.rows[node].silence(now) == pytest.approx(back - 40, abs=5)
        assert now - view.steps["repair"].paces[("ranges", node)].noted_at == pytest.approx(back - 50, abs=5)


def test_the_logs_lines_have_the_journals_time(tmp_path: Path) -> None:
    bridge = replayed(tmp_path, [started()], ago=40 * 24 * HOUR, each=1)
    when = (datetime.now(UTC) - timedelta(days=40)).astimezone()
    assert all(line.startswith(f"{when:%Y-%m-}") for line in bridge.view.log)
    bridge.say("now")
    assert bridge.view.log[-1].endswith("  now")
    assert len(bridge.view.log[-1]) == len("10:03:07  now")


def test_a_clock_that_was_ahead_makes_nothing_older_or_younger_than_now(tmp_path: Path) -> None:
    view = replayed(tmp_path, [started(), *guards(CLEAN)[:1]], ago=-HOUR, each=1).view
    (guard,) = view.steps[CLEAN].guards.values()
    assert time.monotonic() - guard.at == pytest.approx(0, abs=5)


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (lambda: ago(-3), "0 s ago"),
        (lambda: ago(599), "599 s ago"),
        (lambda: ago(723), "12:03 ago"),
        (lambda: ago(3 * 86_400 + 5), "3 days ago"),
        (lambda: clock_time(datetime(2026, 11, 23, 3, 15, 2, tzinfo=UTC), date(2026, 11, 23)), "03:15:02"),
        (lambda: clock_time(datetime(2026, 11, 23, 3, 15, 2, tzinfo=UTC), date(2026, 11, 24)), "2026-11-23 03:15:02"),
    ],
)
def test_words_for_times(words: Callable[[], str], shown: str) -> None:
    assert words() == shown
