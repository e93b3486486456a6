"""Seal the backup: B, F, the schema map and checksums go into its manifest."""

from tui.step_screen import StepScreen


class SealBackupScreen(StepScreen):
    HELP = """The manifest is what a restore compares everything with."""
