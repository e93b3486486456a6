"""What the engine itself lets through as a confirmation of the removal, whichever front-end brings it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from atlasdb_recovery.atlas import transactions
from atlasdb_recovery.cassandra.ports import Cell, Consistency
from atlasdb_recovery.events import AnswerGiven, PlanMade, SessionParked, StepIntended
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.front_end import Answer
from atlasdb_recovery.procedure.runner import Outcome
from atlasdb_recovery.procedure.step import Question
from tests.restore.arena import Arena, ScriptedFrontEnd

CLEAN = "clean-transactions"


@dataclass
class Operator(ScriptedFrontEnd):
    """Types what `typed` makes of the removal's question."""

    typed: Callable[[Question], Any] = lambda question: question.phrase
    by: str = "wizard"

    async def answer(self, question: Question) -> Answer:
        if question.name != CLEAN:
            return await super().answer(question)
        self.questions.append(question)
        return Answer(self.typed(question), self.by)

    def began(self) -> bool:
        return any(isinstance(event, StepIntended) and event.step == CLEAN for event in self.events)


async def test_the_phrase_to_the_letter_removes(arena: Arena) -> None:
    operator = Operator()
    assert await arena.restore(operator) is Outcome.DONE, (operator.refusals(), operator.failures())
    (asked,) = [question for question in operator.questions if question.name == CLEAN]
    count = asked.remove_at_most_needed
    assert count
    assert asked.phrase == f"practice remove {count} from shop on practice"


@pytest.mark.parametrize(
    "changed",
    [
        str.upper,
        str.title,
        lambda phrase: f" {phrase}",
        lambda phrase: f"{phrase} ",
        lambda phrase: phrase.replace(" ", "  ", 1),
        lambda phrase: phrase.removeprefix("practice "),
        lambda phrase: phrase[:-1],
        lambda phrase: "",
        lambda phrase: True,
        lambda phrase: {"remove_at_most": 0},
        lambda phrase: {},
        lambda phrase: {"remove_at_most": True},
        lambda phrase: None,
    ],
)
async def test_anything_else_parks_before_the_step_has_begun(arena: Arena, changed: Callable[[str], Any]) -> None:
    operator = Operator(typed=lambda question: changed(question.phrase))
    assert await arena.restore(operator) is Outcome.PARKED
    assert not operator.began()
    assert not [event for event in operator.events if isinstance(event, AnswerGiven) and event.name == CLEAN]
    (parked,) = [event for event in operator.events if isinstance(event, SessionParked)]
    assert "nothing was done" in parked.reason


async def test_a_live_phrase_is_not_the_practice_one() -> None:
    words = [Context.phrase(_Mode(mode), "remove 3 from shop on prod") for mode in ("LIVE", "PRACTICE")]  # type: ignore[arg-type]
    assert words == ["remove 3 from shop on prod", "practice remove 3 from shop on prod"]


@dataclass
class _Mode:
    mode: str


async def committed_meanwhile(arena: Arena) -> None:
    """One more transaction beyond B appears in `_transactions`."""
    truth, schemas = arena.exercise.writer.truth, arena.exercise.writer.schema_map
    used = {transaction.start for transaction in truth.transactions}
    used |= {transaction.commit for transaction in truth.transactions if transaction.commit is not None}
    start = next(n for n in range(min(used), max(used)) if n not in used and schemas.schema_at(n) == 1)
    value = transactions.value_of(1, start, arena.backup_timestamp + 1)
    cell = Cell(*transactions.locate(1, start), value, int(arena.nodes.seconds_now() * 1_000_000))
    await arena.nodes.cluster.put(arena.exercise.keyspace, transactions.TRANSACTIONS, cell, consistency=Consistency.ALL)


async def test_a_plan_that_changed_while_it_was_confirmed_is_asked_about_again(arena: Arena) -> None:
    class Slow(Operator):
        async def answer(self, question: Question) -> Answer:
            given = await super().answer(question)
            if question.name == CLEAN and sum(q.name == CLEAN for q in self.questions) == 1:
                await committed_meanwhile(arena)
            return given

    operator = Slow()
    assert await arena.restore(operator) is Outcome.DONE, (operator.refusals(), operator.failures())
    first, second = [question for question in operator.questions if question.name == CLEAN]
    assert first.fingerprint != second.fingerprint
    assert (second.remove_at_most_needed or 0) - (first.remove_at_most_needed or 0) == 1
    assert first.phrase != second.phrase
    (intended,) = [event for event in operator.events if isinstance(event, StepIntended) and event.step == CLEAN]
    assert intended.fingerprint == second.fingerprint
    assert (await arena.verdict()).is_right


async def test_the_same_plan_made_twice_has_one_fingerprint(arena: Arena) -> None:
    """Pages come in any order; a confirmation must not be void because of that."""
    operator = Operator()
    assert await arena.restore(operator) is Outcome.DONE
    plans = {event.fingerprint for event in operator.events if isinstance(event, PlanMade) and event.step == CLEAN}
    asked = [question for question in operator.questions if question.name == CLEAN]
    assert (len(plans), len(asked)) == (1, 1)
