"""How a nodetool command ends, and the texts that all its verbs share."""

from collections.abc import Iterable, Sequence

import msgspec

SEE_HELP = "See 'nodetool help' or 'nodetool help <command>'."


class Answer(msgspec.Struct, frozen=True):
    """What a command prints and its exit code."""

    stdout: tuple[str, ...] = ()
    stderr: tuple[str, ...] = ()
    exit_code: int = 0


def said(*lines: str) -> Answer:
    return Answer(stdout=lines)


def wrong_usage(message: str, *before: str) -> Answer:
    """`nodetool: …`, exit code 1: what nodetool refuses itself."""
    return Answer(stdout=(*before, f"nodetool: {message}", SEE_HELP), exit_code=1)


def unexpected(arguments: Iterable[str]) -> Answer:
    return wrong_usage(f"Found unexpected parameters: [{', '.join(arguments)}]")


def refused(message: str, java_exception: str, *before: str) -> Answer:
    """`error: …` with a stack trace, exit code 2: what the server refuses."""
    return Answer(stdout=before, stderr=traced(message, java_exception), exit_code=2)


def traced(message: str, java_exception: str) -> tuple[str, ...]:
    trace = (
        f"-- StackTrace --\n{java_exception}: {message}\n\tat org.apache.cassandra.tools.NodeTool.main(NodeTool.java)"
    )
    return (*f"error: {message}\n{trace}".split("\n"), "")


def not_reachable(address: str, port: int) -> Answer:
    refusal = f"nodetool: Failed to connect to '{address}:{port}' - ConnectException: 'Connection refused'."
    return Answer(stderr=(refusal,), exit_code=1)


def table_of(rows: Sequence[Sequence[str]], gap: str = " ") -> list[str]:
    """`org.apache.cassandra.tools.nodetool.formatter.TableBuilder`: every column as wide as its widest field."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return [gap.join(field.ljust(width) for field, width in zip(row, widths, strict=True)) for row in rows]


def binary_size(size: int, *, dialect_2_2: bool) -> str:
    """As `FileUtils.stringifyFileSize`: `927.05 KB` on 2.2, `1.45 KiB` later."""
    units = ("KB", "MB", "GB") if dialect_2_2 else ("KiB", "MiB", "GiB")
    if size < 1024:
        return f"{size} bytes"
    power = 1 if size < 1024**2 else 2 if size < 1024**3 else 3
    return f"{size / 1024**power:.2f}".rstrip("0").rstrip(".") + f" {units[power - 1]}"
