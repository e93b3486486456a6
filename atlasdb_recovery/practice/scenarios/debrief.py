"""The debrief: what happened, what the operator did, where the time went, what was missed, and the rule behind it.

Computed from the records of the operator's sessions, and from what the scenario did behind the operator's back.
"""

from collections.abc import Sequence

import msgspec

from atlasdb_recovery.events import ActedInPractice
from atlasdb_recovery.journal.record import Record
from atlasdb_recovery.journal.report.words import duration
from atlasdb_recovery.practice.oracle import Verdict
from atlasdb_recovery.practice.scenarios.misses import misses
from atlasdb_recovery.practice.scenarios.retelling import Moment, retold
from atlasdb_recovery.practice.scenarios.scenario import Scenario
from atlasdb_recovery.practice.scenarios.time_spent import TimeSpent, time_spent
from atlasdb_recovery.practice.scenarios.world import Happening


class Debrief(msgspec.Struct, frozen=True):
    """`met` are the moments at which the built-in failure showed; `times` are by step, in the order they were met."""

    title: str
    time: str
    """Whose time all moments and durations are in, in a sentence."""
    built_in: str
    met: tuple[Moment, ...]
    moments: tuple[Moment, ...]
    times: tuple[TimeSpent, ...]
    missed: tuple[str, ...]
    rules: tuple[str, ...]
    judged: str
    is_right: bool | None
    """What the oracle says; None where there was nothing to judge."""

    def lines(self) -> list[str]:
        """All of it, for a terminal or a log."""
        return [
            f"DEBRIEF: {self.title}",
            f"  {self.time}",
            f"What was built in: {self.built_in}",
            "When it showed:" if self.met else "It never showed.",
            *map(_shown, self.met),
            "What happened:",
            *map(_shown, self.moments),
            "Where the time went:",
            *(f"  {t.step}: {duration(t.working)} at work, {duration(t.waiting)} the operator's" for t in self.times),
            "What was missed:" if self.missed else "Nothing was missed.",
            *(f"  {each}" for each in self.missed),
            "The rule behind it:",
            *(f"  {rule}" for rule in self.rules),
            f"ORACLE: {self.judged}",
        ]


def _shown(moment: Moment) -> str:
    return f"  +{duration(moment.after)}  {moment.who}: {moment.what}"


def debriefed(
    scenario: Scenario,
    records: Sequence[Record],
    happenings: Sequence[Happening],
    paged_at: float,
    verdict: Verdict | None,
    not_restored: str = "",
) -> Debrief:
    """`paged_at` is in Unix seconds of the practice world; moments count from it. `not_restored`: why the restore from
    the operator's backup did not end."""
    acted = [record.event for record in records if isinstance(record.event, ActedInPractice)]
    lessons = {action.key: action.lesson for action in scenario.actions() if action.lesson}
    return Debrief(
        title=scenario.title,
        time=scenario.world.nodes.time_described,
        built_in=scenario.built_in,
        met=tuple(retold([r for r in records if scenario.is_met_by(r.event)], (), paged_at)),
        moments=tuple(retold(records, happenings, paged_at)),
        times=tuple(time_spent(records, paged_at)),
        missed=(*misses(records, lessons), *scenario.missed([event.key for event in acted])),
        rules=scenario.rules,
        judged=_judged(verdict, scenario.procedure, not_restored),
        is_right=None if verdict is None else verdict.is_right,
    )


def _judged(verdict: Verdict | None, procedure: str, not_restored: str) -> str:
    if not_restored:
        return f"nothing to judge: the backup is complete, but the restore from it did not end: {not_restored}"
    if procedure == "backup":
        return (
            "nothing to judge: there is no complete backup, and nothing could be restored"
            if verdict is None
            else f"restored from this backup: {verdict.describe()}"
        )
    if verdict is None:
        return "nothing to judge: the restore is not complete, and the service must not be started"
    return verdict.describe()
