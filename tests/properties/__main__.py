"""`python -m tests.properties SEED`: plays one history; where it fails, looks for the simplest that fails likewise."""

import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from tests.properties.history import Chapter, History, of_seed
from tests.properties.play import played

PLAIN_CHAPTER: dict[str, Any] = {
    "schema": None, "down": None, "lossy": None, "loss": 0.0, "late": 0.0, "timeouts": 0.0, "finishes": False
}  # fmt: skip
PLAIN: dict[str, Any] = {
    "two_files": False, "until_copied": 0, "stages_a_request": 0, "at_once": 1, "snapshots": False, "kills": (),
    "in_turns": False,
}  # fmt: skip
PLAIN_RESTORING: dict[str, Any] = {
    "parallel": False, "by_hand": False, "old_ids": False, "elsewhere": False, "hollow": None, "loss": 0.0
}  # fmt: skip


def failure_of(history: History) -> BaseException | None:
    with tempfile.TemporaryDirectory() as directory:
        try:
            played(history, Path(directory))
        except Exception as error:
            return error
    return None


def simpler(history: History) -> Iterator[History]:
    """Histories with one thing less."""
    life, restoring = history.before, history.restoring
    for at in range(len(life)):
        yield replace(history, before=(*life[:at], *life[at + 1 :]))
    for at, chapter in enumerate(life):
        for less in _shorter(chapter):
            yield replace(history, before=(*life[:at], less, *life[at + 1 :]))
    yield from (replace(history, meanwhile=less) for less in _shorter(history.meanwhile))
    yield replace(history, skews=(0.0,) * len(history.skews))
    yield from (replace(history, **{name: value}) for name, value in PLAIN.items())
    for name, value in PLAIN_RESTORING.items():
        yield replace(history, restoring=replace(restoring, **{name: value}))
    for name in ("kills", "troubles"):
        all_of_them = getattr(restoring, name)
        for at in range(len(all_of_them)):
            less_of_them = (*all_of_them[:at], *all_of_them[at + 1 :])
            yield replace(history, restoring=replace(restoring, **{name: less_of_them}))


def _shorter(chapter: Chapter) -> Iterator[Chapter]:
    yield replace(chapter, stages=0)
    yield replace(chapter, stages=chapter.stages // 2)
    yield from (replace(chapter, **{name: value}) for name, value in PLAIN_CHAPTER.items())


def simplest(history: History, failure: BaseException) -> History:
    for less in simpler(history):
        if less != history and type(failure_of(less)) is type(failure):
            return simplest(less, failure)
    return history


def main(seed: int) -> int:
    history = of_seed(seed)
    print(history)
    failure = failure_of(history)
    if failure is None:
        print("It passes.")
        return 0
    traceback.print_exception(failure)
    print("Looking for a simpler one …", flush=True)
    found = simplest(history, failure)
    print(found, failure_of(found), sep="\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
