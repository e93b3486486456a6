"""A service whose keyspace was migrated to TimeLock, on a simulated cluster beside a simulated TimeLock."""

import asyncio
from pathlib import Path
from typing import Any

import yaml

from atlasdb_recovery.cassandra.ports import Cell, Consistency
from atlasdb_recovery.practice.simulated.timelock.http_servers import SimulatedTimeLock
from tests.cli.rehearsal import Ended, Rehearsal


class World:
    """One directory, one cluster, one TimeLock."""

    def __init__(self, directory: Path, timelock: SimulatedTimeLock, **more: Any) -> None:
        self.timelock = timelock
        self.rehearsal = Rehearsal(directory, **more)
        self.rehearsal.write_service(timelock={"serversList": {"servers": list(timelock.uris)}})

    @property
    def keyspace(self) -> str:
        return self.rehearsal.keyspace

    async def live(self) -> None:
        """A history that began without TimeLock, the migration, and more history."""
        exercise = self.rehearsal.arena.exercise
        await exercise.make_history()
        await self.migrate()
        await exercise.writer.run(self.rehearsal.arena.stages)
        await exercise.writer.finish()

    async def migrate(self) -> None:
        """As a service does at its first start with TimeLock configured."""
        await self.rehearsal.arena.exercise.timestamps.migrate(self.timelock)

    async def put(self, position: tuple[bytes, bytes, int], value: bytes) -> None:
        simulated = self.rehearsal.simulated
        cell = Cell(*position, value, simulated.wall.micros())
        await simulated.put(self.keyspace, "_timestamp", cell, consistency=Consistency.ALL)

    async def lose(self) -> None:
        await self.rehearsal.arena.exercise.lose_keyspace()

    def back_up_and_lose(self) -> None:
        """The service goes on for a while after the backup."""
        ended = self.unattended("backup")
        assert ended.code == 0, ended
        asyncio.run(self.rehearsal.arena.exercise.writer.run(40))
        asyncio.run(self.rehearsal.arena.exercise.writer.abandon())
        asyncio.run(self.lose())

    def unattended(self, command: str) -> Ended:
        return self.rehearsal.unattended(command)

    async def oracle_says(self) -> str:
        arena = self.rehearsal.arena
        verdict = await arena.exercise.judged(arena.backup_timestamp, self.timelock.fresh(self.keyspace))
        return "right" if verdict.is_right else verdict.describe()

    def change_settings(self, **more: Any) -> None:
        settings = yaml.safe_load(self.rehearsal.settings.read_text())
        self.rehearsal.settings.write_text(yaml.safe_dump({**settings, **more}))
