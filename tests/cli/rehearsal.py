"""A simulated cluster behind the program's own commands, with the files an operator would have beside it."""

import asyncio
import io
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from shutil import rmtree
from typing import Any, NamedTuple

import click
import yaml

from atlasdb_recovery.cli.atlasdb import main as atlasdb_main
from atlasdb_recovery.cli.ending import exit_code_of
from atlasdb_recovery.cli.graph import practice_graph
from atlasdb_recovery.cli.main import main as recovery_main
from atlasdb_recovery.journal.chain import Record
from atlasdb_recovery.journal.reader import JournalReader
from atlasdb_recovery.practice.simulated import Dialect
from atlasdb_recovery.practice.simulated.storage import Version, written
from atlasdb_recovery.practice.simulated_practice import SimulatedPractice
from tests.restore.arena import Arena

PASSWORD = "canary-7f3a-of-the-service"
ANSWERS: Mapping[str, Any] = {"offline": True, "clean-transactions": {"remove_at_most": 1_000_000}}


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


class Rehearsal:
    """One directory: `recovery.yml`, `install.yml`, `answers.yml`, and the cluster's own files in `nodes`."""

    def __init__(self, directory: Path, dialect: Dialect = Dialect.APACHE, *, stages: int = 30, seed: int = 0) -> None:
        self.directory = directory
        self.nodes = SimulatedPractice(dialect, seed=seed, data_root=directory / "nodes")
        self.arena = Arena(self.nodes, directory, stages=stages, seed=seed)
        self.graph = practice_graph(self.nodes, mode="LIVE")
        self.settings = directory / "recovery.yml"
        self.write_service()
        self.write_settings()
        self.answer(**ANSWERS)

    @property
    def simulated(self) -> Any:
        return self.nodes.simulated

    @property
    def backup_dir(self) -> Path:
        return self.arena.settings.backup_dir

    @property
    def keyspace(self) -> str:
        return self.arena.exercise.keyspace

    def lose(self) -> "Rehearsal":
        """A history, a backup taken while the service runs, and the loss."""
        asyncio.run(self.arena.back_up_and_lose())
        return self

    def lose_and_forget(self) -> "Rehearsal":
        """The same, on a machine that has never seen this program."""
        self.lose()
        for name in ("state", "exports"):
            rmtree(self.directory / name, ignore_errors=True)
        return self

    def alive(self) -> "Rehearsal":
        """A history; the service has stopped."""
        asyncio.run(self.arena.exercise.make_history())
        return self

    def write_service(self, **more: Any) -> None:
        store = {
            "type": "cassandra",
            "servers": [f"{address}:9160" for address in self.nodes.addresses],
            "replicationFactor": 3,
            "credentials": {"username": "atlas", "password": PASSWORD},
        }
        block = {"namespace": self.keyspace, "keyValueService": store, **more}
        (self.directory / "install.yml").write_text(yaml.safe_dump({"atlasdb": block}))

    def write_settings(self, **more: Any) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        settings = {
            "config": "install.yml",
            "backup_dir": str(self.backup_dir),
            "store": {
                "method": "snapshot",
                "data_directories": {a: str(path) for a, path in self.nodes.data_directories.items()},
            },
            "state_dir": "state",
            "export_dir": "exports",
            **more,
        }
        self.settings.write_text(yaml.safe_dump(settings))

    def answer(self, **answers: Any) -> Path:
        """What the answers file says, and nothing else."""
        path = self.directory / "answers.yml"
        path.write_text(yaml.safe_dump({name.replace("_", "-"): value for name, value in answers.items()}))
        return path

    def recovery(self, command: str, *arguments: str) -> Ended:
        """`atlasdb-recovery`, in this process."""
        return ended(recovery_main, [command, *arguments, "--settings", str(self.settings)], self.graph)

    def unattended(self, command: str, *arguments: str) -> Ended:
        return self.recovery(command, "--plain", "--answers", str(self.directory / "answers.yml"), *arguments)

    def atlasdb(self, *arguments: str) -> Ended:
        """The drop-in, in this process."""
        return ended(atlasdb_main, list(arguments), self.graph)

    def journal(self, session: str) -> list[Record]:
        return list(JournalReader(self.directory / "state" / "sessions" / session / "journal.jsonl"))

    def sessions(self) -> list[str]:
        return sorted(path.name for path in (self.directory / "state" / "sessions").glob("*"))

    def write_everywhere(
        self, table: str, position: tuple[bytes, bytes, int], value: bytes, *, newest: bool = False
    ) -> None:
        """A cell that nobody's program wrote, on every replica; it hides what is there if it is the `newest`."""
        version = written(self.simulated.wall.micros() if newest else 1, value)
        for node in self.simulated.nodes.values():
            node.store(self.simulated.table(self.keyspace, table).id).merge(position, version)

    def stores_of(self, table: str) -> list[dict[tuple[bytes, bytes, int], Version]]:
        """What each node holds of this table."""
        table_id = self.simulated.table(self.keyspace, table).id
        return [node.store(table_id).cells for node in self.simulated.nodes.values()]

    def oracle_says(self) -> str:
        verdict = asyncio.run(self.arena.verdict())
        return "right" if verdict.is_right else verdict.describe()

    def cluster_state(self) -> Any:
        """The schema and every cell's newest version, to be compared.

        A read at ALL makes replicas agree, and one at SERIAL ends what a conditional write began: neither is a change.
        """
        nodes = self.simulated.nodes.values()
        cells: dict[Any, Version] = {}
        for table, store in ((table, store) for node in nodes for table, store in node.stores.items()):
            for position, version in store.cells.items():
                cells[table, position] = max(version, cells.get((table, position), version))
        return {
            "schema": {name: repr(space) for name, space in self.simulated.keyspaces.items()},
            "cells": cells,
            "up": {node.address: (node.up, node.thrift_active) for node in nodes},
        }

    def files(self) -> dict[str, bytes]:
        """Every file and directory of ours with its content, the nodes' own aside."""
        own = (path for path in self.directory.rglob("*") if "nodes" not in path.relative_to(self.directory).parts)
        return {str(path.relative_to(self.directory)): path.read_bytes() if path.is_file() else b"/" for path in own}


def ended(command: click.Command, arguments: list[str], graph: Any = None) -> Ended:
    """The command run to its end in this process, as the console script runs it."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = exit_code_of(command, arguments, graph)
    return Ended(code, out.getvalue(), err.getvalue())
