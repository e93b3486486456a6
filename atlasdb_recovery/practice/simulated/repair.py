"""A whole `nodetool repair`: its keyspaces in turn, what nodetool itself refuses, and what a fault does to it."""

from collections.abc import AsyncIterator, Iterator

from atlasdb_recovery.practice.simulated.answer import Answer, refused, wrong_usage
from atlasdb_recovery.practice.simulated.node import SimulatedNode
from atlasdb_recovery.practice.simulated.repair_command import Printed, RepairCommand
from atlasdb_recovery.practice.simulated.repair_options import RepairOptions, parsed_options
from atlasdb_recovery.practice.simulated.servers import SimulatedServers

KILLED = -9


class RepairRun:
    """Draw `lines`; `exit_code` is set when they have ended. `go_on_alone` when nobody draws them any more."""

    def __init__(self, servers: SimulatedServers, node: SimulatedNode, arguments: tuple[str, ...]) -> None:
        self._servers = servers
        self._node = node
        self._options = parsed_options(servers.dialect, arguments)
        self._fault = servers.faults.of_repair(node.address)
        self._steps = self._all_lines()
        self._ended = False
        self._command: RepairCommand | None = None
        self.exit_code = 0

    async def lines(self) -> AsyncIterator[Printed]:
        drawn = 0
        while drawn != self._fault.killed_after:
            if drawn == self._fault.silent_after:
                await self._keep_silent()
            if (printed := next(self._steps, None)) is None:
                return
            drawn += 1
            yield printed
        self.exit_code = KILLED

    async def _keep_silent(self) -> None:
        if self._fault.deaf:
            self._finish()
        await self._servers.wall.sleep(self._fault.silent_for)

    def go_on_alone(self) -> None:
        """The server does what is left of it, after a while; until then `tpstats` and `netstats` show it."""
        if self._ended or self._command is None:
            return
        node, seconds = self._node, self._fault.goes_on_for
        peers = [address for address in self._servers.addresses if address != node.address]
        tables = self._options.arguments[1:] or ("",)
        self._servers.start_stream(node.address, peers[0], self._options.arguments[0], tables[0], seconds=seconds)
        self._servers.wall.after(seconds, self._finish)

    def _finish(self) -> None:
        for _ in self._steps:
            pass

    def _all_lines(self) -> Iterator[Printed]:
        refusal = self._refusal(self._options)
        if refusal is not None:
            self.exit_code = refusal.exit_code
            yield from (Printed("stdout", text) for text in refusal.stdout)
            yield from (Printed("stderr", text) for text in refusal.stderr)
            self._ended = True
            return
        keyspaces = self._options.arguments[:1] or tuple(self._servers.keyspaces)
        for keyspace in keyspaces:
            tables = self._options.arguments[1:]
            self._command = RepairCommand(self._servers, self._node, keyspace, tables, self._options, self._fault)
            yield from self._command.lines()
            if self._command.exit_code:
                self.exit_code = self._command.exit_code
                break
        self._ended = True

    def _refusal(self, options: RepairOptions) -> Answer | None:
        if options.has("primary_range") and (options.hosts or options.data_centers):
            only_whole = "Primary range repair should be performed on all nodes in the cluster."
            return refused(only_whole, "java.lang.RuntimeException")
        if options.arguments and options.arguments[0] not in self._servers.keyspaces:
            return wrong_usage(f"Keyspace [{options.arguments[0]}] does not exist.")
        here = self._node.place.data_center
        if options.data_centers and here not in options.data_centers:
            wrong = f"the local data center must be part of the repair; requested [{options.data_centers[0]}]"
            return refused(f"{wrong} but DC is {here}", "java.lang.IllegalArgumentException")
        return None
