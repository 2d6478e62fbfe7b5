"""Grade schemes in files: what is read, and that errors name the file and what in it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from saferoom.errors import ConfigError
from saferoom.scoring.scheme_file import read_scheme
from saferoom.scoring.standard import STANDARD, standard_scheme
from saferoom.tasks.results.score_files import GRADES, own_scheme, save_scheme


def test_without_a_file_the_standard_scheme_holds(tmp_path: Path) -> None:
    assert read_scheme(None) == own_scheme(tmp_path / "grades.yaml") == standard_scheme()


def test_a_scheme_that_a_job_kept_is_read_back(tmp_path: Path) -> None:
    save_scheme(tmp_path, standard_scheme())
    assert read_scheme(tmp_path / GRADES) == standard_scheme()


def test_the_label_holders_own_scheme_comes_first(tmp_path: Path) -> None:
    file = tmp_path / "grades.yaml"
    file.write_text("scheme: own\nby: pd\ngrades:\n- name: A\n  up_to: 1e-1\n- name: B\n", encoding="utf-8")
    assert own_scheme(file).cuts == (0.1,)
    assert own_scheme(file).name != STANDARD["scheme"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("- A\n- B\n", "must be a mapping"),
        ("scheme: s\nby: luck\n", "'by' must be one of"),
        ("scheme: s\nby: pd\ngrades:\n- name: A\n- name: B\n", "grade A needs 'up_to'"),
        ("scheme: s\nby: pd\nby: points\n", "line 3: the key 'by' is given twice"),
    ],
)
def test_a_scheme_that_is_wrong_is_refused_by_file(tmp_path: Path, text: str, message: str) -> None:
    """The empty one too, which must stop a job at its beginning with a reason that a person can mend."""
    file = tmp_path / "grades.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        own_scheme(file)
    assert str(file) in caught.value.message
    assert message in caught.value.message
    assert "configs/grades" in caught.value.remedy
