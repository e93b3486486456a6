"""AtlasDB's Java command line as it was recorded: `python recorded_atlas_cli.py DIRECTORY WORDS…` replays a transcript.

DIRECTORY holds `transcript.txt`, and what the replay really does: `written` goes to the file that it is told to write,
`moved` becomes the new bound in `bound`. `asked` gets the words of every run. Without `transcript.txt` it hangs.
"""

import sys
import time
from pathlib import Path
from typing import NamedTuple

PACKED = Path(__file__).with_name("java-cli-transcripts.zip")


class Recorded(NamedTuple):
    words: str
    out: str
    err: str
    exit_code: int


def parsed(text: str) -> Recorded:
    first, _, rest = text.partition("\n--- stdout\n")
    out, _, rest = rest.partition("--- stderr\n")
    err, _, rest = rest.partition("--- exit code: ")
    return Recorded(first.removeprefix("$ atlasdb").strip(), out, err, int(rest.split("\n")[0]))


def replay(directory: Path, words: list[str]) -> int:
    with (directory / "asked").open("a") as asked:
        asked.write(" ".join(words) + "\n")
    transcript = directory / "transcript.txt"
    if not transcript.exists():
        time.sleep(600)
    recorded = parsed(transcript.read_text())
    if (written := directory / "written").exists() and "-f" in words:
        Path(words[words.index("-f") + 1]).write_text(written.read_text() + "\n")
    if (moved := directory / "moved").exists():
        (directory / "bound").write_text(moved.read_text())
    sys.stdout.write(recorded.out)
    sys.stderr.write(recorded.err)
    return recorded.exit_code


if __name__ == "__main__":
    sys.exit(replay(Path(sys.argv[1]), sys.argv[2:]))
