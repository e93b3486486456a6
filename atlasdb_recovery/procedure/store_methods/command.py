"""Store method `command`: one command backs up, one restores; their exit code is all that is known of them."""

import shlex
import signal
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing

from atlasdb_recovery.cassandra.command_template import CommandTemplateInvalid, command_words
from atlasdb_recovery.cassandra.ports import Line, Table
from atlasdb_recovery.cassandra.process import CommandNotRunnable, command_stream
from atlasdb_recovery.events import CommandEnded, CommandStarted, Event, LinePrinted
from atlasdb_recovery.foreign import masked, plain
from atlasdb_recovery.procedure.step import StepFailure
from atlasdb_recovery.procedure.store_methods import StoreContext

SOURCE = "store"
LAST_LINES = 10


class CommandStore:
    """Runs `backup_command` and `restore_command` with {keyspace}, {backup_dir} and {session} filled in.

    Never through a shell; one that is wanted is written into the command (`sh -c '…'`).
    """

    name = "command"

    async def plan_backup(self, context: StoreContext) -> list[str]:
        return [_shown(context, _words(context, context.settings.backup_command, "backup_command"))]

    async def plan_restore(self, context: StoreContext) -> list[str]:
        return [_shown(context, _words(context, context.settings.restore_command, "restore_command"))]

    async def backup(self, context: StoreContext) -> AsyncIterator[Event]:
        async with aclosing(_run(context, context.settings.backup_command, "backup_command")) as events:
            async for event in events:
                yield event

    async def restore(self, context: StoreContext) -> AsyncIterator[Event]:
        async with aclosing(_run(context, context.settings.restore_command, "restore_command")) as events:
            async for event in events:
                yield event

    async def verify_backup(self, context: StoreContext) -> list[str]:
        return ["the backup command ended with exit code 0; this program cannot look into what it made"]

    async def tables(self, context: StoreContext) -> Mapping[str, Table] | None:
        return None

    async def sizes(self, context: StoreContext) -> Mapping[str, tuple[int, int]]:
        return {}

    async def verify_copy(self, context: StoreContext) -> list[str]:
        return ["the store's backup was made by a command; this program cannot look into it"]


async def _run(context: StoreContext, template: str | None, setting: str) -> AsyncGenerator[Event, None]:
    words = _words(context, template, setting)
    last: deque[str] = deque(maxlen=LAST_LINES)
    yield CommandStarted(source=SOURCE, command=tuple(plain(masked(word, context.secrets)) for word in words))
    try:
        async with aclosing(command_stream(words)) as items:
            async for item in items:
                if isinstance(item, Line):
                    text = plain(masked(item.text, context.secrets))
                    last.append(text)
                    yield LinePrinted(source=SOURCE, stream=item.stream, text=text, at=item.at)
                else:
                    yield CommandEnded(source=SOURCE, exit_code=item.exit_code, seconds=item.seconds)
                    _require_success(item.exit_code, setting, last)
    except CommandNotRunnable as error:
        raise StepFailure(
            masked(str(error), context.secrets), remedy=f"Correct store.{setting}, then resume."
        ) from None


def _words(context: StoreContext, template: str | None, setting: str) -> tuple[str, ...]:
    values = {"keyspace": context.keyspace, "backup_dir": str(context.backup_dir), "session": context.session}
    try:
        return command_words(template or "", values)
    except CommandTemplateInvalid as error:
        raise StepFailure(
            f"store.{setting}: {masked(str(error), context.secrets)}", remedy=f"Correct store.{setting}, then resume."
        ) from None


def _shown(context: StoreContext, words: tuple[str, ...]) -> str:
    return plain(shlex.join(masked(word, context.secrets) for word in words))


def _require_success(exit_code: int, setting: str, last: deque[str]) -> None:
    if exit_code == 0:
        return
    how = f"ended with exit code {exit_code}" if exit_code > 0 else f"was ended by {_signal_name(-exit_code)}"
    raise StepFailure(
        f"the command of store.{setting} {how}",
        evidence=tuple(last) or ("it printed nothing",),
        remedy="Read its output, put right what it complains of, then resume: the command is then run again.",
    )


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
