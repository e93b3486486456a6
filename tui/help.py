"""What a screen is for and every key it has, made from the keymap."""

from rich.text import Text
from textual.screen import Screen

from tui.keymap import KEYMAP, identity, shown
from tui.step_screen import StepScreen
from tui.workplace import Leaving

STEPS = (
    "The steps stand at the left, in the order of AtlasDB's page. Next (n) is dimmed while it would do nothing; the "
    "line above the keys says why. Nothing is destroyed without words typed for exactly that plan."
)


def help_text(screen: Screen[object], leaving: Leaving) -> Text:
    """For the screen that is shown; what is said of steps and of leaving belongs to a step's screen alone."""
    why = f"{screen.step.step.why}\n\n" if isinstance(screen, StepScreen) else ""
    text = Text(f"{why}{' '.join((screen.HELP or '').split())}\n\n")
    if isinstance(screen, StepScreen):
        text.append(f"{STEPS} {leaving.help}\n\n", style="dim")
    known = {identity(key): key for key in KEYMAP}
    seen = set()
    for binding in (entry.binding for entry in screen.active_bindings.values()):
        label = binding.description
        if not label or label in seen:
            continue
        seen.add(label)
        key = known.get(binding.id or "")
        text.append(f"{shown(binding.key if key is None else key.keys):14}", style="bold")
        text.append(f"{label if key is None else key.help}\n")
    return text
