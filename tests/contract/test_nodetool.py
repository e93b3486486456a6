"""nodetool's reports and store verbs."""

import shutil

from atlasdb_recovery.cassandra import node_reports as reports
from atlasdb_recovery.cassandra.ports import Cell, Consistency
from tests.contract.contract_cluster import ContractCluster, make_keyspace


async def printed(contract: ContractCluster, address: str, *arguments: str) -> str:
    output = await contract.nodetool.run(address, *arguments)
    assert output.exit_code == 0, output
    return output.stdout


def write_counter(contract: ContractCluster) -> str:
    return "cfstats" if contract.dialect.has_thrift else "tablestats"


async def test_a_keyspace_without_tables_has_no_write_counts(contract: ContractCluster) -> None:
    await make_keyspace(contract, "without_tables")
    for address in contract.data_directories:
        output = await contract.nodetool.run(address, write_counter(contract), "without_tables")
        assert output.exit_code == 0, output
        assert "without_tables" not in output.stdout
    await contract.cluster.change_schema("DROP KEYSPACE without_tables")


async def test_status_and_info_agree_with_the_nodes(contract: ContractCluster) -> None:
    for node in (await contract.cluster.identity()).nodes:
        status = reports.read_status(await printed(contract, node.address, "status"))
        assert {row.address for row in status.rows} == set(contract.data_directories)
        assert status.not_up_and_normal == ()
        info = reports.read_info(await printed(contract, node.address, "info"))
        assert (info.host_id, info.data_center, info.rack) == (node.host_id, node.data_center, node.rack)
        assert info.thrift_active is (True if contract.dialect.has_thrift else None)
        assert node.host_id in {row.host_id for row in status.rows}
        version = reports.read_version(await printed(contract, node.address, "version"))
        assert version == node.release_version


async def test_an_idle_node_is_at_nothing(contract: ContractCluster) -> None:
    address = next(iter(contract.data_directories))
    assert reports.read_netstats(await printed(contract, address, "netstats")).streams == ()
    assert reports.read_compactionstats(await printed(contract, address, "compactionstats")).pending >= 0
    assert reports.read_tpstats(await printed(contract, address, "tpstats")).repairing == {}


async def test_requests_and_writes_are_counted(contract: ContractCluster, keyspace: str) -> None:
    async def counts() -> tuple[int, int]:
        requests = writes = 0
        for address in contract.data_directories:
            requests += reports.read_tpstats(await printed(contract, address, "tpstats")).native_requests
            stats = await printed(contract, address, write_counter(contract), keyspace)
            writes += reports.read_write_counts(stats)[keyspace, "t"]
        return requests, writes

    before = await counts()
    for number in range(10):
        await contract.cluster.put(keyspace, "t", Cell(b"k", b"c", number, b"v", 1), consistency=Consistency.ALL)
    after = await counts()
    assert after[0] >= before[0] + 10
    assert after[1] == before[1] + 30


async def test_the_other_reports_are_understood(contract: ContractCluster) -> None:
    address = next(iter(contract.data_directories))
    identity = await contract.cluster.identity()
    gossip = reports.read_gossipinfo(await printed(contract, address, "gossipinfo"))
    assert {(one.address, one.states["HOST_ID"], one.status) for one in gossip} == {
        (node.address, node.host_id, "NORMAL") for node in identity.nodes
    }
    described = reports.read_describecluster(await printed(contract, address, "describecluster"))
    assert (described.name, described.partitioner) == (identity.cluster_name, identity.partitioner)
    assert described.schema_versions.keys() == {identity.nodes[0].schema_version}
    assert described.agrees
    assert reports.read_running(await printed(contract, address, "statusbinary"), "statusbinary")


async def test_the_option_for_a_full_repair_is_told_by_help(contract: ContractCluster) -> None:
    address = next(iter(contract.data_directories))
    text = await printed(contract, address, "help", "repair")
    assert ("--full" in text) == (not contract.dialect.has_thrift)
    assert "-pr, --partitioner-range" in text


async def test_atlasdbs_own_line_is_refused_where_the_option_is_unknown(
    contract: ContractCluster, keyspace: str
) -> None:
    address = next(iter(contract.data_directories))
    output = await contract.nodetool.run(address, "repair", "--partitioner-range", "--full", "--", keyspace, "t")
    if contract.dialect.has_thrift:
        assert output.exit_code == 1
        assert output.stdout.splitlines()[0] == "nodetool: Keyspace [--full] does not exist."
    else:
        assert output.exit_code == 0
        assert "Repair completed successfully" in output.stdout


async def test_thrift_can_be_switched_off_and_on(contract: ContractCluster) -> None:
    address = next(iter(contract.data_directories))
    output = await contract.nodetool.run(address, "statusthrift")
    if not contract.dialect.has_thrift:
        assert output.exit_code == 1
        return
    for verb, running in (("disablethrift", False), ("enablethrift", True)):
        await printed(contract, address, verb)
        assert reports.read_running(await printed(contract, address, "statusthrift"), "statusthrift") is running
        assert reports.read_info(await printed(contract, address, "info")).thrift_active is running


async def test_a_node_that_is_not_there_is_an_exit_code(contract: ContractCluster, keyspace: str) -> None:
    address = next(iter(contract.data_directories))
    output = await contract.nodetool.run(address, "repair", "--", "nowhere", "t")
    assert output.exit_code == 1
    assert "nodetool: Keyspace [nowhere] does not exist." in output.stdout
    output = await contract.nodetool.run(address, "snapshot", "-t", "tag", "nowhere")
    assert output.exit_code == (2 if contract.dialect.has_thrift else 1)
    assert "Keyspace nowhere does not exist" in output.stdout + output.stderr


async def test_a_snapshot_brings_every_row_and_write_time_back(contract: ContractCluster) -> None:
    """Snapshot, drop, create with new ids, files into the new directories, refresh: each node its own rows."""
    await make_keyspace(contract, "kept", "t")
    cluster, directories = contract.cluster, contract.data_directories
    cells = [Cell(bytes([first]), b"c", first, b"v", 100 + first) for first in range(0, 256, 16)]
    for cell in cells:
        await cluster.put("kept", "t", cell, consistency=Consistency.ALL)
    await cluster.delete("kept", "t", cells[3].position, write_time=103 + 48, consistency=Consistency.ALL)
    before = await cluster.keyspace("kept")
    assert before is not None
    for address in directories:
        await printed(contract, address, "snapshot", "-t", "kept1", "kept")
        listed = reports.read_listsnapshots(await printed(contract, address, "listsnapshots"))
        assert ("kept1", "kept", "t") in listed
    await cluster.change_schema("DROP KEYSPACE kept")
    await cluster.change_schema(before.create)
    await cluster.change_schema(before.tables["t"].create)
    after = await cluster.keyspace("kept")
    assert after is not None
    for address, root in directories.items():
        source = root / "kept" / f"t-{before.tables['t'].id.replace('-', '')}" / "snapshots" / "kept1"
        target = root / "kept" / f"t-{after.tables['t'].id.replace('-', '')}"
        for file in source.iterdir():
            if file.suffix in {".db", ".txt", ".crc32", ".adler32"}:
                shutil.copyfile(file, target / file.name)
        await printed(contract, address, "refresh", "kept", "t")
    live = [cell for cell in cells if cell != cells[3]]
    for address in directories:
        scan = cluster.scan("kept", "t", "", "", consistency=Consistency.ONE, page_size=100, node=address)
        assert [cell async for page in scan for cell in page] == live
    for address in directories:
        await printed(contract, address, "clearsnapshot", "-t", "kept1", "kept")
        listed = reports.read_listsnapshots(await printed(contract, address, "listsnapshots"))
        assert ("kept1", "kept", "t") not in listed
    await cluster.change_schema("DROP KEYSPACE kept")
