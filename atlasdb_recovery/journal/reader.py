"""Reads a journal without touching it, also one that is damaged or being written right now."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from atlasdb_recovery.journal.chain import ChainBroken, Record, links


class Integrity(msgspec.Struct, frozen=True):
    """What checking a journal from its first line on has found."""

    path: str
    records: int = 0
    """How many records follow from each other, from the first on."""
    last_hash: str = ""
    """SHA-256 of the last of them, its line feed included."""
    damage: str = ""
    """What is wrong after them; "" if nothing is."""
    is_torn: bool = False
    """The damage is only a last line cut short: by a crash, or because it is being written right now."""


class JournalReader:
    """The records up to the first fault. `integrity` grows as they are read, and is whole after the last."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.integrity = Integrity(str(path))

    def __iter__(self) -> Iterator[Record]:
        """Never raises for what the file holds, or because it can't be read: `integrity.damage` says so."""
        self.integrity = Integrity(str(self._path))
        try:
            with self._path.open("rb") as file:
                for link in links(file):
                    self.integrity = Integrity(str(self._path), link.record.seq, link.hash)
                    yield link.record
        except ChainBroken as broken:
            self._damaged(str(broken), is_torn=broken.torn)
        except OSError as error:
            self._damaged(f"it cannot be read: {error.strerror or error}", is_torn=False)

    def _damaged(self, what: str, *, is_torn: bool) -> None:
        self.integrity = msgspec.structs.replace(self.integrity, damage=what, is_torn=is_torn)
