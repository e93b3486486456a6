"""Figures in few cells, as they stand in a table."""

from datetime import date, datetime

UNITS = "BKMGTPE"
DAY = 86_400


def age(seconds: float) -> str:
    """0:42, 12:03, 1:02:03."""
    whole = max(int(seconds), 0)
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02}"
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def ago(seconds: float) -> str:
    """599 s ago, 12:03 ago, 3 days ago."""
    whole = max(seconds, 0.0)
    if whole < 600:
        return f"{whole:.0f} s ago"
    return f"{age(whole)} ago" if whole < 2 * DAY else f"{whole // DAY:.0f} days ago"


def clock_time(when: datetime, today: date) -> str:
    """10:03:07, and the date before it where that is another day."""
    return f"{when:%H:%M:%S}" if when.date() == today else f"{when:%Y-%m-%d %H:%M:%S}"


def short_age(seconds: float) -> str:
    """0:42, 59:59, 1h45: at most five cells within four days."""
    whole = max(int(seconds), 0)
    return age(whole) if whole < 3600 else f"{whole // 3600}h{whole // 60 % 60:02}"


def size(count: int) -> str:
    """1.2G, 236M: at most four cells, in units of 1024."""
    value = float(count)
    for unit in UNITS:
        if value < 999.5 or unit == UNITS[-1]:
            break
        value /= 1024
    return f"{value:.1f}{unit}" if value < 9.95 and unit != "B" else f"{value:.0f}{unit}"


def rate(each_second: float) -> str:
    """Of things done one by one: by the second, minute or hour, whichever is a readable number."""
    for word, seconds in (("s", 1), ("min", 60), ("h", 3600)):
        if each_second * seconds >= 1:
            return f"{each_second * seconds:,.0f}/{word}"
    return "0/h" if each_second == 0 else "<1/h"


def share(done: int, total: int) -> str:
    """A percentage that says 100% only of the whole, and 0% only of nothing."""
    if total <= 0:
        return ""
    whole = done * 100 // total
    return "<1%" if done and not whole else f"{whole}%"


def counted(count: int, noun: str) -> str:
    """1 node, 2 nodes."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
