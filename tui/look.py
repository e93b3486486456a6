"""How this run of the wizard looks: signs and colour, chosen once at the start."""

import os
from collections.abc import Mapping, MutableMapping
from typing import NamedTuple

from textual.theme import Theme

from tui.glyphs import ASCII, UNICODE, Glyphs, wants_ascii

DARK = Theme(
    name="recovery-dark",
    primary="#7aa2f7",
    secondary="#9ab8d8",
    accent="#e0af68",
    warning="#e0af68",
    error="#ff9e64",
    success="#7dcfff",
    background="#101418",
    surface="#161b22",
    panel="#1f2630",
    foreground="#e6edf3",
    dark=True,
)
LIGHT = Theme(
    name="recovery-light",
    primary="#0b57d0",
    secondary="#315a86",
    accent="#8a5300",
    warning="#8a5300",
    error="#b3401a",
    success="#00668a",
    background="#fbfcfe",
    surface="#f1f4f8",
    panel="#e3e8ef",
    foreground="#14181d",
    dark=False,
)
COLORLESS = "ansi-dark"
"""Textual's NO_COLOR is grey true-colour; this theme leaves the terminal's own colours alone."""
FROM_OUTSIDE = ("TEXTUAL_PRESS", "TEXTUAL_SCREENSHOT", "TEXTUAL_SCREENSHOT_LOCATION", "TEXTUAL_DRIVER", "TEXTUAL_DEBUG")
"""Variables that would press keys or change the driver from outside."""
FIXED_SIZE = ("COLUMNS", "LINES")
"""Textual would believe an exported size over the terminal's own, and never see a resize."""


class Look(NamedTuple):
    glyphs: Glyphs
    is_ascii: bool
    has_color: bool
    theme: str

    @classmethod
    def chosen(
        cls,
        *,
        ascii_only: bool = False,
        no_color: bool = False,
        light: bool = False,
        environment: Mapping[str, str] = os.environ,
    ) -> "Look":
        """From flags, then from the environment (NO_COLOR unless it is empty, TERM, the locale)."""
        is_ascii = ascii_only or wants_ascii(environment)
        has_color = not (no_color or environment.get("NO_COLOR"))
        theme = COLORLESS if not has_color else LIGHT.name if light else DARK.name
        return cls(ASCII if is_ascii else UNICODE, is_ascii, has_color, theme)


def prepare_environment(look: Look, environment: MutableMapping[str, str] = os.environ) -> None:
    """Before Textual reads it: nothing from outside presses keys or fixes the size, and an empty NO_COLOR is none."""
    for name in (*FROM_OUTSIDE, *FIXED_SIZE):
        environment.pop(name, None)
    if look.has_color:
        environment.pop("NO_COLOR", None)
    else:
        environment["NO_COLOR"] = "1"
