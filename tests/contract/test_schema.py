"""Keyspaces and tables: absent, created, dropped and created again; identity of the nodes."""

import msgspec
import pytest

from atlasdb_recovery.cassandra.ports import Cell, Consistency
from tests.contract.contract_cluster import TABLE_OPTIONS, ContractCluster

OLD_ID = "68b6ea85-123e-3b34-9524-bd8c6c2d7598"


async def test_an_absent_keyspace_is_none(contract: ContractCluster) -> None:
    assert await contract.cluster.keyspace("nowhere") is None


async def test_what_is_created_is_described(contract: ContractCluster, keyspace: str) -> None:
    found = await contract.cluster.keyspace(keyspace)
    assert found is not None
    assert (found.name, set(found.tables), found.durable_writes) == (keyspace, {"t"}, True)
    assert found.replication["class"].endswith("SimpleStrategy")
    assert found.replication["replication_factor"] == "3"


async def test_created_again_from_its_description_it_is_the_same_under_new_ids(
    contract: ContractCluster, keyspace: str
) -> None:
    cluster = contract.cluster
    before = await cluster.keyspace(keyspace)
    assert before is not None
    await cluster.put(keyspace, "t", Cell(b"k", b"c", 1, b"v", 5), consistency=Consistency.ALL)
    await cluster.change_schema(f"DROP KEYSPACE {keyspace}")
    assert await cluster.keyspace(keyspace) is None
    await cluster.change_schema(before.create)
    await cluster.change_schema(before.tables["t"].create)
    after = await cluster.keyspace(keyspace)
    assert after is not None
    assert (after.create, after.tables["t"].create) == (before.create, before.tables["t"].create)
    assert after.tables["t"].id != before.tables["t"].id
    assert await cluster.read_partition(keyspace, "t", b"k", consistency=Consistency.ALL) == ()


async def test_a_table_can_be_given_an_id_and_its_description_leaves_it_out(
    contract: ContractCluster, keyspace: str
) -> None:
    await contract.cluster.change_schema(f"CREATE TABLE {keyspace}.with_id {TABLE_OPTIONS} AND id = '{OLD_ID}'")
    found = await contract.cluster.keyspace(keyspace)
    assert found is not None
    assert found.tables["with_id"].id == OLD_ID
    assert OLD_ID not in found.tables["with_id"].create
    await contract.cluster.change_schema(f"DROP TABLE {keyspace}.with_id")


async def test_names_keep_their_case(contract: ContractCluster, keyspace: str) -> None:
    await contract.cluster.change_schema(f'CREATE TABLE {keyspace}."sweep__sweepProgress" {TABLE_OPTIONS}')
    found = await contract.cluster.keyspace(keyspace)
    assert found is not None
    assert "sweep__sweepProgress" in found.tables


async def test_the_nodes_describe_themselves_and_each_other(contract: ContractCluster) -> None:
    identity = await contract.cluster.identity()
    assert identity.partitioner == "org.apache.cassandra.dht.ByteOrderedPartitioner"
    assert len(identity.host_ids) == len(identity.nodes) == 3
    version = "2.2.18-1.108.0" if contract.dialect.has_thrift else "5.0.6"
    for node in identity.nodes:
        assert node.release_version == version
        own = await contract.cluster.node(node.address)
        assert own == msgspec.structs.replace(node, schema_version=own.schema_version)
        peers = await contract.cluster.peers(node.address)
        assert {peer.host_id for peer in peers} == identity.host_ids - {node.host_id}


async def test_the_clocks_are_the_machines(contract: ContractCluster) -> None:
    for node in (await contract.cluster.identity()).nodes:
        clock = await contract.cluster.clock(node.address)
        assert clock.node == node.address
        assert abs(clock.offset) <= clock.uncertainty + 0.05


async def test_nobody_else_is_connected(contract: ContractCluster) -> None:
    for node in (await contract.cluster.identity()).nodes:
        clients = await contract.cluster.clients(node.address)
        assert (clients.node, clients.others) == (node.address, ())
        assert clients.can_tell == (not contract.dialect.has_thrift)
        assert clients.how


async def test_a_truncation_leaves_its_mark_on_every_node(contract: ContractCluster, keyspace: str) -> None:
    cluster = contract.cluster
    found = await cluster.keyspace(keyspace)
    assert found is not None
    table_id = found.tables["t"].id
    nodes = [node.address for node in (await cluster.identity()).nodes]
    await cluster.put(keyspace, "t", Cell(b"k", b"c", 1, b"v", 5), consistency=Consistency.ALL)
    seen = []
    for _ in range(2):
        await cluster.change_schema(f"TRUNCATE {keyspace}.t")
        seen.append([(await cluster.truncations(address)).get(table_id) for address in nodes])
    assert await cluster.read_partition(keyspace, "t", b"k", consistency=Consistency.ALL) == ()
    assert all(seen[0])
    assert all(before != after for before, after in zip(*seen, strict=True))


@pytest.mark.parametrize("serial_read_first", [False, True])
async def test_a_conditional_write_leaves_paxos_rows_that_a_drop_leaves_too(
    contract: ContractCluster, keyspace: str, serial_read_first: bool
) -> None:
    cluster = contract.cluster
    found = await cluster.keyspace(keyspace)
    assert found is not None
    ids = frozenset({found.tables["t"].id})
    nodes = [node.address for node in (await cluster.identity()).nodes]
    assert [await cluster.paxos_rows(address, ids) for address in nodes] == [0, 0, 0]
    if serial_read_first:
        await cluster.read(keyspace, "t", (b"k", b"c", 1), consistency=Consistency.SERIAL)
    assert (await cluster.put_unless_exists(keyspace, "t", (b"k", b"c", 1), b"v")).applied
    assert [await cluster.paxos_rows(address, ids) for address in nodes] == [1, 1, 1]
    await cluster.change_schema(f"DROP KEYSPACE {keyspace}")
    assert [await cluster.paxos_rows(address, ids) for address in nodes] == [1, 1, 1]
    assert [await cluster.pending_hints(address) for address in nodes] == [0, 0, 0]
