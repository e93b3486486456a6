"""Seal the backup: B, F, the schema map and checksums go into its manifest."""

from screens.ending import EndingScreen


class SealBackupScreen(EndingScreen):
    HELP = """The manifest is what a restore compares everything with. The verdict stands first, then what you do next,
    and every claim with its evidence. Without B, F and the store's copy there is nothing to restore."""
