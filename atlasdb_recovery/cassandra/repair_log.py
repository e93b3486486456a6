"""A saved transcript of `nodetool repair`, in whatever encoding it was saved."""

import codecs
import re

from atlasdb_recovery.cassandra.ports import Line

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_TIMED = re.compile(r" *(\d+\.\d+)  (.*)", re.DOTALL)


def lines_in(content: bytes) -> list[Line]:
    """The lines of a transcript, plain or each after its seconds and two blanks. The stream of a line is not known."""
    texts = re.split(r"\r\n|\n|\r", decoded(content))
    first = next((text for text in texts if text.strip()), "")
    if not _TIMED.fullmatch(first):
        return [Line(at=0.0, stream="", text=text) for text in texts]
    timed = [(_TIMED.fullmatch(text), text) for text in texts]
    return [
        Line(at=float(found[1]) if found else 0.0, stream="", text=found[2] if found else text) for found, text in timed
    ]


def decoded(content: bytes) -> str:
    """The text: by its byte order mark, as UTF-16 if every other byte is zero, as UTF-8, else as latin-1."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return content.decode(encoding, errors="replace")
    sample = content[:400]
    if sample and sample[1::2].count(0) > len(sample) // 3:
        return content.decode("utf-16-le", errors="replace")
    if sample and sample[0::2].count(0) > len(sample) // 3:
        return content.decode("utf-16-be", errors="replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")
