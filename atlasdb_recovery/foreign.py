"""Foreign text is data: node output, configuration, error messages, names.

Nothing that came from outside reaches a terminal, a journal or a report before it went through `plain`.
"""

import re
import unicodedata
from collections.abc import Iterable

LONGEST_LINE = 10_000
_HIDDEN = frozenset({"Cf", "Cc", "Co", "Cs", "Mn", "Me", "Mc"})
_JOINING = re.compile(
    "[\u0e33\u0eb3\u1100-\u11ff\u3164\ua960-\ua97f\ud7b0-\ud7ff\uffa0\U0001f1e6-\U0001f1ff\U0001f3fb-\U0001f3ff]"
)
"""Vowels and letters that combine, fillers, halves of flags, colours of skin."""
ANYWHERE_FROM = 4
"""Characters. A shorter secret is part of half the words there are: masking it there would leave nothing to read."""


def plain(text: str, longest: int = LONGEST_LINE) -> str:
    """One line of printable text: control, escape, bidi and zero-width characters become visible \\x escapes.

    So do characters that join their neighbours: terminals disagree on how many cells those take. Longer text is cut,
    and says by how much.
    """
    cut = text[:longest]
    shown = cut if cut.isascii() and cut.isprintable() else "".join(_visible(character) for character in cut)
    return shown if len(text) <= longest else f"{shown}… ({len(text) - longest} more characters)"


def is_plain(character: str) -> bool:
    """Whether it can be shown as it is."""
    return character.isprintable() and unicodedata.category(character) not in _HIDDEN and not _JOINING.match(character)


def _visible(character: str) -> str:
    if character == "\t":
        return "    "
    if is_plain(character):
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def masked(text: str, secrets: Iterable[str]) -> str:
    """The text with every one of these secrets replaced by ***; a very short one only where it stands alone."""
    for secret in sorted({s for s in secrets if s}, key=len, reverse=True):
        if len(secret) >= ANYWHERE_FROM:
            text = text.replace(secret, "***")
        elif secret in text:
            text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", "***", text)
    return text
