"""Fast-forward: no timestamp up to F is ever handed out again."""

from tui.step_screen import StepScreen


class FastForwardScreen(StepScreen):
    HELP = """After a restore the clock has gone back. Until it is past F the service must not be started."""
