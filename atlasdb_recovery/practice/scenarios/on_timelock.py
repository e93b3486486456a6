"""A scenario whose service has its timestamps from TimeLock: three servers, over real HTTP."""

from typing import Any

import msgspec

from atlasdb_recovery.practice.scenarios.action import Action
from atlasdb_recovery.practice.scenarios.scenario import Scenario
from atlasdb_recovery.practice.simulated.timelock.ensemble import NodeState
from atlasdb_recovery.practice.simulated.timelock.http_servers import SimulatedTimeLock
from atlasdb_recovery.procedure.step import Danger

ADDRESSES = ("127.0.22.1", "127.0.22.2", "127.0.22.3")


class OnTimeLock(Scenario):
    """The service began with an embedded timestamp service and was migrated before its backup."""

    timelock: SimulatedTimeLock

    async def grow_up(self) -> None:
        world = self.world
        self.timelock = world.until_over.enter_context(self.made())
        await world.exercise.timestamps.migrate(self.timelock)
        self.configure(
            timestamp_authority="timelock", timelock_client=world.keyspace, timestamp_servers=self.timelock.uris
        )

    def made(self) -> SimulatedTimeLock:
        return SimulatedTimeLock(ADDRESSES)

    def configure(self, **changed: Any) -> None:
        """The service's own configuration, as sessions that begin or go on from now on read it."""
        settings = self.world.settings
        service = msgspec.structs.replace(settings.service, **changed)
        self.world.settings = msgspec.structs.replace(settings, service=service)

    def look_at_timelock(self) -> Action:
        async def perform() -> str:
            ensemble = self.timelock.ensemble
            said = {NodeState.DOWN: "does not answer", NodeState.FROZEN: "does not answer"}
            roles = [
                said.get(state) or ("leads" if ensemble.leads(node) else "follows")
                for node, state in enumerate(ensemble.states)
            ]
            return ", ".join(f"{uri} {role}" for uri, role in zip(self.timelock.uris, roles, strict=True))

        return Action(
            "look-timelock",
            "look at TimeLock's servers",
            "curl …/leader/pingV2 of each of them: whether it is there, and whether it leads.",
            perform,
            danger=Danger.READS,
        )

    def restart_timelock(self, lesson: str) -> Action:
        """Those that run, one after the other."""

        async def perform() -> str:
            running = [node for node, state in enumerate(self.timelock.ensemble.states) if state is NodeState.UP]
            for node in running:
                self.timelock.kill(node)
                self.timelock.start(node)
            return f"{', '.join(self.timelock.uris[node] for node in running)} went down and are up again"

        return Action(
            "restart-timelock",
            "restart TimeLock's servers",
            "You restart TimeLock on its machines, one after the other: systemctl restart timelock.",
            perform,
            lesson,
        )
