"""Golden files themselves: a change is seen, noise let through, none left over, and writing never passes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.golden.contracts import DRAFTS
from tests.golden.jobs import SCORINGS, STOPPED, TRAININGS
from tests.golden.seen import fold
from tests.golden.store import FILES, REWRITE, About, Golden, fail_as_rewritten, is_rewriting

FOUND = {"name": "x", "count": 3, "share": 0.1, "noisy": [About(1.5, 0.01)], "lines": ["a", "b"]}


@pytest.fixture
def files(tmp_path: Path) -> Golden:
    Golden(tmp_path, rewrites=True).holds("a/b.json", FOUND)
    return Golden(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "y"},
        {"count": 3.0},
        {"count": True},
        {"share": 0.1000001},
        {"noisy": [About(1.52, 0.01)]},
        {"noisy": [About(1.5, 0.02)]},
        {"noisy": [1.5]},
        {"noisy": []},
        {"lines": ["b", "a"]},
        {"lines": ["a", "b", "c"]},
        {"more": 1},
    ],
    ids=str,
)
def test_a_change_is_seen(files: Golden, change: dict[str, object]) -> None:
    with pytest.raises(pytest.fail.Exception, match="is not what it was"):
        files.holds("a/b.json", FOUND | change)


@pytest.mark.parametrize(
    "change",
    [{}, {"noisy": [About(1.509, 0.01)]}, {"share": 0.1 + 1e-16}, {"lines": ("a", "b")}],
    ids=str,
)
def test_noise_is_let_through(files: Golden, change: dict[str, object]) -> None:
    files.holds("a/b.json", FOUND | change)


def test_another_order_of_keys_is_seen(files: Golden) -> None:
    with pytest.raises(pytest.fail.Exception):
        files.holds("a/b.json", dict(reversed(FOUND.items())))


def test_writing_again_does_not_write_noise(files: Golden) -> None:
    before = (files.folder / "a/b.json").read_bytes()
    Golden(files.folder, rewrites=True).holds("a/b.json", FOUND | {"noisy": [About(1.501, 0.01)]})
    assert (files.folder / "a/b.json").read_bytes() == before


def test_a_file_that_is_not_there(files: Golden) -> None:
    with pytest.raises(pytest.fail.Exception, match="there is no such golden file"):
        files.holds("a/c.json", FOUND)


def test_nothing_is_written_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(REWRITE, "1")
    monkeypatch.delenv("CI", raising=False)
    assert is_rewriting()
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="never written"):
        is_rewriting()


def test_a_run_that_writes_fails() -> None:
    with pytest.raises(pytest.fail.Exception, match="REWRITTEN and nothing was compared"):
        fail_as_rewritten()


def test_blocks_that_differ_in_a_number_stand_once() -> None:
    """And two orders of the same lines are told apart."""

    def said(*labels: str) -> list[object]:
        return fold([(tuple(label.split("/")), "x") for label in labels])

    by_number = said("t/n=0/a", "t/n=0/b", "t/n=1/a", "t/n=1/b", "end")
    assert by_number == [{"t/n=0…1": ["a x", "b x"]}, "end x"]
    assert said("t/n=0/a", "t/n=1/a", "t/n=0/b", "t/n=1/b", "end") == ["t/n=0…1/a x", "t/n=0…1/b x", "end x"]
    assert said("n=0/m=0/a", "n=0/m=1/a", "n=1/m=0/a") == ["n=0/m=0…1/a x", "n=1/m=0/a x"]
    assert said("n=0", "n=1", "n=3") == ["n=0…1 x", "n=3 x"]


def test_no_golden_file_is_left_over() -> None:
    played = {*TRAININGS, *SCORINGS} - {STOPPED}
    trees = {name for name, training in TRAININGS.items() if training.kind == "boosting"}
    expected = {f"{folder}/{name}.json" for folder in ("terms", "signed", "contracts") for name in DRAFTS}
    expected |= {f"explained/{name}.{lang}.txt" for name in DRAFTS for lang in ("en", "zh")}
    expected |= {f"{folder}/{name}.json" for folder in ("jobs", "models") for name in played}
    expected |= {f"checkpoints/{name}.json" for name in trees} | {"rows.json"}
    found = {str(path.relative_to(FILES)) for path in FILES.rglob("*") if path.is_file()}
    assert {
        name for name in found if name.split("/")[0] not in ("objections", "failures", "earlier")
    } == expected


def test_golden_files_name_no_place() -> None:
    """Nothing of the machine on which they were written."""
    for path in FILES.rglob("*.*"):
        text = path.read_text(encoding="utf-8")
        assert not [place for place in (str(ROOT), "/tmp/", "/home/") if place in text], path
