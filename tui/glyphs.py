"""The signs of the wizard, each one cell wide, in Unicode and in ASCII. Colour is never their only carrier."""

import locale
import os
from collections.abc import Mapping
from typing import NamedTuple


class Glyphs(NamedTuple):
    """`mark` puts the sign of a status before its word."""

    pending: str
    running: str
    done: str
    warned: str
    failed: str
    passed_over: str
    blocked: str
    unknown: str
    full: str
    empty: str
    rule: str
    arrow: str

    def of(self, status: str) -> str:
        """The sign of a step's, guard's or node's status; the unknown one for a status that has none."""
        name = STATUS.get(status, "unknown")
        return str(getattr(self, name))


STATUS: Mapping[str, str] = {
    "pending": "pending",
    "waiting": "pending",
    "intended": "running",
    "performed": "running",
    "checking": "running",
    "running": "running",
    "verified": "done",
    "passed": "done",
    "repaired": "done",
    "completed": "done",
    "warned": "warned",
    "warning": "warned",
    "failed": "failed",
    "not-repaired": "failed",
    "silent": "warned",
    "interrupted": "warned",
    "proving": "running",
    "blocked": "blocked",
    "stopped": "blocked",
    "overruled": "warned",
    "not-applicable": "passed_over",
    "unknown": "unknown",
    "leads": "done",
    "follows": "pending",
    "led": "warned",
    "refused": "failed",
}

UNICODE = Glyphs("·", "▶", "✓", "▲", "✗", "–", "■", "?", "█", "░", "─", "→")
ASCII = Glyphs(".", ">", "+", "!", "x", "-", "#", "?", "#", ".", "-", "->")


def wants_ascii(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this terminal shows no more than ASCII: the Linux console, or a locale that is not UTF-8."""
    if environment.get("TERM", "") == "linux":
        return True
    encoding = locale.getpreferredencoding(do_setlocale=False) or ""
    return encoding.replace("-", "").lower() != "utf8"
