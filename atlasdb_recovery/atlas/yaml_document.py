"""A YAML document whose every part knows where it stands, so that an error can name file, line and column.

Read with PyYAML's safe loader. Only the parts that are looked at are judged: a service's file may hold
anything outside of its AtlasDB block.
"""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Self

import msgspec
import yaml

from atlasdb_recovery.foreign import masked, plain

LARGEST = 10 * 1024 * 1024
"""Bytes. No configuration is larger; something else was named by mistake."""

DEEPEST = 50
MOST_VALUES = 1_000_000
"""Once every alias is written out."""

_NULL = "tag:yaml.org,2002:null"
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")


class ConfigurationError(Exception):
    """A file says something that cannot be used: what and where it is, and what to do about it.

    `key` is the setting that it is about, dotted, where it is about one.
    """

    key = ""

    def __init__(self, what: str, remedy: str, *, file: str = "", line: int | None = None, column: int | None = None):
        self.file, self.line, self.column, self.what, self.remedy = plain(file), line, column, plain(what), remedy
        place = ":".join(str(part) for part in (self.file or None, line, column) if part is not None)
        super().__init__(f"{place}: {self.what}. {remedy}" if place else f"{self.what}. {remedy}")

    def without(self, secrets: Iterable[str]) -> Self:
        """The same error with every one of these texts replaced by ***."""
        words = (masked(text, secrets) for text in (self.what, self.remedy, self.file))
        what, remedy, file = words
        error = type(self)(what, remedy, file=file, line=self.line, column=self.column)
        error.key = self.key
        return error


def expanded(path: str | Path, error: Callable[[str, str], ConfigurationError] = ConfigurationError) -> Path:
    """With its ~ as a directory. Where that names no user, raises what `error` makes of problem and remedy."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise error("~ names no user of this machine", "Write the path from / on.") from None


class Part(msgspec.Struct, frozen=True):
    """One node of a document. `path` are the keys and list positions that lead to it."""

    node: yaml.Node
    file: str
    path: tuple[str, ...] = ()

    @property
    def line(self) -> int:
        return int(self.node.start_mark.line) + 1

    @property
    def column(self) -> int:
        return int(self.node.start_mark.column) + 1

    @property
    def name(self) -> str:
        """The path in words: `/atlasdb/keyValueService`, or "the document"."""
        return "/" + "/".join(self.path) if self.path else "the document"

    @property
    def is_null(self) -> bool:
        return isinstance(self.node, yaml.ScalarNode) and self.node.tag == _NULL

    @property
    def is_mapping(self) -> bool:
        return isinstance(self.node, yaml.MappingNode)

    @property
    def is_list(self) -> bool:
        return isinstance(self.node, yaml.SequenceNode)

    @property
    def kind(self) -> str:
        if self.is_null:
            return "empty"
        return "a mapping" if self.is_mapping else "a list" if self.is_list else "a single value"

    def error(self, what: str, remedy: str) -> ConfigurationError:
        return ConfigurationError(what, remedy, file=self.file, line=self.line, column=self.column)

    def mapping(self) -> dict[str, Self]:
        """Its entries by key. Raises ConfigurationError if it is no mapping, or a key stands there twice."""
        if not isinstance(self.node, yaml.MappingNode):
            raise self.error(f"{self.name} is {self.kind}, not a mapping", "Write it as `key: value` lines.")
        entries: dict[str, Self] = {}
        for key_node, value_node in self.node.value:
            key = self._key(key_node)
            if key in entries:
                first = entries[key].line
                raise self._at(key_node).error(
                    f"{self.name} has the key “{plain(key)}” twice (first on line {first})",
                    "Remove one of them: which of the two counts differs between readers.",
                )
            entries[key] = type(self)(value_node, self.file, (*self.path, key))
        return entries

    def entry(self, *names: str) -> Self | None:
        """The entry under this key, or under one of its aliases; None if absent or empty (null)."""
        entries = self.mapping()
        found = [entries[name] for name in names if name in entries]
        if len(found) > 1:
            raise found[1].error(
                f"{self.name} gives “{names[0]}” under two spellings: {', '.join(f.path[-1] for f in found)}",
                "Keep one of them.",
            )
        return found[0] if found and not found[0].is_null else None

    def required(self, *names: str) -> Self:
        found = self.entry(*names)
        if found is None:
            raise self.error(f"{self.name} has no “{names[0]}”", f"Add `{names[0]}:` to it.")
        return found

    def items(self) -> list[Self]:
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.error(f"{self.name} is {self.kind}, not a list", "Write it as a list: one `- value` a line.")
        return [
            type(self)(node, self.file, (*self.path, str(position))) for position, node in enumerate(self.node.value)
        ]

    def text(self) -> str:
        """A single value as it is written, without quotes. Encrypted values are refused."""
        if not isinstance(self.node, yaml.ScalarNode) or self.is_null:
            raise self.error(f"{self.name} is {self.kind}, not a single value", "Write one value.")
        value = str(self.node.value)
        if "${enc:" in value:
            raise self.error(
                f"{self.name} holds an encrypted value (${{enc:…}}), which this program cannot decrypt",
                "Nothing was sent to any server. Give the plain value instead: credentials as `cql.username` and"
                ' `cql.password: "${NAME}"` in recovery.yml, anything else in a private copy of this file.',
            )
        return value

    def integer(self, lowest: int, highest: int) -> int:
        value = self.text()
        if not _INTEGER.fullmatch(value) or len(value) > 20 or not lowest <= int(value) <= highest:
            raise self.error(
                f"{self.name} is not a whole number from {lowest} to {highest}", "Write it in digits, without quotes."
            )
        return int(value)

    def boolean(self) -> bool:
        value = self.text().lower()
        if value not in {"true", "false"}:
            raise self.error(f"{self.name} is neither true nor false", "Write `true` or `false`.")
        return value == "true"

    def raw(self) -> Any:
        """All of it as dictionaries, lists, None, and texts as they are written."""
        if len(self.path) > DEEPEST:
            raise self.error(
                "this is nested too deeply", "An alias that contains itself (`*name`) is the usual reason."
            )
        if self.is_null:
            return None
        if self.is_mapping:
            return {key: part.raw() for key, part in self.mapping().items()}
        return [part.raw() for part in self.items()] if self.is_list else self.text()

    def texts_under(self, key: re.Pattern[str]) -> list[str]:
        """The plain single values under keys like this, however deep, whatever else is wrong with the document."""
        found, seen, waiting = [], set(), [self.node]
        while waiting:
            node = waiting.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            if isinstance(node, yaml.SequenceNode):
                waiting += node.value
            for name, value in node.value if isinstance(node, yaml.MappingNode) else ():
                waiting.append(value)
                if isinstance(value, yaml.ScalarNode) and key.search(str(name.value)) and "${enc:" not in value.value:
                    found.append(str(value.value))
        return [text for text in found if text]

    def _at(self, node: yaml.Node) -> Self:
        return type(self)(node, self.file, self.path)

    def _key(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise self._at(node).error(f"{self.name} has a key that is no single value", "Write keys as plain words.")
        if node.value == "<<" and node.style is None:
            raise self._at(node).error(
                f"{self.name} uses a YAML merge key (<<), which AtlasDB does not read", "Write the merged keys out."
            )
        return str(node.value)


def read(path: Path) -> Part:
    """The document in this file. Raises ConfigurationError."""
    file = str(path)
    try:
        with path.open("rb") as stream:
            content = stream.read(LARGEST + 1)
    except OSError as error:
        remedy = "Check the name, the working directory and who may read it."
        raise ConfigurationError(f"the file cannot be read: {error.strerror}", remedy, file=file) from error
    if len(content) > LARGEST:
        raise ConfigurationError(f"the file is larger than {LARGEST} bytes", "Name a YAML file.", file=file)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigurationError("this is not UTF-8 text", "Save it as UTF-8.", file=file, line=line) from error
    return parse(text, file)


def _size(node: yaml.Node, known: dict[int, int]) -> int:
    """How many values there are in it once every alias is written out; a node that contains itself counts as one."""
    if id(node) not in known:
        known[id(node)] = 1
        below = node.value if not isinstance(node, yaml.ScalarNode) else ()
        known[id(node)] = 1 + sum(
            _size(part, known) for entry in below for part in (entry if isinstance(entry, tuple) else (entry,))
        )
    return known[id(node)]


def parse(text: str, file: str) -> Part:
    """The one document in this text. `file` is what errors call it. Raises ConfigurationError."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        is_too_large = node is not None and _size(node, {}) > MOST_VALUES
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
        words = ", ".join(_without_names(part) for part in (error.context, error.problem) if part)
        raise ConfigurationError(
            f"this is not valid YAML: {words}", _remedy(words), file=file, line=line, column=column
        ) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigurationError(
            "a character stands here that YAML does not allow", "Remove it.", file=file, line=line
        ) from None
    except RecursionError as error:
        raise ConfigurationError("this is nested too deeply", "Name a service's YAML file.", file=file) from error
    if node is None:
        raise ConfigurationError("the file is empty", "Name a file with the configuration in it.", file=file)
    if is_too_large:
        raise ConfigurationError(
            f"written out, its aliases make more than {MOST_VALUES:,} values of it",
            "Write values, not aliases.",
            file=file,
        )
    return Part(node, file)


def _without_names(problem: str) -> str:
    """A value that begins with * or & or ! is read as a name: what is quoted then may be a password."""
    return re.sub(r"'[^']{2,}'|\"[^\"]{2,}\"", "…", problem) if _is_of_a_name(problem) else problem


def _is_of_a_name(problem: str) -> bool:
    return any(word in problem for word in ("alias", "anchor", "tag"))


def _remedy(problem: str) -> str:
    if _is_of_a_name(problem):
        return "A value that begins with *, & or ! has to be quoted."
    if "\\t" in problem:
        return "A tab stands where spaces belong: indent with spaces."
    if "single document" in problem:
        return "Leave only the document that is meant; remove what follows `---`."
    return "Correct it here or just above; unclosed quotes and brackets, and uneven indentation, are the usual reasons."
