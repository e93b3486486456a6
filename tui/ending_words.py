"""The end of a session in words: whether it is complete, what speaks against it, what to do next, and the claims."""

from rich.text import Text

from atlasdb_recovery.events import GuardChecked
from atlasdb_recovery.procedure import facts
from tui.claims import Claim, claims, is_complete
from tui.look import Look
from tui.session_view import SessionView

PRACTICE = "PRACTICE"
GIVEN_UP = ("parked", "aborted")


def headline(view: SessionView) -> str:
    """`… complete` stands here, and only where every claim of a completed session is proven."""
    state = view.state
    procedure = state.procedure or "session"
    if is_complete(view):
        overruled = len(state.overruled)
        vouched = "" if not overruled else f", with {overruled} guard{'s' * (overruled > 1)} overruled"
        return f"{procedure.capitalize()} complete{vouched}"
    if state.outcome == "completed":
        return f"Ended, but the {procedure} is NOT complete"
    if state.outcome in GIVEN_UP:
        return f"{state.outcome.capitalize()}: the {procedure} is NOT complete"
    return f"Not at its end yet: the {procedure} is NOT complete"


def ending_text(view: SessionView, look: Look) -> Text:
    """What matters first: the verdict, what speaks against it, what to do, where the report lies; then every claim."""
    done = is_complete(view)
    shown = Text()
    sign = look.glyphs.done if done and not view.state.overruled else look.glyphs.warned
    shown.append(f"{sign} {headline(view)}", style="bold reverse" if done else "bold")
    for line in against(view):
        shown.append(f"\n{look.glyphs.warned} {line}", style="bold")
    for line in to_do(view):
        shown.append(f"\n{look.glyphs.arrow} {line}")
    shown.append(f"\n  report: {_report(view)}", style="dim")
    for claim in claims(view):
        shown.append_text(_claimed(claim, look))
    return shown


def against(view: SessionView) -> list[str]:
    """What was overruled, what only warns, and what rests on the operator's word alone."""
    state = view.state
    said = [f"overruled: {guard}: {reason}" for guard, reason in state.overruled.items()]
    said += [f"warned: {check.guard}: {check.evidence}" for check in _warned(view)]
    said += [
        f"on your word: {name}: {'yes' if given.answer is True else given.answer}"
        for name, given in state.answers.items()
        if not given.fingerprint and isinstance(given.answer, str | bool)
    ]
    return said


def to_do(view: SessionView) -> list[str]:
    """The operator's next acts, in their order."""
    state = view.state
    if state.procedure != "restore":
        return _after_backup(view)
    thrift = state.fact(facts.THRIFT_DISABLED) or ()
    if not is_complete(view):
        said = ["do NOT start the service on this keyspace"]
        if thrift:
            said.append(f"Thrift is switched off on {', '.join(thrift)}; on again: nodetool enablethrift")
        return [*said, *_resumed(view)]
    said = [f"start the service: its timestamps begin above F = {state.fact(facts.FAST_FORWARD_TIMESTAMP)}"]
    if thrift:
        said.append(f"Thrift, switched off for the restore, is on again on {', '.join(thrift)}")
    said.append("switch on again whatever else you switched off for the restore")
    if export := (state.fact(facts.EXPORT) or {}).get("path"):
        said.append(f"keep the rows as they were before: {export}")
    return said


def _after_backup(view: SessionView) -> list[str]:
    if not is_complete(view):
        return ["this is no backup yet: nothing can be restored from it", *_resumed(view)]
    return ["copy the backup's directory away from these machines", "practise its restore before you need it"]


def _resumed(view: SessionView) -> list[str]:
    state = view.state
    if state.outcome in {"running", "aborted"} or not state.session or view.mode == PRACTICE:
        return []
    return [f"go on with: atlasdb-recovery resume {state.session}"]


def _warned(view: SessionView) -> list[GuardChecked]:
    """The last word of each guard, where it is a warning."""
    last: dict[str, GuardChecked] = {}
    for step in view.steps:
        last |= view.state.guards.get(step, {})
    return [check for check in last.values() if check.status == "warned"]


def _report(view: SessionView) -> str:
    if view.report is not None:
        return str(view.report)
    return "none was written" if view.state.outcome != "running" else "written when the session ends"


def _claimed(claim: Claim, look: Look) -> Text:
    shown = Text(f"\n{look.glyphs.of(claim.status)} {claim.words}", style="bold" if not claim.is_proven else "")
    for line in claim.evidence:
        shown.append(f"\n    {line}", style="dim")
    return shown
