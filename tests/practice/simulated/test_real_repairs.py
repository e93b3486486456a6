"""The simulated repair says, word for word, what the real one said in the same situation (`real_repairs.json`).

Left out of the comparison: clock times, ids, counters, the address's network, and the order of sessions.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from atlasdb_recovery.practice.simulated import Dialect, SimulatedCluster, SimulatedNodetool
from tests.contract.contract_cluster import TABLE_OPTIONS

REAL: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_name("real_repairs.json").read_text())
THIRD = "127.0.9.3"
BEFORE: dict[str, Callable[[SimulatedCluster], None]] = {
    "10-replica-just-down": lambda cluster: cluster.stop_node(THIRD),
    "13-replica-killed-mid": lambda cluster: cluster.faults.before(
        "repair.range", lambda: cluster.stop_node("127.0.9.2"), passes=1
    ),
    "19-force-replica-down": lambda cluster: cluster.stop_node(THIRD),
    "35d-rf2-one-replica-down": lambda cluster: cluster.stop_node(THIRD),
    "35e-rf2-replica-killed-mid": lambda cluster: cluster.faults.before(
        "repair.range", lambda: cluster.stop_node(THIRD), passes=0
    ),
}


async def simulated(dialect: Dialect) -> SimulatedCluster:
    cluster = SimulatedCluster(dialect=dialect)
    for name, factor in (("atlas", 3), ("rf1", 1), ("rf2", 2), ("empty", 3)):
        await cluster.change_schema(
            f"CREATE KEYSPACE {name} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': {factor}}}"
        )
        if name != "empty":
            await cluster.change_schema(f"CREATE TABLE {name}._transactions {TABLE_OPTIONS}")
    return cluster


def normal(lines: list[str]) -> list[str]:
    text = "\n".join(lines).rstrip("\n")
    for pattern, replacement in (
        (r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}\]", "[time]"),
        (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "id"),
        (r"command #\d+", "command #N"),
        (r"in \d+ seconds?", "in N seconds"),
        (r"127\.0\.\d\.", "127.0.9."),
        (r"hosts: \[[^\]]+\]", "hosts: [some]"),
    ):
        text = re.sub(pattern, replacement, text)
    return sorted(text.split("\n"))


@pytest.mark.parametrize("name", REAL)
async def test_it_says_what_the_real_one_said(name: str) -> None:
    version, _, scenario = name.partition("/")
    cluster = await simulated(Dialect.PALANTIR if version.startswith("2.2") else Dialect.APACHE)
    if scenario in BEFORE:
        BEFORE[scenario](cluster)
    real = REAL[name]
    arguments = [re.sub(r"127\.0\.\d\.", "127.0.9.", word) for word in real["arguments"]]
    output = await SimulatedNodetool(cluster).run(f"127.0.9.{real['asked']}", *arguments)
    assert normal(output.stdout.splitlines()) == normal(real["stdout"])
    assert output.exit_code == real["exit_code"]
    assert normal(output.stderr.splitlines()[:1]) == normal([real["stderr"]])
