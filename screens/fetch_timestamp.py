"""Fetch a fresh timestamp: B before the store is backed up, F after it."""

from tui.step_screen import StepScreen


class FetchTimestampScreen(StepScreen):
    HELP = """A fresh timestamp is asked for and written into a one-line file that AtlasDB's own tool reads too."""
