"""AtlasDB's table names and table ids, against the ones the real AtlasDB made."""

import pytest

from atlasdb_recovery.atlas import names
from tests import vectors


@pytest.mark.parametrize(
    ("table", "table_id"),
    [
        ("_transactions", "6318da1a-bffa-3c03-b48b-3f72c1fe6e05"),
        ("_transactions2", "26e55505-180f-37fe-9898-eae5a583aae6"),
        ("_timestamp", "9610c3fb-9f45-3825-af47-00cb2f22d3d4"),
    ],
)
def test_table_ids_are_javas(table: str, table_id: str) -> None:
    assert names.deterministic_table_id("atlas", table) == table_id


def test_table_ids_are_those_the_real_atlasdb_gave() -> None:
    real = vectors.document("real-atlasdb-rows")
    assert len(real["table_ids"]) == 20
    for table, table_id in real["table_ids"].items():
        assert names.deterministic_table_id(real["keyspace"], table) == table_id


def test_names_in_metadata_lead_to_the_real_tables() -> None:
    real = vectors.document("real-atlasdb-rows")
    listed = {names.internal_table_name(bytes.fromhex(cell["key"]).decode()) for cell in real["tables"]["_metadata"]}
    unlisted = {"_metadata", "_timestamp"}
    assert {table.lower() for table in real["table_ids"]} - unlisted == listed - unlisted


@pytest.mark.parametrize(
    ("qualified", "table"),
    [
        ("ns.my_table", "ns__my_table"),
        ("ns.a.b", "ns__a.b"),
        ("plain", "plain"),
        ("met.legacy", "legacy"),
        ("metrics.daily", "metrics__daily"),
        ("_transactions", "_transactions"),
        ("_odd.name", "_odd.name"),
    ],
)
def test_only_the_first_dot_of_a_qualified_name_becomes_two_underscores(qualified: str, table: str) -> None:
    assert names.internal_table_name(qualified) == table


def test_atlasdbs_own_tables_are_told_from_the_services() -> None:
    tables = vectors.document("real-atlasdb-rows")["table_ids"]
    assert [table for table in tables if not names.is_internal(table)] == ["lab__data"]
    assert names.is_internal("sweep__sweepassignedbuckets")
    assert not names.is_internal("sweeper__data")
    assert all(names.is_internal(table) for table in names.SWEEP_PROGRESS)


def test_sweeps_tables_of_the_real_keyspace_are_known() -> None:
    present = set(vectors.document("real-atlasdb-rows")["table_ids"])
    assert {"sweep__sweepProgressPerShard", "_sweep_progress3"} <= present & set(names.SWEEP_PROGRESS)
    assert set(names.SWEEP_TIMESTAMPS) <= set(names.SWEEP_PROGRESS)
