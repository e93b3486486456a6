"""The report as text: what it looks like, and that foreign text can neither break nor disguise it."""

import errno
import os
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from syrupy.assertion import SnapshotAssertion

from atlasdb_recovery.events import (
    AnswerGiven,
    CommandStarted,
    Event,
    FactEstablished,
    GuardChecked,
    GuardOverruled,
    Noted,
    PlanMade,
    QuestionAsked,
    RepairJudged,
    SessionParked,
    SessionResumed,
    SessionStarted,
    StepFailed,
    StepIntended,
    TimestampServerSeen,
)
from atlasdb_recovery.foreign import plain
from atlasdb_recovery.journal.record import MemoryJournal, Record
from atlasdb_recovery.journal.report import Format, ReportUnwritable, html, markdown, write
from tests.journal.report import stories

HOSTILE = [
    "\x1b[2J\x1b[31mred\x07",
    "<script>alert(1)</script><img src=x onerror=y>",
    "</code></pre></section></style>--><h1>Restore complete",
    "&lt;b&gt; &amp;",
    "`code` ``` ```` **bold** _em_ ~~gone~~ [link](http://x) ![i](y) <http://x>",
    "```",
    "`````",
    "~~~",
    "| a | b |",
    "# Restore complete",
    "- item",
    "1. item",
    "> quote",
    "---",
    "===",
    "```\nfence\n```",
    "a\n\n# Restore complete\n\n",
    "\\",
    "\\`",
    "{{ 7 * 7 }}{% raw %}",
    "\u202egnp.exe\u200b",
    "    indented",
    "<!--",
    "]]>",
    "www.example.com a@b.c https://x.y",
    "[x]: http://y",
    "$x$",
    "\"'",
]


def told_with(text: str) -> list[Record]:
    """A session in which every free text is this one."""
    began = SessionStarted(
        session=stories.SESSION,
        procedure="restore",
        keyspace=text,
        mode="LIVE",
        version=text,
        operator=text,
        host=text,
        process=1,
        settings={text: text},
    )
    findings = {"count": 3, "by_schema": {text: 3}, "scanned": {text: 9}, "first_commit": text, "last_commit": text}
    events: list[Event] = [
        began,
        GuardChecked(step="preflight", guard=text, status="warned", evidence=text, remedy=text),
        GuardChecked(step="preflight", guard="B", status="blocked", evidence=text, remedy=text),
        GuardOverruled(step="preflight", guard="B", reason=text, by=text),
        PlanMade(step="repair", title=text, lines=(text, text), fingerprint=text),
        StepIntended(step="repair", fingerprint=text, attempt=1),
        CommandStarted(step="repair", source=text, command=(text, text)),
        RepairJudged(step="repair", node=text, tables=(text,), verdict="unknown", reasons=(text,), ranges=(text,)),
        StepFailed(step="repair", problem=text, evidence=(text,), remedy=text),
        QuestionAsked(step="repair", name="q", question=text, phrase=text),
        AnswerGiven(step="repair", name="q", answer=text, by=text),
        FactEstablished(name="backup-timestamp", value=text),
        FactEstablished(name="fast-forward-timestamp", value=[text]),
        FactEstablished(name="cluster-identity", value={"cluster_name": text, "partitioner": "p", "nodes": {}}),
        FactEstablished(name="findings", value=findings),
        FactEstablished(name="export", value={"path": text, "digest": text, "count": 3}),
        FactEstablished(name="fast-forwarded", value={"before": text, "reached": text}),
        Noted(level="warning", text=text),
        Noted(level="note", text=text),
        SessionParked(reason=text),
        SessionResumed(operator=text, host=text, process=2, lock_taken_from=text),
    ]
    journal = MemoryJournal(clock=lambda: stories.BEGAN)
    for event in events:
        journal.append(event)
    return list(journal.records())


class Page(HTMLParser):
    """What a browser makes of the report: its tags and attributes in order, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))

    def handle_endtag(self, tag: str) -> None:
        self.tags.append((f"/{tag}", ()))

    def handle_comment(self, data: str) -> None:
        self.tags.append(("comment", ()))

    def handle_data(self, data: str) -> None:
        self.text += data


def marks(tokens: list[Token]) -> list[str]:
    """The structure of a Markdown document: every mark but text."""
    found: list[str] = []
    for token in tokens:
        if token.type not in {"text", "text_special"}:
            found.append(token.type)
        found += marks(token.children or [])
    return found


def markdown_text(tokens: list[Token]) -> str:
    return " ".join(token.content if not token.children else markdown_text(token.children) for token in tokens)


def parsed(text: str) -> list[Token]:
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)


def assert_intact(text: str) -> None:
    page, document = Page(html(told_with(text))), parsed(markdown(told_with(text)))
    assert page.tags == Page(html(told_with("word"))).tags
    assert marks(document) == marks(parsed(markdown(told_with("word"))))
    for report in (html(told_with(text)), markdown(told_with(text))):
        assert not [c for c in report if c != "\n" and not c.isprintable()]
    shown = plain(text).strip()
    assert page.text.count(shown) >= 20
    assert markdown_text(document).count(shown) >= 20


@pytest.mark.parametrize("name", stories.STORIES)
def test_markdown(name: str, snapshot: SnapshotAssertion) -> None:
    assert markdown(stories.STORIES[name]()) == snapshot


@pytest.mark.parametrize("name", ["successful", "practice", "parked", "failed", "overruled"])
def test_html(name: str, snapshot: SnapshotAssertion) -> None:
    text = html(stories.STORIES[name]())
    start, end = text.index("<style>"), text.index("</style>")
    assert text[:start] + text[end:] == snapshot


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_and_changes_nothing(text: str) -> None:
    assert_intact(text)


@given(st.text(st.sampled_from("`*_{}[]()#+-.!|<>~&\\ \n\tab1$@:/=\"'\x1b\u202e"), min_size=1, max_size=12))
@settings(max_examples=60, deadline=None)
def test_any_text_is_shown_and_changes_nothing(text: str) -> None:
    assert_intact(f"a{text}b")


def test_huge_text_is_cut_and_says_so() -> None:
    assert len(told_with("x" * 300_000)) == 21
    for report in (html(told_with("x" * 300_000)), markdown(told_with("x" * 300_000))):
        assert len(report) < 1_000_000
        assert "290000 more characters" in report


def test_a_failover_of_the_timestamp_service_is_told_once_and_what_went_on_as_before_is_not() -> None:
    seen = [
        TimestampServerSeen(step="fast-forward", server="https://t-1", role="leads"),
        TimestampServerSeen(step="fast-forward", server="https://t-1", role="silent", note="no answer for 5 s"),
        TimestampServerSeen(step="fast-forward", server="https://t-2", role="leads", instead_of="https://t-1"),
        TimestampServerSeen(step="fast-forward", server="https://t-1", role="silent", is_new=False),
        TimestampServerSeen(step="fast-forward", server="https://t-2", role="leads", is_new=False),
    ]
    text = markdown_text(parsed(markdown(stories.recorded(stories.started(), iter([(1.0, event) for event in seen])))))
    assert text.count("The timestamp service failed over: https://t-2 leads instead of https://t-1.") == 1
    assert text.count("Timestamp server https://t-1: silent: no answer for 5 s") == 1
    assert text.count("https://t-1: silent") == 1


def test_a_plan_of_many_lines_is_cut_and_says_so() -> None:
    lines = tuple(f"remove {n}" for n in range(50_000))
    records = stories.recorded(stories.started(), stories.act("clean-transactions", "remove", lines))
    for report in (html(records), markdown(records)):
        assert "remove 199" in report
        assert "remove 200" not in report
        assert "and 49,800 more, in the journal" in report


def test_the_page_needs_nothing_from_anywhere_and_runs_nothing() -> None:
    text = html(stories.resumed())
    names = {name for _, attributes in Page(text).tags for name in attributes}
    assert not names & {"src", "href", "xlink:href", "srcset", "action", "style"}
    assert not [name for name in names if name.startswith("on")]
    assert not [tag for tag, _ in Page(text).tags if tag in {"script", "link", "iframe", "object", "base"}]
    assert "http://" not in text
    assert "https://" not in text
    assert "@import" not in text
    assert "default-src &#39;none&#39;" in text or "default-src 'none'" in text


def test_every_tag_is_closed_in_order() -> None:
    open_tags: list[str] = []
    void = {"meta", "br", "line", "rect", "circle"}
    for tag, _ in Page(html(stories.resumed())).tags:
        if tag.startswith("/"):
            if tag[1:] not in void:
                assert open_tags.pop() == tag[1:]
        elif tag not in void:
            open_tags.append(tag)
    assert open_tags == []


@pytest.mark.parametrize("format", ["md", "html"])
def test_a_report_is_written_whole_and_for_its_owner(tmp_path: Path, format: Format) -> None:
    path = tmp_path / "report"
    path.write_text("the one before")
    write(stories.successful(), path, format)
    assert path.read_text() == (html if format == "html" else markdown)(stories.successful())
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_report_that_cannot_be_written_leaves_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report"
    path.write_text("the one before")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ReportUnwritable, match="No space left.*journal is untouched"):
        write(stories.successful(), path, "md")
    assert [(p, p.read_text()) for p in tmp_path.iterdir()] == [(path, "the one before")]


def test_a_missing_directory_is_said(tmp_path: Path) -> None:
    with pytest.raises(ReportUnwritable, match="No such file or directory"):
        write(stories.successful(), tmp_path / "nowhere" / "report", "html")
