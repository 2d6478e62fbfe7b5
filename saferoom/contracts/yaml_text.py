"""YAML of which there is only one reading: for drafts and policies, which people write.

Safe loading; repeated keys, anchors and keys that are not text are refused; `yes`, `08:30` and dates stay
text, as in YAML 1.2.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from saferoom.errors import ConfigError

MAX_CHARACTERS = 1_000_000


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own way

    def compose_node(self, parent: Any, index: Any) -> Any:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise yaml.MarkedYAMLError(
                problem="anchors and aliases are refused", problem_mark=event.start_mark
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            if key_node.tag != "tag:yaml.org,2002:str":
                problem = "a key that is not text: put it in quotes"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key_node.start_mark)
            if key_node.value in seen:
                problem = f"the key {key_node.value!r} stands there twice"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key_node.start_mark)
            seen.add(key_node.value)
        return super().construct_mapping(node, deep=deep)


for _tag, _pattern, _first in (
    ("bool", r"true|false", "tf"),
    ("null", r"null|~|", "n~\0"),
    ("int", r"-?(?:0|[1-9][0-9]*)", "-0123456789"),
    ("float", r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?", "-0123456789"),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), [c.strip("\0") for c in _first]
    )


def parse_yaml(text: str, what: str) -> dict[str, Any]:
    """The mapping in a YAML document; empty for an empty one. Raises ConfigError naming the line."""
    if len(text) > MAX_CHARACTERS:
        raise ConfigError(f"the {what} is longer than {MAX_CHARACTERS} characters")
    try:
        content = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as exc:
        line = exc.problem_mark.line + 1 if exc.problem_mark else 0
        raise ConfigError(f"the {what} is not valid YAML: line {line}: {exc.problem}") from exc
    except (yaml.YAMLError, ValueError, RecursionError) as exc:
        raise ConfigError(f"the {what} is not valid YAML") from exc
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(f"the {what} must be a mapping of keys to values")
    return content


def read_yaml(path: Path, what: str) -> dict[str, Any]:
    """`parse_yaml` of a file. Raises ConfigError."""
    try:
        return parse_yaml(path.read_text(encoding="utf-8"), what)
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"the {what} {path} cannot be read as UTF-8 text", remedy="check the path") from exc
