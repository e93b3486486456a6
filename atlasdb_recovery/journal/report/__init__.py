"""The report of a session: Markdown, or one HTML file that needs nothing else.

Made from the journal's records alone, at any time, also of a session that is unfinished or whose journal is damaged.
Give it a `JournalReader`, and it also tells whether the journal is whole.
"""

import os
import secrets
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, Literal

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from atlasdb_recovery.foreign import plain
from atlasdb_recovery.journal.chain import Record
from atlasdb_recovery.journal.reader import JournalReader
from atlasdb_recovery.journal.report import words
from atlasdb_recovery.journal.report.repair_picture import repair_picture
from atlasdb_recovery.journal.report.telling import told
from atlasdb_recovery.journal.report.timeline import text_timeline, timeline
from atlasdb_recovery.journal.report.verdict import verdict

Format = Literal["md", "html"]
FORMATS: tuple[Format, ...] = ("md", "html")


class ReportUnwritable(Exception):
    """The report could not be written; the message says where and what to do."""


def markdown(records: Iterable[Record]) -> str:
    """The report as GitHub-flavoured Markdown."""
    return _rendered("report.md.j2", records)


def html(records: Iterable[Record]) -> str:
    """The report as one HTML page: styles and pictures inside, no scripts, nothing loaded from anywhere."""
    return _rendered("report.html.j2", records)


def write(records: Iterable[Record], path: Path, format: Format) -> None:
    """Write the report, whole or not at all; only its owner may read it. Raises ReportUnwritable."""
    text = html(records) if format == "html" else markdown(records)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise ReportUnwritable(
            f"the report cannot be written to {path}: {error.strerror or error}. "
            "The journal is untouched: name another place, or free space, and ask for the report again."
        ) from error


def _rendered(template: str, records: Iterable[Record]) -> str:
    story = told(records)
    return (
        _environment(is_html=template.endswith(".html.j2"))
        .get_template(template)
        .render(
            story=story,
            verdict=verdict(story),
            timeline=timeline(story),
            text_timeline=text_timeline(story),
            repair=repair_picture(story),
        )
    )


def write_beside(journal: Path) -> None:
    """`report.md` and `report.html` beside this journal. Raises as `write`."""
    for form in FORMATS:
        write(JournalReader(journal), journal.with_name(f"report.{form}"), form)


@cache
def _environment(*, is_html: bool) -> Environment:
    """Every text that a template prints is made plain and escaped, without the template having to ask."""
    environment = Environment(
        loader=PackageLoader("atlasdb_recovery.journal.report"),
        autoescape=is_html,  # noqa: S701  Markdown is escaped by its `finalize`
        finalize=_plain if is_html else _markdown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "moment": words.moment,
        "clock": words.clock,
        "duration": words.duration,
        "value": words.value,
        "count": words.count,
        "sentence": words.sentence,
        "shell": words.shell,
        "shortened": words.shortened,
        "block": words.markdown_block,
    }
    return environment


def _plain(value: Any) -> Any:
    return value if isinstance(value, Markup) or not isinstance(value, str) else plain(value)


def _markdown(value: Any) -> Any:
    return value if isinstance(value, words.Verbatim) or not isinstance(value, str) else words.markdown_text(value)
