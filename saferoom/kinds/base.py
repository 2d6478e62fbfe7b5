"""What a kind of task is, what a kind of job is, and all that either may ask of a contract.

    TaskKind   parameters, roles, release forms, objections, warnings, limits   a file, a line in `registry`
    JobKind    who learns what in it, its parameters, what it leaves            a few for each kind of task

Kinds know a contract through `Terms` alone, so that a contract may be made of kinds. What the processes of a
task *do* stands in `saferoom.tasks`.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Protocol, TypeAlias

from saferoom.kinds.fields import Strict
from saferoom.kinds.grading import GradeRule
from saferoom.kinds.labels import BinaryLabel

Texts: TypeAlias = tuple[str, str]
"""English, Chinese."""

Warned: TypeAlias = tuple[Texts, Mapping[str, object]]
"""A warning's text, and what stands in its braces."""

Pairs: TypeAlias = frozenset[tuple[str, str]]
"""(kind of disclosure, who learns it)."""


class Terms(Protocol):
    """All that a kind may ask of a contract."""

    @property
    def label_holder(self) -> str:
        """The one party that holds the label; "" where the kind has no such role."""

    @property
    def params(self) -> Any:
        """The task's parameters, of the kind's own model."""

    @property
    def split_seed(self) -> int:
        """What draws the held-out rows where no split column is named."""

    @property
    def uses(self) -> tuple[str, ...]: ...

    @property
    def helpers(self) -> tuple[str, ...]:
        """The endpoints that help, by the trust mode; none where the parties are on their own."""

    @property
    def minimum_rows(self) -> int: ...

    @property
    def minimum_bin_rows(self) -> int | None:
        """None where it follows the number of training rows."""

    @property
    def minimum_bin_events(self) -> int: ...

    @property
    @property
    def grading(self) -> GradeRule | None:
        """How scores become grades, where grades alone are released."""

    @property
    def training_jobs(self) -> int:
        """How many there may be under the contract."""

    @property
    def scores_per_day(self) -> int: ...

    @property
    def released_step(self) -> float:
        """To which scores are rounded before anybody learns them, in log-odds."""

    def party_ids(self) -> tuple[str, ...]:
        """All parties, in the contract's order."""

    def role_of(self, party: str) -> str: ...

    def columns_of(self, party: str, use: str) -> tuple[str, ...]:
        """The columns that `party` brings for this use, sorted."""

    def features_of(self, party: str) -> tuple[str, ...]:
        """`columns_of` for the use `feature`."""

    def recipients(self, form: str) -> tuple[str, ...]:
        """The parties that learn results in this form, sorted."""


class PolicyLimits(Protocol):
    """What a kind may ask of a party's policy."""

    @property
    def minimum_bin_rows(self) -> int: ...

    @property
    def minimum_bin_events(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Usage:
    """What was used of a contract: training jobs over its life, rows scored today (UTC)."""

    training_jobs: int = 0
    scores_today: int = 0


NOTHING = Usage()


@dataclass(frozen=True, slots=True)
class Kept:
    """What a finished job keeps at a party: `event` says so in the log.

    Only where the job left `file`, if one is named.
    """

    event: str
    file: str = ""


class JobKind(ABC):
    """One kind of job: what is run in one go under a contract."""

    name: ClassVar[str]
    """As in job offers, the log, and the job's row."""
    uses: ClassVar[tuple[str, ...]]
    """A contract that names one of these uses allows the job."""
    leaves: ClassVar[str] = "result"
    """What it leaves, in a word for people."""
    kept: ClassVar[Kept | None] = None
    records: ClassVar[frozenset[str]] = frozenset({"psi.done", "consent.filtered", "release.counted"})
    """The events that its processes may have logged."""
    model_param: ClassVar[str] = ""
    """The parameter that names the model it uses, which every party must hold."""
    resume_param: ClassVar[str] = ""
    """The parameter that names the unfinished job it resumes."""

    def discloses(self, terms: Terms) -> Pairs:
        """Everything that anybody may learn in such a job."""
        del terms
        return frozenset()

    def refuses(self, terms: Terms, params: Mapping[str, Any]) -> list[str]:
        """Why the contract does not name a job with these parameters, quotas apart; empty if it does."""
        del terms
        return [f"the contract knows no parameter {name!r}" for name in sorted(params)]

    def uses_up(self, params: Mapping[str, Any]) -> Usage:
        """What one job with these parameters takes of the contract's quotas."""
        del params
        return NOTHING

    def made_from(self, params: Mapping[str, Any]) -> str:
        """The job whose model it uses, or which it resumes; "" if neither."""
        name = self.model_param or self.resume_param
        return str(params.get(name, "")) if name else ""

    def asked_by(self, terms: Terms) -> str:
        """The only party that may ask for it; "" where anybody may."""
        del terms
        return ""


class UnknownJob(JobKind):
    """Stands for a kind of job that this version does not know: nothing is allowed, nothing was used."""

    name = ""
    uses = ()
    records = frozenset()


UNKNOWN_JOB = UnknownJob()


class TaskKind(ABC):
    """One kind of task. An instance stands in `registry.KINDS`."""

    name: ClassVar[str]
    """As in contracts and model files."""
    title: ClassVar[Texts]
    params: ClassVar[type[Strict]]
    roles: ClassVar[tuple[str, ...]] = ("label_holder", "feature_holder")
    label: ClassVar[BinaryLabel | None] = None
    """What its label column holds; None where there is none."""
    forms: ClassVar[frozenset[str]]
    """The release forms that an output may have."""
    jobs: ClassVar[tuple[JobKind, ...]]
    releases: ClassVar[Mapping[str, tuple[str, ...]]] = MappingProxyType({})
    """By name of a release: the forms in which the label holder learns it. The first is the usual one."""
    work: ClassVar[str] = ""
    """The module that does it, if not `saferoom.tasks.<name>`."""

    def role_problems(self, terms: Terms) -> list[str]:
        """Why these parties with these columns cannot do it."""
        del terms
        return []

    def objections(self, terms: Terms) -> list[str]:
        """Every reason why the contract cannot be carried out as it stands, trust mode and forms apart."""
        del terms
        return []

    def warnings(self, terms: Terms) -> list[Warned]:
        """What to think about before signing: what this kind gives away."""
        del terms
        return []

    def limits(self, limits: PolicyLimits, terms: Terms) -> list[str]:
        """Why a party's policy forbids it, beyond what policies ask of every contract."""
        del limits, terms
        return []

    def points_step(self, terms: Terms) -> float | None:
        """To which points are rounded before anybody learns them; None where none are released."""
        del terms
        return None

    def usual_outputs(self, roles: Mapping[str, str], release: str = "") -> list[dict[str, str]]:
        """The outputs of a draft that names none; `roles` by party, in the order of their ids.

        release: one of `releases`; the usual one if it is not said.
        """
        del roles, release
        return []

    @property
    def jobs_by_name(self) -> dict[str, JobKind]:
        return {job.name: job for job in self.jobs}
