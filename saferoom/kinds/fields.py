"""Field types that contracts and policies are made of, and one way of saying what is wrong with them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    StrictInt,
    ValidationError,
    WrapSerializer,
)

from saferoom.errors import ConfigError
from saferoom.ids import check_party_id

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")

_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)


class Strict(BaseModel):
    """Immutable; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _printable(text: str) -> str:
    # bidirectional overrides and escape sequences could show an officer another text than the one signed
    if any(unicodedata.category(c)[0] == "C" or unicodedata.category(c) in ("Zl", "Zp") for c in text):
        raise ValueError("has characters that cannot be printed")
    if text != text.strip() or unicodedata.normalize("NFC", text) != text:
        raise ValueError("must be in Unicode NFC without spaces at either end")
    return text


def _party_id(text: str) -> str:
    try:
        return check_party_id(text)
    except ConfigError as exc:
        raise ValueError(exc.message) from exc


def read_time(value: Any) -> datetime:
    """A time that names its zone, from a datetime or from text (RFC 3339). Raises ValueError."""
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except (TypeError, ValueError) as exc:
        raise ValueError("must be a time such as 2025-01-31T08:00:00+08:00") from exc
    if moment.tzinfo is None:
        raise ValueError("must name its time zone, such as 2025-01-31T08:00:00+08:00")
    if isinstance(value, str) and not _RFC_3339.fullmatch(value):
        raise ValueError("must be written as 2025-01-31T08:00:00+08:00")
    return moment


def _time(value: Any) -> datetime:
    moment = read_time(value)
    if moment.microsecond:
        raise ValueError("must be in whole seconds")
    return moment.astimezone(UTC)


def _distinct(items: tuple[T, ...]) -> tuple[T, ...]:
    if len(set(items)) != len(items):
        raise ValueError("names something twice")
    return items


def _frozen(mapping: Mapping[K, V]) -> Mapping[K, V]:
    return MappingProxyType(dict(mapping))


def _thawed(mapping: Mapping[K, V], handler: SerializerFunctionWrapHandler) -> Any:
    return handler(dict(mapping))


Line = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_printable)]
"""One line of text."""

Paragraph = Annotated[str, Field(min_length=1, max_length=2000), AfterValidator(_printable)]

Name = Annotated[str, Field(pattern=r"^\w[\w.-]{0,99}$"), AfterValidator(_printable)]
"""An id: letters and digits of any script, `_`, `.` and `-`."""

PartyId = Annotated[str, AfterValidator(_party_id)]

Time = Annotated[
    datetime, BeforeValidator(_time), PlainSerializer(lambda t: t.strftime("%Y-%m-%dT%H:%M:%SZ"))
]
"""UTC, whole seconds."""

Hash = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
"""SHA-256, hex."""

Count = Annotated[StrictInt, Field(ge=0, le=10**12)]

Distinct = Annotated[tuple[T, ...], AfterValidator(_distinct)]
"""A list without repetition."""

Frozen = Annotated[Mapping[K, V], AfterValidator(_frozen), WrapSerializer(_thawed)]
"""A mapping that stays as it is."""


def problems(exc: ValidationError) -> list[str]:
    """Every problem with its place, and no value."""
    return [
        f"{'.'.join(map(str, error['loc'])) or 'document'}: {error['msg'].removeprefix('Value error, ')}"
        for error in exc.errors(include_input=False, include_url=False)
    ]


def explained(exc: ValidationError, what: str) -> ConfigError:
    """A ConfigError that lists every problem, each with its place, and repeats no value."""
    return ConfigError(
        f"the {what} is not valid: {'; '.join(problems(exc))}", remedy="see docs/contracts.md for every field"
    )


def listed(items: Iterable[str]) -> str:
    """`a, b and c`, sorted."""
    *first, last = sorted(items) or ["nothing"]
    return f"{', '.join(first)} and {last}" if first else last
