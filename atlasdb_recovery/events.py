"""What can happen in a session: the journal's records and the front-ends' input.

Events are past tense and plain. They hold no secrets: whoever makes one passes foreign text through
`atlasdb_recovery.foreign` first. `step` is the step's name; "" where an event belongs to the whole session.
"""

from collections.abc import Collection
from typing import Any

import msgspec

from atlasdb_recovery.foreign import masked

TEXTS = frozenset(
    "answer command detail evidence lines note problem question reason reasons "
    "remedy settings source text title".split()
)
"""Fields for people to read, where foreign text may stand. All others are names and facts that must stay as they are:
a session that is resumed compares them with what the cluster says then."""


def _tag(name: str) -> str:
    return "".join("-" + c.lower() if c.isupper() else c for c in name).lstrip("-")


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag=_tag):
    """Something that happened."""

    step: str = ""


class SessionStarted(Event, frozen=True, kw_only=True):
    session: str
    procedure: str
    """backup | restore"""
    keyspace: str
    mode: str
    """LIVE | PRACTICE"""
    version: str
    operator: str
    host: str
    process: int
    settings: dict[str, Any]
    cluster: str = ""


class SessionResumed(Event, frozen=True, kw_only=True):
    operator: str
    host: str
    process: int
    lock_taken_from: str = ""


class GuardChecked(Event, frozen=True, kw_only=True):
    """A guard was evaluated. Only `passed`, `warned` and `not-applicable` let the step go on."""

    guard: str
    status: str
    """passed | warned | blocked | unknown | not-applicable"""
    evidence: str
    remedy: str = ""
    seconds: float = 0.0
    may_be_overruled: bool = False
    """Whether the operator's words let the step go on against it."""


class GuardOverruled(Event, frozen=True, kw_only=True):
    """The operator went on against a guard, and said why. It stands until the session ends."""

    guard: str
    reason: str
    by: str


class QuestionAsked(Event, frozen=True, kw_only=True):
    """An answer is needed before the step can go on. `name` is its key in an answers file."""

    name: str
    question: str
    detail: tuple[str, ...] = ()
    phrase: str = ""
    """If set, the exact words that must be typed."""
    fingerprint: str = ""


class AnswerGiven(Event, frozen=True, kw_only=True):
    name: str
    answer: Any
    by: str
    """terminal | answers file | wizard"""
    fingerprint: str = ""


class PlanMade(Event, frozen=True, kw_only=True):
    """What the step is about to do: exact commands, CQL, rows; and a fingerprint of all they depend on."""

    title: str
    lines: tuple[str, ...]
    fingerprint: str
    facts: dict[str, Any] = {}


class StepIntended(Event, frozen=True, kw_only=True):
    """Written and fsynced before the step acts."""

    fingerprint: str
    attempt: int


class StepPerformed(Event, frozen=True, kw_only=True):
    seconds: float


class StepVerified(Event, frozen=True, kw_only=True):
    """An independent look afterwards found it true."""

    evidence: tuple[str, ...]
    found_done: bool = False
    """True if nothing had to be done: the cluster showed that the step was done already."""


class StepFailed(Event, frozen=True, kw_only=True):
    problem: str
    evidence: tuple[str, ...] = ()
    remedy: str = ""


class Progressed(Event, frozen=True, kw_only=True):
    """How far a step has come; `scope` tells parts apart that run side by side (a node's address)."""

    unit: str
    done: int
    total: int | None = None
    scope: str = ""
    note: str = ""


class LinePrinted(Event, frozen=True, kw_only=True):
    """A raw line of a node's command or of a store tool."""

    source: str
    stream: str
    text: str
    at: float = 0.0


class CommandStarted(Event, frozen=True, kw_only=True):
    source: str
    command: tuple[str, ...]


class CommandEnded(Event, frozen=True, kw_only=True):
    source: str
    exit_code: int
    seconds: float


class RangesExpected(Event, frozen=True, kw_only=True):
    """The token ranges, "(start,end]", that a node's repair has to cover: those whose first replica it is."""

    node: str
    ranges: tuple[str, ...]


class RangesRepaired(Event, frozen=True, kw_only=True):
    """Further token ranges of a node, "(start,end]", whose sessions ended. What of it counts, RepairJudged says."""

    node: str
    ranges: tuple[str, ...]
    failed: tuple[str, ...] = ()


class ServerAsked(Event, frozen=True, kw_only=True):
    """No line came for a while, or nodetool is gone: the node was asked whether it is still at its repair."""

    node: str
    answer: str
    repairing: bool | None
    """None where it could not be asked."""
    silent_seconds: float = 0.0


class TimestampServerSeen(Event, frozen=True, kw_only=True):
    """A server of the timestamp service was asked: one of TimeLock's, or of a running service's own."""

    server: str
    role: str
    """leads | follows | silent | refused; `led` only in a session's state: another one leads since."""
    note: str = ""
    """Why it is silent or refused, or what a follower said."""
    instead_of: str = ""
    """A failover: the server that led until now."""
    is_new: bool = True
    """False where it says what was known already."""


class RepairStopped(Event, frozen=True, kw_only=True):
    """The operator stopped a node's nodetool."""

    node: str
    goes_on: str
    """What Cassandra does by itself from here on, and how that can be seen and ended."""


class RepairJudged(Event, frozen=True, kw_only=True):
    """Ranges are "(start,end]"."""

    node: str
    tables: tuple[str, ...]
    verdict: str
    """repaired | not-repaired | unknown"""
    reasons: tuple[str, ...]
    ranges: tuple[str, ...] = ()
    """Where the verdict is repaired: all of them. Otherwise what this attempt's sessions finished, proven or not."""
    attempt: int = 1
    proven: tuple[str, ...] = ()
    """Where it is not: those proven all the same, by this attempt or an earlier one of the session."""
    failed: tuple[str, ...] = ()

    @property
    def repaired_ranges(self) -> tuple[str, ...]:
        """Ranges that need not be repaired again, as long as nobody else changes the tables."""
        return self.ranges if self.verdict == "repaired" else self.proven


class FactEstablished(Event, frozen=True, kw_only=True):
    """Something later steps rely on: `backup-timestamp`, `fast-forward-timestamp`, `export`, baselines …"""

    name: str
    value: Any
    source: str = ""


class Noted(Event, frozen=True, kw_only=True):
    """Something the operator should read: level note | warning."""

    level: str
    text: str


class ActedInPractice(Event, frozen=True, kw_only=True):
    """The operator did something in the practice world, beside the procedure; `seen` is what came of it."""

    key: str
    action: str
    seen: str
    seconds: float = 0.0


class SessionParked(Event, frozen=True, kw_only=True):
    """Stopped, resumable."""

    reason: str


class SessionCompleted(Event, frozen=True, kw_only=True):
    """Every claim was proven."""

    evidence: tuple[str, ...]


class SessionAborted(Event, frozen=True, kw_only=True):
    reason: str


AT_WORK = (Progressed, LinePrinted, RangesExpected, RangesRepaired, ServerAsked, TimestampServerSeen)
"""What only shows a command at work: nothing is decided by it, so the disk is not waited for."""

AnyEvent = (
    SessionStarted
    | SessionResumed
    | GuardChecked
    | GuardOverruled
    | QuestionAsked
    | AnswerGiven
    | PlanMade
    | StepIntended
    | StepPerformed
    | StepVerified
    | StepFailed
    | Progressed
    | LinePrinted
    | CommandStarted
    | CommandEnded
    | RangesExpected
    | RangesRepaired
    | ServerAsked
    | TimestampServerSeen
    | RepairStopped
    | RepairJudged
    | FactEstablished
    | Noted
    | ActedInPractice
    | SessionParked
    | SessionCompleted
    | SessionAborted
)


def without_secrets(event: Event, secrets: Collection[str]) -> Event:
    """The same event with every secret in its texts replaced by ***."""
    if not secrets:
        return event
    changed = {}
    for name in TEXTS.intersection(event.__struct_fields__):
        value = getattr(event, name)
        hidden = _hidden(value, secrets)
        if hidden != value:
            changed[name] = hidden
    return msgspec.structs.replace(event, **changed) if changed else event


def _hidden(value: Any, secrets: Collection[str]) -> Any:
    if isinstance(value, str):
        return masked(value, secrets)
    if isinstance(value, dict):
        return {_hidden(key, secrets): _hidden(item, secrets) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_hidden(item, secrets) for item in value)
    return value
