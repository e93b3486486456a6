"""Events in words, for line mode and the session log."""

import json
import shlex
from collections.abc import Callable
from typing import Any

from atlasdb_recovery import events as e

MARKS = {"passed": "ok", "warned": "WARNING", "blocked": "REFUSED", "unknown": "UNKNOWN", "not-applicable": "—"}
RANGES_SHOWN = 4
CQL = "CQL"
"""The source of statements: they are no shell's words."""
QUICK = 1.0
"""Seconds below which the end of a command that went well needs no line of its own."""


def lines_for(event: e.Event) -> list[str]:
    """The lines for one event; none for an event that is shown in another way."""
    words = _WORDS.get(type(event))
    return [] if words is None else [one_line(line) for line in words(event)]


def one_line(line: str) -> str:
    """CQL may come as several lines; its indentation goes."""
    first, *rest = line.split("\n")
    return " ".join([first, *(part.strip() for part in rest)]) if rest else line


def _guard(event: e.GuardChecked) -> list[str]:
    if not event.step:
        return _watched(event)
    lines = [f"{event.step}: {MARKS[event.status]:8} {event.guard}: {event.evidence}"]
    if event.remedy and event.status in {"blocked", "unknown", "warned"}:
        lines.append(f"{event.step}:          remedy: {event.remedy}")
    return lines


def _watched(event: e.GuardChecked) -> list[str]:
    """The watch of a whole restore speaks only when there is something to fear."""
    if event.status in {"passed", "warned", "not-applicable"}:
        return []
    return [f"WARNING: {event.guard}: {event.evidence}", f"  remedy: {event.remedy}"]


def _plan(event: e.PlanMade) -> list[str]:
    return [f"{event.step}: plan: {event.title}", *(f"{event.step}:   {x}" for x in event.lines)]


def _intended(event: e.StepIntended) -> list[str]:
    again = f" again (attempt {event.attempt})" if event.attempt > 1 else ""
    return [f"{event.step}: begins{again}"]


def _started(event: e.CommandStarted) -> list[str]:
    shown = " ".join(event.command) if event.source == CQL else shlex.join(event.command)
    return [f"{event.step}: {event.source}: runs {shown}"]


def _ended(event: e.CommandEnded) -> list[str]:
    if event.exit_code == 0 and event.seconds < QUICK:
        return []
    return [f"{event.step}: {event.source}: ended with {event.exit_code} after {event.seconds:.1f} s"]


def _failed(event: e.StepFailed) -> list[str]:
    lines = [f"{event.step}: FAILED: {event.problem}", *(f"{event.step}:   {line}" for line in event.evidence)]
    return [*lines, f"{event.step}:   remedy: {event.remedy}"] if event.remedy else lines


def _verified(event: e.StepVerified) -> list[str]:
    how = "proven (it was done already)" if event.found_done else "proven"
    return [f"{event.step}: {how}: {line}" for line in event.evidence] or [f"{event.step}: {how}"]


def _fact(event: e.FactEstablished) -> list[str]:
    if event.name == "export":
        return [f"{event.step}: {event.value['count']:,} pre-images are in {event.value['path']}"]
    if event.name == "removed":
        return [f"{event.step}: {event.value['count']:,} transactions removed, each read again"]
    if isinstance(event.value, dict | list):
        return []
    return [f"{event.step}: {event.name} = {event.value}" + (f" ({event.source})" if event.source else "")]


def _ranges(event: e.RangesRepaired) -> list[str]:
    """Ranges done are counted by the progress; failures are told."""
    if not event.failed:
        return []
    more = f" and {len(event.failed) - RANGES_SHOWN} more" if len(event.failed) > RANGES_SHOWN else ""
    return [f"{event.step}: {event.node}: FAILED for range {', '.join(event.failed[:RANGES_SHOWN])}{more}"]


def _server(event: e.ServerAsked) -> list[str]:
    silent = f"silent for {event.silent_seconds:.0f} s; " if event.silent_seconds else ""
    doing = {True: "still at it", False: "not at it any more", None: "UNKNOWN"}[event.repairing]
    return [f"{event.step}: {event.node}: {silent}the server was asked: {doing}: {event.answer}"]


def _timestamp_server(event: e.TimestampServerSeen) -> list[str]:
    """Who leads and who follows is told by the guards; that it has changed, or is missing, is news."""
    if event.instead_of:
        return [f"timestamp service: {event.server} leads now, instead of {event.instead_of}"]
    if not event.is_new or event.role in {"leads", "follows"}:
        return []
    what = "does not answer" if event.role == "silent" else "refused"
    return [f"timestamp service: {event.server} {what}: {event.note}"]


def _judged(event: e.RepairJudged) -> list[str]:
    return [f"{event.step}: {event.node}: {event.verdict}: {'; '.join(event.reasons)}"]


def _question(event: e.QuestionAsked) -> list[str]:
    asked = f"{event.step}: QUESTION {event.name}: {event.question}"
    return [asked, *(f"{event.step}:   {line}" for line in event.detail)]


def _answer(event: e.AnswerGiven) -> list[str]:
    answer = event.answer if isinstance(event.answer, str) else json.dumps(event.answer)
    return [f"{event.step}: answered ({event.by}): {event.name}: {answer}"]


def _completed(event: e.SessionCompleted) -> list[str]:
    return ["every claim is proven:", *(f"  {line}" for line in dict.fromkeys(event.evidence))]


_WORDS: dict[type[e.Event], Callable[[Any], list[str]]] = {
    e.SessionStarted: lambda ev: [f"session {ev.session}: {ev.procedure} of keyspace {ev.keyspace} ({ev.mode})"],
    e.SessionResumed: lambda ev: [f"session resumed by {ev.operator}@{ev.host}"],
    e.GuardChecked: _guard,
    e.PlanMade: _plan,
    e.GuardOverruled: lambda ev: [f"{ev.step}: {ev.guard} overruled by {ev.by}: {ev.reason}"],
    e.QuestionAsked: _question,
    e.AnswerGiven: _answer,
    e.StepIntended: _intended,
    e.StepPerformed: lambda ev: [f"{ev.step}: performed in {ev.seconds:.1f} s; now proving it"],
    e.StepVerified: _verified,
    e.StepFailed: _failed,
    e.CommandStarted: _started,
    e.CommandEnded: _ended,
    e.LinePrinted: lambda ev: [f"{ev.step}: {ev.source}: | {ev.text}"],
    e.RangesRepaired: _ranges,
    e.ServerAsked: _server,
    e.TimestampServerSeen: _timestamp_server,
    e.RepairStopped: lambda ev: [f"{ev.step}: {ev.node}: STOPPED by the operator. {ev.goes_on}"],
    e.RepairJudged: _judged,
    e.FactEstablished: _fact,
    e.Noted: lambda ev: [f"{ev.step}: {'WARNING: ' if ev.level == 'warning' else ''}{ev.text}"],
    e.ActedInPractice: lambda ev: [f"practice world: {ev.action}: {ev.seen}"],
    e.SessionParked: lambda ev: [f"parked: {ev.reason}"],
    e.SessionCompleted: _completed,
    e.SessionAborted: lambda ev: [f"aborted: {ev.reason}"],
}
