"""What a contract fixes of grades, where grades alone are released: their names and their cuts."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, StrictFloat, StrictInt, model_validator

from saferoom.errors import ConfigError
from saferoom.kinds.fields import Distinct, Line, Strict
from saferoom.scoring.grades import MAX_GRADES, GradeScheme, scheme_from_dict
from saferoom.scoring.standard import standard_scheme

GRADE_ONLY = "grade_only"


class GradeRule(Strict):
    """`names`: the grades, best first. `by`, `cuts`: as in a scheme; the label holder's own if absent."""

    names: Annotated[Distinct[Line], Field(min_length=2, max_length=MAX_GRADES)]
    by: Literal["pd", "points"] | None = None
    cuts: tuple[StrictFloat | StrictInt, ...] | None = None

    @model_validator(mode="after")
    def _is_a_scheme(self) -> Self:
        if (self.by is None) != (self.cuts is None):
            raise ValueError(
                "by and cuts are named together, or neither: then they are the label holder's own"
            )
        if self.cuts is not None and len(self.cuts) != len(self.names) - 1:
            raise ValueError(f"{len(self.names)} grades have {len(self.names) - 1} cuts between them")
        try:
            self.scheme()
        except ConfigError as error:
            raise ValueError(error.message) from error
        return self

    def scheme(self) -> GradeScheme | None:
        """The grades with their cuts, without words; None if the cuts are the label holder's own."""
        if self.by is None or self.cuts is None:
            return None
        key = "up_to" if self.by == "pd" else "from"
        grades: list[dict[str, Any]] = [{"name": name} for name in self.names]
        for grade, cut in zip(grades, self.cuts, strict=False):
            grade[key] = cut
        return scheme_from_dict({"scheme": "contract", "by": self.by, "grades": grades})


def usual_grading() -> dict[str, Any]:
    """The standard scheme, for a draft that names none."""
    scheme = standard_scheme()
    return {"names": list(scheme.names), "by": scheme.by, "cuts": list(scheme.cuts)}
