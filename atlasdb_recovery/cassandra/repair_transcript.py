"""The lines of `nodetool repair`, one grammar for Cassandra 2.2 (Palantir's fork too) to 5.0.

A line that proves something must be whole, time stamp included, and match to its last character. A line that tells of
a failure counts wherever it stands in a line, also without its beginning. What begins like a line of the grammar and
is not one is damaged.
Must agree with `RepairRunner`, `RepairRunnable` and `RepairTask` of Cassandra, and with commons-lang's
`DurationFormatUtils.formatDurationWords`.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum

import msgspec

from atlasdb_recovery.cassandra.repair_ranges import RANGES, Range, ranges_in


class Started(msgspec.Struct, frozen=True):
    """`Starting repair command #N`: what the server understood. `clock` is the printed time in seconds."""

    number: int
    parent_id: str | None
    keyspace: str
    options: Mapping[str, str]
    clock: float


class SessionFinished(msgspec.Struct, frozen=True):
    """A repair session has brought the replicas of these ranges together."""

    session_id: str
    ranges: tuple[Range, ...]


class CommandFinished(msgspec.Struct, frozen=True):
    """`Repair command #N finished in …`: the command has ended, well or not. Only the fork names the keyspace."""

    number: int
    keyspace: str | None


class Failed(msgspec.Struct, frozen=True):
    """Something failed. `ranges` are those of the session that failed, where the line names them."""

    text: str
    number: int | None = None
    ranges: tuple[Range, ...] = ()


class Sign(StrEnum):
    """Lines without numbers."""

    SUCCESS = "Repair completed successfully"
    NOT_NEEDED = "there was nothing to repair"
    EMPTY_KEYSPACE = "the keyspace is empty"
    PREVIEW = "this was a preview"
    NOTIFICATIONS_LOST = "some notifications were lost"
    DISCONNECTED = "the connection to the node was lost"
    EXCEPTION = "nodetool printed an exception or a usage error"
    DAMAGED = "a line is cut off or damaged"


Statement = Started | SessionFinished | CommandFinished | Failed | Sign

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_UNIT = r"(?:1 (?:day|hour|minute|second)|(?!1 )\d+ (?:days|hours|minutes|seconds))"
_DURATION = rf"{_UNIT}(?: {_UNIT})*"
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_=>])")
_STAMPED = re.compile(r"\[(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3})\] (.*)", re.DOTALL)
_STARTED = re.compile(
    rf"Starting repair command #(\d{{1,18}})(?: \(({_UUID})\))?, repairing keyspace (\S+) with repair options \((.*)\)"
)
_OPTION = re.compile(r"([A-Za-z# ]+): (\[[^\]]*\]|[^,\[\]()]+)(?:, |$)")
_SESSION = re.compile(rf"Repair session ({_UUID}) for range ({RANGES}) finished \(progress: \d{{1,3}}%\)")
_SESSION_FAILED = re.compile(rf"Repair session {_UUID} for range ({RANGES}) failed")
_FINISHED = re.compile(rf"Repair command #(\d{{1,18}}) finished in {_DURATION}(?: for keyspace (\S+))?")
_COMMAND_FAILED = re.compile(r"Repair command #(\d{1,18}) (?:failed|finished with error)")
_FAILED = re.compile(
    r"Some repair failed|discovered repair failed|Repair job has failed|failed with error |died \(progress: "
    r"|Did not get positive replies|Got negative replies|Endpoint not alive|Unknown keyspace/cf pair"
    r"|Cannot proceed on repair|Validation failed in |Sync failed between "
)
_NOT_NEEDED = re.compile(r"Nothing to repair for |Replication factor is 1\. No repair is needed ")
_EMPTY = re.compile(rf"Repair {_UUID} skipped: |(?:{_UUID} )?Empty keyspace, skipping repair")
_PREVIEW = re.compile(r"Repair preview |Preview complete|Previewed data |Repaired data is ")
_EXCEPTION = re.compile(
    r"-- StackTrace --|See 'nodetool help'|\bConnectException\b|Keyspace \[[^\]]{0,200}\] does not exist"
)
_LOST_NOTIFICATIONS = re.compile(r"There were some lost notification")
_KNOWN_BEGINNING = re.compile(r"Starting repair command|Repair (?:session|command|completed)\b|Some repair")


def statement(text: str) -> Statement | None:
    """What a line says, None if it says nothing about the outcome (traces, continued messages, stack traces)."""
    line = _ESCAPES.sub("", text).strip("\ufeff\x00 \t\r\n")
    stamped = _STAMPED.fullmatch(line)
    if stamped:
        return _failure(stamped[2]) or _stamped_statement(stamped[2], stamped[1])
    if "JMX connection closed" in line or line.startswith("Cassandra has shutdown."):
        return Sign.DISCONNECTED
    if _LOST_NOTIFICATIONS.match(line):
        return Sign.NOTIFICATIONS_LOST  # printed without a time stamp, unlike all else that tells of the outcome
    if line.startswith(("error: ", "nodetool: ")):
        return Failed(line)
    return _failure(line) or (Sign.EXCEPTION if _EXCEPTION.search(line) else None)


def _failure(line: str) -> Failed | None:
    session = _SESSION_FAILED.search(line)
    ranges = ranges_in(session[1]) if session else ()
    if found := _COMMAND_FAILED.search(line):
        return Failed(line, int(found[1]), ranges)
    return Failed(line, None, ranges) if session or _FAILED.search(line) else None


def _stamped_statement(line: str, stamp: str) -> Statement | None:
    if found := _SESSION.fullmatch(line):
        return SessionFinished(found[1], ranges_in(found[2]))
    if found := _STARTED.fullmatch(line):
        return _started(found, stamp)
    if found := _FINISHED.fullmatch(line):
        return CommandFinished(int(found[1]), found[2])
    return _sign(line)


def _started(found: re.Match[str], stamp: str) -> Statement:
    options, at = {}, 0
    while at < len(found[4]):
        option = _OPTION.match(found[4], at)
        if option is None:
            return Sign.DAMAGED
        options[option[1]] = option[2]
        at = option.end()
    try:
        clock = datetime.strptime(stamp, "%Y-%m-%d %H:%M:%S,%f").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return Sign.DAMAGED
    return Started(int(found[1]), found[2], found[3], options, clock)


def _sign(line: str) -> Sign | None:
    if line == Sign.SUCCESS.value:
        return Sign.SUCCESS
    for pattern, sign in _SIGNS:
        if pattern.match(line):
            return sign
    return None


_SIGNS = (
    (_NOT_NEEDED, Sign.NOT_NEEDED),
    (_EMPTY, Sign.EMPTY_KEYSPACE),
    (_PREVIEW, Sign.PREVIEW),
    (_LOST_NOTIFICATIONS, Sign.NOTIFICATIONS_LOST),
    (re.compile(r"JMX connection closed"), Sign.DISCONNECTED),
    (_KNOWN_BEGINNING, Sign.DAMAGED),
)
