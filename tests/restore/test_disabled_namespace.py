"""A restore on a TimeLock that can disable namespaces: nobody gets a timestamp until F is behind it."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from atlasdb_recovery.atlas import manifest
from atlasdb_recovery.events import Event, FactEstablished
from atlasdb_recovery.journal.record import Journal, Record, journal_path
from atlasdb_recovery.practice.simulated import RepairFault
from atlasdb_recovery.practice.simulated.timelock.http_servers import SimulatedTimeLock
from atlasdb_recovery.procedure.facts import NAMESPACE_DISABLED
from atlasdb_recovery.timestamps.disabled_namespace import COMPLETE, DISABLE, ENABLE
from tests.restore.timelock_world import World

THREE = ("127.0.26.1", "127.0.26.2", "127.0.26.3")
TOKEN = "squeamish-ossifrage"


@pytest.fixture
def timelock() -> Iterator[SimulatedTimeLock]:
    with SimulatedTimeLock(THREE) as servers:
        servers.ensemble.leader = 1
        servers.ensemble.backup_token = TOKEN
        yield servers


@pytest.fixture
def lost(tmp_path: Path, timelock: SimulatedTimeLock, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("TIMELOCK_TOKEN", TOKEN)
    world = World(tmp_path, timelock)
    world.change_settings(timestamps={"backup_token": "${TIMELOCK_TOKEN}"})
    asyncio.run(world.live())
    world.back_up_and_lose()
    return world


def asked(timelock: SimulatedTimeLock, *paths: str) -> list[str]:
    """The last word of each of these requests that the leader got, in order."""
    return [what.split()[1] for node, what in timelock.asked if node == 1 and what.split()[1] in paths]


def test_it_is_disabled_until_f_is_behind_it(lost: World, timelock: SimulatedTimeLock) -> None:
    seen: list[dict[str, str]] = []
    lost.rehearsal.simulated.faults.before("repair.range", lambda: seen.append(dict(timelock.ensemble.disabled)))
    ended = lost.unattended("restore")
    assert ended.code == 0, ended
    assert seen
    assert all(list(disabled) == [lost.keyspace] for disabled in seen)
    assert timelock.ensemble.disabled == {}
    fresh = f"/{lost.keyspace}/timestamp/fresh-timestamp"
    order = asked(timelock, DISABLE, COMPLETE, ENABLE, fresh)
    assert order[order.index(DISABLE) : order.index(ENABLE) + 2] == [DISABLE, COMPLETE, ENABLE, fresh]
    assert "TimeLock's namespace is disabled until the fast-forward" in ended.out
    assert "was fast-forwarded and is enabled again" in ended.out
    assert asyncio.run(lost.oracle_says()) == "right"
    for file in lost.rehearsal.directory.rglob("*"):
        assert file.suffix == ".db" or not file.is_file() or TOKEN.encode() not in file.read_bytes(), file
    assert TOKEN not in ended.out + ended.err


def test_a_new_timelock_is_brought_above_f_while_it_is_disabled(lost: World) -> None:
    with SimulatedTimeLock(THREE[:1]) as new:
        new.ensemble.backup_token = TOKEN
        lost.timelock = new
        lost.rehearsal.write_service(timelock={"serversList": {"servers": list(new.uris)}})
        lost.change_settings(timestamps={"backup_token": "${TIMELOCK_TOKEN}", "namespace": lost.keyspace})
        ended = lost.unattended("restore")
        assert ended.code == 0, ended
        sealed = manifest.load(lost.rehearsal.backup_dir)
        assert sealed is not None
        assert new.fresh(lost.keyspace) > sealed.fast_forward_timestamp
        assert [what for _, what in new.asked if "fast-forward" in what] == []
        assert asyncio.run(lost.oracle_says()) == "right"


def test_a_restore_that_failed_keeps_it_disabled_until_it_is_resumed(lost: World, timelock: SimulatedTimeLock) -> None:
    lost.rehearsal.simulated.faults.in_next_repair("127.0.9.2", RepairFault(failed_session=0))
    assert lost.unattended("restore").code == 4
    (lock,) = timelock.ensemble.disabled.values()
    ended = lost.unattended("resume")
    assert ended.code == 0, ended
    assert timelock.ensemble.disabled == {}
    assert lock in journal_path(lost.rehearsal.directory / "state", lost.rehearsal.sessions()[-1]).read_text()


def test_given_up_it_says_under_which_lock_it_stays_disabled(lost: World, timelock: SimulatedTimeLock) -> None:
    lost.rehearsal.simulated.faults.in_next_repair("127.0.9.2", RepairFault(failed_session=0))
    assert lost.unattended("restore").code == 4
    (lock,) = timelock.ensemble.disabled.values()
    told = lost.rehearsal.recovery("abort", lost.rehearsal.sessions()[-1], "--reason", "the wrong backup")
    assert told.code == 0, told
    assert f'POST {ENABLE} with {{"namespaces": […], "lockId": "{lock}"}}' in told.out


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("nth", [1, 2])
def test_killed_around_its_records_it_ends_enabled(
    lost: World, timelock: SimulatedTimeLock, monkeypatch: pytest.MonkeyPatch, before: bool, nth: int
) -> None:
    append, met = Journal.append, [0]

    def dying(journal: Journal, event: Event, *, sync: bool = True) -> Record:
        is_it = isinstance(event, FactEstablished) and event.name == NAMESPACE_DISABLED
        met[0] += is_it
        if is_it and before and met[0] == nth:
            raise Killed
        record = append(journal, event, sync=sync)
        if is_it and met[0] == nth:
            raise Killed
        return record

    with monkeypatch.context() as patched:
        patched.setattr(Journal, "append", dying)
        with pytest.raises(Killed):
            lost.unattended("restore")
    ended = lost.unattended("resume")
    assert ended.code == 0, ended
    assert timelock.ensemble.disabled == {}
    assert asyncio.run(lost.oracle_says()) == "right"


def test_a_release_that_does_not_offer_it_is_told_and_goes_on(lost: World, timelock: SimulatedTimeLock) -> None:
    timelock.ensemble.backup_token = None
    ended = lost.unattended("restore")
    assert ended.code == 0, ended
    assert "this release of TimeLock cannot disable a namespace" in ended.out


def test_another_token_is_refused_before_anything_is_changed(lost: World, timelock: SimulatedTimeLock) -> None:
    timelock.ensemble.backup_token = "of somebody else"
    ended = lost.unattended("restore")
    assert ended.code == 4, ended
    assert "check `timestamps.backup_token` in recovery.yml" in ended.out
    assert "restore-store: " not in ended.out.partition("NOT complete")[0]


def test_without_the_token_it_is_told_before_anything_is_restored(lost: World, timelock: SimulatedTimeLock) -> None:
    """Whether the namespace is disabled is not known then, and at the end it would be too late to ask."""
    timelock.ensemble.backup_token = "of somebody else"
    assert lost.unattended("restore").code == 4
    lost.change_settings(timestamps={})
    ended = lost.unattended("resume")
    assert ended.code == 4, ended
    assert "has no token to enable it" in ended.out
    assert "restore-store: " not in ended.out.partition("NOT complete")[0]


def test_one_that_somebody_else_has_disabled_is_left_to_them(lost: World, timelock: SimulatedTimeLock) -> None:
    timelock.ensemble.disabled[lost.keyspace] = "b6f0e2f4-0000-0000-0000-000000000000"
    ended = lost.unattended("restore")
    assert ended.code == 4, ended
    assert "A restore that has not ended may have disabled it under a lock of its own" in ended.out
    assert timelock.ensemble.disabled == {lost.keyspace: "b6f0e2f4-0000-0000-0000-000000000000"}
