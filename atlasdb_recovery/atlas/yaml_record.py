"""A YAML mapping read into a msgspec Struct: unknown keys, wrong types and missing variables named with their line."""

import difflib
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from pathlib import Path
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec

from atlasdb_recovery.atlas.yaml_document import ConfigurationError, Part, expanded
from atlasdb_recovery.foreign import plain

_VARIABLE = re.compile(r"\$?\$\{([^}]*)\}?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_REMEDIES = {
    "int": "Write a whole number.",
    "float": "Write a number.",
    "bool": "Write true or false.",
    "str": "Write one value; in quotes if it begins with a bracket or brace.",
    "object": "Write it as indented `key: value` lines.",
    "array": "Write it as a list: one `- value` a line.",
}

S = TypeVar("S", bound=msgspec.Struct)


def substituted(
    text: str,
    environment: Mapping[str, str],
    error: Callable[[str, str], ConfigurationError],
    used: dict[str, str] | None = None,
) -> str:
    """The text with every ${NAME} replaced by that environment variable; `used` is told which. `error` makes errors.

    What stands behind a wrong `${` may be a part of a password, so no error repeats it.
    """

    def variable(match: re.Match[str]) -> str:
        if match[0].startswith("$$"):
            return match[0][1:]
        name = match[1]
        if not match[0].endswith("}") or not _NAME.fullmatch(name):
            raise error("“${” here names no environment variable", "Write ${NAME}; $${ stands for a literal ${.")
        if name not in environment:
            raise error(f"the environment variable {name} is not set", f"Set it (export {name}=…) and start again.")
        if used is not None:
            used[name] = environment[name]
        return environment[name]

    return _VARIABLE.sub(variable, text)


class Values:
    """The values of a file, what is typed over it, and flags (which win): still as text, and where each came from."""

    def __init__(
        self,
        document: Part | None,
        overrides: Mapping[str, Any],
        environment: Mapping[str, str],
        typed: Mapping[str, str] | None = None,
    ) -> None:
        """`typed` is text by dotted key as it would stand in the file; "" takes the key out."""
        self._document = document
        self._typed = frozenset(typed or {})
        self._environment = environment
        self.overridden: frozenset[str] = frozenset()
        self.used: dict[str, str] = {}
        """The environment variables that were put in, by name."""
        raw = document.raw() if document is not None else {}
        if document is not None and not isinstance(raw, dict):
            document.mapping()
        self.values: dict[str, Any] = raw
        for key, text in (typed or {}).items():
            self._set(key, text or None)
        self.values = self._expanded(self.values, ())
        self.overridden = frozenset(key for key, value in overrides.items() if value is not None)
        for key in self.overridden:
            self._set(key, _as_text(overrides[key]))

    def record(self, schema: type[S]) -> S:
        """All of them as this Struct. Raises ConfigurationError."""
        self._refuse_unknown(self.values, schema, ())
        try:
            return msgspec.convert(self.values, schema, strict=False)
        except msgspec.ValidationError as error:
            raise self._explained(str(error), schema) from None

    def error(self, path: tuple[str, ...], what: str, remedy: str) -> ConfigurationError:
        """An error at the nearest place the file has for this path."""
        error = self._placed(path, what, remedy)
        error.key = ".".join(path)
        return error

    def _placed(self, path: tuple[str, ...], what: str, remedy: str) -> ConfigurationError:
        dotted = ".".join(path)
        if _is_of(self.overridden, dotted):
            return ConfigurationError(f"{dotted}, given on the command line: {what}", remedy)
        part = self._document
        if part is None or _is_of(self._typed, dotted):
            return ConfigurationError(f"{dotted}: {what}" if dotted else what, remedy)
        for key in path:
            below = part.mapping().get(key) if part.is_mapping else None
            if below is None:
                break
            part = below
        return part.error(f"{dotted}: {what}" if dotted else what, remedy)

    def _set(self, dotted: str, value: Any) -> None:
        *above, last = dotted.split(".")
        values = self.values
        for depth, key in enumerate(above, start=1):
            if values.get(key) is None:
                values[key] = {}
            values = values[key]
            if not isinstance(values, dict):
                raise self.error(tuple(above[:depth]), "this is no mapping", _REMEDIES["object"])
        values[last] = value

    def _expanded(self, value: Any, path: tuple[str, ...]) -> Any:
        if isinstance(value, dict):
            expanded = {key: self._expanded(below, (*path, key)) for key, below in value.items()}
            return {key: below for key, below in expanded.items() if below is not None}
        if isinstance(value, list):
            return [self._expanded(below, path) for below in value]
        if not isinstance(value, str):
            return value
        return substituted(value, self._environment, partial(self.error, path), self.used)

    def _refuse_unknown(self, values: Any, schema: type[msgspec.Struct], path: tuple[str, ...]) -> None:
        if not isinstance(values, dict):
            return
        known = {field.encode_name: field.type for field in msgspec.structs.fields(schema)}
        for key, below in values.items():
            if key not in known:
                close = difflib.get_close_matches(key, known, 1, cutoff=0.5)
                remedy = f"Did you mean {close[0]}?" if close else f"Known here are {', '.join(known)}."
                raise self.error((*path, key), f"“{plain(key)}” is no setting", remedy)
            for struct in _structs_in(known[key]):
                self._refuse_unknown(below, struct, (*path, key))

    def _explained(self, message: str, schema: type[msgspec.Struct]) -> ConfigurationError:
        problem, _, at = message.partition(" - at `$")
        path = tuple(key for key in at.rstrip("`").replace("[...]", "").split(".") if key)
        expected = re.match(r"Expected `(\w+)", problem)
        missing = re.match(r"Object missing required field `(\w+)`", problem)
        if missing:
            return self.error(path, f"{missing[1]} is missing", f"Add `{missing[1]}:`.")
        kind = _kind_at(schema, path)
        if get_origin(kind) is Literal:
            choices = map(str, get_args(kind))
            return self.error(path, "this is not one of its values", f"Use {' or '.join(choices)}.")
        remedy = _REMEDIES.get(expected[1] if expected else "", "Correct it.")
        return self.error(path, problem, f"{remedy.rstrip('.')}{_bounds(kind)}." if _bounds(kind) else remedy)


def _as_text(value: Any) -> Any:
    """A flag's value as it would stand in the file."""
    if isinstance(value, Mapping):
        return {str(key): _as_text(below) for key, below in value.items()}
    if isinstance(value, list | tuple):
        return [_as_text(below) for below in value]
    if isinstance(value, Path):
        return str(expanded(value).absolute())
    return str(value).lower() if isinstance(value, bool) else str(value)


def _structs_in(annotation: Any) -> Iterator[type[msgspec.Struct]]:
    for kind in get_args(annotation) if get_origin(annotation) in {Union, UnionType} else (annotation,):
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            yield kind


def _is_of(keys: Collection[str], dotted: str) -> bool:
    """Whether it is one of these keys, or below one."""
    return any(f"{dotted}.".startswith(f"{key}.") for key in keys)


def _bounds(kind: Any) -> str:
    """Of an annotated number, in words; "" where it has none."""
    for meta in getattr(kind, "__metadata__", ()):
        if meta.ge is not None and meta.le is not None:
            return f" from {meta.ge} to {meta.le}"
        if meta.gt is not None and meta.le is not None:
            return f" above {meta.gt} and up to {meta.le}"
    return ""


def _kind_at(schema: type[msgspec.Struct], path: tuple[str, ...]) -> Any:
    kind: Any = schema
    for key in path:
        structs = list(_structs_in(kind))
        fields = {field.encode_name: field.type for field in msgspec.structs.fields(structs[0])} if structs else {}
        kind = fields.get(key)
    return kind
