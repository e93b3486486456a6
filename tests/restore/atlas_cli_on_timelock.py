"""Stands in for AtlasDB's Java command line on TimeLock: `python atlas_cli_on_timelock.py URI NAMESPACE WORDS…`.

It asks TimeLock as the Java one does, and prints what that was recorded to print.
"""

import sys
from pathlib import Path
from urllib.request import Request, urlopen


def post(uri: str) -> str:
    with urlopen(Request(uri, method="POST")) as answer:
        return str(answer.read().decode())


def run(uri: str, namespace: str, words: list[str]) -> None:
    if words == ["help"]:
        print("usage: atlasdb [--offline] <command> [<args>]\n    timestamp    Timestamp-centric commands")
        return
    assert words[:2] == ["--offline", "-c"]
    assert Path(words[2]).name == "install.yml"
    if words[-1] == "fetch":
        fresh = post(f"{uri}/{namespace}/timestamp/fresh-timestamp")
        Path(words[words.index("-f") + 1]).write_text(fresh + "\n")
        print(f"The fresh timestamp is: {fresh}\nTimestamp command completed succesfully.")
        return
    assert words[-1] == "fast-forward"
    target = words[words.index("-t") + 1]
    post(f"{uri}/{namespace}/timestamp-management/fast-forward?currentTimestamp={target}")
    print(f"Timestamp successfully fast-forwarded to {target}")


if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2], sys.argv[3:])
