"""Backup and restore of a keyspace on TimeLock by the program's own commands, on simulated cluster and TimeLock."""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from atlasdb_recovery.atlas import manifest, timestamp_bound
from atlasdb_recovery.atlas.manifest import Manifest
from atlasdb_recovery.atlas.timestamp_bound import BOUND_POSITION
from atlasdb_recovery.events import Event, StepPerformed, TimestampServerSeen
from atlasdb_recovery.journal.record import Journal, Record
from atlasdb_recovery.practice.simulated.timelock.http_servers import SimulatedTimeLock
from atlasdb_recovery.timestamps import timelock_locks
from tests.restore.timelock_world import World

THREE = ("127.0.21.1", "127.0.21.2", "127.0.21.3")


@pytest.fixture
def timelock() -> Iterator[SimulatedTimeLock]:
    with SimulatedTimeLock(THREE) as servers:
        servers.ensemble.leader = 1
        yield servers


@pytest.fixture
def alive(tmp_path: Path, timelock: SimulatedTimeLock) -> World:
    world = World(tmp_path, timelock)
    asyncio.run(world.live())
    return world


@pytest.fixture
def lost(alive: World) -> World:
    alive.back_up_and_lose()
    return alive


def sealed(world: World) -> Manifest:
    found = manifest.load(world.rehearsal.backup_dir)
    assert found is not None
    return found


def servers_seen(world: World) -> list[TimestampServerSeen]:
    """What the last session's journal tells of TimeLock's servers."""
    records = world.rehearsal.journal(world.rehearsal.sessions()[-1])
    return [record.event for record in records if isinstance(record.event, TimestampServerSeen)]


def in_the_middle_of_the_copy(world: World, happens: Callable[[], None]) -> None:
    world.rehearsal.simulated.faults.before("snapshot", happens)


class Killed(BaseException):
    """The process ends here."""


def forwards(timelock: SimulatedTimeLock) -> list[str]:
    return [what for _, what in timelock.asked if "fast-forward" in what]


class TestBackup:
    def test_the_lock_is_taken_before_b_and_let_go_after_f(self, alive: World, timelock: SimulatedTimeLock) -> None:
        before = timelock.fresh(alive.keyspace)
        ended = alive.unattended("backup")
        assert ended.code == 0, ended
        found = sealed(alive)
        assert found.timelock is not None
        locked = found.timelock.immutable_timestamp or 0
        assert before < locked < found.backup_timestamp < found.fast_forward_timestamp
        assert found.timelock.namespace == alive.keyspace
        assert "TimeLock's namespace" in found.timestamp_service
        assert found.schema_map is not None
        assert found.bound_at_backup is None
        asked = [what.rpartition("/")[2] for _, what in timelock.asked if f"/{alive.keyspace}/" in what]
        served = [what for what in asked if what != "refresh-locks"]
        followers = [what for node, what in timelock.asked if node != 1 and f"/{alive.keyspace}/" in what]
        assert len(followers) <= 1  # the first server is a follower; then the leader is known
        assert [w for n, w in enumerate(served) if n == 0 or served[n - 1] != w] == [
            "lock-immutable-timestamp", "fresh-timestamp", "unlock",
        ]  # fmt: skip
        assert served.count("fresh-timestamp") == 2
        assert asked[-2:] == ["refresh-locks", "unlock"]

    @pytest.mark.parametrize("what", ["lost", "election", "leader dies"])
    def test_a_lock_lost_for_a_moment_fails_it_and_says_so(
        self, alive: World, timelock: SimulatedTimeLock, what: str
    ) -> None:
        happens = {
            "lost": lambda: timelock.lose_locks(alive.keyspace),
            "election": timelock.resign,
            "leader dies": lambda: timelock.kill(1),
        }[what]
        in_the_middle_of_the_copy(alive, happens)
        ended = alive.unattended("backup")
        assert ended.code == 4, ended
        assert "the lock on the immutable timestamp was lost while the store was being backed up" in ended.out
        assert "Take a new one, from the beginning, in an empty backup directory" in ended.out
        assert manifest.load(alive.rehearsal.backup_dir) is None
        assert not (alive.rehearsal.backup_dir / "fast-forward.timestamp").exists()

    def test_killed_when_f_was_on_record_it_goes_on_though_the_lock_was_let_go(
        self, alive: World, timelock: SimulatedTimeLock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        append = Journal.append

        def dying(journal: Journal, event: Event, *, sync: bool = True) -> Record:
            record = append(journal, event, sync=sync)
            if isinstance(event, StepPerformed) and event.step == "fetch-fast-forward-timestamp":
                raise Killed
            return record

        monkeypatch.setattr(Journal, "append", dying)
        with pytest.raises(Killed):
            alive.unattended("backup")
        monkeypatch.undo()
        served = timelock.asked.copy()
        ended = alive.unattended("resume")
        assert ended.code == 0, ended
        assert sealed(alive).timelock is not None
        assert not [what for _, what in timelock.asked[len(served) :] if what.endswith("fresh-timestamp")]

    def test_it_is_refreshed_while_the_store_is_copied(
        self, alive: World, timelock: SimulatedTimeLock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A lease that lasts a moment only is kept; and a refresh that finds it lost ends the copy at once."""
        monkeypatch.setattr(timelock_locks.TimeLockLocks.__init__, "__kwdefaults__", {
            **(timelock_locks.TimeLockLocks.__init__.__kwdefaults__ or {}), "refresh_every": 0.01,
        })  # fmt: skip
        assert alive.unattended("backup").code == 0
        refreshes = [what for _, what in timelock.asked if what.endswith("refresh-locks")]
        assert len(refreshes) > 4
        roles = [(seen.server, seen.role) for seen in servers_seen(alive)]
        assert sorted(roles) == [(uri, "leads" if at == 1 else "follows") for at, uri in enumerate(timelock.uris)]

    def test_a_leader_that_dies_before_b_is_waited_for(self, alive: World, timelock: SimulatedTimeLock) -> None:
        timelock.kill(1)
        ended = alive.unattended("backup")
        assert ended.code == 0, ended

    def test_a_namespace_that_is_not_there_is_refused_and_not_made(
        self, tmp_path: Path, alive: World, timelock: SimulatedTimeLock
    ) -> None:
        with SimulatedTimeLock(THREE[:1]) as other:
            alive.rehearsal.write_service(timelock={"serversList": {"servers": list(other.uris)}})
            ended = alive.unattended("backup")
            assert ended.code == 3, ended
            assert f"TimeLock has no namespace “{alive.keyspace}”" in ended.out
            assert other.ensemble.listed == [set()]

    def test_timestamps_of_another_namespace_are_refused(self, alive: World) -> None:
        """One that was made by somebody's typing error hands out 1, and the keyspace knows better."""
        with SimulatedTimeLock(THREE[:1]) as other:
            other.fresh(alive.keyspace)
            alive.rehearsal.write_service(timelock={"serversList": {"servers": list(other.uris)}})
            ended = alive.unattended("backup")
            assert ended.code == 4, ended
            assert "another keyspace's timestamps" in ended.out
            assert not (alive.rehearsal.backup_dir / "backup.timestamp").exists()


class TestWhoIsTheAuthority:
    @pytest.mark.parametrize("command", ["backup", "restore"])
    def test_a_valid_bound_beside_timelock_is_a_contradiction(
        self, tmp_path: Path, timelock: SimulatedTimeLock, command: str
    ) -> None:
        world = World(tmp_path, timelock)
        timelock.fast_forward(world.keyspace, 5)
        if command == "backup":
            world.rehearsal.alive()
        else:
            world.rehearsal.lose()
        ended = world.unattended(command)
        assert ended.code == 3, ended
        said = "holds a valid bound" if command == "backup" else "the backup's timestamps came from"
        assert said in ended.out
        assert forwards(timelock) == []

    def test_a_dead_bound_without_timelock_is_refused(self, alive: World) -> None:
        alive.rehearsal.write_service()
        ended = alive.unattended("backup")
        assert ended.code == 3, ended
        assert "invalidated by a migration to TimeLock" in ended.out

    def test_a_backup_from_timelock_is_not_restored_to_an_embedded_service(self, lost: World) -> None:
        lost.rehearsal.write_service()
        ended = lost.unattended("restore")
        assert ended.code == 3, ended
        assert "the backup's timestamps came from TimeLock's namespace" in ended.out

    def test_a_backup_from_another_namespace_takes_a_word(self, lost: World, timelock: SimulatedTimeLock) -> None:
        found = sealed(lost)
        assert found.timelock is not None
        other = msgspec.structs.replace(found.timelock, namespace="orders")
        manifest.save(msgspec.structs.replace(found, timelock=other), lost.rehearsal.backup_dir)
        ended = lost.unattended("restore")
        assert ended.code == 3, ended
        assert f"namespace “orders”, but the configuration names “{lost.keyspace}”" in ended.out
        assert forwards(timelock) == []
        lost.change_settings(timestamps={"namespace": lost.keyspace})
        ended = lost.unattended("restore")
        assert ended.code == 0, ended
        assert "recovery.yml vouches for it: the backup's timestamps came from" in ended.out

    def test_the_drop_in_stops_at_the_same_contradiction(self, alive: World, timelock: SimulatedTimeLock) -> None:
        asyncio.run(alive.put(BOUND_POSITION, timestamp_bound.encode(77)))
        config = ["--offline", "-c", str(alive.rehearsal.directory / "install.yml"), "timestamp"]
        for line in (["fetch"], ["-t", "99999999", "fast-forward"]):
            ended = alive.rehearsal.atlasdb(*config, *line)
            assert ended.code in {3, 4}, ended
            assert "cannot be told which service is the authority" in ended.err + ended.out
        assert forwards(timelock) == []


class TestRestore:
    def test_a_store_with_a_valid_bound_stops_before_anything_is_removed(
        self, tmp_path: Path, timelock: SimulatedTimeLock
    ) -> None:
        """The copy is from before the migration, and only the two timestamp files tell of it."""
        world = World(tmp_path, timelock)
        world.rehearsal.lose()
        timelock.fast_forward(world.keyspace, 50_000_000)
        (world.rehearsal.backup_dir / manifest.MANIFEST_NAME).unlink()
        world.change_settings(store={"method": "external"})
        asyncio.run(world.rehearsal.arena.exercise.make_keyspace())
        asyncio.run(world.put(BOUND_POSITION, timestamp_bound.encode(2_010_001)))
        world.rehearsal.answer(offline=True, store_restored="by hand", clean_transactions={"remove_at_most": 1000})
        ended = world.unattended("restore")
        assert ended.code in {3, 4}, ended
        assert "holds a valid bound (2010001)" in ended.out
        assert "clean-transactions: " not in ended.out.partition("NOT complete")[0]
        assert forwards(timelock) == []

    def test_end_to_end(self, lost: World, timelock: SimulatedTimeLock) -> None:
        """TimeLock was not lost: it is above F already, and nothing has to be changed there."""
        ended = lost.unattended("restore")
        assert ended.code == 0, ended
        assert "handed out" in ended.out
        assert forwards(timelock) == []
        assert asyncio.run(lost.oracle_says()) == "right"

    def test_a_scan_from_the_immutable_timestamp_on(self, lost: World) -> None:
        lost.change_settings(scan="from-immutable-timestamp")
        ended = lost.unattended("restore")
        assert ended.code == 0, ended
        locked = sealed(lost).timelock
        assert locked is not None
        assert f"narrowed to start timestamps from I = {locked.immutable_timestamp} on" in ended.out
        assert asyncio.run(lost.oracle_says()) == "right"

    def test_it_is_refused_where_the_manifest_has_none(self, tmp_path: Path, timelock: SimulatedTimeLock) -> None:
        world = World(tmp_path, timelock)
        world.rehearsal.lose()
        world.rehearsal.write_service()
        world.change_settings(scan="from-immutable-timestamp")
        ended = world.unattended("restore")
        assert ended.code == 3, ended
        assert "ScanProven: the manifest has no immutable timestamp" in ended.out
        assert "Write `scan: full`" in ended.out
        planned = world.rehearsal.recovery("restore", "--plan")
        assert planned.code == 3, planned
        assert "refused by ScanProven: the manifest has no immutable timestamp" in planned.out
        assert "a guard refuses, so it would not begin; nothing was changed" in planned.out

    def test_a_new_timelock_needs_a_word_and_is_brought_above_f(self, lost: World) -> None:
        with SimulatedTimeLock(THREE[:1]) as new:
            lost.timelock = new
            lost.rehearsal.write_service(timelock={"serversList": {"servers": list(new.uris)}})
            refused = lost.unattended("restore")
            assert refused.code == 3, refused
            assert "TimeLock itself was lost" in refused.out
            assert new.ensemble.listed == [set()]
            lost.change_settings(timestamps={"namespace": lost.keyspace})
            ended = lost.unattended("restore")
            assert ended.code == 0, ended
            target = sealed(lost).fast_forward_timestamp
            assert [f"currentTimestamp={target}" in what for what in forwards(new)] == [True]
            assert new.fresh(lost.keyspace) > target
            assert asyncio.run(lost.oracle_says()) == "right"

    def test_a_leader_that_dies_meanwhile(self, lost: World, timelock: SimulatedTimeLock) -> None:
        lost.rehearsal.simulated.faults.before("repair.range", lambda: timelock.kill(1))
        ended = lost.unattended("restore")
        assert ended.code == 0, ended
        (failover,) = [seen for seen in servers_seen(lost) if seen.instead_of]
        assert (failover.role, failover.instead_of) == ("leads", timelock.uris[1])
        assert f"timestamp service: {failover.server} leads now, instead of {timelock.uris[1]}" in ended.out
        assert asyncio.run(lost.oracle_says()) == "right"


class TestDoctorAndDropIn:
    def test_doctor_names_servers_and_leader(self, alive: World, timelock: SimulatedTimeLock) -> None:
        ended = alive.rehearsal.recovery("doctor", "--json")
        found = {line["guard"]: line for line in map(json.loads, ended.out.splitlines())}
        known = found["TimestampAuthorityKnown"]
        assert known["status"] == "passed", known
        assert f"{timelock.uris[0]} follows, {timelock.uris[1]} leads" in known["evidence"]
        assert "has used timestamps up to" in known["evidence"]

    def test_nobody_answers(self, alive: World, timelock: SimulatedTimeLock) -> None:
        for node in range(3):
            timelock.kill(node)
        ended = alive.rehearsal.recovery("doctor", "--json")
        assert ended.code == 3
        found = {line["guard"]: line for line in map(json.loads, ended.out.splitlines())}
        assert "No TimeLock server answers" in found["TimestampAuthorityKnown"]["evidence"]

    def test_drop_in(self, alive: World, timelock: SimulatedTimeLock, tmp_path: Path) -> None:
        config = ["--config", str(alive.rehearsal.directory / "install.yml"), "timestamp"]
        file = tmp_path / "b" / "backup.timestamp"
        file.parent.mkdir()
        before = timelock.fresh(alive.keyspace)
        fetched = alive.rehearsal.atlasdb(*config, "fetch", "--file", str(file))
        assert fetched.code == 0, fetched
        assert f"The fresh timestamp is: {before + 1}" in fetched.out
        assert file.read_text().strip() == str(before + 1)
        immutable = alive.rehearsal.atlasdb(*config, "fetch", "--immutable")
        assert f"The immutable timestamp is: {before + 2}" in immutable.out
        target = before + 5_000
        done = alive.rehearsal.atlasdb(*config, "--offline", "-t", str(target), "fast-forward")
        assert done.code == 0, done
        assert f"Fast-forwarded to {target}: a fresh timestamp was" in done.out
        assert timelock.fresh(alive.keyspace) == target + 2
