"""Thrift, where it exists, can be switched off while the keyspace is being restored, and on again at the end."""

from collections.abc import AsyncIterator

from atlasdb_recovery.cassandra.node_reports.node import read_info
from atlasdb_recovery.events import CommandEnded, CommandStarted, Event, FactEstablished, Noted
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.facts import THRIFT_DISABLED
from atlasdb_recovery.procedure.step import StepFailure


async def switched_off(context: Context, step: str) -> AsyncIterator[Event]:
    """`nodetool disablethrift` on every node that has it on; which they were is a fact of the session.

    Begun again, it remembers also those that it had switched off before.
    """
    active = []
    for node in (await context.cluster.identity()).nodes:
        if read_info((await context.nodetool.run(node.address, "info")).stdout).thrift_active:
            active.append(node.address)
    ours = sorted({*(context.state.fact(THRIFT_DISABLED) or ()), *active})
    yield FactEstablished(step=step, name=THRIFT_DISABLED, value=ours)
    for address in active:
        async for event in _switched(context, step, address, "disablethrift"):
            yield event


async def switched_on_again(context: Context, step: str) -> AsyncIterator[Event]:
    """`nodetool enablethrift` where this session switched it off."""
    for address in context.state.fact(THRIFT_DISABLED) or ():
        async for event in _switched(context, step, address, "enablethrift"):
            yield event
    if context.state.fact(THRIFT_DISABLED):
        yield Noted(step=step, level="note", text="Thrift is switched on again where it was on before")


async def _switched(context: Context, step: str, address: str, verb: str) -> AsyncIterator[Event]:
    yield CommandStarted(step=step, source=address, command=context.nodetool.command(address, verb))
    output = await context.nodetool.run(address, verb)
    yield CommandEnded(step=step, source=address, exit_code=output.exit_code, seconds=0.0)
    after = read_info((await context.nodetool.run(address, "info")).stdout)
    if after.thrift_active is not (verb == "enablethrift"):
        raise StepFailure(
            f"nodetool {verb} on {address} did not take effect",
            evidence=(output.stderr or output.stdout,),
            remedy=f"Run it by hand on {address}, then retry.",
        )
