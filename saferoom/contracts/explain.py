"""Before anybody signs: who will learn what, in which shape, and how it could be abused. English and Chinese.

The rows are derived from `allowed_disclosures`, the very set that is enforced, so that what is explained is
what can happen.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from saferoom.contracts.contract import Contract
from saferoom.contracts.disclosures import allowed_disclosures, jobs_of
from saferoom.contracts.witnessing import Witnessing
from saferoom.contracts.wording import (
    HEADINGS,
    NO_CONSENT,
    NO_OWN_FEATURES,
    SINGLE_QUERIES,
    VERSION,
    Language,
    pick,
)
from saferoom.errors import UsageError
from saferoom.kinds.base import Warned
from saferoom.kinds.grades_alone import grade_warnings
from saferoom.kinds.learns import DISCLOSURES, NONE_KNOWN_EN, NONE_KNOWN_ZH
from saferoom.kinds.trust import ASSUMPTIONS


@dataclass(frozen=True, slots=True)
class Row:
    """`who` learns `meaning` in this `shape` in these `jobs`; `kind` is its name in contract and log."""

    who: str
    kind: str
    shape: str
    meaning: str
    abuse: str
    jobs: tuple[str, ...]

    def to_plain(self) -> dict[str, object]:
        """JSON values."""
        return {**asdict(self), "jobs": list(self.jobs)}


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything any node can learn under the contract, and what to think about before signing."""

    contract: Contract
    lang: Language
    rows: tuple[Row, ...]
    warnings: tuple[str, ...]


def explain(contract: Contract, lang: str = "en") -> Explanation:
    """The table for a contract, in `en` or `zh`. Raises UsageError for another language."""
    language = _language(lang)
    order = list(DISCLOSURES)
    pairs = sorted(allowed_disclosures(contract), key=lambda pair: (pair[1], order.index(pair[0])))
    rows = tuple(_row(contract, kind, who, language) for kind, who in pairs)
    return Explanation(contract, language, rows, _warnings(contract, language))


def render_explanation(explanation: Explanation, lang: str = "") -> str:
    """The table as plain text, one block a node, then assumptions and warnings."""
    if lang and lang != explanation.lang:
        explanation = explain(explanation.contract, lang)
    language, contract = explanation.lang, explanation.contract
    heads = {name: pick(texts, language) for name, texts in HEADINGS.items()}
    lines = [f"{contract.title} ({contract.id})", ""]
    lines += [f"{heads['purpose']}: {contract.purpose}", f"{heads['basis']}: {contract.legal_basis}"]
    lines += [f"{heads['until']}: {contract.expires:%Y-%m-%d %H:%M} UTC"]
    if contract.default_definition is not None:
        lines += [f"{heads['default']}: {contract.default_definition}"]
    lines += [heads["kept"].format(days=contract.retention_days)]
    lines += [_rounding_line(contract, heads)] if contract.releases_scores else []
    lines += ["", heads["columns"]]
    for party, its in contract.parties.items():
        columns = ", ".join(f"{name} ({use})" for name, use in sorted(its.columns.items()))
        lines.append(f"  {party} ({its.organisation}), {its.dataset}: {columns}")
    for who in dict.fromkeys(row.who for row in explanation.rows):
        lines += ["", heads["learns"].format(who=who)]
        lines += [line for row in explanation.rows if row.who == who for line in _block(row, heads)]
    lines += ["", heads["nothing_else"], "", heads["assumes"]]
    lines += [f"  - {name}: {pick(ASSUMPTIONS[name], language)}" for name in sorted(contract.assumptions)]
    if contract.witnessing:
        lines += ["", _witnessing_line(contract.witnessing, heads)]
    if explanation.warnings:
        lines += ["", heads["warnings"], *(f"  ! {warning}" for warning in explanation.warnings)]
    return "\n".join(lines) + "\n"


def _rounding_line(contract: Contract, heads: dict[str, str]) -> str:
    """How exact the scores are that anybody learns."""
    points = contract.kind.points_step(contract)
    line = heads["rounded"].format(step=contract.released_step)
    return line if points is None else line + heads["rounded_points"].format(step=points)


def _witnessing_line(witnessing: Witnessing, heads: dict[str, str]) -> str:
    names = [*witnessing.witnesses, *(key.partition("+")[0] for key in witnessing.keys)]
    return heads["witnessing"].format(quorum=witnessing.quorum, witnesses=", ".join(names))


def _row(contract: Contract, kind: str, who: str, lang: Language) -> Row:
    words = DISCLOSURES[kind].wording(lang)
    jobs = tuple(job for job in jobs_of(contract) if (kind, who) in allowed_disclosures(contract, job))
    return Row(who, kind, words.shape, words.meaning, words.abuse, jobs)


def _block(row: Row, heads: dict[str, str]) -> list[str]:
    where = f" [{', '.join(row.jobs)}]"
    lines = [f"  - {row.kind}{where}: {row.meaning}; {heads['shape']}: {row.shape}"]
    if row.abuse not in (NONE_KNOWN_EN, NONE_KNOWN_ZH):
        lines.append(f"      {heads['abuse']}: {row.abuse}")
    return lines


def _warnings(contract: Contract, lang: Language) -> tuple[str, ...]:
    found = [*contract.kind.warnings(contract), *grade_warnings(contract), *_general_warnings(contract)]
    return tuple(pick(texts, lang).format(**values) for texts, values in found)


def _general_warnings(contract: Contract) -> list[Warned]:
    """What to think about whatever the kind of task."""
    found: list[Warned] = []
    free = [party for party, its in contract.parties.items() if not its.consent_required]
    found += [(NO_CONSENT, {"parties": ", ".join(free)})] if free else []
    holder = contract.label_holder
    if holder and not contract.features_of(holder):
        found.append((NO_OWN_FEATURES, {"party": holder}))
    if "score_one" in contract.uses:
        found.append((SINGLE_QUERIES, {"limit": contract.quotas.scores_per_day}))
    unpinned = [party for party, its in contract.parties.items() if its.version is None]
    return found + ([(VERSION, {"parties": ", ".join(unpinned)})] if unpinned else [])


def _language(lang: str) -> Language:
    if lang == "zh":
        return "zh"
    if lang == "en":
        return "en"
    raise UsageError(f"explanations are in en and zh, not {lang!r}")
