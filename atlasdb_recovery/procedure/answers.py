"""The answers file of an unattended run: what was decided ahead of time, by the name of the question."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from atlasdb_recovery.atlas import yaml_document
from atlasdb_recovery.atlas.yaml_document import Part
from atlasdb_recovery.procedure.step import Question

REMOVE_AT_MOST = "remove_at_most"
_REMEDY = f"Give true, false, a whole number, a text, or `{{{REMOVE_AT_MOST}: N}}`."


class Answers(Mapping[str, Any]):
    """Question name to bool, int, str, or `{"remove_at_most": int}`. Immutable."""

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        self._values = dict(values or {})

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def remove_at_most(self, name: str) -> int | None:
        """How many removals this answer allows; None if it allows none."""
        answer = self.get(name)
        return int(answer[REMOVE_AT_MOST]) if isinstance(answer, dict) else None


def load(path: Path) -> Answers:
    """Of a YAML mapping. Raises ConfigurationError for anything that is no answer."""
    return Answers({name: _answer(part) for name, part in yaml_document.read(path).mapping().items()})


def _answer(part: Part) -> Any:
    if part.is_mapping:
        return _limit(part)
    if part.is_list or part.is_null:
        raise part.error(f"{part.name} is {part.kind}, which answers no question", _REMEDY)
    kind = str(part.node.tag).rpartition(":")[2]
    if kind == "bool":
        return part.boolean()
    return part.integer(-(2**63), 2**63 - 1) if kind == "int" else part.text()


def _limit(part: Part) -> dict[str, int]:
    entries = part.mapping()
    if set(entries) != {REMOVE_AT_MOST}:
        names = ", ".join(entries) or "nothing"
        raise part.error(f"{part.name} holds {names}, where only {REMOVE_AT_MOST} is known", _REMEDY)
    return {REMOVE_AT_MOST: entries[REMOVE_AT_MOST].integer(0, 2**63 - 1)}


def answer_line(question: Question) -> str:
    """What an answers file would have to hold to answer this question, as one line of YAML."""
    if question.remove_at_most_needed is not None:
        return f"{question.name}: {{remove_at_most: {question.remove_at_most_needed}}}"
    return f"{question.name}: {json.dumps(question.phrase, ensure_ascii=False) if question.phrase else 'true'}"
