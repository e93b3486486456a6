"""Transcripts of real repairs, each with what its replicas held afterwards, from `tests/transcripts.zip`."""

import functools
import json
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from atlasdb_recovery.cassandra.ports import Line, RepairRecord
from atlasdb_recovery.cassandra.repair_log import lines_in

ARCHIVE = Path(__file__).parent.parent / "transcripts.zip"
_NARROWING = {"-hosts", "-dc", "-local", "--force", "--pull", "--preview", "--validate", "-paxos-only", "--paxos-only"}


class Run(msgspec.Struct, eq=False):
    """One captured `nodetool repair`. `truth` was read from the replicas, never from nodetool."""

    name: str
    command: str
    exit_code: int
    stdout: bytes
    timed: bytes
    stderr: bytes
    meta: dict[str, Any]
    history: list[dict[str, Any]]

    @property
    def truth(self) -> str:
        """`repaired`, `not-repaired` or `unknown`, of the ranges that the command covers."""
        words = self.command.split()
        if self.meta["scope"] == "whole table" and "-pr" in words and self.meta["truth"] == "not-repaired":
            return "unknown"  # one node's primary range was asked for, the whole table was looked at
        return str(self.meta["truth"])

    @property
    def is_fork(self) -> bool:
        return self.name.startswith("2.2.18-palantir/")

    @property
    def is_full(self) -> bool:
        words = set(self.command.split())
        return (self.is_fork or bool(words & {"-full", "--full"})) and not (
            words & _NARROWING or (words & {"-st", "-et"} and "-pr" in words)
        )

    @property
    def loses_its_table(self) -> bool:
        """The table was dropped or truncated in the middle, which ends in words of success."""
        return self.meta["scenario"] in {"table dropped while streaming", "table truncated while streaming"}

    @property
    def has_nothing_to_repair(self) -> bool:
        return bool({"rf1", "empty"} & set(self.command.split()))

    @property
    def loses_its_coordinator(self) -> bool:
        return b"JMX connection closed" in self.stderr

    @property
    def lines(self) -> list[Line]:
        return lines_in(self.stdout) + lines_in(self.stderr)

    @property
    def records(self) -> list[RepairRecord]:
        return [_record(row) for row in self.history]


def _record(row: dict[str, Any]) -> RepairRecord:
    options = row["options"]
    return RepairRecord(
        parent_id=row["parent_id"],
        keyspace=row["keyspace_name"] or "",
        tables=frozenset(row["columnfamily_names"] or ()),
        requested_ranges=frozenset(row["requested_ranges"] or ()),
        successful_ranges=None if row["successful_ranges"] is None else frozenset(row["successful_ranges"]),
        started_at=_seconds(row["started_at"]) or 0.0,
        finished_at=_seconds(row["finished_at"]),
        error=row["exception_message"],
        options=options if isinstance(options, dict) else {},
    )


def _seconds(text: str | None) -> float | None:
    return None if text is None else datetime.fromisoformat(f"{text}+00:00").timestamp()


@functools.cache
def runs() -> list[Run]:
    with zipfile.ZipFile(ARCHIVE) as archive:
        names = sorted(name.removesuffix("/cmd.txt") for name in archive.namelist() if name.endswith("/cmd.txt"))
        return [_run(archive, name) for name in names]


def help_text(server: str) -> str:
    with zipfile.ZipFile(ARCHIVE) as archive:
        return archive.read(f"{server}/aux/help-repair.txt").decode()


def _run(archive: zipfile.ZipFile, name: str) -> Run:
    has_history = f"{name}/history.json" in archive.namelist()
    return Run(
        name=name,
        command=archive.read(f"{name}/cmd.txt").decode().strip(),
        exit_code=int(archive.read(f"{name}/rc.txt")),
        stdout=archive.read(f"{name}/stdout.txt"),
        timed=archive.read(f"{name}/stdout.timed.txt"),
        stderr=archive.read(f"{name}/stderr.txt"),
        meta=json.loads(archive.read(f"{name}/meta.json")),
        history=json.loads(archive.read(f"{name}/history.json")) if has_history else [],
    )
