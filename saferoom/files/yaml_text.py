"""The one reading, and the one writing, of YAML, so that no file means two things.

Settings, data sets, drafts, policies, grade schemes and lab rooms are all read here. Repeated keys, anchors,
tags and keys that are not text are refused; `yes`, `08:30` and dates stay text, as in YAML 1.2. JSON is read
as well.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from saferoom.errors import ConfigError

MAX_CHARACTERS = 1_000_000

_RESOLVED = (
    ("bool", r"true|false", "tf"),
    ("null", r"null|~|", "n~\0"),
    ("int", r"-?(?:0|[1-9][0-9]*)", "-0123456789"),
    ("float", r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?", "-0123456789"),
)
"""What an unquoted word may be besides text: tag, pattern, the characters it may begin with."""


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own way

    def compose_node(self, parent: Any, index: Any) -> Any:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _refusal("anchors and aliases are refused", event)
        if getattr(event, "tag", None):
            raise _refusal("tags are refused", event)
        return super().compose_node(parent, index)

    def compose_scalar_node(self, anchor: Any) -> Any:
        node: Any = super().compose_scalar_node(anchor)
        if _HALF_CHARACTERS.search(node.value):
            raise _refusal("half of a character is escaped: write the character itself", node)
        if node.tag == "tag:yaml.org,2002:float" and not math.isfinite(float(node.value)):
            raise _refusal("a number is too large", node)
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            if key_node.tag != "tag:yaml.org,2002:str":
                raise _refusal("a key that is not text: put it in quotes", key_node)
            if key_node.value in seen:
                raise _refusal(f"the key {key_node.value!r} is given twice", key_node)
            seen.add(key_node.value)
        return super().construct_mapping(node, deep=deep)


class _Dumper(yaml.SafeDumper):
    """Puts in quotes what either PyYAML's readers, of YAML 1.1, or `_Loader` would not read as text."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_str(self, data: str) -> yaml.ScalarNode:
        """Line breaks of other kinds would be read back as spaces; escaped they stay what they are."""
        style = '"' if _LINE_BREAKS.search(data) else None
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)


_HALF_CHARACTERS = re.compile("[\ud800-\udfff]")
_LINE_BREAKS = re.compile("[\r\x85\u2028\u2029]")
_Dumper.add_representer(str, _Dumper.represent_str)


for _tag, _pattern, _first in _RESOLVED:
    for _class in (_Loader, _Dumper):
        _class.add_implicit_resolver(
            f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), [c.strip("\0") for c in _first]
        )


def read_yaml(
    path: Path, what: str, *, remedy: str = "correct the file", may_be_empty: bool = False, party: str = ""
) -> dict[str, Any]:
    """`parse_yaml` of a UTF-8 file. Raises ConfigError naming the file, and `party`."""
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(MAX_CHARACTERS + 1)
    except OSError as exc:
        raise ConfigError(
            f"cannot read the {what} {path}: {exc.strerror}",
            party=party,
            remedy="check the path and its permissions",
        ) from exc
    except UnicodeDecodeError as exc:
        raise ConfigError(
            f"the {what} {path} is not UTF-8 text", party=party, remedy="save it as UTF-8"
        ) from exc
    return parse_yaml(text, f"{what} {path}", remedy=remedy, may_be_empty=may_be_empty, party=party)


def parse_yaml(
    text: str, what: str, *, remedy: str = "correct it", may_be_empty: bool = False, party: str = ""
) -> dict[str, Any]:
    """The mapping that a YAML document holds.

    `what` names the document, and `remedy` says what to do, in errors. An empty document is refused, or an
    empty mapping if it `may_be_empty`. Raises ConfigError naming the line, without values.
    """
    try:
        content = _loaded(text)
    except _InvalidError as exc:
        raise ConfigError(
            f"the {what} is not valid YAML: {exc}", party=party, remedy=remedy
        ) from exc.__cause__
    if content is None and may_be_empty:
        return {}
    if content is None:
        raise ConfigError(f"the {what} is empty", party=party, remedy=remedy)
    if not isinstance(content, dict):
        raise ConfigError(f"the {what} must be a mapping of keys to values", party=party, remedy=remedy)
    return content


def yaml_text(content: Mapping[str, Any]) -> str:
    """YAML that `parse_yaml` reads back as `content`: keys in their order, Chinese as it is, no anchors."""
    return yaml.dump(dict(content), Dumper=_Dumper, allow_unicode=True, sort_keys=False)


class _InvalidError(Exception):
    """What is wrong with a document, and where."""


def _loaded(text: str) -> Any:
    if len(text) > MAX_CHARACTERS:
        raise _InvalidError(f"it is longer than {MAX_CHARACTERS} characters")
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        line = mark.line + 1 if mark else 1
        raise _InvalidError(f"line {line}: {exc.problem or exc.context}") from exc
    except yaml.reader.ReaderError as exc:
        line = text.count("\n", 0, exc.position) + 1
        raise _InvalidError(f"line {line}: a control character") from exc
    except (yaml.YAMLError, ValueError, RecursionError) as exc:
        raise _InvalidError("a value is too large, or nested too deeply") from exc


def _refusal(problem: str, where: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=where.start_mark)
