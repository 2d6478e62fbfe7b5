"""The description of one data set: what `dataset.yaml` says.

    name: bank-2024                     source: bank.csv     # or {kind: csv|parquet|sql|duckdb, ...}
    id: uscc                            id_kind: uscc        # or opaque
    label: y                            split: split         # both optional; or {column: y, event: 是}
    weight: w                           as_of: 2024-12-31    # both optional
    time_zone: +08:00                   # of moments that know their zone, and of consents' days
    columns: [...]                      # absent: all but id, label, split and weight
    consent: {source: consent.csv}

Unknown and repeated keys are refused. Paths are relative to the folder of the YAML file.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from saferoom.data.canonical import canonical
from saferoom.data.cells import Cells
from saferoom.data.sources import SOURCES, AnySource
from saferoom.data.sources.base import SourceDescription
from saferoom.data.table import ColumnType
from saferoom.data.zone import DEFAULT_ZONE, known_zone, time_zone
from saferoom.errors import ConfigError
from saferoom.files.yaml_text import read_yaml

ReadAs = Literal["numeric", "categorical", "date", "boolean"]
COLUMN_TYPES: Mapping[ReadAs, ColumnType] = {
    "numeric": "numeric",
    "categorical": "categorical",
    "date": "numeric",
    "boolean": "numeric",
}
"""What a column is once it is read: a date is its number of days since 1970-01-01, a yes 1 and a no 0."""

Sensitivity = Literal["general", "sensitive", "important", "core"]
_BY_SUFFIX = {suffix: source for source in SOURCES for suffix in source.suffixes}


ENDINGS = " or ".join(source.suffixes[0] for source in SOURCES if source.suffixes)


def source_of_file(path: Path) -> SourceDescription | None:
    """The source that a file is by the ending of its name, if that says one."""
    kind = _BY_SUFFIX.get(path.suffix.lower())
    return None if kind is None else kind.model_validate({"path": path})


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _HasSource(_Strict):
    source: AnySource

    @field_validator("source", mode="before")
    @classmethod
    def _file_name_alone(cls, source: Any) -> Any:
        if not isinstance(source, str | Path):
            return source
        found = source_of_file(Path(source))
        if found is None:
            raise ValueError(f"as a file name must end in {ENDINGS}; else write {{kind: ..., path: ...}}")
        return found


class ColumnDescription(_Strict):
    """One feature column; without `type` the values decide (see `profile.decide_types`).

    `reason`: the name by which recipients of reason codes may learn that it cost points; empty: they may not.
    `special`: numbers in it that are codes, such as -1 for "never borrowed"; a scorecard gives each its own
    bin.
    """

    name: str = Field(min_length=1)
    type: ReadAs | None = None
    special: tuple[Annotated[float, Field(allow_inf_nan=False)], ...] = ()
    reason: str = Field(default="", max_length=80)
    unit: str = ""
    description: str = ""
    sensitivity: Sensitivity = "general"


class LabelDescription(_Strict):
    """The label column, and which of its two values means default; None: 1 does, 0 does not."""

    column: str
    event: str | bool | int | float | None = None


class ConsentDescription(_HasSource):
    """Where enterprises' consents lie, and how the columns of that table are called.

    `id` defaults to the data set's id column. An empty `valid_to` means until revoked.
    """

    id: str | None = None
    purpose: str = "purpose"
    valid_from: str = "valid_from"
    valid_to: str = "valid_to"
    document_hash: str = "document_hash"


class DatasetDescription(_HasSource):
    """One data set of one party. `party` only serves to name it in errors; the node fills it in."""

    name: str = Field(pattern=r"^\w[\w.-]{0,63}$")
    party: str = ""
    id: str
    id_kind: Literal["uscc", "opaque"]
    label: LabelDescription | None = None
    split: str | None = None
    weight: str | None = None
    as_of: date | None = None
    time_zone: Annotated[str, AfterValidator(known_zone)] = DEFAULT_ZONE
    description: str = ""
    columns: tuple[ColumnDescription, ...] | None = None
    consent: ConsentDescription | None = None

    @field_validator("label", mode="before")
    @classmethod
    def _column_alone(cls, label: Any) -> Any:
        return {"column": label} if isinstance(label, str) else label

    @field_validator("columns", mode="before")
    @classmethod
    def _names_alone(cls, columns: Any) -> Any:
        if not isinstance(columns, list | tuple):
            return columns
        return [{"name": column} if isinstance(column, str) else column for column in columns]

    @model_validator(mode="after")
    def _one_role_per_column(self) -> Self:
        names = [*self.special_columns, *(column.name for column in self.columns or ())]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"these columns are named twice: {', '.join(twice)}")
        if self.weight is not None and self.label is None:
            raise ValueError("a weight goes with a label, and no label column is named")
        return self

    @property
    def special_columns(self) -> tuple[str, ...]:
        """The columns that are no features: id, and those of label, split and weight that are named."""
        named = (self.id, self.label_column, self.split, self.weight)
        return tuple(name for name in named if name is not None)

    @property
    def label_column(self) -> str | None:
        return None if self.label is None else self.label.column

    def event(self) -> str | None:
        """The canonical text of the label's value that means 1, if one is named."""
        if self.label is None or self.label.event is None:
            return None
        return canonical(str(self.label.event), time_zone(self.time_zone))

    def cells(self, source: SourceDescription | None = None) -> Cells:
        """How cells of the source are read, or of `source`, which stands beside it."""
        source = self.source if source is None else source
        return Cells(time_zone(self.time_zone), source.missing)

    def described_type(self, name: str) -> ReadAs | None:
        """What the description says of a column's type, if anything."""
        return next((column.type for column in self.columns or () if column.name == name), None)

    @property
    def special_codes(self) -> dict[str, tuple[float, ...]]:
        """The numbers that are codes, by column."""
        return {column.name: column.special for column in self.columns or () if column.special}

    def problem(self, message: str, *, remedy: str, step: str = "") -> ConfigError:
        """An error that names this data set and its party."""
        text = f"data set {self.name!r}: {message}"
        return ConfigError(text, party=self.party, step=step, remedy=remedy)


def describe(
    content: Mapping[str, Any], folder: Path, *, party: str = "", zone: str = DEFAULT_ZONE
) -> DatasetDescription:
    """Check `content` (what the YAML says) and make its paths absolute, starting from `folder`.

    `zone` is used where the content names none. Raises ConfigError naming each wrong key.
    """
    usual = {"time_zone": zone}
    try:
        description = DatasetDescription.model_validate(
            {**usual, **content, **({"party": party} if party else {})}
        )
    except ValidationError as exc:
        raise ConfigError(
            f"the data set description is not valid: {_wrong_keys(exc)}",
            party=party,
            remedy="correct these keys; docs/data.md lists all",
        ) from None  # the library's message repeats the values
    changes: dict[str, Any] = {"source": description.source.located(folder)}
    if description.consent is not None:
        source = description.consent.source.located(folder)
        changes["consent"] = description.consent.model_copy(update={"source": source})
    return description.model_copy(update=changes)


def describe_file(path: Path, *, party: str = "", zone: str = DEFAULT_ZONE) -> DatasetDescription:
    """Read a `dataset.yaml`. Raises ConfigError."""
    content = read_yaml(path, "data set description", remedy="see configs/datasets for examples", party=party)
    return describe(content, path.resolve().parent, party=party, zone=zone)


def _wrong_keys(exc: ValidationError) -> str:
    errors = exc.errors(include_input=False, include_url=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, e['loc'])) or 'description'}: {e['msg']}" for e in errors)
