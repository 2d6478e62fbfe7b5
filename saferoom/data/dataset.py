"""The description of one data set: what `dataset.yaml` says.

    name: bank-2024                     source: bank.csv     # or {kind: csv|parquet|sql|duckdb, ...}
    id: uscc                            id_kind: uscc        # or opaque
    label: y                            split: split         # both optional
    weight: w                           as_of: 2024-12-31    # both optional
    columns: [...]                      # absent: all but id, label, split and weight
    consent: {source: consent.csv}

Unknown and repeated keys are refused. Paths are relative to the folder of the YAML file.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from saferoom.data.sources import SOURCES, AnySource
from saferoom.data.table import ColumnType
from saferoom.errors import ConfigError
from saferoom.files.yaml_text import read_yaml

Sensitivity = Literal["general", "sensitive", "important", "core"]
_KIND_BY_SUFFIX = {
    suffix: source.model_fields["kind"].default for source in SOURCES for suffix in source.suffixes
}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _HasSource(_Strict):
    source: AnySource

    @field_validator("source", mode="before")
    @classmethod
    def _file_name_alone(cls, source: Any) -> Any:
        if not isinstance(source, str | Path):
            return source
        kind = _KIND_BY_SUFFIX.get(Path(source).suffix.lower())
        if kind is None:
            endings = " or ".join(its.suffixes[0] for its in SOURCES if its.suffixes)
            raise ValueError(f"as a file name must end in {endings}; else write {{kind: ..., path: ...}}")
        return {"kind": kind, "path": source}


class ColumnDescription(_Strict):
    """One feature column; without `type` the values decide (see `columns.decide_types`).

    `reason`: the name by which recipients of reason codes may learn that it cost points; empty: they may not.
    `special`: numbers in it that are codes, such as -1 for "never borrowed"; a scorecard gives each its own
    bin.
    """

    name: str = Field(min_length=1)
    type: ColumnType | None = None
    special: tuple[Annotated[float, Field(allow_inf_nan=False)], ...] = ()
    reason: str = Field(default="", max_length=80)
    unit: str = ""
    description: str = ""
    sensitivity: Sensitivity = "general"


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
    label: str | None = None
    split: str | None = None
    weight: str | None = None
    as_of: date | None = None
    description: str = ""
    columns: tuple[ColumnDescription, ...] | None = None
    consent: ConsentDescription | None = None

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
        return tuple(name for name in (self.id, self.label, self.split, self.weight) if name is not None)

    def problem(self, message: str, *, remedy: str, step: str = "") -> ConfigError:
        """An error that names this data set and its party."""
        text = f"data set {self.name!r}: {message}"
        return ConfigError(text, party=self.party, step=step, remedy=remedy)


def describe(content: Mapping[str, Any], folder: Path, *, party: str = "") -> DatasetDescription:
    """Check `content` (what the YAML says) and make its paths absolute, starting from `folder`.

    Raises ConfigError naming each wrong key.
    """
    try:
        description = DatasetDescription.model_validate({**content, "party": party} if party else content)
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


def describe_file(path: Path, *, party: str = "") -> DatasetDescription:
    """Read a `dataset.yaml`. Raises ConfigError."""
    content = read_yaml(path, "data set description", remedy="see configs/datasets for examples", party=party)
    return describe(content, path.resolve().parent, party=party)


def _wrong_keys(exc: ValidationError) -> str:
    errors = exc.errors(include_input=False, include_url=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, e['loc'])) or 'description'}: {e['msg']}" for e in errors)
