"""Bytes validated and streamed, as real nodes show them while they repair."""

import pytest

from atlasdb_recovery.cassandra.activity import Activity
from atlasdb_recovery.cassandra.node_reports import Compaction, Stream, read_compactionstats, read_netstats
from atlasdb_recovery.cassandra.ports import RepairWork
from atlasdb_recovery.cassandra.repair_work import SeenWork
from tests.cassandra.test_node_reports import REAL


@pytest.mark.parametrize(
    ("name", "figures"),
    [
        ("4.0/05-before-kill-netstats-n1", [(131072, 3375667), (327680, 3375667)]),
        ("5.0/05-before-kill-netstats-n1", [(135628, 3528892)]),
        ("5.0/netstats", []),
        ("2.2/netstats", []),
    ],
)
def test_bytes_of_streams_as_they_are_printed(name: str, figures: list[tuple[int, int]]) -> None:
    assert [stream.bytes_done_and_total for stream in read_netstats(REAL[name]).streams] == figures


def test_both_directions_of_a_stream_count() -> None:
    lines = (
        "/10.0.0.2",
        "Receiving 2 files, 700 bytes total. Already received 1 files, 300 bytes total",
        "/data/x-Data.db 300/700 bytes(42%) received from idx:0/10.0.0.2",
        "Sending 1 files, 50 bytes total. Already sent 0 files (0.00%), 20 bytes total (40.00%)",
    )
    assert Stream("Repair", "p", lines).bytes_done_and_total == (320, 750)


def seen(validations: dict[str, tuple[int, int]], streams: dict[str, tuple[int, int]], unit: str = "bytes") -> Activity:
    return Activity(
        streams=tuple(
            Stream("Repair", name, (f"Sending 1 files, {total} bytes total. Already sent 0 files, {done} bytes total",))
            for name, (done, total) in streams.items()
        ),
        validations=tuple(
            Compaction(name, "Validation", "atlas", "t", done, total, unit)
            for name, (done, total) in validations.items()
        ),
    )


def test_what_is_no_longer_shown_has_been_done() -> None:
    work = SeenWork()
    assert work.after(seen({"a": (10, 100)}, {})) == RepairWork(10, 100, 0, 0)
    assert work.after(seen({"a": (60, 100)}, {"s": (5, 40)})) == RepairWork(60, 100, 5, 40)
    assert work.after(seen({"b": (1, 20)}, {"s": (40, 40)})) == RepairWork(101, 120, 40, 40)
    assert work.after(seen({}, {})) == RepairWork(120, 120, 40, 40)
    assert work.after(seen({"b": (3, 7)}, {})) == RepairWork(123, 127, 40, 40)


def test_only_bytes_of_repairs_are_counted() -> None:
    bootstrap = Activity((Stream("Bootstrap", "s", seen({}, {"s": (5, 40)}).streams[0].lines),), ())
    assert SeenWork().after(bootstrap) == RepairWork(0, 0, 0, 0)
    assert SeenWork().after(seen({"a": (1, 2)}, {}, unit="keys")) == RepairWork(0, 0, 0, 0)


def test_a_real_validation_of_the_fork() -> None:
    running = read_compactionstats(REAL["2.2/repairing-compactionstats"]).running
    assert SeenWork().after(Activity((), running)) == RepairWork(17169818, 38903890, 0, 0)
