"""The benchmarks start, and both of the scans that one compares find the same."""

import importlib.util
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest

from atlasdb_recovery.atlas import varlong
from atlasdb_recovery.cassandra.ports import Cell, Consistency
from atlasdb_recovery.practice.practice_keyspace import keyspace_statement, table_statement
from atlasdb_recovery.practice.simulated import Dialect
from atlasdb_recovery.practice.simulated_practice import SimulatedPractice
from benchmarks.transactions_table import FIRST_START, HITS, KEYSPACE, cut

FOLDER = Path(__file__).parents[2] / "benchmarks"
TABLE = "_transactions"


def loaded(name: str) -> ModuleType:
    loader = SourceFileLoader(f"benchmark_{name}", str(FOLDER / name))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["scan", "repair"])
def test_it_tells_what_it_measures(name: str) -> None:
    done = subprocess.run([sys.executable, FOLDER / name, "--help"], capture_output=True, text=True, check=True)
    assert f"uv run benchmarks/{name}" in done.stdout


@pytest.mark.parametrize("dialect", Dialect, ids=str)
async def test_both_scans_find_the_same(dialect: Dialect, tmp_path: Path) -> None:
    nodes, rows, scan = SimulatedPractice(dialect, data_root=tmp_path), 2 * HITS, loaded("scan")
    await nodes.cluster.change_schema(keyspace_statement(KEYSPACE, nodes.replication))
    await nodes.cluster.change_schema(table_statement(KEYSPACE, TABLE, dialect))
    for start in range(FIRST_START, FIRST_START + 2 * rows, 2):
        cell = Cell(varlong.encode(start), b"t", -1, varlong.encode(start + 1), 1)
        await nodes.cluster.put(KEYSPACE, TABLE, cell, consistency=Consistency.ALL)
    after, filters = cut(rows), await nodes.cluster.filters_by_value()
    assert await scan.serial(nodes.cluster, after) == HITS
    for let_server_filter in {False, filters}:
        assert await scan.removal(nodes.cluster, after, let_server_filter=let_server_filter) == HITS
