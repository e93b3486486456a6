"""What a practice history really did: the truth that a restore is compared with."""

from collections.abc import Iterable, Mapping

import msgspec

DELETED = b""
"""AtlasDB writes an empty value for a deleted cell."""


class Address(msgspec.Struct, frozen=True, order=True):
    """A user cell, without its version."""

    table: str
    row: bytes
    column: bytes


class Transaction(msgspec.Struct, kw_only=True):
    """One transaction of the history. `commit` is None unless it committed; then readers after it see its writes."""

    start: int
    schema: int
    writes: dict[Address, bytes]
    commit: int | None = None
    acknowledged: int | None = None
    """The last timestamp handed out when the commit was acknowledged: a B above it was fetched afterwards."""
    end: str = "open"
    """open | committed | staging (a commit whose second phase never came) | aborted | died

    "committed" without `acknowledged`: nobody knows whether the conditional write was applied.
    """


class Truth:
    """Every transaction that was begun, in order of start."""

    def __init__(self) -> None:
        self.transactions: list[Transaction] = []

    def begun(self, transaction: Transaction) -> None:
        self.transactions.append(transaction)

    @property
    def tables(self) -> tuple[str, ...]:
        """Every user table that some transaction wrote to."""
        return tuple(sorted({address.table for t in self.transactions for address in t.writes}))

    def visible_at(self, backup: int, also: frozenset[int] = frozenset()) -> dict[Address, bytes]:
        """What was committed when B was fetched, and what `also` names by start; deleted cells are left out."""
        seen: dict[Address, bytes] = {}
        for transaction in sorted(self.transactions, key=lambda t: t.start):
            if self._is_certain(transaction, backup) or transaction.start in also:
                seen.update(transaction.writes)
        return {address: value for address, value in seen.items() if value != DELETED}

    def in_doubt_at(self, backup: int) -> frozenset[int]:
        """Starts of transactions with a commit timestamp below B whose commit was on its way when B was fetched.

        They may be in the backup or not; either is consistent, as long as it is all of one of them or nothing.
        """
        return frozenset(
            t.start
            for t in self.transactions
            if t.commit is not None and t.commit <= backup and not self._is_certain(t, backup)
        )

    def _is_certain(self, transaction: Transaction, backup: int) -> bool:
        return transaction.acknowledged is not None and transaction.acknowledged < backup

    def straddling(self, timestamp: int) -> list[Transaction]:
        return [t for t in self.transactions if t.commit is not None and t.start < timestamp < t.commit]

    def committed_after(self, timestamp: int) -> list[Transaction]:
        return [t for t in self.transactions if t.commit is not None and t.commit > timestamp]


class Difference(msgspec.Struct, frozen=True):
    """Where what is read is not what was true."""

    missing: tuple[Address, ...]
    """committed by B, and not visible"""
    surplus: tuple[Address, ...]
    """visible, and not committed by B"""
    other: tuple[Address, ...]
    """visible with another value"""

    @property
    def count(self) -> int:
        return len(self.missing) + len(self.surplus) + len(self.other)


def difference(expected: Mapping[Address, bytes], read: Mapping[Address, bytes]) -> Difference:
    both = expected.keys() & read.keys()
    return Difference(
        missing=_sorted(expected.keys() - read.keys()),
        surplus=_sorted(read.keys() - expected.keys()),
        other=_sorted(a for a in both if expected[a] != read[a]),
    )


def _sorted(addresses: Iterable[Address]) -> tuple[Address, ...]:
    return tuple(sorted(addresses))
