"""nodetool of the simulated nodes: the `Nodetool` protocol."""

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing

from atlasdb_recovery.cassandra.ports import Finished, Line, NodetoolFailed, Output
from atlasdb_recovery.practice.simulated import membership_verbs, node_verbs, store_verbs
from atlasdb_recovery.practice.simulated.answer import Answer, not_reachable, said, unexpected
from atlasdb_recovery.practice.simulated.dialect import Dialect
from atlasdb_recovery.practice.simulated.node import SimulatedNode
from atlasdb_recovery.practice.simulated.repair import RepairRun
from atlasdb_recovery.practice.simulated.repair_options import help_text
from atlasdb_recovery.practice.simulated.servers import SimulatedServers

Verb = Callable[[SimulatedServers, SimulatedNode, tuple[str, ...]], Answer]

CALL_SECONDS = 0.8
"""What a call takes in simulated time, about."""

VERBS: Mapping[str, Verb] = {
    "cfstats": node_verbs.tablestats,
    "clearsnapshot": store_verbs.clearsnapshot,
    "clientstats": node_verbs.clientstats,
    "compactionstats": node_verbs.compactionstats,
    "describecluster": membership_verbs.describecluster,
    "describering": membership_verbs.describering,
    "disableautocompaction": store_verbs.autocompaction,
    "disablethrift": node_verbs.disablethrift,
    "enableautocompaction": store_verbs.autocompaction,
    "enablethrift": node_verbs.enablethrift,
    "flush": store_verbs.flush,
    "gossipinfo": membership_verbs.gossipinfo,
    "import": store_verbs.import_files,
    "info": node_verbs.info,
    "listsnapshots": store_verbs.listsnapshots,
    "netstats": node_verbs.netstats,
    "refresh": store_verbs.refresh,
    "snapshot": store_verbs.snapshot,
    "status": membership_verbs.status,
    "statusbinary": node_verbs.statusbinary,
    "statusthrift": node_verbs.statusthrift,
    "tablestats": node_verbs.tablestats,
    "tpstats": node_verbs.tpstats,
    "version": node_verbs.version,
}


class SimulatedNodetool:
    """Its commands and a repair's lines take simulated time; the servers' clock says what that is in real time."""

    def __init__(self, servers: SimulatedServers, *, jmx_port: int = 7199) -> None:
        self._servers = servers
        self._jmx_port = jmx_port

    def command(self, address: str, *arguments: str) -> tuple[str, ...]:
        return ("nodetool", "-h", address, "-p", str(self._jmx_port), *arguments)

    async def run(self, address: str, *arguments: str, timeout: float = 60.0) -> Output:
        lines: list[Line] = []
        exit_code = 0
        async with aclosing(self.stream(address, *arguments)) as stream:
            async for item in stream:
                if isinstance(item, Finished):
                    exit_code = item.exit_code
                else:
                    lines.append(item)
        return Output(command=self.command(address, *arguments), exit_code=exit_code, lines=tuple(lines))

    async def stream(self, address: str, *arguments: str) -> AsyncGenerator[Line | Finished, None]:
        began = self._servers.wall.time()
        await self._servers.wall.work(CALL_SECONDS)
        fault = self._servers.faults.of_command(address, arguments)
        if fault is not None and fault.hangs:
            shown = " ".join(self.command(address, *arguments))
            raise NodetoolFailed(f"nodetool for {address} did not end in time and was stopped: {shown}.")
        if fault is not None:
            answer = Answer(stdout=fault.stdout, stderr=fault.stderr, exit_code=fault.exit_code)
        elif (node := self._servers.nodes.get(address)) is None or not node.up:
            answer = not_reachable(address, self._jmx_port)
        elif arguments[:1] == ("repair",):
            async with aclosing(self._repair(node, arguments[1:], began)) as lines:
                async for item in lines:
                    yield item
            return
        else:
            answer = self._answer(node, arguments)
        for line in _lines(answer, self._servers.wall.time() - began):
            yield line
        yield Finished(exit_code=answer.exit_code, seconds=self._servers.wall.time() - began)

    async def _repair(
        self, node: SimulatedNode, arguments: tuple[str, ...], began: float
    ) -> AsyncGenerator[Line | Finished, None]:
        """Stopped half way, here or by its fault, the server goes on by itself."""
        run = RepairRun(self._servers, node, arguments)
        try:
            async for printed in run.lines():
                await self._servers.wall.keep_pace()
                yield Line(at=self._servers.wall.time() - began, stream=printed.stream, text=printed.text)
        finally:
            run.go_on_alone()
        yield Finished(exit_code=run.exit_code, seconds=self._servers.wall.time() - began)

    def _answer(self, node: SimulatedNode, arguments: tuple[str, ...]) -> Answer:
        if arguments == ("help", "repair"):
            return said(*help_text(self._servers.dialect))
        if arguments[:1] == ("cfstats" if self._servers.dialect is Dialect.APACHE else "tablestats",):
            return unexpected(arguments)
        verb = VERBS.get(arguments[0]) if arguments else None
        return unexpected(arguments) if verb is None else verb(self._servers, node, arguments[1:])


def _lines(answer: Answer, at: float) -> Iterator[Line]:
    for stream, texts in (("stdout", answer.stdout), ("stderr", answer.stderr)):
        for text in texts:
            yield Line(at=at, stream=stream, text=text)
