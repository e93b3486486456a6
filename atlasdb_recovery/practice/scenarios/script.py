"""What a scripted operator does, move by move."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from atlasdb_recovery.procedure.front_end import Choice


class Next(StrEnum):
    """What an operator does once a session has ended without being complete."""

    RESUME = "resume"
    BEGIN_AGAIN = "begin again"
    LEAVE = "leave"


@dataclass(frozen=True)
class Act:
    """An action of the practice world, by its key."""

    key: str


Move = Act | Choice | Next


@dataclass(frozen=True)
class Script:
    """Whenever a decision is wanted, the next moves are made up to one that decides: a Choice while the session runs,
    a Next once it has ended.

    `before` are actions taken, unasked, when the step named is about to begin for the first time.
    """

    moves: tuple[Move, ...] = ()
    before: Mapping[str, tuple[Act, ...]] = field(default_factory=dict)
