"""Proof and report: every claim with its evidence."""

from tui.step_screen import StepScreen


class ProveScreen(StepScreen):
    HELP = """Restore complete appears only when every claim is proven."""
