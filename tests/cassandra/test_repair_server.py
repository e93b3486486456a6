"""What the server remembers decides where nodetool died, and only there."""

from typing import Any

import pytest

from atlasdb_recovery.cassandra.ports import RepairRecord
from atlasdb_recovery.cassandra.repair import Judgement, Verdict, confirmed_by_server

OPTIONS = {
    "incremental": "false",
    "previewKind": "NONE",
    "forceRepair": "false",
    "pullRepair": "false",
    "hosts": "",
    "dataCenters": "",
    "primaryRange": "true",
}
EXPECTED = frozenset({("aa", "00")})


def unknown(full: bool | None = True, parent_ids: tuple[str, ...] = ("p1",)) -> Judgement:
    return Judgement(
        Verdict.UNKNOWN, ("nodetool was killed by signal 9",), frozenset(), frozenset(), 1, parent_ids, full
    )


def record(**changed: Any) -> RepairRecord:
    fields: dict[str, Any] = {
        "parent_id": "p1",
        "keyspace": "atlas",
        "tables": frozenset({"_transactions"}),
        "requested_ranges": frozenset({"(aa,00]"}),
        "successful_ranges": frozenset({"(aa,00]"}),
        "started_at": 1.0,
        "finished_at": 2.0,
        "error": None,
        "options": OPTIONS,
    }
    return RepairRecord(**(fields | changed))


def decided(judgement: Judgement, *records: RepairRecord) -> Judgement:
    return confirmed_by_server(judgement, records, "atlas", ("_transactions",), EXPECTED)


def test_a_full_repair_that_ended_well() -> None:
    judgement = decided(unknown(), record())
    assert judgement.verdict is Verdict.REPAIRED
    assert judgement.reasons[-1] == "nodetool was killed by signal 9"
    assert decided(unknown(), record(requested_ranges=frozenset(), successful_ranges=frozenset({"(aa,00]", "(1,2]"})))


@pytest.mark.parametrize(
    "changed",
    [
        {"error": "Stream failed\nSession peer"},
        {"error": "Endpoint not alive", "keyspace": "", "tables": frozenset(), "successful_ranges": None},
        {"successful_ranges": frozenset({""})},
        {"successful_ranges": None},
        {"successful_ranges": frozenset({"(00,55]"})},
    ],
)
def test_a_repair_that_failed(changed: dict[str, Any]) -> None:
    judgement = decided(unknown(), record(**changed))
    assert judgement.verdict is Verdict.NOT_REPAIRED
    assert all(reason.isprintable() for reason in judgement.reasons)


@pytest.mark.parametrize(
    "changed",
    [
        {"finished_at": None, "successful_ranges": None},
        {"options": OPTIONS | {"hosts": "10.0.0.1,10.0.0.2"}},
        {"options": OPTIONS | {"dataCenters": "dc1"}},
        {"options": OPTIONS | {"incremental": "true"}},
        {"options": OPTIONS | {"forceRepair": "true"}},
        {"options": OPTIONS | {"pullRepair": "true"}},
        {"options": OPTIONS | {"paxosOnly": "true"}},
        {"options": OPTIONS | {"previewKind": "ALL"}},
        {"options": {"primaryRange": "true"}},
        {"tables": frozenset({"other"})},
        {"keyspace": "other"},
        {"parent_id": "p2"},
    ],
)
def test_what_the_server_cannot_tell(changed: dict[str, Any]) -> None:
    assert decided(unknown(), record(**changed)).verdict is Verdict.UNKNOWN


def test_a_server_that_stores_no_options_needs_the_transcripts() -> None:
    plain = record(options={}, parent_id="p9")
    assert decided(unknown(full=True, parent_ids=()), plain).verdict is Verdict.REPAIRED
    assert decided(unknown(full=None, parent_ids=()), plain).verdict is Verdict.UNKNOWN
    another = record(options={}, parent_id="p8")
    assert decided(unknown(full=True, parent_ids=()), plain, another).verdict is Verdict.UNKNOWN


def test_what_is_known_is_not_decided_again() -> None:
    for verdict in (Verdict.NOT_REPAIRED, Verdict.REPAIRED):
        known = Judgement(verdict, ("seen",), frozenset(), frozenset(), 1, ("p1",), True)
        assert decided(known, record(error="Endpoint died" if verdict is Verdict.REPAIRED else None)) is known
    assert decided(unknown(full=False), record()).verdict is Verdict.UNKNOWN
    assert decided(unknown()).verdict is Verdict.UNKNOWN
    nothing_expected = confirmed_by_server(unknown(), [record()], "atlas", ("_transactions",), frozenset())
    assert nothing_expected.verdict is Verdict.UNKNOWN
