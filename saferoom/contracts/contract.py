"""The data-use contract: one document that says who may learn what from whose columns, and until when.

    people draft it in YAML (`draft.py`); it travels, is hashed and signed as canonical JSON (`canonical.py`)

A `Contract` that exists is consistent in itself and can be carried out by this version: constructing one
raises otherwise. Whether it is signed, in force, or allowed by a policy is asked in `checks.py`, `policy.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import (
    Field,
    SerializeAsAny,
    StrictBool,
    StrictInt,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from saferoom.contracts.refusal import refuse
from saferoom.contracts.witnessing import Witnessing
from saferoom.errors import ConfigError
from saferoom.identity.public import PublicKeys
from saferoom.ids import COORDINATOR, HELPER
from saferoom.kinds.base import JobKind, TaskKind
from saferoom.kinds.fields import (
    Count,
    Distinct,
    Frozen,
    Hash,
    Line,
    Name,
    Paragraph,
    PartyId,
    Strict,
    Time,
    explained,
    listed,
    problems,
)
from saferoom.kinds.grades_alone import grade_objections
from saferoom.kinds.grading import GRADE_ONLY, GradeRule
from saferoom.kinds.registry import FormName, KindName, RoleName, UseName, kind_of
from saferoom.kinds.roles import LABEL_HOLDER
from saferoom.kinds.score_step import SCORE_FORMS, USUAL_STEP, ScoreStep
from saferoom.kinds.trust import ASSUMPTIONS, MODES, Assumption, Trust

MAX_BYTES = 4_000_000

ColumnUse: TypeAlias = Literal["feature", "label", "split", "weight", "id"]


class PinnedKeys(Strict):
    """A node's public keys (base64) and their fingerprint, which people compare by telephone."""

    signing: str
    sealing: str
    log: str
    fingerprint: str

    @classmethod
    def of(cls, keys: PublicKeys) -> PinnedKeys:
        plain = keys.to_json()
        plain.pop("node_id")
        return cls(**plain, fingerprint=keys.fingerprint())

    def public(self, node_id: str) -> PublicKeys:
        """The keys as those of `node_id`. Raises VerificationError if the fingerprint is not theirs."""
        return PublicKeys.from_json({"node_id": node_id, **self.model_dump()})


class Party(Strict):
    """One data holder: its keys, its data set, and each column it brings with that column's use."""

    organisation: Line
    role: RoleName
    keys: PinnedKeys
    dataset: Line
    version: Hash | None = None
    columns: Annotated[Frozen[Line, ColumnUse], Field(min_length=1, max_length=5000)]
    consent_required: StrictBool = False

    def columns_for(self, use: str) -> tuple[str, ...]:
        return tuple(sorted(column for column, its_use in self.columns.items() if its_use == use))


class Task(Strict):
    """What is trained. `split_seed` draws the held-out rows where no split column is named."""

    kind: KindName
    params: SerializeAsAny[Strict]
    split_seed: Annotated[StrictInt, Field(ge=0, lt=2**53)] = 0

    @model_validator(mode="before")
    @classmethod
    def _usual_params(cls, value: Any) -> Any:
        return {"params": {}, **value} if isinstance(value, dict) else value

    @field_validator("params", mode="before")
    @classmethod
    def _of_its_kind(cls, value: Any, info: ValidationInfo) -> Any:
        return _params_of(kind_of(info.data["kind"]), value) if "kind" in info.data else Strict()


class Output(Strict):
    """`to` learns the result in this `form`."""

    to: PartyId
    form: FormName


class Quotas(Strict):
    """Over the contract's life, and per day (UTC)."""

    training_jobs: Count = 20
    scores_per_day: Count = 10_000_000


class Contract(Strict):
    """See docs/contracts.md for every field. Raises RefusedError for terms that are not (yet) possible."""

    format: Literal["saferoom-contract-1"] = "saferoom-contract-1"
    id: Name
    title: Line
    purpose: Line
    legal_basis: Paragraph
    parties: Annotated[Frozen[PartyId, Party], Field(min_length=2, max_length=8)]
    coordinator: PinnedKeys
    helper: PinnedKeys | None = None
    task: Task
    uses: Annotated[Distinct[UseName], Field(min_length=1)]
    trust: Trust
    assumptions: Distinct[Assumption]
    outputs: Distinct[Output]
    minimum_rows: Annotated[StrictInt, Field(ge=2, le=10**9)]
    minimum_bin_rows: Count | None = None
    minimum_bin_events: Count = 10
    score_step: ScoreStep | None = None
    quotas: Quotas = Quotas()
    retention_days: Annotated[StrictInt, Field(ge=1, le=36_500)]
    valid_from: Time
    expires: Time
    witnessing: Witnessing | None = None
    grading: GradeRule | None = None
    default_definition: Paragraph | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        problems = [
            *self.kind.role_problems(self),
            *_name_problems(self),
            *_output_problems(self),
            *(self.witnessing.problems(self.parties) if self.witnessing else []),
        ]
        if self.expires <= self.valid_from:
            problems.append("it expires before it begins")
        if problems:
            raise ValueError("; ".join(problems))
        _check_keys_differ(self.pinned_keys().values())
        refuse(_objections(self))
        return self

    @property
    def kind(self) -> TaskKind:
        """What kind of task it is about."""
        return kind_of(self.task.kind)

    def jobs(self) -> tuple[JobKind, ...]:
        """The kinds of job that the contract's uses allow."""
        return tuple(job for job in self.kind.jobs if set(job.uses) & set(self.uses))

    @property
    def params(self) -> Any:
        """The task's parameters, of its kind's own model."""
        return self.task.params

    @property
    def released_step(self) -> float:
        """To which scores are rounded before anybody learns them, in log-odds."""
        return USUAL_STEP if self.score_step is None else float(self.score_step)

    @property
    def releases_scores(self) -> bool:
        """Whether anybody learns scores, as log-odds or points."""
        return any(output.form in SCORE_FORMS for output in self.outputs)

    @property
    def split_seed(self) -> int:
        return self.task.split_seed

    @property
    def training_jobs(self) -> int:
        return self.quotas.training_jobs

    @property
    def scores_per_day(self) -> int:
        return self.quotas.scores_per_day

    @property
    def helpers(self) -> tuple[str, ...]:
        """The endpoints that help, by the trust mode."""
        return MODES[self.trust].helpers

    def party_ids(self) -> tuple[str, ...]:
        return tuple(self.parties)

    def role_of(self, party: str) -> str:
        return self.parties[party].role

    @property
    def label_holder(self) -> str:
        """The one party that holds the label; "" where the kind of task has no such role."""
        holders = (party for party, its in self.parties.items() if its.role == LABEL_HOLDER)
        return next(holders, "")

    def columns_of(self, party: str, use: str) -> tuple[str, ...]:
        """The columns that `party` brings for this use, sorted."""
        return self.parties[party].columns_for(use)

    def features_of(self, party: str) -> tuple[str, ...]:
        """The feature columns `party` brings, sorted; none is possible at the label holder."""
        return self.parties[party].columns_for("feature")

    def recipients(self, form: str) -> tuple[str, ...]:
        """The parties that learn results in this form, sorted."""
        return tuple(sorted(output.to for output in self.outputs if output.form == form))

    def pinned_keys(self) -> dict[str, PublicKeys]:
        """Public keys of every party, the coordinator and the helper, by node id."""
        nodes = {party: terms_.keys for party, terms_ in self.parties.items()}
        nodes |= {COORDINATOR: self.coordinator}
        nodes |= {HELPER: self.helper} if self.helper else {}
        return {node: keys.public(node) for node, keys in nodes.items()}

    def to_plain(self) -> dict[str, Any]:
        """JSON values; `Contract.model_validate` reads them back.

        A term that a contract does not have is left out: contracts signed before it existed keep their hash.
        """
        return {name: value for name, value in self.model_dump(mode="json").items() if value is not None}


def parse_contract(text: bytes | str) -> Contract:
    """A contract from its JSON.

    Raises ConfigError (every problem of form), RefusedError (terms this version cannot or must not carry
    out), VerificationError (keys and fingerprints that do not belong together).
    """
    if len(text) > MAX_BYTES:
        raise ConfigError(f"a contract has at most {MAX_BYTES} bytes")
    try:
        plain = json.loads(text, object_pairs_hook=_without_repetition)
    except (ValueError, RecursionError) as exc:
        raise ConfigError("the contract is not JSON, or names a key twice") from exc
    return contract_from(plain)


def contract_from(plain: Any) -> Contract:
    """A contract from JSON values. Raises as `parse_contract`."""
    try:
        return Contract.model_validate(plain)
    except ValidationError as exc:
        raise explained(exc, "contract") from exc


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) != len(pairs):
        raise ValueError("a key stands there twice")
    return mapping


def _params_of(kind: TaskKind, given: Any) -> Any:
    """The parameters of a kind of task from JSON values. Raises ValueError naming each wrong one."""
    if type(given) is kind.params:
        return given
    try:
        return kind.params.model_validate(given)
    except ValidationError as exc:
        raise ValueError("; ".join(problems(exc))) from None


def _name_problems(contract: Contract) -> list[str]:
    reserved = sorted({COORDINATOR, HELPER} & set(contract.parties))
    found = [f"a party cannot be called {name}" for name in reserved]
    if contract.helpers and contract.helper is None:
        found.append(f"trust mode {contract.trust} needs the helper's keys")
    return found


def _output_problems(contract: Contract) -> list[str]:
    strangers = sorted({output.to for output in contract.outputs} - set(contract.parties))
    return [f"an output goes to {stranger}, which is not a party" for stranger in strangers]


def _check_keys_differ(nodes: Iterable[PublicKeys]) -> None:
    keys = [key for node in nodes for key in (node.signing, node.sealing, node.log)]
    if len(set(keys)) != len(keys):
        raise ConfigError(
            "two nodes of the contract pin the same key",
            remedy="every node makes its own keys; a copy would let one node be another",
        )


def _objections(contract: Contract) -> list[str]:
    """Every reason why the contract cannot be carried out as it stands; empty if it can."""
    return [
        *MODES[contract.trust].objections(),
        *_assumption_objections(contract),
        *_form_objections(contract),
        *grade_objections(contract),
        *contract.kind.objections(contract),
    ]


def _assumption_objections(contract: Contract) -> list[str]:
    needed = MODES[contract.trust].required(
        len(contract.parties), tells_scores=not contract.recipients(GRADE_ONLY)
    )
    missing = needed - set(contract.assumptions)
    return [f"assumption {name} is not accepted: {ASSUMPTIONS[name][0]}" for name in sorted(missing)]


def _form_objections(contract: Contract) -> list[str]:
    supported = contract.kind.forms
    unsupported = {output.form for output in contract.outputs} - supported
    return [
        f"release form {form} is not supported by this version for a {contract.task.kind} task;"
        f" use {listed(supported)}"
        for form in sorted(unsupported)
    ]
