"""What a timestamp service's answers say, read strictly: a number is a timestamp or nothing."""

import re
from typing import TypeVar

import msgspec

from atlasdb_recovery.foreign import plain
from atlasdb_recovery.timestamps.servers import Answer
from atlasdb_recovery.timestamps.service import HIGHEST_TIMESTAMP

_NUMBER = re.compile(rb"[1-9][0-9]{0,18}")

Shape = TypeVar("Shape")


class NotUnderstood(ValueError):
    """The answer is not what such a service sends. Says in words what the server did."""


def timestamp_of(answer: Answer) -> int:
    """A bare JSON number between 1 and 2^63 - 1. Raises NotUnderstood."""
    number = answer.body.strip()
    if not _NUMBER.fullmatch(number) or int(number) > HIGHEST_TIMESTAMP:
        raise NotUnderstood(f"sent “{_shown(number)}”, which is no timestamp")
    return int(number)


def read_as(answer: Answer, shape: type[Shape], what: str) -> Shape:
    """JSON of this shape; unknown fields are let be. Raises NotUnderstood."""
    try:
        return msgspec.json.decode(answer.body, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise NotUnderstood(f"sent “{_shown(answer.body)}”, which is no {what}") from None


def _shown(body: bytes) -> str:
    return plain(body.decode("utf-8", "replace"), 80)
