"""Pages are whole: links lead somewhere, indexes are complete, drawings equal the settings they draw."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"\]\(([^)\s]+)\)")
TEXT = {".md", ".yaml", ".yml", ".toml", ".py", ".ipynb", ".service", ".sh", ".proto", ""}
FOLDERS = ("docs", "parties", "configs", "notebooks", "saferoom", "scripts", "protos", "tests")
FORBIDDEN = {
    "a path of somebody's machine": re.compile(r"(?<![\w.$}])/(?:wo" r"rk|home/\w+|Users/\w+|root)/"),
    "an issue's number": re.compile(r"\b[Ii]ssue #\d"),
    "unfinished text": re.compile(r"\b(?:TO" r"DO|FIX" r"ME|DEMO-" r"OUTPUT)\b"),
}


def _anchors(page: Path) -> set[str]:
    """The names GitHub gives to headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def _broken(page: Path) -> Iterator[str]:
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if link.startswith(("http://", "https://")):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists():
            yield f"{page.name}: {link} is not there"
        elif anchor and anchor not in _anchors(target):
            yield f"{page.name}: {link} has no such heading"


def test_links_lead_somewhere(documents: list[Path]) -> None:
    assert [problem for page in documents for problem in _broken(page)] == []


def test_pages_that_code_points_to_are_there() -> None:
    sources = [path for room in ("saferoom", "protos", "scripts") for path in (ROOT / room).rglob("*")]
    named = {
        page
        for path in sources
        if path.suffix in (".py", ".proto", ".j2")
        for page in re.findall(r"\bdocs/[\w/.-]+\.md\b", path.read_text(encoding="utf-8"))
    }
    assert "docs/contracts.md" in named
    assert [page for page in sorted(named) if not (ROOT / page).exists()] == []


def _project_files() -> Iterator[Path]:
    loose = (path for path in ROOT.iterdir() if path.is_file() and path.suffix in TEXT)
    yield from (path for path in loose if path.name != ".git")  # a file, in a second work tree
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and path.suffix in TEXT and "__pycache__" not in path.parts:
                yield path


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_mentions(what: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in _project_files()
        for match in FORBIDDEN[what].finditer(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert found == []


def test_layers_are_drawn_as_they_are(fenced: Callable[..., list[str]]) -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract["type"] == "layers")
    (drawn,) = fenced((ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"), "layers")
    assert drawn.split("\n")[:-1] == layers


def test_every_room_is_explained() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = page.partition("## A row")[0]
    rooms = {path.parent.name for path in (ROOT / "saferoom").glob("*/__init__.py")}
    cells = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    named = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    assert rooms | {"arrays", "ed25519", "environment", "errors", "ids"} == named


def test_files_named_in_architecture_are_there() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w/.-]+\.py)`", page)) - {"kind.py", "task.py", "node.py"}
    bases = [ROOT, ROOT / "saferoom", *(path for path in (ROOT / "saferoom").rglob("*") if path.is_dir())]
    assert len(named) > 25
    assert [name for name in sorted(named) if not any((base / name).exists() for base in bases)] == []


@pytest.mark.parametrize("folder", ["adr", "protocols"])
def test_indexes_are_complete(folder: str) -> None:
    index = ROOT / "docs" / folder / "README.md"
    listed = set(LINK.findall(index.read_text(encoding="utf-8")))
    there = {path.name for path in index.parent.glob("*.md")} - {"README.md"}
    assert {link for link in listed if "/" not in link and link.endswith(".md")} == there


def test_numbers_of_decisions_are_never_reused() -> None:
    numbers = [path.name[:4] for path in (ROOT / "docs" / "adr").glob("[0-9]*.md")]
    assert len(set(numbers)) == len(numbers)


def test_changelog_names_the_version() -> None:
    from saferoom import __version__

    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "## [Unreleased]" in text or f"## [{__version__}]" in text
