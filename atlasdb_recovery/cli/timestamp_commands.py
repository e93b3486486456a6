"""What the three timestamp commands do, outside a session: guarded, proven, and told in plain words."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from atlasdb_recovery.atlas import timestamp_file
from atlasdb_recovery.cli.graph import live_context
from atlasdb_recovery.cli.punch import wall_clock_of
from atlasdb_recovery.events import FactEstablished, Progressed
from atlasdb_recovery.foreign import plain
from atlasdb_recovery.journal.sessions import new_session_id
from atlasdb_recovery.pace import Pace
from atlasdb_recovery.procedure import facts
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.guards import preflight
from atlasdb_recovery.procedure.guards.guard import Guard
from atlasdb_recovery.procedure.runner import Outcome, checked
from atlasdb_recovery.procedure.step import StepFailure
from atlasdb_recovery.procedure.steps.clean_transactions import CleanTransactions
from atlasdb_recovery.settings import Settings
from atlasdb_recovery.timestamps.service import ASKED_ABOVE_BOUND


async def fetch(settings: Settings, file: Path | None, *, offline: bool, immutable: bool, date_time: bool) -> int:
    """Prints a fresh timestamp and writes it to the file."""
    session = new_session_id("fetch", settings.keyspace, datetime.now(UTC))
    async with live_context(settings, session, {"offline": offline}, offline=offline) as context:
        if await refused(context, preflight.before_timestamps()):
            return Outcome.REFUSED
        fresh = await context.timestamps.fresh_timestamp()
        if file is not None:
            timestamp_file.write(file, fresh)
        word = "immutable" if immutable else "fresh"
        click.echo(f"The {word} timestamp is: {fresh}")
        click.echo(f"from {context.timestamps.description}")
        if immutable:
            click.echo("(with no client running, every transaction below a fresh timestamp is finished)")
        if file is not None:
            click.echo(f"written to {file}")
        if date_time:
            noted = await wall_clock_of(context.cluster, context.keyspace, fresh)
            click.echo(f"Wall clock datetime of {word.capitalize()} timestamp is: {noted}")
        return Outcome.DONE


async def clean_transactions(settings: Settings, after: int) -> int:
    """Exports and removes what committed after `after`, re-reads each, and scans again."""
    session = new_session_id("clean", settings.keyspace, datetime.now(UTC))
    async with live_context(settings, session, {"offline": True}, offline=True) as context:
        step = CleanTransactions()
        identity = facts.identity_fact(await context.cluster.identity())
        for name, value in ((facts.IDENTITY, identity), (facts.BACKUP_TIMESTAMP, after)):
            context.state.apply(FactEstablished(name=name, value=value))
        if await refused(context, preflight.before_standalone_removal()):
            return Outcome.REFUSED
        try:
            return await _cleaned(context, step)
        except StepFailure as failure:
            return told(failure)


async def _cleaned(context: Context, step: CleanTransactions) -> int:
    plan = await step.plan(context)
    for line in (plan.title, *plan.lines):
        click.echo(line)
    if plan.facts["odd"] and not _seen():
        return Outcome.PARKED
    pace = Pace("transactions")
    async for event in step.perform(context, plan):
        context.state.apply(event)
        if isinstance(event, Progressed):
            pace.note(event.done, event.total)
            if pace.is_due(5.0):
                click.echo(pace.describe())
    evidence = await step.verify(context)
    for line in evidence.found:
        click.echo(line)
    return Outcome.DONE


def _seen() -> bool:
    """Cells that AtlasDB would not have written must have been seen by somebody."""
    if sys.stdin is not None and sys.stdin.isatty():
        return click.confirm("The odd cells above will not be touched. Go on with the others?", default=False)
    click.echo(
        "Odd cells were found: look at them, then run this at a terminal to go on. Nothing was removed.", err=True
    )
    return False


async def fast_forward(settings: Settings, target: int) -> int:
    """Fast-forwards and says what is true afterwards."""
    session = new_session_id("fast-forward", settings.keyspace, datetime.now(UTC))
    async with live_context(settings, session, {"offline": True}, offline=True) as context:
        if await refused(context, preflight.before_timestamps()):
            return Outcome.REFUSED
        if not _near_or_agreed(target, await context.timestamps.bound()):
            return Outcome.PARKED
        done = await context.timestamps.fast_forward(target)
        if done.changed:
            click.echo(f"Fast-forwarded to {target}: the bound was {done.before}, is {done.reached}.")
        else:
            click.echo(f"Nothing was changed: the bound {done.reached} is already at or above {target}.")
        click.echo(f"Read back from {context.timestamps.description}: every fresh timestamp is above {target}.")
        return Outcome.DONE


def _near_or_agreed(target: int, bound: int | None) -> bool:
    """A timestamp far above everything is a likely typing error, and nothing takes a fast-forward back."""
    above = target - (bound or 0)
    if above <= ASKED_ABOVE_BOUND:
        return True
    click.echo(f"{target} is {above:,} above the stored bound. A fast-forward cannot be taken back.", err=True)
    if sys.stdin is None or not sys.stdin.isatty():
        click.echo("Run this at a terminal, where it can be confirmed. Nothing was changed.", err=True)
        return False
    return str(click.prompt("Type the timestamp again", default="", show_default=False)).strip() == str(target)


async def refused(context: Context, guards: Sequence[Guard]) -> bool:
    any_refused = False
    for guard in guards:
        result = await checked(guard, context)
        if not result.status.lets_pass:
            any_refused = True
            click.echo(f"{guard.name} refuses: {plain(result.evidence)}", err=True)
            click.echo(f"  remedy: {plain(result.remedy or guard.remedy)}", err=True)
    if any_refused:
        click.echo("Nothing was changed.", err=True)
    return any_refused


def told(failure: StepFailure) -> int:
    click.echo(f"FAILED: {plain(failure.problem)}", err=True)
    for line in failure.evidence:
        click.echo(f"  {plain(line)}", err=True)
    if failure.remedy:
        click.echo(f"  remedy: {plain(failure.remedy)}", err=True)
    return Outcome.FAILED
