"""Reads the restored user data as AtlasDB transactions would, and compares with the truth at B.

An AtlasDB read takes any quorum of a row's replicas, another one for each row. So the oracle reads every node's own
rows and asks every quorum, of user data and of commits: what one shows and another hides is a difference too.
Independent of the removal's code on purpose.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations, product

import msgspec

from atlasdb_recovery.atlas import transactions
from atlasdb_recovery.atlas.schema_ranges import SchemaMap
from atlasdb_recovery.atlas.transactions import TRANSACTIONS, TRANSACTIONS2, MalformedCell
from atlasdb_recovery.cassandra.ports import Cell, Cluster, Consistency, TokenRange
from atlasdb_recovery.cassandra.ring import token_value
from atlasdb_recovery.practice.truth import DELETED, Address, Difference, Truth, difference

WHOLE_RING = ("", "")
PAGE = 5_000
Rows = dict[tuple[bytes, bytes, int], Cell]


class Verdict(msgspec.Struct, frozen=True):
    """What the oracle saw. `torn` are transactions of which only a part is visible.

    `quorums` is how many a row has; each difference names those that show it, by the replicas' places along the ring.
    """

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
    tables = (TRANSACTIONS, TRANSACTIONS2, *truth.tables)
    addresses = [node.address for node in (await cluster.identity()).nodes]
    replicas = Replicas(await cluster.ranges(keyspace))
    rows = {t: {a: await _own_rows(cluster, keyspace, t, a) for a in addresses} for t in tables}
    everything = {table: replicas.answer(rows[table], replicas.all) for table in tables}
    in_doubt = truth.in_doubt_at(backup) & _commits(everything, schema_map).keys()
    expected = truth.visible_at(backup, also=in_doubt)
    answers = {q: {table: replicas.answer(rows[table], q) for table in tables} for q in replicas.quorums}
    commits = {quorum: _commits(answer, schema_map) for quorum, answer in answers.items()}
    differences, torn = [], set[int]()
    for of_data, of_commits in product(replicas.quorums, repeat=2):
        seen = _visible({table: answers[of_data][table] for table in truth.tables}, commits[of_commits], read_at)
        if (found := difference(expected, seen)).count:
            differences.append((f"{_named(of_data)} of the data, {_named(of_commits)} of the commits", found))
        torn |= set(_torn(truth, answers[of_data], commits[of_commits]))
    return Verdict(len(expected), len(replicas.quorums), tuple(differences), tuple(sorted(torn)))


class Replicas:
    """Who holds which row, on a byte-ordered ring."""

    def __init__(self, ranges: Sequence[TokenRange]) -> None:
        ends = sorted((token_value(one.end, "byte-ordered"), one.replicas) for one in ranges)
        self._ends = [end for end, _ in ends]
        self._replicas = [replicas for _, replicas in ends]
        factor = len(self._replicas[0])
        self.all = tuple(range(factor))
        self.quorums = list(combinations(self.all, factor // 2 + 1))

    def of(self, key: bytes) -> tuple[str, ...]:
        """Addresses, the primary first; keys above the last token belong to the first range."""
        return self._replicas[bisect_left(self._ends, key) % len(self._ends)]

    def answer(self, rows: Mapping[str, Rows], asked: Sequence[int]) -> Rows:
        """What coordinators answer that ask these of each row's replicas."""
        merged: Rows = {}
        for position in {position for own in rows.values() for position in own}:
            replicas = self.of(position[0])
            cells = [cell for at in asked if (cell := rows[replicas[at]].get(position)) is not None]
            if cells:
                merged[position] = max(cells, key=lambda cell: (cell.write_time or 0, cell.value))
        return merged


def _named(quorum: Sequence[int]) -> str:
    return "replicas " + "+".join(str(at + 1) for at in quorum)


async def commits_on(cluster: Cluster, keyspace: str, schema_map: SchemaMap, address: str) -> Mapping[int, int]:
    """Start to commit timestamp of every transaction that reads as committed in this node's own rows."""
    tables = (TRANSACTIONS, TRANSACTIONS2)
    return _commits({table: await _own_rows(cluster, keyspace, table, address) for table in tables}, schema_map)


async def _own_rows(cluster: Cluster, keyspace: str, table: str, address: str) -> Rows:
    pages = cluster.scan(keyspace, table, *WHOLE_RING, consistency=Consistency.ONE, page_size=PAGE, node=address)
    return {cell.position: cell async for page in pages for cell in page}


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


def _visible(user_data: Mapping[str, Rows], commits: Mapping[int, int], read_at: int) -> dict[Address, bytes]:
    versions: dict[Address, list[Cell]] = defaultdict(list)
    for table, rows in user_data.items():
        for cell in rows.values():
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
