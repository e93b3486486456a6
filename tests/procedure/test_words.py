"""What counts as the operator's yes."""

import pytest

from atlasdb_recovery.procedure.step import confirmed, says_yes

YES = (
    "yes",
    "Yes, by kim",
    "all stopped, I looked",
    "every instance is down",
    "nothing runs",
    "none running",
    "none of them is running",
    "medusa restored it at 03:10, ticket 4711",
    "snapshot taken on every node",
    "backed up by the nightly job",
    "done",
)
DOUBTS = (
    "no",
    "",
    "   ",
    "maybe stopped",
    "soon done",
    "nobody stopped it",
    "nothing restored",
    "none stopped",
    "one is still down",
    "stopped, one instance running",
    "it isn't down",
    "yes?",
)
TOO_LITTLE = ("nn", "y", "ok", "yesterday", "by hand, ticket 4711")


@pytest.mark.parametrize("words", YES)
def test_a_yes_says_yes(words: str) -> None:
    assert confirmed(words)
    assert says_yes(words)


@pytest.mark.parametrize("words", DOUBTS)
def test_a_doubt_confirms_nothing(words: str) -> None:
    assert not confirmed(words)
    assert not says_yes(words)


@pytest.mark.parametrize("words", TOO_LITTLE)
def test_words_that_only_an_answers_file_may_say(words: str) -> None:
    """A file is written on purpose; at a screen a key is pressed by accident."""
    assert confirmed(words)
    assert not says_yes(words)


@pytest.mark.parametrize("answer", [None, False, 1, {"remove_at_most": 5}])
def test_what_is_no_word_confirms_nothing(answer: object) -> None:
    assert not confirmed(answer)


def test_true_confirms() -> None:
    assert confirmed(True)
