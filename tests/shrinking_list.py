"""Lists of what is not wanted and still there: a test compares them with the code, and they only shrink.

A list is a text file, a line for each place: what was found, and how often. `# ` begins a comment.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path


def read_list(file: Path) -> Counter[str]:
    """What a list allows: how often each place may be found."""
    lines = file.read_text(encoding="utf-8").splitlines()
    entries = [line.rpartition(" ") for line in lines if line and not line.startswith("#")]
    return Counter({place: int(count) for place, _, count in entries})


def assert_only_shrinks(found: Counter[str], file: Path, *, instead: str) -> None:
    """Fail if the code has more of something than its list allows, or if the list allows more than there is.

    `instead`: what to do rather than add a line.
    """
    allowed = read_list(file)
    added = [f"{place} {count} (the list has {allowed[place]})" for place, count in (found - allowed).items()]
    assert not added, f"new places that {file.name} does not have; {instead}:\n" + "\n".join(sorted(added))
    gone = [f"{place} {found[place]} (the list has {allowed[place]})" for place in allowed - found]
    assert not gone, (
        f"fewer places than {file.name} has: write the lower number, or no line for 0:\n"
        + "\n".join(sorted(gone))
    )


def write_list(found: Counter[str], file: Path) -> None:
    """Let a list allow just what was found, under the comments it begins with: after code has moved."""
    head = [line for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    lines = [f"{place} {count}" for place, count in sorted(found.items())]
    file.write_text("\n".join([*head, *lines]) + "\n", encoding="utf-8")
