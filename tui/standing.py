"""Where the operator stands: whether Next would act on this screen, and the sentence that says why or why not."""

from collections.abc import Sequence
from typing import NamedTuple

from atlasdb_recovery.events import GuardChecked
from tui.bridge import Failed, Refused, ToAnswer, ToBegin, Waiting
from tui.claims import is_complete
from tui.ending_words import headline
from tui.session_view import SessionView

AT_WORK = {"intended", "performed"}


class Standing(NamedTuple):
    can_advance: bool
    sentence: str


def standing(view: SessionView, waiting: Waiting | None, step: str, *, read_only: bool) -> Standing:
    """For the screen of this step."""
    if ended := _ended(view):
        if view.mode != "PRACTICE":
            return Standing(False, ended)
        is_done = view.state.outcome == "completed"
        return Standing(True, f"{ended}. n goes on from here" if is_done else f"n goes on from here; {ended}")
    current = view.current
    if step != current:
        state = view.status(step)
        return Standing(False, f"this step is {state}; the session is at {current} (f follows it, b goes further back)")
    if read_only:
        again = "" if waiting is None else ". r looks again"
        return Standing(False, f"read-only: everything can be looked at, nothing can be begun{again}")
    return _of(view, waiting, current)


def _of(view: SessionView, waiting: Waiting | None, current: str) -> Standing:
    following = _following(view, current)
    match waiting:
        case ToBegin():
            danger = view.steps[current].step.danger.value
            return Standing(True, f"n begins {current}: it {danger}. Its guards hold. After it: {following}")
        case ToAnswer(question=question):
            return Standing(True, f"n answers: {question.text}")
        case Refused(refusals=refusals):
            return Standing(
                False, f"Next is closed: {_refusal(refusals)}. Nothing was changed. Mend it, then r looks again"
            )
        case Failed():
            return Standing(True, "n tries this step again: what is proven already is not done again. p parks it")
        case None:
            status = view.status(current)
            doing = "is not begun: its guards look"
            if status in AT_WORK:
                doing = "is at work; Next opens when it is proven"
            elif status == "interrupted":
                doing = "was interrupted: what became of it is looked at"
            return Standing(False, f"{current} {doing}. After it: {following}")


def _refusal(refusals: Sequence[GuardChecked]) -> str:
    """Those that saw something wrong by name; the others could not look, often because of it."""
    blocked = [check.guard for check in refusals if check.status == "blocked"]
    unseen = [check.guard for check in refusals if check.status != "blocked"]
    said = [f"{', '.join(blocked)} {'refuses' if len(blocked) == 1 else 'refuse'}"] if blocked else []
    if unseen:
        said.append(f"{', '.join(unseen) if len(unseen) < 3 else f'{len(unseen)} guards'} could not look")
    return ", and ".join(said)


def _following(view: SessionView, current: str) -> str:
    names = list(view.steps)
    at = names.index(current)
    return names[at + 1] if at + 1 < len(names) else "the end"


def _ended(view: SessionView) -> str:
    state = view.state
    if view.stopped:
        return f"stopped: {view.stopped}"
    match state.outcome:
        case "completed":
            return f"{headline(view)}{': every claim is proven' if is_complete(view) else ''}. Ctrl+Q leaves"
        case "parked":
            if view.mode == "PRACTICE":
                return f"parked: {state.reason}"
            return f"parked; go on with: atlasdb-recovery resume {state.session}. {state.reason}"
        case "aborted":
            return f"aborted: {state.reason}"
        case _:
            return ""
