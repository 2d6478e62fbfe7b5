"""YAML with one reading only, the same one for every file that a person writes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from saferoom.contracts.policy import load_policy
from saferoom.data import describe_file
from saferoom.errors import ConfigError
from saferoom.files.yaml_text import MAX_CHARACTERS, parse_yaml, read_yaml, yaml_text
from saferoom.lab.room import load_room
from saferoom.node.settings import load_settings
from saferoom.scoring.scheme_file import read_scheme
from saferoom.tasks.results.score_files import own_scheme

ROOT = Path(__file__).resolve().parents[3]
READERS: dict[str, Callable[[Path], Any]] = {
    "node.yaml": load_settings,
    "dataset.yaml": describe_file,
    "policy.yaml": load_policy,
    "grades.yaml": own_scheme,
    "scheme.yaml": read_scheme,
    "room.yaml": load_room,
    "contract.yaml": lambda path: read_yaml(path, "draft"),
}
REFUSED = {
    "a repeated key": (b"a: 1\nb: 2\na: 3\n", "line 3: the key 'a' is given twice"),
    "an anchor": (b"a: &x 1\nb: *x\n", "line 1: anchors and aliases are refused"),
    "a tag": (b"a: 1\nb: !!python/object/apply:os.getcwd []\n", "line 2: tags are refused"),
    "a number as key": (b"a: 1\n2: b\n", "line 2: a key that is not text"),
    "a tab": (b"a:\n\tb: 1\n", "line 2: found character"),
    "a second document": (b"a: 1\n---\nb: 2\n", "line 2: but found another document"),
    "a list": (b"- a\n- b\n", "must be a mapping"),
    "a word": (b"scheme\n", "must be a mapping"),
    "another encoding": ("a: 信用\n".encode("gb18030"), "is not UTF-8 text"),
    "too much": (b"a: " + b"x" * MAX_CHARACTERS, f"longer than {MAX_CHARACTERS}"),
}


@pytest.mark.parametrize("what", REFUSED)
@pytest.mark.parametrize("name", READERS)
def test_every_file_is_read_as_strictly(tmp_path: Path, name: str, what: str) -> None:
    content, message = REFUSED[what]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        READERS[name](tmp_path / name)
    assert message in caught.value.message
    assert str(tmp_path / name) in caught.value.message
    assert caught.value.remedy


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "---\n", "null\n"])
@pytest.mark.parametrize("name", sorted(set(READERS) - {"policy.yaml"}))
def test_an_empty_file_is_refused(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=f"{name} is empty") as caught:
        READERS[name](tmp_path / name)
    assert caught.value.remedy


@pytest.mark.parametrize("name", sorted(set(READERS) - {"grades.yaml"}))
def test_a_file_that_is_not_there_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=f"cannot read .*{name}: No such file"):
        READERS[name](tmp_path / name)


def test_no_other_reading_is_left() -> None:
    """PyYAML is spoken with in one file; its own loaders keep the last of repeated keys."""
    importing = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "saferoom").rglob("*.py")
        if re.search(r"^\s*(import yaml|from yaml)\b(?!_)", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert importing == ["saferoom/files/yaml_text.py"]


def test_yaml_reads_as_it_looks() -> None:
    text = "a: no\nb: 08:30\nc: 2025-01-31\nd: 0x10\n"
    text += "e: 1_000\nf: 017\ng: 1.5e3\nh: true\ni: ~\nj:\nk: -7\nl: on\n"
    expected = {
        "a": "no",
        "b": "08:30",
        "c": "2025-01-31",
        "d": "0x10",
        "e": "1_000",
        "f": "017",
        "g": 1500.0,
    }
    assert parse_yaml(text, "text") == {**expected, "h": True, "i": None, "j": None, "k": -7, "l": "on"}
    assert parse_yaml("# nothing\n", "text", may_be_empty=True) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("p:\n  a: 1\n  a: 2\n", "line 3.*twice"),
        ("p: {a: 1, a: 2}\n", "line 1.*twice"),
        ("a: &x {b: 1}\n<<: *x\n", "anchors"),
        ("[a]: b\n", "not text"),
        ("a: b: c\n", "not valid YAML: line 1"),
        ("a: !!str 1\n", "tags"),
        ("b: 1\na: \x07\n", "line 2: a control character"),
        ("a: " + "[" * 5000, "nested too deeply"),
        ("a: " + "9" * 5000, "too large"),
        ("b: 1\na: [1e400]\n", "line 2: a number is too large"),
        ('b: 1\na: "\\ud800"\n', "line 2: half of a character"),
        ('{"b": 1, "\\ud83d\\ude00": 2}', "line 1: half of a character"),
    ],
)
def test_yaml_with_a_second_reading_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_yaml(text, "draft")


def test_the_party_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        describe_file(tmp_path / "none.yaml", party="bank")
    assert caught.value.party == "bank"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
TEXTS = st.sampled_from(["1e5", "1.5e10", "no", "08:30", "2025-01-31", "0x10", "017", "~", "", "null", "-0"])


def _is_printable(value: object) -> bool:
    return yaml.reader.Reader.NON_PRINTABLE.search(json.dumps(value, ensure_ascii=False)) is None


@example({"\x85": "a\x85b", "\u2028": ["\u2029", "c\r\nd"]})
@given(st.dictionaries(st.text(), VALUES | TEXTS, max_size=4).filter(_is_printable))
def test_what_is_written_is_read_back(content: dict[str, Any]) -> None:
    if content:
        assert parse_yaml(yaml_text(content), "text") == content


def test_what_stands_twice_in_memory_is_written_twice() -> None:
    shared = {"a": 1}
    assert parse_yaml(yaml_text({"x": shared, "y": shared}), "text") == {"x": shared, "y": shared}
    assert yaml_text({"b": "信用", "a": [1]}) == "b: 信用\na:\n- 1\n"


def test_json_is_read_too(tmp_path: Path) -> None:
    content = {"title": '信用 "a"\n', "cut": 1e-05, "none": None, "list": [1, -2.5, True]}
    (tmp_path / "a.json").write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
    assert read_yaml(tmp_path / "a.json", "file") == content
