"""What an answers file says to a question, and whether that is enough of an answer."""

from typing import Any

from atlasdb_recovery.procedure.answers import Answers, answer_line
from atlasdb_recovery.procedure.front_end import Unanswered
from atlasdb_recovery.procedure.step import Question, confirmed


def foretold(question: Question, answers: Answers) -> Any:
    """The answer. Raises Unanswered, naming what would answer it, where it says no or does not go far enough."""
    value = answers[question.name]
    if value is False:
        raise Unanswered(question, f"the answers file says no to “{question.name}”")
    if question.remove_at_most_needed is not None:
        _require_enough(question, answers)
    elif question.phrase and value != question.phrase:
        raise Unanswered(
            question,
            f"the answers file's “{question.name}” is not what is asked for; it would be:  {answer_line(question)}",
        )
    elif not question.phrase and not confirmed(value):
        raise Unanswered(
            question, f"the answers file's “{question.name}” does not say yes; it would be:  {answer_line(question)}"
        )
    return value


def _require_enough(question: Question, answers: Answers) -> None:
    needed, allowed = question.remove_at_most_needed, answers.remove_at_most(question.name)
    if needed is not None and (allowed is None or allowed < needed):
        shown = "none" if allowed is None else f"{allowed:,}"
        words = f"{needed:,} removals are needed, but the answers file allows {shown}"
        raise Unanswered(question, f"{words}; it would be:  {answer_line(question)}")
