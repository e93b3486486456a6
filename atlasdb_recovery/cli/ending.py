"""How a command ends: errors an operator can act on, as words and exit codes; a defect as a crash file."""

import os
import sys
from collections.abc import Callable
from typing import Any

import click

from atlasdb_recovery.atlas.manifest import MalformedManifest
from atlasdb_recovery.atlas.schema_ranges import MalformedCoordination
from atlasdb_recovery.atlas.timestamp_bound import BoundInvalidated, MalformedBound
from atlasdb_recovery.atlas.timestamp_file import MalformedTimestampFile
from atlasdb_recovery.atlas.yaml_document import ConfigurationError
from atlasdb_recovery.cassandra.command_template import CommandTemplateInvalid
from atlasdb_recovery.cassandra.node_reports.text import UnreadableReport
from atlasdb_recovery.cassandra.ports import ClusterUnreachable, NodetoolFailed, NotEnoughReplicas, OutcomeUnknown
from atlasdb_recovery.cli.interruption import Interrupted, heard
from atlasdb_recovery.crash import crash_file
from atlasdb_recovery.foreign import plain
from atlasdb_recovery.journal.lock import LockError, LockLost
from atlasdb_recovery.journal.record import JournalError, JournalMissing, JournalUnwritable
from atlasdb_recovery.journal.report import ReportUnwritable
from atlasdb_recovery.practice.unavailable import RealPracticeUnavailable
from atlasdb_recovery.procedure.removal.pre_images import MalformedExport
from atlasdb_recovery.procedure.step import StepFailure
from atlasdb_recovery.timestamps.service import TimestampServiceRefused, TimestampServiceUnavailable

DONE, DEFECT, USAGE, REFUSED, FAILED, PARKED = 0, 1, 2, 3, 4, 5

_CODES: tuple[tuple[tuple[type[BaseException], ...], int], ...] = (
    ((ConfigurationError, CommandTemplateInvalid, JournalMissing, MalformedTimestampFile, MalformedExport), USAGE),
    ((LockLost, JournalUnwritable, ReportUnwritable, StepFailure), FAILED),
    ((MalformedManifest, MalformedCoordination, MalformedBound, BoundInvalidated), REFUSED),
    ((ClusterUnreachable, LockError, JournalError, TimestampServiceRefused, RealPracticeUnavailable), REFUSED),
    ((NotEnoughReplicas, OutcomeUnknown, NodetoolFailed, UnreadableReport, TimestampServiceUnavailable), FAILED),
    ((OSError,), FAILED),
)


def exit_code_of(command: click.Command, arguments: list[str] | None = None, graph: Any = None) -> int:
    """Run it; nothing it raises reaches the terminal as a traceback. `graph` is what its sessions are made by."""
    try:
        result = command.main(args=arguments, standalone_mode=False, obj=graph)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except (Exception, KeyboardInterrupt, Interrupted) as error:
        return _explained(error)
    return int(result) if isinstance(result, int) else DONE


def every_character() -> None:
    """Output on a terminal that cannot show a character shows its escape instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _explained(error: BaseException) -> int:
    for kind, code_of in _ENDINGS:
        if isinstance(error, kind):
            return code_of(error)
    code, lines = explanation(error)
    for line in lines:
        print(line, file=sys.stderr)
    return code


def explanation(error: BaseException) -> tuple[int, tuple[str, ...]]:
    """The exit code, and what happened in words; a defect's whereabouts go into a crash file."""
    for kinds, code in _CODES:
        if isinstance(error, kinds):
            return code, tuple(plain(line) for line in _said(error).splitlines() or [type(error).__name__])
    path = crash_file(error)
    return DEFECT, (
        f"This is a defect of atlasdb-recovery: {type(error).__name__}. What led to it is in {path}. "
        "A session that had begun is in its journal: `atlasdb-recovery history`.",
    )


def _said(error: BaseException) -> str:
    if not isinstance(error, StepFailure):
        return str(error)
    remedy = (f"  remedy: {error.remedy}",) if error.remedy else ()
    return "\n".join((f"FAILED: {error.problem}", *(f"  {line}" for line in error.evidence), *remedy))


def _helped(error: Any) -> int:
    click.echo(error.ctx.get_help())
    return DONE


def _misused(error: Any) -> int:
    error.show()
    return USAGE


def _interrupted(error: Any) -> int:
    heard(error)
    print(error, file=sys.stderr)
    return int(error.code)


def _stopped(error: BaseException) -> int:
    print("interrupted; nothing was changed", file=sys.stderr)
    return PARKED


def _unheard(error: BaseException) -> int:
    """Whoever read our output is gone; Python's own last flush must not complain about it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return PARKED


_ENDINGS: tuple[tuple[type[BaseException], Callable[[Any], int]], ...] = (
    (click.exceptions.NoArgsIsHelpError, _helped),
    (click.ClickException, _misused),
    (Interrupted, _interrupted),
    (click.Abort, _stopped),
    (KeyboardInterrupt, _stopped),
    (BrokenPipeError, _unheard),
)
