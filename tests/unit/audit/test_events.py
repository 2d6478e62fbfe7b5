"""What may stand in an entry, and its exact bytes."""

from __future__ import annotations

import string
from dataclasses import replace
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from saferoom.audit.entries.events import (
    Actor,
    Anchor,
    ContractRef,
    DataObject,
    Deletion,
    DisclosureRef,
    Event,
    ModelRef,
    PeerRef,
    event_dict,
)
from saferoom.audit.entries.identifiers import looks_like_enterprise_code
from saferoom.audit.entries.schema import OPTIONAL, REQUIRED, check_event, fault
from saferoom.audit.entries.vocabulary import (
    BUCKETS,
    bucket,
)
from saferoom.audit.formats.canonical import decode, encode
from saferoom.audit.log.recorder import safe_reason
from saferoom.errors import UsageError, VerificationError
from saferoom.ids import uscc_check_character

BODY = "91510100MA62K3X7Y"
CODE = BODY + uscc_check_character(BODY)
BARE = Event(
    event_id="0" * 32,
    type="node.started",
    stage="use",
    time="2026-01-31T08:00:00.000Z",
    node="bank",
    software="saferoom 0.1.0",
    outcome="allowed",
)
FULL = replace(
    BARE,
    reason="数据集不在合同中",
    actor=Actor("bank", "p-17", "data officer", "mtls", "AB:CD", "tax"),
    contract=ContractRef("c-1", "5f" * 32),
    purpose="credit",
    legal_basis="consent",
    consent_ref="doc-1",
    approvals=("p-17",),
    object=DataObject.of(
        "贷款", rows=31_234, columns=["年龄", "y"], version_hash="aa" * 32, classification="C3"
    ),
    disclosure=DisclosureRef.of(
        "coefficients", "bank", (20, 5000), protocol="logistic", assumption="no collusion"
    ),
    peer=PeerRef("tax", "sent", 0, bucket(1234), "1b" * 32),
    subject_commit="2c" * 32,
    model=ModelRef("m-1", "3"),
    deletion=Deletion("overwrite", "shares of job 7", "files gone"),
    anchors=(Anchor("saferoom/tax", 0, "3d" * 32),),
)


def test_empty_fields_are_left_out() -> None:
    assert set(event_dict(BARE)) == set(REQUIRED)
    check_event(event_dict(BARE))


def test_a_full_event_keeps_everything() -> None:
    values = event_dict(FULL) | {"session": {"id": "s", "seq": 0, "prev_hash": "0" * 64}}
    check_event(values)
    assert set(values) == set(REQUIRED) | set(OPTIONAL)
    assert values["peer"]["messages"] == 0
    assert values["anchors"][0]["size"] == 0
    assert values["object"]["rows_bucket"] == "10000-99999"
    assert values["disclosure"]["shape"] == [20, "1000-9999"]
    assert decode(encode(values)) == values


LONG = "é" * 501
BROKEN: list[dict[str, Any]] = [
    {"colour": "red"},
    {"reason": LONG},
    {"reason": "two\nlines"},
    {"reason": f"the row of {CODE} is bad"},
    {"reason": 3},
    {"type": "node.exploded"},
    {"stage": "publishing"},
    {"stage": "destruction"},
    {"outcome": "maybe"},
    {"time": "2026-01-31 08:00:00"},
    {"event_id": "xyz"},
    {"v": 2},
    {"v": True},
    {"node": ""},
    {"actor": {}},
    {"actor": {"id": "x"}},
    {"actor": {"org": "bank", "name": "somebody"}},
    {"contract": "c-1"},
    {"object": {"columns": []}},
    {"object": {"columns": [CODE]}},
    {"object": {"rows_bucket": "31234"}},
    {"disclosure": {"kind": "k", "to": "bank", "shape": [1.5]}},
    {"disclosure": {"kind": "k", "to": "bank", "shape": [-1]}},
    {"peer": {"org": "tax", "direction": "sideways"}},
    {"peer": {"org": "tax", "direction": "sent", "messages": 2**53}},
    {"peer": {"org": "tax", "direction": "sent", "messages": True}},
    {"session": {"id": "s"}},
    {"subject_commit": CODE},
    {"anchors": [{"origin": "a", "size": 1, "root": "short"}]},
    {"approvals": ["x"] * 65},
]


@pytest.mark.parametrize("change", BROKEN, ids=str)
def test_what_the_schema_does_not_name_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        check_event(event_dict(FULL) | change)
    assert CODE not in str(caught.value)
    assert "red" not in caught.value.message.split()


@pytest.mark.parametrize("name", REQUIRED)
def test_required_fields(name: str) -> None:
    values = event_dict(FULL)
    del values[name]
    assert name in fault(values)


@pytest.mark.parametrize(
    "text",
    [
        CODE,
        CODE.lower(),
        f"row {CODE}.",
        f"x_{CODE}_y",
        f"id{CODE}",
        "９１５１０１００ＭＡ６２Ｋ３Ｘ７Ｙ" + CODE[-1],
        f"{CODE[:4]} {CODE[4:8]}-{CODE[8:]}",
        BODY + ("0" if CODE[-1] != "0" else "1"),
    ],
)
def test_codes_are_seen(text: str) -> None:
    assert looks_like_enterprise_code(text)


@pytest.mark.parametrize(
    "text",
    ["bank", "5f" * 32, "0" * 32, "2026-01-31T08:00:00.000Z", "internationalisation of columns", "a" * 40],
)
def test_usual_texts_are_not_codes(text: str) -> None:
    assert not looks_like_enterprise_code(text)


@given(st.binary(min_size=10, max_size=32))
def test_digests_are_not_codes(digest: bytes) -> None:
    assert not looks_like_enterprise_code(digest.hex())


def test_reasons_are_made_safe() -> None:
    assert safe_reason("a\n b\x00\tc") == "a b c"
    assert len(safe_reason("word " * 300)) == 500
    assert CODE not in safe_reason(f"cannot read {CODE}")
    check_event(event_dict(replace(BARE, reason=safe_reason("x\u2028\ud800" + LONG))))


plain = st.recursive(
    st.text(st.characters(exclude_categories=["Cs"])) | st.integers(-(2**53) + 1, 2**53 - 1),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(string.ascii_letters + "_."), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text(string.ascii_lowercase + "_"), plain, max_size=6))
def test_bytes_are_those_of_rfc_8785(values: dict[str, Any]) -> None:
    assert encode(values) == rfc8785.dumps(values)
    assert decode(encode(values)) == values


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{", b'{"a": 1}', b'{"b":1,"a":2}', b'{"a":1,"a":1}', b'{"a":1}\n', b' {"a":1}', b"\xff",
     b'{"a":"\\u0041"}', b'{"a":"\\ud800"}', b"[" * 60_000],
)  # fmt: skip
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(VerificationError):
        decode(data)


def test_an_entry_has_at_most_65535_bytes() -> None:
    with pytest.raises(UsageError, match="65535"):
        encode({"reason": "x" * 65_530})


@given(st.integers(0, 10**20))
def test_buckets(count: int) -> None:
    assert bucket(count) in BUCKETS
    if 0 < count < 10**15:
        low, high = map(int, bucket(count).split("-"))
        assert low <= count <= high < 10 * low


def test_buckets_refuse_negative_counts() -> None:
    with pytest.raises(UsageError):
        bucket(-1)
