"""What a real TimeLock (release 0.900.0) was asked and answered, from the transcripts in `timelock-transcripts.zip`."""

import re
import shlex
from pathlib import Path
from typing import NamedTuple
from zipfile import ZipFile

PACKED = Path(__file__).with_name("timelock-transcripts.zip")
_SHORT = r"([A-Z]+) (\S+)\n((?:.*\n)*?)HTTP (\d+) .*\n((?:.+\n)*)\n((?:.*\n)*)"
_HEADER = re.compile(r"([A-Za-z0-9-]+): ?(.*)")


class Exchange(NamedTuple):
    """One request and its answer; header names of both in lower case."""

    title: str
    method: str
    target: str
    headers: dict[str, str]
    sent: bytes
    status: int
    answered: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


def transcript(name: str) -> str:
    with ZipFile(PACKED) as packed:
        return packed.read(name).decode()


def exchanges(name: str) -> list[Exchange]:
    """Of a transcript made with curl, or of one in the short form; those without an answer are left out."""
    sections = re.split(r"^### ", transcript(name), flags=re.MULTILINE)[1:]
    return [found for section in sections for found in _exchanges(section)]


def _exchanges(section: str) -> list[Exchange]:
    title, _, rest = section.partition("\n")
    return _with_curl(title, rest) if rest.startswith("$ curl") else _in_short(title, rest)


def _with_curl(title: str, rest: str) -> list[Exchange]:
    command, _, rest = rest.partition("\n")
    words = shlex.split(command[2:])
    sent = words[words.index("-d") + 1].encode() if "-d" in words else b""
    return [_of_curl(title, part, sent) for part in re.split(r"^(?=> [A-Z]+ /)", rest, flags=re.MULTILINE) if part]


def _of_curl(title: str, part: str, sent: bytes) -> Exchange:
    asked = [line[2:] for line in part.splitlines() if line.startswith("> ") and line != "> "]
    answered = [line[2:] for line in part.splitlines() if line.startswith("< ") and line != "< "]
    body = re.split(r"^\[http_version", part.rpartition("\n< \n")[2], flags=re.MULTILINE)[0]
    method, target, _ = asked[0].split()
    return Exchange(
        title, method, target, _headers(asked[1:]), sent, int(answered[0].split()[1]), _headers(answered[1:]),
        _cut(body, _headers(answered[1:])),
    )  # fmt: skip


def _in_short(title: str, rest: str) -> list[Exchange]:
    found = re.match(_SHORT, rest)
    if found is None:
        return []
    answered = _headers(found[5].splitlines())
    return [
        Exchange(
            title, found[1], found[2], _headers(found[3].splitlines()), b"", int(found[4]), answered,
            _cut(found[6], answered),
        )
    ]  # fmt: skip


def _headers(lines: list[str]) -> dict[str, str]:
    found = (_HEADER.fullmatch(line) for line in lines)
    return {header[1].lower(): header[2] for header in found if header}


def _cut(body: str, headers: dict[str, str]) -> bytes:
    return body.encode()[: int(headers.get("content-length", 0))]
