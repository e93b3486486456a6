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

MOVING = "Arrows, PgUp, PgDn, Home and End move in what has the focus, Tab goes to the next, Enter chooses."


def help_text(screen: Screen[object], leaving: Leaving) -> Text:
    """For the screen that is shown; what is said of steps and of leaving belongs to a step's screen alone."""
    why = f"{screen.step.step.why}\n\n" if isinstance(screen, StepScreen) else ""
    text = Text(f"{why}{' '.join((screen.HELP or '').split())}\n\n")
    if isinstance(screen, StepScreen):
        text.append(f"{STEPS} {leaving.help}\n\n", style="dim")
    for keys, help_ in _keys(screen).items():
        text.append(f"{keys:14}", style="bold")
        text.append(f"{help_}\n")
    text.append(f"\n{MOVING}", style="dim")
    return text


def _keys(screen: Screen[object]) -> dict[str, str]:
    """The screen's own keys, in the keymap's order."""
    bound = {entry.binding.id for entry in screen.active_bindings.values()}
    return {shown(key.keys): key.help for key in KEYMAP if identity(key) in bound}
