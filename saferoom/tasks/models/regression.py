"""What parts of regressions have in common: a file, and a sum of parts that its recipient alone learns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Generic, Self, TypeVar

import numpy as np

from saferoom.arrays import F64
from saferoom.contracts.contract import Contract
from saferoom.data.preparation import Preparation
from saferoom.data.table import PartyTable
from saferoom.data.woe import WoePreparation
from saferoom.jobs.context import JobContext
from saferoom.models.shown import Shown, shown_by_part
from saferoom.protocols.masked_sum import PairwisePads, masked_sum
from saferoom.scoring.points import PointScale
from saferoom.tasks.models.files import VERSION, check_version

P = TypeVar("P", Preparation, WoePreparation)


@dataclass(frozen=True, slots=True)
class RegressionModel(Generic[P]):
    """Coefficients (d,) in prepared units, their preparation, and at the label holder the intercept.

    `scale` turns log-odds into points.
    """

    kind: ClassVar[str]
    form: ClassVar[str]
    """In which a sum of parts is released."""
    prepared: ClassVar[type[Any]]

    job: str
    contract: str
    party: str
    preparation: P
    coefficients: F64
    intercept: float | None
    scale: PointScale

    def part(self, rows: PartyTable) -> F64:
        """This party's part of each row's total, (n,): of log-odds. The intercept counts at its holder."""
        return np.asarray(self.preparation.transform(rows) @ self.coefficients + (self.intercept or 0.0))

    def joint(self, context: JobContext, rows: PartyTable, recipient: str) -> F64 | None:
        """Sums of all parties' parts, (n,), at `recipient`."""
        session, step = context.session, self.step(context.contract)
        pads = PairwisePads.agree(session)
        return masked_sum(session, self.part(rows), recipient, pads, step=step, kind=self.form)

    def step(self, contract: Contract) -> float:
        """To which each party rounds its part before the sum is released."""
        return contract.released_step

    def shown(self, rows: PartyTable, contract: Contract) -> Shown:
        return shown_by_part(self.part(rows), self.step(contract))

    def to_plain(self) -> dict[str, Any]:
        plain: dict[str, Any] = {
            "version": VERSION,
            "kind": self.kind,
            "job": self.job,
            "contract": self.contract,
            "party": self.party,
            "columns": list(self.preparation.column_names),
            "coefficients": self.coefficients.tolist(),
            "points": asdict(self.scale),
            "preparation": self.preparation.to_dict(),
        }
        if self.intercept is not None:
            plain["intercept"] = self.intercept
        return plain

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Back from `to_plain`. Raises KeyError, TypeError, ValueError, StorageError if it is not one."""
        check_version(plain)
        return cls(
            job=plain["job"],
            contract=plain["contract"],
            party=plain["party"],
            preparation=cls.prepared.from_dict(plain["preparation"]),
            coefficients=np.array(plain["coefficients"], dtype=np.float64),
            intercept=plain.get("intercept"),
            scale=PointScale.from_dict(plain["points"]),
        )


def coefficients_card(plain: Mapping[str, Any]) -> dict[str, Any]:
    """A model card's part: own coefficients by column, and at the label holder the intercept."""
    own = dict(zip(plain["columns"], plain["coefficients"], strict=True))
    return {"coefficients": own, "intercept": plain.get("intercept")}
