"""The contract's form: what is refused, and that it survives its journeys unchanged."""

from __future__ import annotations

import json
import unicodedata
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from saferoom.contracts.canonical import canonical_bytes, contract_hash
from saferoom.contracts.contract import Contract, parse_contract
from saferoom.contracts.draft import draft_contract
from saferoom.contracts.explain import explain, render_explanation
from saferoom.contracts.policy import Policy, policy_reasons
from saferoom.errors import ConfigError, RefusedError, VerificationError
from saferoom.identity.public import PublicKeys
from saferoom.kinds.scorecard import minimum_bin_rows


def edited(contract: Contract, path: str, value: Any) -> dict[str, Any]:
    plain = contract.to_plain()
    place: Any = plain
    *parents, last = path.split("/")
    for key in parents:
        place = place[int(key)] if isinstance(place, list) else place[key]
    place[last] = value
    return plain


def parse(plain: Any) -> Contract:
    return parse_contract(json.dumps(plain))


def test_a_contract_survives_its_canonical_form(house: Any) -> None:
    contract = house.contract()
    encoded = canonical_bytes(contract)
    assert parse_contract(encoded) == contract
    assert canonical_bytes(parse_contract(encoded)) == encoded
    assert Contract.model_validate(contract.to_plain()) == contract
    assert contract_hash(parse_contract(encoded)) == contract_hash(contract)
    assert len(contract_hash(contract)) == 32


SIGNED = Path(__file__).parent / "signed"
HASHES = {
    "logistic": "8cc76b34ef64d5f96c90e330601c70273c9a7b1711eeae76f4f3f534a91898c1",
    "scorecard": "ad610ef9515a7530e87fbf3f3c143a3b0532e4d2caa3ef45c106fae9b79ff61c",
}
"""Of contracts that were signed before boosted trees, weights and their words existed."""


@pytest.mark.parametrize("kind", HASHES)
def test_contracts_signed_before_keep_their_hash(kind: str) -> None:
    encoded = (SIGNED / f"{kind}.json").read_bytes()
    contract = parse_contract(encoded)
    assert canonical_bytes(contract) == encoded
    assert contract_hash(contract).hex() == HASHES[kind]


titles = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=40)


@given(
    title=titles.filter(lambda t: unicodedata.normalize("NFC", t) == t),
    l2=st.floats(0, 1e9) | st.integers(0, 10**9),
    days=st.integers(2, 10_000),
    rows=st.integers(2, 10**9),
    column=st.sampled_from(["营收", "a b", "x" * 200, "é", '"quoted"', "\\"]),
)
def test_any_legal_contract_round_trips(
    house: Any, title: str, l2: float, days: int, rows: int, column: str
) -> None:
    draft = house.draft(
        title=title,
        minimum_rows=rows,
        task={"kind": "logistic", "params": {"l2": l2}},
        expires=house.now + timedelta(days=days),
    )
    draft["parties"]["tax"]["columns"][column] = "feature"
    contract = house.contract_of(draft)
    encoded = canonical_bytes(contract)
    assert parse_contract(encoded) == contract
    assert canonical_bytes(parse_contract(encoded)) == encoded


@given(random=st.randoms())
def test_the_order_of_keys_does_not_change_the_hash(house: Any, random: Any) -> None:
    def shuffled(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        items = [(key, shuffled(inner)) for key, inner in value.items()]
        random.shuffle(items)
        return dict(items)

    contract = house.contract()
    assert contract_hash(parse(shuffled(contract.to_plain()))) == contract_hash(contract)


CHANGES: list[tuple[str, Any]] = [
    ("id", "sme-2026"),
    ("title", "another"),
    ("purpose", "marketing"),
    ("legal_basis", "none"),
    ("parties/tax/organisation", "another"),
    ("parties/tax/dataset", "tax-2023"),
    ("parties/tax/version", "sha256:" + "a" * 64),
    ("parties/tax/consent_required", True),
    ("parties/tax/columns/tax_c", "feature"),
    ("task/params/l2", 0.25),
    ("task/params/logit_range", 16),
    ("task/split_seed", 8),
    ("uses", ["train"]),
    ("minimum_rows", 201),
    ("minimum_bin_rows", 1),
    ("quotas/scores_per_day", 1001),
    ("retention_days", 91),
    ("valid_from", "2025-01-01T00:00:00Z"),
    ("expires", "2031-01-01T00:00:00Z"),
]


@pytest.mark.parametrize(("path", "value"), CHANGES)
def test_every_term_is_under_the_hash(house: Any, path: str, value: Any) -> None:
    contract = house.contract()
    assert contract_hash(parse(edited(contract, path, value))) != contract_hash(contract)


def test_a_contract_cannot_be_changed(house: Any) -> None:
    contract = house.contract()
    with pytest.raises(ValidationError):
        contract.minimum_rows = 2
    with pytest.raises(TypeError):
        contract.parties["evil"] = contract.parties["tax"]
    with pytest.raises(TypeError):
        contract.parties["tax"].columns["secret"] = "feature"


WRONG: list[tuple[str, Any, str]] = [
    ("surprise", 1, "Extra inputs"),
    ("parties/tax/surprise", 1, "Extra inputs"),
    ("task/params/l1", 1, "Extra inputs"),
    ("task/params/l2", -0.1, "greater than or equal"),
    ("task/params/l2", "1.0", "l2"),
    ("task/params/l2", True, "l2"),
    ("task/params/logit_range", 9, "logit_range"),
    ("task/kind", "forest", "task.kind"),
    ("task/split_seed", -1, "split_seed"),
    ("format", "saferoom-contract-2", "format"),
    ("id", "../evil", "id"),
    ("id", "", "id"),
    ("title", "a\x1b[2J", "cannot be printed"),
    ("title", "bank\u202egnp", "cannot be printed"),
    ("title", "e\u0301", "NFC"),
    ("title", " x", "spaces"),
    ("parties/tax/role", "label_holder", "exactly one party is the label holder"),
    ("parties/bank/role", "feature_holder", "exactly one party is the label holder"),
    ("parties/tax/role", "server", "role"),
    ("parties/tax/columns/uscc", "feature", "exactly one column is the id"),
    ("parties/tax/columns/tax_a", "id", "exactly one column is the id"),
    ("parties/tax/columns/tax_a", "label", "names one label column"),
    ("parties/bank/columns/default", "feature", "names one label column"),
    ("parties/tax/columns/tax_a", "split", "only the label holder"),
    ("parties/bank/columns/bank_a", "split", "only the label holder"),
    ("parties/tax/columns", {"uscc": "id"}, "at least one feature"),
    ("parties/tax/columns/x", "mask", "columns"),
    ("parties/tax/version", "abc", "version"),
    ("parties/tax/consent_required", "yes", "consent_required"),
    ("minimum_rows", 1, "minimum_rows"),
    ("minimum_rows", "200", "minimum_rows"),
    ("minimum_rows", True, "minimum_rows"),
    ("quotas/training_jobs", -1, "training_jobs"),
    ("quotas/scores_per_day", 2**60, "scores_per_day"),
    ("uses", [], "uses"),
    ("uses", ["train", "train"], "twice"),
    ("uses", ["sell"], "uses"),
    ("assumptions", ["hope"], "assumptions"),
    ("trust", "none", "trust"),
    ("retention_days", 0, "retention_days"),
    ("expires", "2025-03-02T02:00:00Z", "expires before it begins"),
    ("expires", "2031-01-01T00:00:00", "time zone"),
    ("expires", "2031-01-01T00:00:00.5Z", "whole seconds"),
    ("expires", "2031-01-01x00:00:00Z", "must be"),
    ("expires", "20310101T000000Z", "must be"),
    ("expires", 1893456000, "must be a time"),
    ("expires", None, "must be a time"),
]


@pytest.mark.parametrize(("path", "value", "message"), WRONG)
def test_wrong_form_is_refused_by_name(house: Any, path: str, value: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse(edited(house.contract(), path, value))


def test_outputs_go_to_parties(house: Any) -> None:
    plain = house.contract().to_plain()
    plain["outputs"].append({"to": "broker", "form": "score"})
    with pytest.raises(ConfigError, match="broker, which is not a party"):
        parse(plain)


def test_every_problem_is_listed_at_once_and_no_value_repeated(house: Any) -> None:
    plain = edited(house.contract(), "minimum_rows", "4711-secret")
    plain["retention_days"] = -5
    plain["surprise"] = "secret-too"
    with pytest.raises(ConfigError) as caught:
        parse(plain)
    message = str(caught.value)
    assert all(name in message for name in ("minimum_rows", "retention_days", "surprise"))
    assert "secret" not in message


def test_two_to_eight_parties(house: Any) -> None:
    plain = house.contract().to_plain()
    del plain["parties"]["tax"], plain["parties"]["utility"]
    plain["outputs"] = [output for output in plain["outputs"] if output["to"] == "bank"]
    with pytest.raises(ConfigError, match="parties"):
        parse(plain)
    plain = house.contract().to_plain()
    plain["parties"] |= {f"more-{i}": plain["parties"]["tax"] for i in range(6)}
    with pytest.raises(ConfigError, match="parties"):
        parse(plain)


@pytest.mark.parametrize("name", ["coordinator", "helper"])
def test_reserved_names_are_no_parties(house: Any, name: str) -> None:
    plain = house.contract().to_plain()
    plain["parties"][name] = plain["parties"]["tax"]
    with pytest.raises(ConfigError, match="cannot be called"):
        parse(plain)


def test_a_repeated_key_is_refused(house: Any) -> None:
    text = json.dumps(house.contract().to_plain())
    with pytest.raises(ConfigError, match="twice"):
        parse_contract(text.replace('"minimum_rows": 200', '"minimum_rows": 200, "minimum_rows": 2'))


@pytest.mark.parametrize(
    "text", ["", "null", "[]", "{}", "[" * 100_000, b"\xff\xfe", '{"id": NaN}', "1" * 5000]
)
def test_garbage_ends_in_an_error_of_ours(text: str | bytes) -> None:
    with pytest.raises(ConfigError):
        parse_contract(text)


# -- terms that cannot, or must not, be carried out -----------------------------------------------------


def test_strict_mode_is_refused_clearly(house: Any) -> None:
    with pytest.raises(RefusedError, match="strict is not supported by this version"):
        house.contract(trust="strict")


@pytest.mark.parametrize("form", ["points", "reason_codes"])
def test_release_forms_of_later_versions_are_refused(house: Any, form: str) -> None:
    plain = house.contract().to_plain()
    plain["outputs"].append({"to": "bank", "form": form})
    with pytest.raises(RefusedError, match=f"{form} is not supported by this version"):
        parse(plain)


@pytest.mark.parametrize("name", ["semi_honest_parties", "helper_does_not_collude"])
def test_assumptions_are_accepted_by_name_or_not_at_all(house: Any, name: str) -> None:
    draft = house.draft()
    draft["assumptions"].remove(name)
    with pytest.raises(RefusedError, match=f"assumption {name} is not accepted"):
        house.contract_of(draft)


def test_two_parties_accept_that_a_score_shows_the_others_part(house: Any) -> None:
    draft = house.draft("tax")
    house.contract_of(draft)
    draft["assumptions"].remove("two_party_score_reveals_part")
    with pytest.raises(RefusedError, match="two_party_score_reveals_part"):
        house.contract_of(draft)


def test_all_objections_come_at_once(house: Any) -> None:
    with pytest.raises(RefusedError) as caught:
        house.contract("tax", assumptions=[], trust="strict", outputs=[])
    for part in ("strict", "semi_honest", "two_party", "coefficients", "score"):
        assert part in caught.value.message


def test_training_names_what_it_releases(house: Any) -> None:
    plain = house.contract().to_plain()
    outputs = plain["outputs"]
    plain["outputs"] = [o for o in outputs if o != {"to": "tax", "form": "coefficients"}]
    with pytest.raises(RefusedError, match="no such output is named for tax"):
        parse(plain)
    plain["outputs"] = [o for o in outputs if o["form"] != "score"]
    with pytest.raises(RefusedError, match="score to the label holder"):
        parse(plain)


# -- pinned keys -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["signing", "sealing", "log", "fingerprint"])
@pytest.mark.parametrize("place", ["parties/tax/keys", "helper", "coordinator"])
def test_keys_and_fingerprint_belong_together(house: Any, place: str, field: str) -> None:
    contract = house.contract()
    other = contract.to_plain()["parties"]["bank"]["keys"][field]
    with pytest.raises((VerificationError, ConfigError)):
        parse(edited(contract, f"{place}/{field}", other))


def test_no_two_nodes_share_a_key(house: Any) -> None:
    twin = dict(house.keys) | {"utility": house.keys["tax"]}
    tax = house.keys["tax"].public()
    public = {node: keys.public() for node, keys in twin.items()}
    public["utility"] = PublicKeys("utility", tax.signing, tax.sealing, tax.log)
    with pytest.raises(ConfigError, match="pin the same key"):
        draft_contract(house.draft(), public, now=house.now)


def test_a_draft_that_is_over_already_is_refused(house: Any) -> None:
    public = {node: keys.public() for node, keys in house.keys.items()}
    over = house.contract().expires
    draft_contract(house.draft(), public, now=over - timedelta(seconds=1))
    with pytest.raises(ConfigError, match="over already"):
        draft_contract(house.draft(), public, now=over)


def test_questions_a_node_asks(house: Any) -> None:
    contract = house.contract()
    assert contract.label_holder == "bank"
    assert contract.features_of("tax") == ("tax_a", "tax_b")
    assert contract.recipients("coefficients") == ("bank", "tax", "utility")
    assert contract.recipients("score") == ("bank",)
    assert contract.pinned_keys() == {node: keys.public() for node, keys in house.keys.items()}


def test_a_scorecard_has_parameters_of_its_own(house: Any) -> None:
    contract = house.contract(task={"kind": "scorecard", "params": {"max_bins": 8, "pdo": 20}})
    assert parse_contract(canonical_bytes(contract)) == contract
    params = contract.task.params.model_dump()
    assert (params["max_bins"], params["pdo"], params["base_points"]) == (8, 20, 600)
    assert contract.recipients("points") == ("bank",)
    assert "max_bins" not in house.contract().task.params.model_dump()


@pytest.mark.parametrize(
    ("kind", "params", "expected"),
    [
        ("logistic", {"max_bins": 6}, "max_bins: Extra inputs"),
        ("scorecard", {"max_bins": 1}, "max_bins: Input should be greater than or equal to 2"),
        ("scorecard", {"pdo": 0}, "pdo"),
        ("scorecard", {"key_bits": 1024}, "key_bits"),
        ("scorecard", {"trend": "up"}, "trend"),
    ],
)
def test_parameters_of_another_kind_or_out_of_range_are_named(
    house: Any, kind: str, params: dict[str, Any], expected: str
) -> None:
    with pytest.raises(ConfigError, match=expected):
        house.contract(task={"kind": kind, "params": params})


def test_a_scorecard_needs_points_and_bins_of_some_rows(house: Any) -> None:
    task, scores = {"kind": "scorecard"}, {"to": "bank", "form": "score"}
    own = [{"to": party, "form": "coefficients"} for party in ("bank", "tax", "utility")]
    with pytest.raises(RefusedError, match="points to the label holder"):
        house.contract(task=task, outputs=[*own, scores])
    with pytest.raises(RefusedError, match="minimum_bin_rows of at least 10"):
        house.contract(task=task, minimum_bin_rows=9)
    with pytest.raises(RefusedError, match="release form points is not supported"):
        house.contract(outputs=[*own, scores, {"to": "bank", "form": "points"}])


def test_reason_codes_go_with_points(house: Any) -> None:
    own = [{"to": party, "form": "coefficients"} for party in ("bank", "tax", "utility")]
    outputs = [*own, *({"to": "bank", "form": form} for form in ("score", "points"))]
    with pytest.raises(RefusedError, match="reason codes go with points, which tax does not learn"):
        house.contract(task={"kind": "scorecard"}, outputs=[*outputs, {"to": "tax", "form": "reason_codes"}])


def test_what_counts_as_default_may_be_said_and_is_under_the_hash(house: Any) -> None:
    silent, said = house.contract(), house.contract(default_definition="90 days past due")
    assert "default_definition" not in silent.to_plain()
    assert said.to_plain()["default_definition"] == "90 days past due"
    assert contract_hash(said) != contract_hash(silent)
    words = {"en": "What counts as default: 90 days past due", "zh": "违约定义: 90 days past due"}
    for lang, line in words.items():
        assert line in render_explanation(explain(said, lang))
        assert line.partition(":")[0] not in render_explanation(explain(silent, lang))
    with pytest.raises(ConfigError):
        house.contract(default_definition="x" * 2001)


def test_the_minimum_of_rows_follows_the_training_rows_where_none_is_agreed(house: Any) -> None:
    usual = house.contract(task={"kind": "scorecard"})
    assert "minimum_bin_rows" not in usual.to_plain()
    assert [minimum_bin_rows(usual, rows) for rows in (300, 2500, 10**6)] == [20, 25, 50]
    agreed = house.contract(task={"kind": "scorecard"}, minimum_bin_rows=100)
    assert agreed.to_plain()["minimum_bin_rows"] == 100
    assert minimum_bin_rows(agreed, 300) == 100


def test_a_policy_that_wants_more_rows_a_bin_than_are_usual_refuses(
    house: Any,
) -> None:
    usual = house.contract(task={"kind": "scorecard"})
    assert policy_reasons(Policy(), usual, "tax", house.now) == []
    assert policy_reasons(Policy(minimum_bin_rows=30), usual, "tax", house.now) == [
        "the minimum of 20 rows in a bin is below our 30"
    ]
