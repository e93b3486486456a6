"""The first thing a report says: whether the procedure is complete, and if not, what is unproven and what to do."""

import msgspec

from atlasdb_recovery.journal.report.story import Story
from atlasdb_recovery.journal.report.words import sentence

NEVER_START = "Do not start the service on this keyspace."


class Verdict(msgspec.Struct, frozen=True):
    """`tone`: good | warned | open | bad. `command` resumes the session; "" where there is nothing to resume."""

    tone: str
    headline: str
    sentences: tuple[str, ...]
    unproven: tuple[str, ...] = ()
    command: str = ""


def verdict(story: Story) -> Verdict:
    """Complete only if the session was completed, every step is verified, and the journal is whole."""
    damage = _damage(story)
    complete = story.outcome == "completed" and not story.unproven and bool(story.steps)
    if complete and not damage:
        return _complete(story)
    tone, headline, why = _incomplete(story, damage)
    sentences = [sentence(why[:1].upper() + why[1:])]
    sentences += [f"{g.guard} refuses ({g.status}): {sentence(g.evidence)} {g.remedy}".strip() for g in story.refusals]
    sentences += _overruled(story)
    if story.procedure == "restore" and not story.is_practice:
        sentences.append(NEVER_START)
    return Verdict(
        tone=tone,
        headline=headline,
        sentences=tuple(sentences),
        unproven=tuple(f"{step.page.unproven} ({step.name}: {step.words})" for step in story.unproven),
        command=f"atlasdb-recovery resume {story.session}" if _can_be_resumed(story, damage) else "",
    )


def _complete(story: Story) -> Verdict:
    warned = any(guard.last.status == "warned" for guard in story.guards.values())
    warned = warned or any(remark.level == "warning" for remark in story.remarks)
    headline = f"{_procedure(story)} complete"
    if story.overruled:
        what = "a guard" if len(story.overruled) == 1 else f"{len(story.overruled)} guards"
        why = "Every step is proven, but not everything that should hold before a step did."
        return Verdict("warned", f"{headline}, with {what} overruled", (why, *_overruled(story)))
    if warned:
        return Verdict("warned", f"{headline}, with warnings", ("Every step is proven, but read the warnings below.",))
    return Verdict("good", headline, ("Every step is proven.",))


def _overruled(story: Story) -> list[str]:
    return [f"{one.guard} was overruled: {sentence(one.reason)}" for one in story.overruled.values()]


def _incomplete(story: Story, damage: str) -> tuple[str, str, str]:
    what = f"the {_procedure(story).lower()} is NOT complete"
    if damage:
        return (
            "bad",
            "The journal is damaged: nothing is proven",
            f"{sentence(damage)} What this report says may not be all.",
        )
    if not story.started:
        return "bad", "Nothing is on record", "The journal does not say what was begun, when, or by whom."
    if story.outcome == "completed":
        return "bad", f"Ended, but {what}", "The session was closed while steps were unproven."
    if story.outcome == "aborted":
        return "bad", f"Aborted: {what}", f"It was given up: {story.reason}"
    return _open(story, what)


def _open(story: Story, what: str) -> tuple[str, str, str]:
    failed = [step for step in story.steps.values() if step.status == "failed"]
    if failed:
        step = failed[-1]
        return "bad", f"Failed at {step.name}: {what}", f"{sentence(step.problem)} {step.remedy}".strip()
    if story.outcome == "parked":
        return "open", f"Parked: {what}", f"It was stopped and can go on: {story.reason}"
    if story.refusals:
        return "bad", f"Refused: {what}", "A guard does not let it go on."
    return "open", f"Unfinished: {what}", "The journal ends here. The program is still running, or it was killed."


def _procedure(story: Story) -> str:
    name = story.procedure.capitalize()
    return f"Practice {story.procedure}" if story.is_practice else name


def _damage(story: Story) -> str:
    integrity = story.integrity
    if integrity is None or integrity.is_torn:
        return ""
    return integrity.damage


def _can_be_resumed(story: Story, damage: str) -> bool:
    return bool(story.session) and not damage and story.outcome in {"parked", "unfinished"}
