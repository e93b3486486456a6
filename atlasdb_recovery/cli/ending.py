"""How a command ends: errors an operator can act on, as words and exit codes; a defect as a crash file."""

import sys

import click

from atlasdb_recovery.atlas.manifest import MalformedManifest
from atlasdb_recovery.atlas.schema_ranges import MalformedCoordination
from atlasdb_recovery.atlas.timestamp_bound import BoundInvalidated, MalformedBound
from atlasdb_recovery.atlas.timestamp_file import MalformedTimestampFile
from atlasdb_recovery.atlas.yaml_document import ConfigurationError
from atlasdb_recovery.cassandra.ports import ClusterUnreachable, NodetoolFailed, NotEnoughReplicas, OutcomeUnknown
from atlasdb_recovery.crash import crash_file
from atlasdb_recovery.foreign import plain
from atlasdb_recovery.journal.lock import LockError, LockLost
from atlasdb_recovery.journal.record import JournalError, JournalMissing, JournalUnwritable
from atlasdb_recovery.practice.unavailable import RealPracticeUnavailable
from atlasdb_recovery.timestamps.service import TimestampServiceRefused, TimestampServiceUnavailable

DONE, DEFECT, USAGE, REFUSED, FAILED, PARKED = 0, 1, 2, 3, 4, 5

_CODES: tuple[tuple[tuple[type[BaseException], ...], int], ...] = (
    ((ConfigurationError, JournalMissing, MalformedTimestampFile), USAGE),
    ((LockLost, JournalUnwritable), FAILED),
    ((MalformedManifest, MalformedCoordination, MalformedBound, BoundInvalidated), REFUSED),
    ((ClusterUnreachable, LockError, JournalError, TimestampServiceRefused, RealPracticeUnavailable), REFUSED),
    ((NotEnoughReplicas, OutcomeUnknown, NodetoolFailed, TimestampServiceUnavailable, OSError), FAILED),
)


def exit_code_of(command: click.Command, arguments: list[str] | None = None) -> int:
    """Run it; nothing it raises reaches the terminal as a traceback."""
    try:
        result = command.main(args=arguments, standalone_mode=False)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.ClickException as error:
        error.show()
        return USAGE
    except (click.Abort, KeyboardInterrupt):
        return PARKED
    except BrokenPipeError:
        return DONE
    except Exception as error:
        return _explained(error)
    return int(result) if isinstance(result, int) else DONE


def _explained(error: Exception) -> int:
    code, lines = explanation(error)
    for line in lines:
        print(line, file=sys.stderr)
    return code


def explanation(error: BaseException) -> tuple[int, tuple[str, ...]]:
    """The exit code, and what happened in words; a defect's whereabouts go into a crash file."""
    for kinds, code in _CODES:
        if isinstance(error, kinds):
            return code, tuple(plain(line) for line in str(error).splitlines() or [type(error).__name__])
    path = crash_file(error)
    return DEFECT, (
        f"This is a defect of atlasdb-recovery: {type(error).__name__}. What led to it is in {path}. "
        "A session that had begun is in its journal: `atlasdb-recovery history`.",
    )
