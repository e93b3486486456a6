"""Reads the restored user data as AtlasDB transactions would, and compares with the truth at B.

An AtlasDB read takes any quorum of replicas. So the oracle reads every node's own rows and asks every quorum: what
one of them shows and another hides is a difference too. Independent of the removal's code on purpose.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import msgspec

from atlasdb_recovery.atlas import transactions
from atlasdb_recovery.atlas.schema_ranges import SchemaMap
from atlasdb_recovery.atlas.transactions import TRANSACTIONS, TRANSACTIONS2, MalformedCell
from atlasdb_recovery.cassandra.ports import Cell, Cluster, Consistency
from atlasdb_recovery.practice.practice_keyspace import USER_TABLES
from atlasdb_recovery.practice.truth import DELETED, Address, Difference, Truth, difference

WHOLE_RING = ("", "")
PAGE = 5_000
Rows = dict[tuple[bytes, bytes, int], Cell]


class Verdict(msgspec.Struct, frozen=True):
    """What the oracle saw. `torn` are transactions of which only a part is visible."""

    expected: int
    quorums: int
    differences: tuple[tuple[str, Difference], ...]
    torn: tuple[int, ...]

    @property
    def is_right(self) -> bool:
        return not self.differences and not self.torn

    def describe(self) -> str:
        if self.is_right:
            return (
                f"right: all {self.expected:,} cells committed by B are visible to each of {self.quorums} quorums, "
                "nothing later is, and no transaction is torn"
            )
        parts = [
            f"quorum {quorum}: {len(d.missing)} missing, {len(d.surplus)} surplus, {len(d.other)} other"
            for quorum, d in self.differences
        ]
        return "WRONG: " + "; ".join([*parts, f"torn transactions: {list(self.torn[:5])}" if self.torn else ""])


async def judge(
    cluster: Cluster, keyspace: str, truth: Truth, schema_map: SchemaMap, backup: int, read_at: int
) -> Verdict:
    """`read_at` is the reader's start timestamp: a fresh one, above F."""
    addresses = sorted(node.address for node in (await cluster.identity()).nodes)
    tables = (TRANSACTIONS, TRANSACTIONS2, *USER_TABLES)
    rows = {a: {t: await _own_rows(cluster, keyspace, t, a) for t in tables} for a in addresses}
    everything = {table: _merged([rows[a][table] for a in addresses]) for table in tables}
    in_doubt = truth.in_doubt_at(backup) & _commits(everything, schema_map).keys()
    expected = truth.visible_at(backup, also=in_doubt)
    differences, torn = [], set[int]()
    quorums = list(combinations(addresses, len(addresses) // 2 + 1))
    for quorum in quorums:
        merged = {table: _merged([rows[a][table] for a in quorum]) for table in tables}
        commits = _commits(merged, schema_map)
        seen = _visible(merged, commits, read_at)
        found = difference(expected, seen)
        if found.count:
            differences.append((" and ".join(quorum), found))
        torn |= set(_torn(truth, merged, commits))
    return Verdict(len(expected), len(quorums), tuple(differences), tuple(sorted(torn)))


async def _own_rows(cluster: Cluster, keyspace: str, table: str, address: str) -> Rows:
    pages = cluster.scan(keyspace, table, *WHOLE_RING, consistency=Consistency.ONE, page_size=PAGE, node=address)
    return {cell.position: cell async for page in pages for cell in page}


def _merged(replicas: Sequence[Rows]) -> Rows:
    """What a coordinator answers from these replicas: the later write time wins, then the larger value."""
    merged: Rows = {}
    for replica in replicas:
        for position, cell in replica.items():
            other = merged.get(position)
            if other is None or (cell.write_time or 0, cell.value) > (other.write_time or 0, other.value):
                merged[position] = cell
    return merged


def _commits(merged: Mapping[str, Rows], schema_map: SchemaMap) -> dict[int, int]:
    """Start to commit timestamp of every transaction that reads as committed (a staging one is resolved to that)."""
    commits = {}
    for table in (TRANSACTIONS, TRANSACTIONS2):
        for cell in merged[table].values():
            try:
                start = transactions.start_of(table, cell.key, cell.column1, cell.column2)
                schema = schema_map.schema_at(start)
                if schema is None or transactions.table_of(schema) != table:
                    continue
                entry = transactions.decode(schema, table, cell.key, cell.column1, cell.column2, cell.value)
            except MalformedCell:
                continue
            if entry.commit is not None:
                commits[start] = entry.commit
    return commits


def _visible(merged: Mapping[str, Rows], commits: Mapping[int, int], read_at: int) -> dict[Address, bytes]:
    versions: dict[Address, list[Cell]] = defaultdict(list)
    for table in USER_TABLES:
        for cell in merged[table].values():
            versions[Address(table, cell.key, cell.column1)].append(cell)
    seen = {}
    for address, cells in versions.items():
        value = _newest(cells, commits, read_at)
        if value is not None and value != DELETED:
            seen[address] = value
    return seen


def _newest(cells: Iterable[Cell], commits: Mapping[int, int], read_at: int) -> bytes | None:
    for cell in sorted(cells, key=lambda c: c.column2):  # column2 is NOT(start): newest first
        start = ~cell.column2
        if start < read_at and start in commits and commits[start] < read_at:
            return cell.value
    return None


def _torn(truth: Truth, merged: Mapping[str, Rows], commits: Mapping[int, int]) -> Iterable[int]:
    """Transactions that read as committed although one of their cells is not there."""
    for transaction in truth.transactions:
        if transaction.start in commits:
            positions = ((a.table, (a.row, a.column, ~transaction.start)) for a in transaction.writes)
            if any(position not in merged[table] for table, position in positions):
                yield transaction.start
