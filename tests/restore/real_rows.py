"""Rows that the real AtlasDB wrote, in a practice keyspace; and what AtlasDB itself said of each transaction."""

from collections.abc import Iterator, Sequence
from typing import Any

from atlasdb_recovery.atlas import coordination, transactions
from atlasdb_recovery.atlas.names import COORDINATION, TRANSACTIONS, TRANSACTIONS2
from atlasdb_recovery.atlas.schema_ranges import SchemaMap
from atlasdb_recovery.cassandra.ports import Cell, Cluster, Consistency
from atlasdb_recovery.practice.exercise import Exercise
from atlasdb_recovery.practice.practice_keyspace import table_statement
from atlasdb_recovery.practice.truth import Address, Transaction
from tests.vectors import document

USER_TABLE = "lab__data"
MISSED_IN_PART = (TRANSACTIONS, TRANSACTIONS2, USER_TABLE)
BACKUPS = (10050, 5010232, 10010416)
"""A timestamp in the middle of each schema's transactions; one of them straddles it."""

WRITTEN_BY = 1_795_400_300.0
"""Unix seconds. A clock behind it could not overwrite these rows; simulated time begins a little earlier."""


def rows(table: str) -> list[Cell]:
    return [
        Cell(
            bytes.fromhex(row["key"]),
            bytes.fromhex(row["column1"]),
            row["column2"],
            bytes.fromhex(row["value"]),
            row["writetime"],
        )
        for row in document("real-atlasdb-rows")["tables"][table]
    ]


def schema_map() -> SchemaMap:
    return coordination.read_rows((cell.column1, cell.column2, cell.value) for cell in rows(COORDINATION))


def verdicts() -> Iterator[tuple[int, int | None]]:
    """Start and commit timestamp of every transaction, as AtlasDB reported them; None where it was aborted."""
    for event in document("real-atlasdb-rows")["events"]:
        if "start" in event:
            yield event["start"], event.get("commit")


def transactions_of_atlasdb() -> list[Transaction]:
    """The same as a part of an exercise's truth, with what each of them wrote."""
    written: dict[int, dict[Address, bytes]] = {}
    for cell in rows(USER_TABLE):
        written.setdefault(~cell.column2, {})[Address(USER_TABLE, cell.key, cell.column1)] = cell.value
    known = schema_map()
    return [
        Transaction(
            start=start,
            schema=known.schema_at(start) or 0,
            writes=written.get(start, {}),
            commit=commit,
            acknowledged=commit,
            end="aborted" if commit is None else "committed",
        )
        for start, commit in verdicts()
    ]


class ExerciseOnRealRows(Exercise):
    """The service goes on in a keyspace that the real AtlasDB has written to in all three schemas."""

    async def make_keyspace(self) -> None:
        await super().make_keyspace()
        await self.practice.wait(max(0.0, WRITTEN_BY - self.practice.seconds_now()))
        version = (await self.practice.cluster.identity()).nodes[0].release_version
        await self.practice.cluster.change_schema(table_statement(self.keyspace, USER_TABLE, version))
        for table in document("real-atlasdb-rows")["tables"]:
            everywhere = rows(table)[::2] if table in MISSED_IN_PART else rows(table)
            await self._put(table, everywhere, Consistency.ALL)
        self.writer.schema_map = schema_map()
        for transaction in transactions_of_atlasdb():
            self.writer.truth.begun(transaction)

    async def while_a_node_is_down(self) -> None:
        for table in MISSED_IN_PART:
            await self._put(table, rows(table)[1::2], Consistency.QUORUM)
        await super().while_a_node_is_down()

    async def _put(self, table: str, cells: Sequence[Cell], consistency: Consistency) -> None:
        for cell in cells:
            await self.practice.cluster.put(self.keyspace, table, cell, consistency=consistency)


async def contradictions(cluster: Cluster, keyspace: str, backup: int) -> list[Any]:
    """Where a node's own rows are not what AtlasDB said, as far as it was committed by B."""
    known, found = schema_map(), []
    for node in (await cluster.identity()).nodes:
        for start, commit in verdicts():
            expected = None if commit is None or commit > backup else commit
            read = await _commit_of(cluster, keyspace, known.schema_at(start) or 0, start, node.address)
            if read != expected:
                found.append((node.address, start, expected, read))
    return found


async def _commit_of(cluster: Cluster, keyspace: str, schema: int, start: int, node: str) -> int | None:
    table, position = transactions.table_of(schema), transactions.locate(schema, start)
    cells = await cluster.read_partition(keyspace, table, position[0], consistency=Consistency.ONE, node=node)
    for cell in cells:
        if cell.position == position:
            return transactions.decode(schema, table, *position, cell.value).commit
    return None
