"""Preflight: every guard side by side, before anything is touched."""

from tui.step_screen import StepScreen


class PreflightScreen(StepScreen):
    HELP = """Everything that later steps need is tried now. What refuses stands on top, with what to do about it.
    Mend it in another window, then press r."""
