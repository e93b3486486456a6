"""What the contract needs of a cluster, simulated or real."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from atlasdb_recovery.cassandra.ports import Cluster, Nodetool
from atlasdb_recovery.practice.practice_keyspace import unrepaired_reads
from atlasdb_recovery.practice.simulated import Dialect, SimulatedCluster, SimulatedNodetool

TABLE_OPTIONS = (
    "(key blob, column1 blob, column2 bigint, value blob, PRIMARY KEY (key, column1, column2)) WITH COMPACT STORAGE"
)


class ContractCluster(Protocol):
    """A cluster of three nodes with one token each, whose nodes can be stopped."""

    @property
    def dialect(self) -> Dialect: ...

    @property
    def cluster(self) -> Cluster: ...

    @property
    def nodetool(self) -> Nodetool: ...

    @property
    def data_directories(self) -> Mapping[str, Path]: ...

    async def stop_node(self, address: str) -> None: ...

    async def start_node(self, address: str) -> None: ...


class SimulatedContract:
    """The simulated cluster behind the adapter."""

    def __init__(self, dialect: Dialect, data_root: Path) -> None:
        self.dialect = dialect
        self.simulated = SimulatedCluster(dialect=dialect, data_root=data_root)
        self.cluster: Cluster = self.simulated
        self.nodetool: Nodetool = SimulatedNodetool(self.simulated)

    @property
    def data_directories(self) -> Mapping[str, Path]:
        return self.simulated.data_directories

    async def stop_node(self, address: str) -> None:
        self.simulated.stop_node(address)

    async def start_node(self, address: str) -> None:
        self.simulated.start_node(address)


async def make_keyspace(contract: ContractCluster, name: str, *tables: str, factor: int = 3) -> None:
    """Gone if it was there, then new, with these tables."""
    if await contract.cluster.keyspace(name) is not None:
        await contract.cluster.change_schema(f"DROP KEYSPACE {name}")
    await contract.cluster.change_schema(
        f"CREATE KEYSPACE {name} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': {factor}}}"
    )
    for table in tables:
        options = TABLE_OPTIONS + unrepaired_reads(contract.dialect.value)
        await contract.cluster.change_schema(f'CREATE TABLE {name}."{table}" {options}')
