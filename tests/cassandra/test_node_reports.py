"""The reports' parsers against real output (reports/real.zip: `<version>/<report>`) and against broken output."""

import asyncio
import zipfile
from collections.abc import AsyncGenerator, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from atlasdb_recovery.cassandra import node_reports as reports
from atlasdb_recovery.cassandra.activity import running_repairs_and_streams
from atlasdb_recovery.cassandra.node_reports import UnreadableReport
from atlasdb_recovery.cassandra.ports import Finished, Line, NodetoolFailed, Output

ARCHIVE = Path(__file__).parent / "reports" / "real.zip"
with zipfile.ZipFile(ARCHIVE) as archive:
    REAL = {name: archive.read(name).decode() for name in archive.namelist()}
VERSIONS = ("2.2", "4.1", "5.0")


@pytest.mark.parametrize("version", VERSIONS)
def test_status_of_three_nodes(version: str) -> None:
    rows = reports.read_status(REAL[f"{version}/status"]).rows
    assert {row.address[-2:] for row in rows} == {".1", ".2", ".3"}
    assert {row.state for row in rows} == {"N"}
    assert {(row.data_center, row.rack) for row in rows} == {("datacenter1", "rack1")}
    assert len({row.host_id for row in rows}) == 3


def test_status_tells_who_is_down() -> None:
    down = reports.read_status(REAL["2.2/status"]).not_up_and_normal
    assert [(row.address, row.host_id, row.load) for row in down] == [
        ("127.0.2.2", "6ef625ed-c4df-4aab-8542-a6f2845e4841", "628.66 KB")
    ]
    for report in ("status-node3-down-asked-n1", "status-gossip-disabled-n3-asked-n1"):
        for version in ("4.1", "5.0"):
            down = reports.read_status(REAL[f"{version}/{report}"]).not_up_and_normal
            assert [row.address[-2:] for row in down] == [".3"]
    assert reports.read_status(REAL["5.0-vnodes/status"]).not_up_and_normal == ()
    assert reports.read_status(REAL["4.1/status-pp"]).rows[0].address == "127.0.2.2:7000"


def test_status_with_the_token_last_unknown_load_and_a_rack_of_two_words() -> None:
    text = """Datacenter: dc1
===============
Status=Up/Down
|/ State=Normal/Leaving/Joining/Moving
--  Address    Load       Owns (effective)  Host ID                               Token    Rack
?J  10.0.0.1   ?          33.3%             b6d30555-49c2-4fd6-8016-1316550eca41  00       rack 1

Datacenter: dc2
===============
--  Address    Load       Owns   Host ID                               Token    Rack
UN  10.0.0.2   1.5 MiB    ?      6ef625ed-c4df-4aab-8542-a6f2845e4841  aa       rack1
"""
    first, second = reports.read_status(text).rows
    assert first == reports.StatusRow(
        up=None,
        state="J",
        address="10.0.0.1",
        load=None,
        host_id="b6d30555-49c2-4fd6-8016-1316550eca41",
        rack="rack 1",
        data_center="dc1",
    )
    assert (second.data_center, second.rack, second.load) == ("dc2", "rack1", "1.5 MiB")


def test_info() -> None:
    fork = reports.read_info(REAL["2.2/info"])
    assert (fork.host_id, fork.gossip_active, fork.native_active, fork.thrift_active, fork.uptime) == (
        "b6d30555-49c2-4fd6-8016-1316550eca41",
        True,
        True,
        True,
        276,
    )
    assert reports.read_info(REAL["5.0/info"]).thrift_active is None
    assert reports.read_info(REAL["5.0/info-gossip-disabled-n3"]).gossip_active is False
    assert reports.read_info(REAL["5.0-vnodes/info"]).rack == "rack1"
    assert reports.read_info(REAL["5.0-vnodes/info--T"]).native_active is True


def test_running_and_version() -> None:
    assert reports.read_running(REAL["2.2/statusthrift"], "statusthrift") is True
    assert reports.read_running(REAL["5.0/statusbinary-disabled-n2"], "statusbinary") is False
    assert [reports.read_version(REAL[f"{version}/version"]) for version in VERSIONS] == [
        "2.2.18-1.108.0",
        "4.1.10",
        "5.0.6",
    ]
    assert reports.read_version(REAL["5.0/version-v"]) == "5.0.6"


@pytest.mark.parametrize(
    ("name", "operations", "direction"),
    [
        ("2.2/netstats", [], ""),
        ("5.0/netstats", [], ""),
        ("4.0/05-before-kill-netstats-n1", ["Repair", "Repair"], "Sending"),
        ("4.1/05-before-kill-netstats-n1", ["Repair", "Repair"], "Sending"),
        ("5.0/05-before-kill-netstats-n1", ["Repair"], "Sending"),
        ("4.1/07-at-kill-netstats", ["Repair", "Repair"], "Sending"),
        ("4.1/07-finished-netstats", [], ""),
        ("4.1/33c-after-netstats-n3", ["Repair"], "Receiving"),
        ("5.0/33c-after-netstats-n3", [], ""),
    ],
)
def test_netstats(name: str, operations: list[str], direction: str) -> None:
    report = reports.read_netstats(REAL[name])
    assert report.mode == "NORMAL"
    assert [stream.operation for stream in report.streams] == operations
    assert all(any(line.startswith(direction) for line in stream.lines) for stream in report.streams)


BUSY = {"2.2/repairing-compactionstats", "5.0/compacting-compactionstats"}


@pytest.mark.parametrize("name", [name for name in REAL if "compactionstats" in name and name not in BUSY])
def test_real_compactionstats_are_idle(name: str) -> None:
    report = reports.read_compactionstats(REAL[name])
    assert (report.pending, report.running) == (0, ())


VALIDATION = "8e1d5e30-e6e2-11f1-95f2-4fab6fc4696b"


@pytest.mark.parametrize(
    "text",
    [
        f"""pending tasks: 2
                                     id   compaction type   keyspace   table   completed  total  unit  progress
   {VALIDATION}              Validation      atlas   _transactions      196608    3388765   bytes      5.80%
   {VALIDATION}   Secondary index build      atlas        foo__bar           0          0   bytes        n/a
Active compaction remaining time :   0h00m00s
""",
        f"""pending tasks: 2
- atlas._transactions: 1
- atlas.foo__bar: 1

id                                   compaction type       keyspace table         completed total   unit  progress
{VALIDATION} Validation            atlas    _transactions 196608    3388765 bytes 5.80%
{VALIDATION} Secondary index build atlas    foo__bar      0         0       bytes n/a
Active compaction remaining time :        n/a
""",
        f"""concurrent compactors            2
pending tasks                    2
atlas                            _transactions 1
compactions completed            49
15 minute rate                   52.63/minute
mean rate                        NaN/hour
compaction throughput (MiB/s)    64.0

id                                   compaction type       keyspace table         completed total   unit  progress
{VALIDATION} Validation            atlas    _transactions 196608    3388765 bytes 5.80%
{VALIDATION} Secondary index build atlas    foo__bar      0         0       bytes n/a
active compaction remaining time        0h00m00s
""",
    ],
    ids=["2.2", "4.x", "5.0"],
)
def test_running_compactions_in_the_layout_of_their_sources(text: str) -> None:
    report = reports.read_compactionstats(text)
    assert report.pending == 2
    validation, build = report.running
    assert validation == reports.Compaction(
        task_id=VALIDATION,
        kind="Validation",
        keyspace="atlas",
        table="_transactions",
        completed=196608,
        total=3388765,
        unit="bytes",
    )
    assert validation.is_repair
    assert (build.kind, build.table, build.is_repair) == ("Secondary index build", "foo__bar", False)


def test_real_running_compactions() -> None:
    (validation,) = reports.read_compactionstats(REAL["2.2/repairing-compactionstats"]).running
    assert (validation.kind, validation.table, validation.completed, validation.total) == (
        "Validation",
        "foo__bar",
        17169818,
        38903890,
    )
    assert validation.is_repair
    report = reports.read_compactionstats(REAL["5.0/compacting-compactionstats"])
    assert report.pending == 1
    assert [(each.kind, each.total, each.is_repair) for each in report.running] == [
        ("Major compaction", 38772262, False)
    ]


def test_compactionstats_with_throttling_disabled() -> None:
    text = REAL["5.0/compactionstats"].replace("64.0    ", "throttling disabled (0)")
    assert "throttling disabled" in text
    assert reports.read_compactionstats(text).running == ()


def test_a_task_in_an_unknown_layout_is_not_overlooked() -> None:
    columns = "keyspace table task id completion ratio kind progress sstables total unit target directory"
    row = f"atlas foo__bar {VALIDATION} 6.86% validation 2658359 1 38772262 bytes -"
    with pytest.raises(UnreadableReport, match="foo__bar"):
        reports.read_compactionstats(f"{REAL['5.0/compactionstats']}\n{columns}\n{row}\n")


def test_tpstats() -> None:
    assert reports.read_tpstats(REAL["2.2/tpstats"]).native_requests == 34165
    assert reports.read_tpstats(REAL["2.2/tpstats"]).thrift_requests is None
    assert reports.read_tpstats(REAL["5.0/tpstats"]).native_requests == 63585
    for version in ("4.1", "5.0"):
        assert set(reports.read_tpstats(REAL[f"{version}/07-at-kill-tpstats"]).repairing) == {"Repair#1"}
        assert reports.read_tpstats(REAL[f"{version}/07-finished-tpstats"]).repairing == {}
    busy = reports.read_tpstats(
        REAL["2.2/tpstats"].replace("ValidationExecutor                0", "ValidationExecutor 1")
    )
    assert busy.repairing == {"ValidationExecutor": reports.Pool(active=1, pending=0, completed=15)}


def test_gossipinfo() -> None:
    for version in VERSIONS:
        endpoints = reports.read_gossipinfo(REAL[f"{version}/gossipinfo"])
        assert [endpoint.status for endpoint in endpoints] == ["NORMAL"] * 3
        assert len({endpoint.states["HOST_ID"] for endpoint in endpoints}) == 3
        assert all(endpoint.generation > 1_700_000_000 for endpoint in endpoints)
    assert endpoints[0].states["NATIVE_ADDRESS_AND_PORT"] == "127.0.1.1:9042"
    assert endpoints[0].heartbeat == 754


def test_describecluster() -> None:
    report = reports.read_describecluster(REAL["5.0/describecluster"])
    assert (report.name, report.partitioner) == ("lab", "org.apache.cassandra.dht.ByteOrderedPartitioner")
    assert report.schema_versions == {
        "5d7e5c85-5978-3f08-9d4a-c4a5572ac694": ("127.0.1.1", "127.0.1.2", "127.0.1.3"),
    }
    assert report.agrees
    broken = REAL["4.1/describecluster"].replace("127.0.2.2, 127.0.2.3]", "127.0.2.2]\n\n\t\tUNREACHABLE: [127.0.2.3]")
    assert reports.read_describecluster(broken).unreachable == ("127.0.2.3",)
    assert not reports.read_describecluster(broken).agrees


def test_write_counts() -> None:
    assert reports.read_write_counts(REAL["2.2/cfstats"]) == {("atlas", "_transactions"): 30000}
    assert reports.read_write_counts(REAL["5.0/tablestats"]) == {("atlas", "_transactions"): 17120}
    assert reports.read_write_counts(REAL["4.1/tablestats"]).keys() == {("atlas", "_transactions")}


def test_clientstats() -> None:
    for name in ("5.0/clientstats-all", "4.1/clientstats-all", "4.1/clientstats-client-options"):
        first, second = reports.read_clientstats(REAL[name])
        assert (first.address, first.user, first.keyspace) == ("127.0.0.1", "anonymous", "")
        assert first.driver == "Apache Cassandra Python Driver 3.30.1"
        assert first.port != second.port
    assert reports.read_clientstats("Total connected clients: 0\n\nUser Connections\n") == ()


def test_listsnapshots() -> None:
    for version in ("4.1", "5.0"):
        found = reports.read_listsnapshots(REAL[f"{version}/listsnapshots"])
        assert len(found) == 8
        assert ("golden2", "atlas", "foo__bar") in found
        assert reports.read_listsnapshots(REAL[f"{version}/listsnapshots-none"]) == frozenset()
    assert reports.read_listsnapshots(REAL["2.2/listsnapshots"]) == frozenset()
    assert reports.read_listsnapshots(REAL["2.2/listsnapshots-some"]) == {
        ("one", "atlas", table)
        for table in ("_transactions", "empty", "foo__bar", "name_space__a_table_with_a_really_long_name1")
    }


PARSERS: Mapping[str, Callable[[str], Any]] = {
    "status": reports.read_status,
    "info": reports.read_info,
    "version": reports.read_version,
    "statusbinary": lambda text: reports.read_running(text, "statusbinary"),
    "netstats": reports.read_netstats,
    "compactionstats": reports.read_compactionstats,
    "tpstats": reports.read_tpstats,
    "gossipinfo": reports.read_gossipinfo,
    "describecluster": reports.read_describecluster,
    "tablestats": reports.read_write_counts,
    "clientstats-all": reports.read_clientstats,
    "listsnapshots": reports.read_listsnapshots,
}


@pytest.mark.parametrize("name", PARSERS)
@pytest.mark.parametrize(
    "text",
    ["", "\n", "error: Authentication failed! Credentials required\n", REAL["4.1/status-missing-ks"], "\0\x1b[2J"],
)
def test_what_is_not_the_report_is_never_read_as_nothing(name: str, text: str) -> None:
    with pytest.raises(UnreadableReport, match="nodetool"):
        PARSERS[name](text)


@pytest.mark.parametrize("name", PARSERS)
def test_lines_before_the_report_do_not_matter(name: str) -> None:
    text = REAL[f"5.0/{name}"]
    assert PARSERS[name]("Picked up JAVA_TOOL_OPTIONS: -Dx\nWelcome to db1!\n" + text) == PARSERS[name](text)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("status", "fc30e57f-6cad-487f-85c7-43e7c4fc479e", "?"),
        ("info", "Gossip active          : true", "Gossip active          : maybe"),
        ("netstats", "Not sending any streams.", ""),
        ("netstats", "Not sending any streams.", "Sending 3 streams"),
        ("netstats", "Read Repair Statistics:", ""),
        ("compactionstats", "pending tasks                    0", "pending tasks                    many"),
        ("tpstats", "MutationStage                  0 ", "MutationStage                  x "),
        ("gossipinfo", "generation:1795400323", "generation:soon"),
        ("describecluster", "5d7e5c85-5978-3f08-9d4a-c4a5572ac694", "nothing"),
        ("tablestats", "Local write count: 17120", "Local write count: -"),
        ("clientstats-all", "Total connected clients: 2", "Total connected clients: 3"),
        ("listsnapshots", "golden1       atlas  ", "golden1atlas         "),
        ("listsnapshots", "Total TrueDiskSpaceUsed: 0 bytes", ""),
    ],
)
def test_a_report_with_one_wrong_line_is_refused(name: str, old: str, new: str) -> None:
    text = REAL[f"5.0/{name}"]
    assert old in text
    with pytest.raises(UnreadableReport):
        PARSERS[name](text.replace(old, new))


class Answers:
    """A nodetool with fixed answers."""

    def __init__(self, answers: Mapping[str, str], exit_code: int = 0) -> None:
        self.answers = answers
        self.exit_code = exit_code

    def command(self, address: str, *arguments: str) -> tuple[str, ...]:
        return ("nodetool", "-h", address, *arguments)

    async def run(self, address: str, *arguments: str, timeout: float = 60.0) -> Output:
        await asyncio.sleep(0)
        lines = tuple(Line(at=0, stream="stdout", text=text) for text in self.answers[arguments[0]].splitlines())
        return Output(command=self.command(address, *arguments), exit_code=self.exit_code, lines=lines)

    async def stream(self, address: str, *arguments: str) -> AsyncGenerator[Line | Finished, None]:
        yield Finished(exit_code=self.exit_code, seconds=0)


def activity(prefix: str) -> Answers:
    return Answers({name: REAL[f"{prefix}{name}"] for name in ("netstats", "compactionstats", "tpstats")})


@pytest.mark.parametrize("version", VERSIONS)
async def test_an_idle_node_is_at_nothing(version: str) -> None:
    assert await running_repairs_and_streams(activity(f"{version}/"), "127.0.0.1") == ()


async def test_a_repair_whose_nodetool_was_killed_is_seen() -> None:
    for version in ("4.1", "5.0"):
        evidence = await running_repairs_and_streams(activity(f"{version}/07-at-kill-"), "127.0.0.1")
        assert len([line for line in evidence if line.startswith("stream: Repair ")]) == 2
        assert "pool Repair#1: 0 active, 0 pending" in evidence
        assert await running_repairs_and_streams(activity(f"{version}/07-finished-"), "127.0.0.1") == ()


async def test_a_repair_of_the_fork_is_seen_in_all_three_reports() -> None:
    evidence = await running_repairs_and_streams(activity("2.2/repairing-"), "127.0.0.1")
    assert len([line for line in evidence if line.startswith("stream: Repair ")]) == 2
    assert "validation: atlas.foo__bar, 17169818 of 38903890 bytes" in evidence
    assert "pool Repair#1: 1 active, 1 pending" in evidence


async def test_a_failed_report_is_not_idleness() -> None:
    answers = activity("4.1/")
    answers.exit_code = 1
    with pytest.raises(NodetoolFailed, match="unknown"):
        await running_repairs_and_streams(answers, "127.0.0.1")
