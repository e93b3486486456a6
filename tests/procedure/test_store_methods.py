"""The store methods from outside: their plans, their events, and what they leave on disk and in the cluster."""

import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import msgspec
import psutil
import pytest

from atlasdb_recovery.cassandra.ports import Cluster, ClusterIdentity, Keyspace, Table
from atlasdb_recovery.events import CommandEnded, CommandStarted, Event, LinePrinted, Progressed
from atlasdb_recovery.procedure.step import StepFailure
from atlasdb_recovery.procedure.store_methods import StoreContext, StoreMethod
from atlasdb_recovery.procedure.store_methods.command import CommandStore
from atlasdb_recovery.procedure.store_methods.external import ExternalStore
from atlasdb_recovery.procedure.store_methods.snapshot import SnapshotStore
from atlasdb_recovery.settings import StoreSettings
from tests.cassandra.snapshot_node import DirectoryNode, DirectoryNodetool, keyspace, node, table, with_tables


async def happened(events: AsyncIterator[Event]) -> list[Event]:
    return [event async for event in events]


# external


async def test_external_runs_nothing_and_says_that_it_knows_nothing(tmp_path: Path) -> None:
    store: StoreMethod = ExternalStore()
    context = commands(tmp_path)
    assert [type(event).__name__ for event in await happened(store.backup(context))] == ["Noted"]
    assert [type(event).__name__ for event in await happened(store.restore(context))] == ["Noted"]
    assert "orders" in " ".join(await store.plan_backup(context))
    assert "without their old ids" in " ".join(await store.plan_restore(context))
    assert "cannot look" in " ".join(await store.verify_backup(context))


# command


def commands(backup_dir: Path, backup: str = "true", restore: str = "true", secret: str = "") -> StoreContext:
    return StoreContext(
        cluster=cast("Cluster", None),
        nodetool=DirectoryNodetool({}),
        keyspace="orders",
        backup_dir=backup_dir / "a b",
        session="s-1",
        settings=StoreSettings(method="command", backup_command=backup, restore_command=restore),
        secrets=frozenset({secret} if secret else ()),
    )


def python(source: str) -> str:
    return f"{sys.executable} -c '{source}' {{keyspace}} {{backup_dir}} {{session}}"


async def test_a_command_gets_its_words_whole_and_its_lines_are_events(tmp_path: Path) -> None:
    store: StoreMethod = CommandStore()
    context = commands(tmp_path, python("import sys; print(sys.argv[1:]); print(1, file=sys.stderr)"))
    events = await happened(store.backup(context))
    assert isinstance(events[0], CommandStarted)
    assert events[0].command[-3:] == ("orders", str(tmp_path / "a b"), "s-1")
    lines = {event.stream: event.text for event in events if isinstance(event, LinePrinted)}
    assert lines == {"stdout": str(["orders", str(tmp_path / "a b"), "s-1"]), "stderr": "1"}
    assert isinstance(events[-1], CommandEnded)
    assert events[-1].exit_code == 0
    (plan,) = await store.plan_backup(context)
    assert plan.endswith(f"orders '{tmp_path / 'a b'}' s-1")


async def test_a_restore_runs_the_other_command(tmp_path: Path) -> None:
    context = commands(tmp_path, backup="false", restore="echo {keyspace} is back")
    events = await happened(CommandStore().restore(context))
    assert [event.text for event in events if isinstance(event, LinePrinted)] == ["orders is back"]
    assert await CommandStore().plan_restore(context) == ["echo orders is back"]


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("import sys; print(41); print(42); sys.exit(3)", "ended with exit code 3"),
        ("import os; print(41); print(42, flush=True); os.kill(os.getpid(), 9)", "was ended by SIGKILL"),
    ],
)
async def test_a_failed_command_fails_the_step_with_its_last_lines(tmp_path: Path, source: str, problem: str) -> None:
    with pytest.raises(StepFailure, match=problem) as failure:
        await happened(CommandStore().backup(commands(tmp_path, python(source))))
    assert failure.value.evidence == ("41", "42")
    assert failure.value.remedy


@pytest.mark.parametrize(
    ("template", "problem"),
    [("", "empty"), ("x {nonsense}", "nonsense"), ("/nowhere/medusa backup", "no command"), ("x '", "cannot be split")],
)
async def test_a_command_that_cannot_be_run_is_said(tmp_path: Path, template: str, problem: str) -> None:
    with pytest.raises(StepFailure, match=problem) as failure:
        await happened(CommandStore().backup(commands(tmp_path, template)))
    assert "store.backup_command" in failure.value.remedy


async def test_a_commands_output_is_made_plain_and_secrets_masked(tmp_path: Path) -> None:
    source = 'print("\\x1b[2Jpassword: hunter2")'
    events = await happened(CommandStore().backup(commands(tmp_path, python(source), secret="hunter2")))
    shown = repr(events)
    assert "hunter2" not in shown
    assert "\\\\x1b[2Jpassword: ***" in shown


async def test_stopping_in_the_middle_stops_the_command(tmp_path: Path) -> None:
    source = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    events = CommandStore().backup(commands(tmp_path, python(source)))
    async for event in events:
        if isinstance(event, LinePrinted):
            pid = int(event.text)
            break
    await events.aclose()  # type: ignore[attr-defined]
    assert not psutil.pid_exists(pid)


# snapshot


class Interrupted(Exception):
    """The process died here."""


class DirectoryCluster:
    """The cluster's schema, kept in step with the directories of its nodes."""

    def __init__(self, root: Path, version: str) -> None:
        self.nodes = {node(number).address: DirectoryNode(root / f"n{number}", version) for number in (1, 2)}
        self.identities = tuple(node(number, version) for number in (1, 2))
        self.present: Keyspace | None = None
        self.statements: list[str] = []
        self.reuses_ids: dict[str, str] = {}
        self.fails_at = ""

    async def identity(self) -> ClusterIdentity:
        return ClusterIdentity(cluster_name="lab", partitioner="ByteOrdered", nodes=self.identities)

    async def keyspace(self, name: str) -> Keyspace | None:
        assert name == "atlas"
        return self.present

    async def change_schema(self, statement: str) -> None:
        if self.fails_at and self.fails_at in statement:
            raise Interrupted
        self.statements.append(statement)
        if statement.startswith("CREATE KEYSPACE"):
            self.present = keyspace()
        elif statement.startswith("DROP"):
            self.present = None
        else:
            name = statement.split()[2].removeprefix("atlas.")
            self.add(Table(name=name, id=self.reuses_ids.get(name, str(uuid.uuid4())), create=statement))

    def add(self, new: Table) -> None:
        assert self.present is not None
        self.present = with_tables(self.present, *self.present.tables.values(), new)
        for each in self.nodes.values():
            each.create("atlas", new)

    def contents(self, name: str) -> list[list[bytes]]:
        assert self.present is not None
        return [each.contents("atlas", self.present.tables[name]) for each in self.nodes.values()]


class Lab:
    """Two nodes that disagree, a backup directory, and the method."""

    def __init__(self, root: Path, version: str) -> None:
        self.cluster = DirectoryCluster(root, version)
        self.cluster.present = keyspace()
        for name in ("_transactions", "foo__bar"):
            self.cluster.add(table(name))
        self.nodetool = DirectoryNodetool(self.cluster.nodes)
        self.backup = root / "backup"
        self.flush("_transactions", (b"one", b"two"), (b"one",))
        self.flush("foo__bar", (), (b"three",))

    def flush(self, name: str, *contents: tuple[bytes, ...]) -> None:
        assert self.cluster.present is not None
        for each, rows in zip(self.cluster.nodes.values(), contents, strict=True):
            for row in rows:
                each.flush("atlas", self.cluster.present.tables[name], row)

    def context(self, session: str = "b-1") -> StoreContext:
        directories = {address: each.data for address, each in self.cluster.nodes.items()}
        return StoreContext(
            cluster=cast("Cluster", self.cluster),
            nodetool=self.nodetool,
            keyspace="atlas",
            backup_dir=self.backup,
            session=session,
            settings=StoreSettings(method="snapshot", data_directories=directories),
        )

    def verbs(self) -> set[str]:
        return {run[0] for each in self.cluster.nodes.values() for run in each.runs}

    async def backed_up_and_lost(self) -> None:
        await happened(SnapshotStore().backup(self.context()))
        await self.cluster.change_schema("DROP KEYSPACE atlas")


@pytest.fixture(params=["5.0.6", "2.2.18-1.108.0"])
def lab(tmp_path: Path, request: pytest.FixtureRequest) -> Lab:
    return Lab(tmp_path, request.param)


async def test_backup_and_restore_bring_back_every_nodes_own_files(lab: Lab) -> None:
    store: StoreMethod = SnapshotStore()
    before = lab.cluster.contents("_transactions"), lab.cluster.contents("foo__bar")
    assert lab.cluster.present is not None
    old = {name: each.id for name, each in lab.cluster.present.tables.items()}
    await lab.backed_up_and_lost()
    assert len(await store.verify_backup(lab.context())) == 1
    await happened(store.restore(lab.context("r-1")))
    assert (lab.cluster.contents("_transactions"), lab.cluster.contents("foo__bar")) == before
    assert {name: each.id for name, each in lab.cluster.present.tables.items()}.keys() == old.keys()
    assert not {each.id for each in lab.cluster.present.tables.values()} & set(old.values())
    assert ("import" in lab.verbs()) == lab.cluster.identities[0].release_version.startswith("5")
    assert ("refresh" in lab.verbs()) == lab.cluster.identities[0].release_version.startswith("2")
    assert not list(lab.backup.parent.glob("n*/*/*/snapshots/*"))


async def test_events_tell_commands_lines_and_progress_by_node(lab: Lab) -> None:
    events = await happened(SnapshotStore().backup(lab.context()))
    assert {event.scope for event in events if isinstance(event, Progressed)} == {"127.0.0.1", "127.0.0.2"}
    started = [event.command for event in events if isinstance(event, CommandStarted) and event.source == "127.0.0.2"]
    assert ("nodetool", "-h", "127.0.0.2", "snapshot", "-t", "recovery-b-1", "atlas") in started
    assert len(started) == len([e for e in events if isinstance(e, CommandEnded) and e.source == "127.0.0.2"])
    await lab.cluster.change_schema("DROP KEYSPACE atlas")
    events = await happened(SnapshotStore().restore(lab.context("r-1")))
    last = [event for event in events if isinstance(event, Progressed) and event.scope == "127.0.0.2"][-1]
    assert 0 < last.done <= (last.total or 0)
    assert any("has taken all 1 sstables" in event.text for event in events if isinstance(event, LinePrinted))


async def test_plans_name_the_exact_commands_and_change_nothing(lab: Lab) -> None:
    plan = await SnapshotStore().plan_backup(lab.context())
    assert plan[0] == "nodetool -h 127.0.0.1 snapshot -t recovery-b-1 atlas"
    assert plan[2] == "nodetool -h 127.0.0.1 clearsnapshot -t recovery-b-1 atlas"
    assert lab.verbs() == set()
    assert not lab.backup.exists()
    await lab.backed_up_and_lost()
    lab.cluster.statements.clear()
    plan = await SnapshotStore().plan_restore(lab.context("r-1"))
    assert plan[0].startswith("CREATE KEYSPACE atlas")
    verb = "import --no-tokens" if lab.cluster.identities[0].release_version.startswith("5") else "refresh"
    assert any(line.startswith(f"nodetool -h 127.0.0.2 {verb} atlas foo__bar") for line in plan)
    assert lab.cluster.statements == []


async def test_an_interrupted_backup_is_finished_without_copying_a_node_twice(lab: Lab) -> None:
    first, second = lab.cluster.nodes.values()
    second.fails["snapshot"] = 1
    with pytest.raises(StepFailure, match="snapshot failed"):
        await happened(SnapshotStore().backup(lab.context()))
    second.fails.clear()
    first.runs.clear()
    await happened(SnapshotStore().backup(lab.context()))
    assert [run[0] for run in first.runs] == ["clearsnapshot"]
    assert len(await SnapshotStore().verify_backup(lab.context())) == 1
    await happened(SnapshotStore().backup(lab.context()))
    assert [run[0] for run in first.runs] == ["clearsnapshot"]


async def test_another_sessions_backup_is_not_written_over(lab: Lab) -> None:
    await happened(SnapshotStore().backup(lab.context()))
    with pytest.raises(StepFailure, match="another session"):
        await happened(SnapshotStore().backup(lab.context("b-2")))


async def test_tables_changed_during_the_backup_make_it_fail(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    run = lab.nodetool.run

    async def and_create(address: str, *arguments: str, timeout: float = 60.0) -> object:
        if (address, arguments[0]) == ("127.0.0.2", "clearsnapshot"):
            lab.cluster.add(table("late"))
        return await run(address, *arguments, timeout=timeout)

    monkeypatch.setattr(lab.nodetool, "run", and_create)
    with pytest.raises(StepFailure, match=r"created or dropped during the backup: late"):
        await happened(SnapshotStore().backup(lab.context()))
    with pytest.raises(StepFailure, match="not a complete copy"):
        await SnapshotStore().verify_backup(lab.context())


async def test_a_restore_interrupted_anywhere_is_finished(lab: Lab) -> None:
    before = lab.cluster.contents("_transactions"), lab.cluster.contents("foo__bar")
    await lab.backed_up_and_lost()
    lab.cluster.fails_at = "foo__bar"
    with pytest.raises(Interrupted):
        await happened(SnapshotStore().restore(lab.context("r-1")))
    lab.cluster.fails_at = ""
    load = "import" if lab.cluster.identities[0].release_version.startswith("5") else "refresh"
    for verb in ("flush", "snapshot", "disableautocompaction", load, "enableautocompaction"):
        lab.cluster.nodes["127.0.0.2"].fails = {verb: 1}
        with pytest.raises(StepFailure, match=f"nodetool {verb} .*failed"):
            await happened(SnapshotStore().restore(lab.context("r-1")))
    lab.cluster.nodes["127.0.0.2"].fails = {}
    await happened(SnapshotStore().restore(lab.context("r-1")))
    assert (lab.cluster.contents("_transactions"), lab.cluster.contents("foo__bar")) == before
    assert len([statement for statement in lab.cluster.statements if "CREATE TABLE" in statement]) == 2


async def test_compaction_goes_on_though_the_restore_was_interrupted_right_before_that(lab: Lab) -> None:
    await lab.backed_up_and_lost()
    node = lab.cluster.nodes["127.0.0.2"]
    node.fails = {"enableautocompaction": 1}
    with pytest.raises(StepFailure):
        await happened(SnapshotStore().restore(lab.context("r-1")))
    node.fails = {}
    node.runs.clear()
    await happened(SnapshotStore().restore(lab.context("r-1")))
    assert "enableautocompaction" in [run[0] for run in node.runs]


async def test_what_was_loaded_and_compacted_since_is_not_loaded_again(lab: Lab) -> None:
    await lab.backed_up_and_lost()
    await happened(SnapshotStore().restore(lab.context("r-1")))
    assert lab.cluster.present is not None
    live = lab.cluster.nodes["127.0.0.1"].directory("atlas", lab.cluster.present.tables["_transactions"])
    for path in live.glob("nb-*"):
        path.unlink()
    lab.flush("_transactions", (b"compacted",), ())
    await happened(SnapshotStore().restore(lab.context("r-1")))
    assert lab.cluster.contents("_transactions") == [[b"compacted"], [b"one"]]
    (record,) = lab.backup.glob("store-restore-*.json")
    record.write_text("{torn")
    with pytest.raises(StepFailure, match="record of what it did, cannot be read"):
        await happened(SnapshotStore().restore(lab.context("r-1")))


async def test_a_table_with_data_that_this_restore_did_not_create_is_refused(lab: Lab) -> None:
    await lab.backed_up_and_lost()
    await lab.cluster.change_schema(keyspace().create)
    lab.cluster.add(Table(name="foo__bar", id=str(uuid.uuid4()), create="CREATE TABLE atlas.foo__bar (key blob)"))
    with pytest.raises(StepFailure, match="is not as it was backed up"):
        await happened(SnapshotStore().restore(lab.context("r-1")))
    lab.flush("foo__bar", (b"theirs",), ())
    with pytest.raises(StepFailure, match="holds data"):
        await happened(SnapshotStore().restore(lab.context("r-1")))
    assert lab.cluster.contents("foo__bar") == [[b"theirs"], []]


async def test_a_keyspace_with_other_replication_is_refused(lab: Lab) -> None:
    await lab.backed_up_and_lost()
    lab.cluster.present = msgspec.structs.replace(keyspace(), create="CREATE KEYSPACE atlas WITH something else")
    with pytest.raises(StepFailure, match="not as it was backed up, so rows would lie on other nodes"):
        await happened(SnapshotStore().restore(lab.context("r-1")))


async def test_old_ids_are_refused(lab: Lab) -> None:
    assert lab.cluster.present is not None
    old = {name: each.id for name, each in lab.cluster.present.tables.items()}
    await lab.backed_up_and_lost()
    lab.cluster.reuses_ids = {"_transactions": old["_transactions"]}
    with pytest.raises(StepFailure, match="same id as when they were backed up: _transactions"):
        await happened(SnapshotStore().restore(lab.context("r-1")))


async def test_a_damaged_backup_changes_nothing_in_the_cluster(lab: Lab) -> None:
    await lab.backed_up_and_lost()
    lab.cluster.statements.clear()
    next(lab.backup.glob("store/*/_transactions/*-Data.db")).write_bytes(b"xxx")
    with pytest.raises(StepFailure, match="is not what was backed up"):
        await happened(SnapshotStore().restore(lab.context("r-1")))
    assert lab.cluster.statements == []


async def test_swapped_data_directories_are_found_before_anything_is_loaded(lab: Lab) -> None:
    await lab.backed_up_and_lost()
    context = lab.context("r-1")
    one, two = context.settings.data_directories.values()
    swapped = StoreSettings(method="snapshot", data_directories={"127.0.0.1": two, "127.0.0.2": one})
    with pytest.raises(StepFailure, match="is not the data directory of"):
        await happened(SnapshotStore().restore(msgspec.structs.replace(context, settings=swapped)))
    assert lab.cluster.contents("_transactions") == [[], []]


async def test_every_node_needs_its_data_directory(lab: Lab) -> None:
    only = StoreSettings(method="snapshot", data_directories={"127.0.0.1": lab.cluster.nodes["127.0.0.1"].data})
    with pytest.raises(StepFailure, match=r"Not named in store.data_directories: 127\.0\.0\.2"):
        await SnapshotStore().plan_backup(msgspec.structs.replace(lab.context(), settings=only))
