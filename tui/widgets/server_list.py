"""The servers of the timestamp service: which one leads, which follow, which do not answer, and every failover."""

import time
from collections.abc import Sequence

from rich.text import Text

from atlasdb_recovery.events import TimestampServerSeen
from tui.figures import age, counted
from tui.look import Look
from tui.session_view import SessionView
from tui.widgets.steady_text import SteadyText

ROWS = 5
WORDS = {"led": "led before", "silent": "no answer"}
NONE_LEADS = "NONE is known to lead now"
RANKS = ("leads", "led", "silent", "refused", "follows")
"""Where there is no room for all, those with the most to say stay."""


class ServerList(SteadyText):
    """Hidden where there are no servers to ask: a stored bound, or nobody was asked yet."""

    DEFAULT_CSS = """
    ServerList { height: auto; margin: 0 0 1 0; display: none; }
    ServerList.-shown { display: block; }
    """

    def __init__(self, look: Look) -> None:
        super().__init__(grows=True)
        self._look = look

    def redraw(self, view: SessionView, *, is_brief: bool = False) -> None:
        """`is_brief`: in one line, where something else needs the room."""
        self.set_class(bool(view.state.timestamp_servers), "-shown")
        self.show(brief_text(view) if is_brief else server_text(view, self._look))


def server_text(view: SessionView, look: Look) -> Text:
    """A line for all of them, one for each, and one for the last failover. Empty without servers."""
    servers = list(view.state.timestamp_servers.values())
    if not servers:
        return Text("")
    shown = _together(servers, view)
    for seen in _most(servers):
        since = age(time.monotonic() - view.servers_at.get(seen.server, time.monotonic()))
        style = "bold" if seen.role != "follows" else ""
        shown.append(f"\n{look.glyphs.of(seen.role)} {WORDS.get(seen.role, seen.role):10}", style=style)
        shown.append(f" {seen.server}", style=style)
        if seen.note and seen.role in {"silent", "refused"}:
            shown.append(f": {seen.note}")
        shown.append(f"  asked {since} ago", style="dim")
    if len(servers) > ROWS:
        shown.append(f"\n  and {len(servers) - ROWS} more", style="dim")
    if view.state.failovers:
        shown.append_text(_failover(view, look))
    return shown


def brief_text(view: SessionView) -> Text:
    """One line: how many servers, how many failovers, and who leads."""
    servers = list(view.state.timestamp_servers.values())
    if not servers:
        return Text("")
    leading = next((f"{seen.server} leads" for seen in servers if seen.role == "leads"), NONE_LEADS)
    return Text(f"{counted(len(servers), 'timestamp server')}{_failovers(view)}; {leading}")


def _together(servers: Sequence[TimestampServerSeen], view: SessionView) -> Text:
    shown = Text.assemble((f"timestamp service: {counted(len(servers), 'server')}{_failovers(view)}", "bold"))
    if not any(seen.role == "leads" for seen in servers):
        shown.append(f"; {NONE_LEADS}", style="bold")
    return shown


def _failovers(view: SessionView) -> str:
    count = len(view.state.failovers)
    return f", {counted(count, 'failover')}" if count else ""


def _most(servers: Sequence[TimestampServerSeen]) -> Sequence[TimestampServerSeen]:
    """In their own order as long as all have room."""
    if len(servers) <= ROWS:
        return servers
    return sorted(servers, key=lambda seen: RANKS.index(seen.role))[:ROWS]


def _failover(view: SessionView, look: Look) -> Text:
    last = view.state.failovers[-1]
    since = age(time.monotonic() - view.failover_at)
    return Text(
        f"\n{look.glyphs.warned} failover {since} ago: {last.server} instead of {last.instead_of}", style="bold"
    )
