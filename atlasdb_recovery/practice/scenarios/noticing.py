"""How a built-in failure shows: a guard that refuses, a step that fails, a repair that is not proven."""

from atlasdb_recovery.events import Event, GuardChecked, StepFailed
from atlasdb_recovery.procedure.guards.guard import GuardStatus


def refusal(event: Event) -> GuardChecked | None:
    """The event, if it is a guard that does not let a step begin."""
    if isinstance(event, GuardChecked) and event.step and not GuardStatus(event.status).lets_pass:
        return event
    return None


def refuses(event: Event, *guards: str) -> bool:
    found = refusal(event)
    return found is not None and found.guard in guards


def fails(event: Event, step: str) -> bool:
    return isinstance(event, StepFailed) and event.step == step
