"""Both transactions tables of one keyspace on a simulated cluster, filled cell by cell."""

from pathlib import Path
from typing import Self

from atlasdb_recovery.atlas import coordination, transactions
from atlasdb_recovery.atlas.coordination import SchemaMap, SchemaRange
from atlasdb_recovery.atlas.transactions import SET_ONCE_WRITE_TIME, TRANSACTIONS, TRANSACTIONS2, State
from atlasdb_recovery.cassandra.ports import Cell, Consistency
from atlasdb_recovery.practice import practice_keyspace
from atlasdb_recovery.practice.simulated import Dialect, SimulatedCluster
from atlasdb_recovery.procedure.removal.finder import Finder, Scope
from atlasdb_recovery.procedure.removal.findings import Findings, Found

KEYSPACE = "orders"
REPLICATION = {"class": "NetworkTopologyStrategy", "datacenter1": "3"}
FIRST_OF_2, FIRST_OF_3, BOUND = 1_000_000, 2_000_000, 9_000_000
MAP = SchemaMap(
    (SchemaRange(1, FIRST_OF_2, 1), SchemaRange(FIRST_OF_2, FIRST_OF_3, 2), SchemaRange(FIRST_OF_3, None, 3)), BOUND
)
ALL = Consistency.ALL


class Tables:
    """Starts below `FIRST_OF_2` are schema 1, below `FIRST_OF_3` schema 2, then schema 3."""

    def __init__(self, cluster: SimulatedCluster) -> None:
        self.cluster = cluster

    @classmethod
    async def made(cls, dialect: Dialect = Dialect.APACHE, *, data_root: Path | None = None) -> Self:
        cluster = SimulatedCluster(dialect=dialect, data_root=data_root)
        await practice_keyspace.create(cluster, KEYSPACE, REPLICATION)
        for column1, column2, value in coordination.cells_of(MAP, 7):
            cell = Cell(coordination.ROW, column1, column2, value, 1)
            await cluster.put(KEYSPACE, "_coordination", cell, consistency=ALL)
        return cls(cluster)

    async def commit(self, start: int, commit: int | None, state: State = State.COMMITTED) -> Cell:
        """As AtlasDB commits: conditionally, at the wall clock; schema 3's final cell far above it. None aborts."""
        schema = MAP.schema_at(start) or 1
        table, position = transactions.table_of(schema), transactions.locate(schema, start)
        value = transactions.value_of(schema, start, commit, state)
        if schema == 3 and state is State.COMMITTED and commit is not None:
            await self.cluster.put(KEYSPACE, table, Cell(*position, value, SET_ONCE_WRITE_TIME), consistency=ALL)
        else:
            await self.cluster.put_unless_exists(KEYSPACE, table, position, value)
        found = await self.cluster.read(KEYSPACE, table, position, consistency=ALL)
        assert found is not None
        return found

    async def put(self, table: str, cell: Cell) -> None:
        await self.cluster.put(KEYSPACE, table, cell, consistency=ALL)

    async def entry(self, start: int) -> Cell | None:
        schema = MAP.schema_at(start) or 1
        table, position = transactions.table_of(schema), transactions.locate(schema, start)
        return await self.cluster.read(KEYSPACE, table, position, consistency=ALL)

    async def reads_as(self, start: int) -> str:
        """What AtlasDB would read: committed at …, aborted, or in progress."""
        cell = await self.entry(start)
        if cell is None:
            return "in progress"
        schema = MAP.schema_at(start) or 1
        entry = transactions.decode(
            schema, transactions.table_of(schema), cell.key, cell.column1, cell.column2, cell.value
        )
        return "aborted" if entry.commit is None else f"committed at {entry.commit}"

    def scope(self, after: int, schema_map: SchemaMap = MAP, *, from_start: int = 1) -> Scope:
        tables = (TRANSACTIONS, TRANSACTIONS2)
        return Scope(keyspace=KEYSPACE, tables=tables, schema_map=schema_map, after=after, from_start=from_start)

    async def found(self, after: int, schema_map: SchemaMap = MAP, *, let_server_filter: bool = False) -> list[Found]:
        return (await self.scan(after, schema_map, let_server_filter=let_server_filter))[0]

    async def scan(
        self, after: int, schema_map: SchemaMap = MAP, *, let_server_filter: bool = False
    ) -> tuple[list[Found], Findings]:
        """What is beyond the cut, by start; and what was found out on the way."""
        finder = Finder(self.cluster, self.scope(after, schema_map), let_server_filter=let_server_filter)
        found = [one async for page in finder.pages() for one in page]
        return sorted(found, key=lambda one: one.start), finder.findings

    def cells(self) -> dict[tuple[str, str], object]:
        """What every node holds, tombstones and write times included, by node and table."""
        return {
            (address, name): dict(node.store(self.cluster.table(KEYSPACE, name).id).cells)
            for address, node in self.cluster.nodes.items()
            for name in (TRANSACTIONS, TRANSACTIONS2)
        }
