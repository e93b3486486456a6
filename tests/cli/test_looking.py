"""`--plan` and `doctor` show everything and change nothing."""

import asyncio
import importlib
import inspect
import json
import pkgutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from atlasdb_recovery.cli.main import main as recovery_main
from atlasdb_recovery.practice.simulated import Dialect
from atlasdb_recovery.procedure import guards
from atlasdb_recovery.procedure.guards.guard import Guard
from atlasdb_recovery.procedure.restore import restore_steps
from tests.cli.rehearsal import ANSWERS, Rehearsal, ended
from tests.restore.arena import ScriptedFrontEnd

MODULES = [
    importlib.import_module(f"{guards.__name__}.{module.name}") for module in pkgutil.iter_modules(guards.__path__)
]
EVERY_GUARD = {
    name
    for module in MODULES
    for name, kind in inspect.getmembers(module, inspect.isclass)
    if issubclass(kind, Guard) and kind is not Guard and kind.__module__ == module.__name__
}
OF_A_BACKUP_ALONE = {
    "KeyspaceIsAtlas",
    "TimestampAuthorityUsable",
    "BackupDirectoryUnused",
    "SweepHeldBack",
    "ImmutableTimestampLocked",
}
OF_NO_PROCEDURE = {"NotFastForwarded", "TimestampOfBackup"}
"""Only `put-back` asks the one, only AtlasDB's own lines the other."""


@contextmanager
def unchanged(rehearsal: Rehearsal) -> Iterator[None]:
    """Neither the cluster nor any file or directory of ours is another afterwards."""
    cluster, files = rehearsal.cluster_state(), rehearsal.files()
    yield
    assert rehearsal.cluster_state() == cluster
    assert rehearsal.files() == files


@pytest.fixture(params=[Dialect.APACHE, Dialect.PALANTIR], ids=str)
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Rehearsal:
    """As `lost`, on either kind of server, and before anybody has made a state directory."""
    return Rehearsal(tmp_path, request.param).lose_and_forget()


def test_a_plan_shows_every_step_and_changes_nothing(either: Rehearsal) -> None:
    with unchanged(either):
        ended = either.recovery("restore", "--plan")
    assert ended.code == 0, ended
    for number, step in enumerate(
        ("preflight", "restore-store", "repair", "clean-transactions", "fast-forward", "prove"), 1
    ):
        assert f"[{number}/6] {step}: " in ended.out
    full = "" if either.simulated.dialect is Dialect.PALANTIR else " --full"
    for node in either.nodes.addresses:
        assert f"nodetool -h {node} -p 7199 repair --partitioner-range{full} -- shop _transactions " in ended.out
    assert "CREATE KEYSPACE" in ended.out
    assert "at ALL for transactions committed after B = " in ended.out
    assert f"pre-images go to {either.directory / 'exports'}" in ended.out
    assert "above F = " in ended.out
    assert "it would begin; nothing was changed" in ended.out


def test_a_plan_of_a_backup_changes_nothing(alive: Rehearsal) -> None:
    with unchanged(alive):
        ended = alive.recovery("backup", "--plan")
    assert ended.code == 0, ended
    assert "[5/5] seal-backup: " in ended.out
    assert f"snapshot -t recovery-plan {alive.keyspace}" in ended.out


def test_a_plan_that_a_guard_refuses_ends_with_3(lost: Rehearsal) -> None:
    lost.simulated.connect_client(lost.nodes.addresses[0], user="left-on")
    with unchanged(lost):
        ended = lost.recovery("restore", "--plan")
    assert ended.code == 3
    assert "REFUSED  NoClientsConnected: 127.0.9.1: 127.0.0.1:" in ended.out
    assert "left-on" in ended.out
    assert "a guard refuses, so it would not begin; nothing was changed" in ended.out


def test_doctor_asks_every_guard_and_changes_nothing(either: Rehearsal) -> None:
    with unchanged(either):
        ended = either.recovery("doctor", "--json")
    assert ended.code == 0, ended
    found = [json.loads(line) for line in ended.out.splitlines()]
    assert {guard["guard"] for guard in found} == EVERY_GUARD - OF_A_BACKUP_ALONE - OF_NO_PROCEDURE
    assert all(set(guard) == {"guard", "proves", "status", "evidence", "remedy"} for guard in found)
    assert all(guard["proves"] and guard["evidence"] for guard in found)


def test_doctor_for_a_backup_asks_the_others_too(alive: Rehearsal) -> None:
    with unchanged(alive):
        ended = alive.recovery("doctor", "--for", "backup", "--json")
    assert ended.code == 0, ended
    assert {json.loads(line)["guard"] for line in ended.out.splitlines()} >= OF_A_BACKUP_ALONE


def test_doctor_refuses_with_3_and_puts_what_refuses_first(lost: Rehearsal) -> None:
    lost.simulated.connect_client(lost.nodes.addresses[1], user="left-on")
    lost.simulated.disagree_on_schema(lost.nodes.addresses[2])
    (lost.backup_dir / "backup.timestamp").write_text("12\n13\n")
    with unchanged(lost):
        ended = lost.recovery("doctor", "--json")
        table = lost.recovery("doctor")
    assert ended.code == table.code == 3
    found = [json.loads(line) for line in ended.out.splitlines()]
    refusing = {guard["guard"] for guard in found if guard["status"] in {"blocked", "unknown"}}
    assert refusing >= {"NoClientsConnected", "OneSchemaVersion", "TimestampsInOrder"}
    assert {guard["guard"] for guard in found[: len(refusing)]} == refusing
    assert all(guard["remedy"] for guard in found[: len(refusing)])
    assert "REFUSED" in table.out
    assert "remedy: " in table.out
    assert f"{len(refusing)} of {len(found)} guards refuse it; nothing was changed" in table.out


def test_doctor_on_a_keyspace_that_is_still_there_says_so(alive: Rehearsal) -> None:
    with unchanged(alive):
        ended = alive.recovery("doctor", "--json")
    assert ended.code == 3
    found = {guard["guard"]: guard for guard in map(json.loads, ended.out.splitlines())}
    assert found["KeyspaceEmpty"]["status"] == "blocked"
    assert found["TimestampsInOrder"]["status"] == "blocked"


def test_a_look_leaves_nothing_that_a_restore_would_refuse(either: Rehearsal) -> None:
    """A serial read would leave rows in `system.paxos`, which may be replayed into what was restored."""
    asyncio.run(either.arena.restore(ScriptedFrontEnd(), steps=restore_steps()[:2]))
    either.simulated.clear_paxos()
    either.write_settings(store={"method": "external"})
    answers = either.answer(**ANSWERS, **{"store-restored": "by hand"})
    with unchanged(either):
        looks = [
            either.recovery(*words)
            for words in (("restore", "--plan", "--answers", str(answers)), ("inspect", "timestamp"), ("doctor",))
        ]
    assert [look.code for look in looks[:2]] == [0, 0], looks
    ended = either.unattended("restore")
    assert ended.code == 0, ended
    assert either.oracle_says() == "right"


def test_decode_takes_the_schema_from_the_keyspace_that_the_settings_name(alive: Rehearsal) -> None:
    """Where the object names none: AtlasDB's own map in `_coordination` tells."""
    cells = alive.directory / "cells.jsonl"
    cell = {"table": "_transactions", "key": "64", "column1": "74", "column2": -1, "value": "65"}
    cells.write_text(json.dumps(cell) + "\n")
    told = alive.recovery("inspect", "decode", str(cells))
    assert told.code == 0, told
    assert (json.loads(told.out)["start"], json.loads(told.out)["commit"]) == (100, 101)


def test_inspect_transactions_wants_a_timestamp_that_there_can_be(alive: Rehearsal) -> None:
    assert alive.recovery("inspect", "transactions", "--after", str(2**63)).code == 2


def test_host_names_that_do_not_resolve_are_no_defect(alive: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(host: str, *_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    alive.write_settings(cql={"contact_points": ["cass-typo"]})
    told = ended(recovery_main, ["inspect", "timestamp", "--settings", str(alive.settings)], None)
    assert told.code == 3, told
    assert "none of cass-typo is a host name that resolves here" in told.out + told.err
