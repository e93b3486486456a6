"""A session told in lines: each step under a heading, and what was said once is not said again."""

from collections.abc import Sequence

from atlasdb_recovery.events import (
    CommandStarted,
    Event,
    GuardChecked,
    PlanMade,
    QuestionAsked,
    ServerAsked,
    TimestampServerSeen,
)
from atlasdb_recovery.procedure.step import Step
from atlasdb_recovery.wording import CQL, lines_for

QUIET = {"passed", "not-applicable"}


class Narration:
    """Events of one session to lines. `steps` are those to come, in order: headings say which of how many.

    The first step's guards are told one by one, later ones only where they say something new.
    """

    def __init__(self, steps: Sequence[Step], *, verbose: bool = False) -> None:
        self._verbose = verbose
        self._steps = {step.name: step for step in steps}
        self._heading = ""
        self._guards: dict[str, tuple[str, str]] = {}
        self._unchanged: set[str] = set()
        self._watched = ("", "")
        self._plans: dict[str, PlanMade] = {}
        self._servers: dict[str, ServerAsked] = {}

    def lines_for(self, event: Event) -> list[str]:
        if isinstance(event, GuardChecked):
            return [*self._headed(event), *self._guard(event)]
        if isinstance(event, TimestampServerSeen):
            return lines_for(event)  # whenever it is seen, also between two guards
        return [*self._held(), *self._headed(event), *self._told(event)]

    def _headed(self, event: Event) -> list[str]:
        if event.step in {"", self._heading} or event.step not in self._steps:
            return []
        self._heading = event.step
        step, number = self._steps[event.step], list(self._steps).index(event.step) + 1
        return [f"[{number}/{len(self._steps)}] {step.name}: {step.title}", f"      {step.why}"]

    def _guard(self, event: GuardChecked) -> list[str]:
        if not event.step:
            before, self._watched = self._watched, (event.status, event.evidence)
            return [] if before == self._watched else lines_for(event)
        said, now = self._guards.get(event.guard), (event.status, event.evidence)
        self._guards[event.guard] = now
        is_news = said is None or (said != now and event.status not in QUIET) or (said[0] not in QUIET and said != now)
        if is_news or self._verbose:
            return lines_for(event)
        if event.status in QUIET:
            self._unchanged.add(event.guard)
        elif event.status == "warned":
            self._unchanged.add(f"{event.guard} (warned as before)")
        return []

    def _held(self) -> list[str]:
        held, self._unchanged = self._unchanged, set()
        return [f"{self._heading}: ok       {', '.join(sorted(held))}"] if held else []

    def _told(self, event: Event) -> list[str]:
        if isinstance(event, PlanMade):
            before, self._plans[event.step] = self._plans.get(event.step), event
            if before is not None and before.fingerprint == event.fingerprint:
                return []
            changed = [f"{event.step}: the plan has CHANGED since it was shown"] if before is not None else []
            return [*changed, *lines_for(event)]
        if isinstance(event, ServerAsked) and not self._is_news_of_server(event):
            return []
        if isinstance(event, CommandStarted) and event.source == CQL and not self._verbose:
            return []  # the plan has shown the statements
        if isinstance(event, QuestionAsked):
            plan = self._plans.get(event.step)
            shown = plan is not None and plan.lines == event.detail
            return lines_for(event) if not shown else lines_for(event)[:1]
        return lines_for(event)

    def _is_news_of_server(self, event: ServerAsked) -> bool:
        """A silent node is asked every half minute; that it is still at it is told after half a minute, one, two, …"""
        before = self._servers.get(event.node)
        is_new = before is None or before.repairing is not event.repairing
        if not is_new and before is not None:
            is_new = not before.silent_seconds <= event.silent_seconds < 2 * before.silent_seconds - 1
        if is_new:
            self._servers[event.node] = event
        return is_new
