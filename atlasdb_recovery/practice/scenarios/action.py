"""Something that an operator could do in another window while a restore is under way."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from atlasdb_recovery.procedure.step import Danger


@dataclass(frozen=True)
class Action:
    """One thing that can be done to the practice world, right or wrong."""

    key: str
    name: str
    """As a menu offers it."""
    stands_for: str
    """What it would be in life, in one sentence."""
    perform: Callable[[], Awaitable[str]]
    """Does it, and says what is seen afterwards."""
    lesson: str = ""
    """Why it was no help here, for the debrief; "" where it helps or does no harm."""
    danger: Danger = Danger.CHANGES
    """What it would do in life: what DESTROYS is asked about once more."""
