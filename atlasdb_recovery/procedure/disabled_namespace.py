"""TimeLock's namespace, where it can be disabled, hands out nothing from the preflight until the fast-forward."""

from collections.abc import AsyncIterator
from uuid import NAMESPACE_URL, uuid5

from atlasdb_recovery.events import Event, FactEstablished, Noted
from atlasdb_recovery.procedure import facts
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.step import StepFailure
from atlasdb_recovery.timestamps.service import CompletedBackup, NamespaceDisabling

NOT_OFFERED = (
    "this release of TimeLock cannot disable a namespace (0.538 to 0.793 can): it goes on handing out timestamps, so "
    "every instance of the service must stay stopped until the fast-forward"
)


async def disabled(context: Context, step: str) -> AsyncIterator[Event]:
    """On record before it is asked for: a session that is killed in between still enables it again."""
    before = context.state.fact(facts.NAMESPACE_DISABLED)
    disabling = context.timestamps.disabling if before is None else _required(context, before)
    if disabling is None:
        return
    lock = str(uuid5(NAMESPACE_URL, f"atlasdb-recovery:{context.session}"))
    yield FactEstablished(step=step, name=facts.NAMESPACE_DISABLED, value=lock)
    if await disabling.disable(lock):
        text = f"TimeLock's namespace is disabled until the fast-forward, under lock {lock}: nobody gets a timestamp"
        yield Noted(step=step, level="note", text=text)
    else:
        yield FactEstablished(step=step, name=facts.NAMESPACE_DISABLED, value=None)
        yield Noted(step=step, level="warning", text=NOT_OFFERED)


async def enabled_again(context: Context, step: str) -> AsyncIterator[Event]:
    """Fast-forwarded first, if this session disabled it."""
    lock = context.state.fact(facts.NAMESPACE_DISABLED)
    if lock is None:
        return
    manifest = context.manifest
    start = facts.required(context, facts.BACKUP_TIMESTAMP)
    locked = None if manifest is None or manifest.timelock is None else manifest.timelock.immutable_timestamp
    end = facts.required(context, facts.FAST_FORWARD_TIMESTAMP)
    await _required(context, lock).enable(lock, CompletedBackup(immutable=locked or start, start=start, end=end))
    yield FactEstablished(step=step, name=facts.NAMESPACE_DISABLED, value=None)
    yield Noted(step=step, level="note", text="TimeLock's namespace was fast-forwarded and is enabled again")


def requests_to_enable(context: Context) -> tuple[str, ...]:
    """As they will be sent; () if this session has not disabled it."""
    lock = context.state.fact(facts.NAMESPACE_DISABLED)
    return () if lock is None else _required(context, lock).requests_to_enable(lock)


def _required(context: Context, lock: str) -> NamespaceDisabling:
    if context.timestamps.disabling is None:
        raise StepFailure(
            f"this session asked TimeLock to disable its namespace, under lock {lock}, and has no token to enable it",
            remedy="Give timestamps.backup_token as before, then resume. If it was never right, begin a new session.",
        )
    return context.timestamps.disabling
