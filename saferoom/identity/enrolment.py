"""Enrolment by two files, carried by e-mail or on a stick: no port is open for strangers.

    party init                      EnrolmentRequest   node id, organisation, public keys, TLS request
      -> coordinator enrol          Welcome            address, CA, the party's certificate, keys of
      -> party join                                    coordinator and helper

Each is signed by its author's signing key *inside it*: that shows it is whole and from one hand, not whose
hand. Whose it is, people settle by reading the fingerprint over the telephone; `expect` takes what was read.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from saferoom.errors import ConfigError, VerificationError
from saferoom.files.private import read_private, write_private
from saferoom.identity.authority import DEFAULT_DAYS, Authority
from saferoom.identity.certificates import (
    check_aware,
    check_certificate,
    make_csr,
    parse_csr,
    public_key_of,
)
from saferoom.identity.keys import NodeKeys
from saferoom.identity.public import PublicKeys
from saferoom.identity.register import Enrolled
from saferoom.identity.signing import (
    SIGNATURE_BYTES,
    decode_base64,
    encode_base64,
    sign_statement,
    verify_statement,
)
from saferoom.ids import COORDINATOR, HELPER

PAPER_DAYS = 30
MAX_PAPER_BYTES = 100_000
_REQUEST = "saferoom/enrolment-request/v1"
_WELCOME = "saferoom/welcome/v1"
_CLOCK_SKEW = timedelta(hours=1)
_MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class EnrolmentRequest:
    """A party's wish to join, as verified by `read_request`."""

    organisation: str
    keys: PublicKeys
    csr_pem: str
    created: datetime


@dataclass(frozen=True, slots=True)
class Welcome:
    """What a node needs to take part, as verified by `read_welcome`. `address` is host:port."""

    address: str
    ca_pem: str
    certificate_pem: str
    party: PublicKeys
    coordinator: PublicKeys
    helper: PublicKeys
    created: datetime


@dataclass(frozen=True, slots=True)
class Enroller:
    """What the coordinator enrols with. `helper` are the public keys of its helper's own NodeKeys."""

    authority: Authority
    coordinator: NodeKeys
    helper: PublicKeys
    address: str


def write_request(keys: NodeKeys, organisation: str, now: datetime) -> str:
    """The enrolment request of a party, as a JSON document signed by it."""
    if keys.node_id in (COORDINATOR, HELPER):
        raise ConfigError(f"a party cannot be called {keys.node_id}", remedy="choose another id")
    body = {
        "organisation": check_name(organisation),
        "keys": keys.public().to_json(),
        "csr": make_csr(keys.tls, keys.node_id),
        "created": _time_text(now),
    }
    return _seal(_REQUEST, body, keys)


def read_request(text: str, now: datetime, expect: str | None = None) -> EnrolmentRequest:
    """Verify a request: 1. form; 2. signature; 3. age; 4. fingerprint, if given; 5. TLS request; 6. id.

    Raises VerificationError, ConfigError.
    """
    body, signature = _open(text, _REQUEST, {"organisation", "keys", "csr", "created"})
    keys = PublicKeys.from_json(body["keys"])
    verify_statement(keys.signing, _REQUEST, body, signature, party=keys.node_id)
    created = _check_age(body["created"], now, keys.node_id)
    if expect is not None:
        keys.check_fingerprint(expect)
    if keys.node_id in (COORDINATOR, HELPER):
        raise ConfigError(f"a party cannot be called {keys.node_id}", remedy="choose another id")
    parse_csr(str(body["csr"]), keys.node_id)
    return EnrolmentRequest(check_name(str(body["organisation"])), keys, str(body["csr"]), created)


def write_welcome(
    request: EnrolmentRequest, enroller: Enroller, now: datetime, days: int = DEFAULT_DAYS
) -> tuple[str, Enrolled]:
    """The welcome for a verified request, signed by the coordinator, and the entry for its register."""
    csr = parse_csr(request.csr_pem, request.keys.node_id)
    certificate = enroller.authority.issue(csr, request.keys.node_id, days, now)
    body = {
        "address": check_address(enroller.address),
        "ca": enroller.authority.certificate_pem,
        "certificate": certificate,
        "party": request.keys.to_json(),
        "coordinator": enroller.coordinator.public().to_json(),
        "helper": enroller.helper.to_json(),
        "created": _time_text(now),
    }
    return _seal(_WELCOME, body, enroller.coordinator), Enrolled(
        request.organisation, request.keys, certificate
    )


def read_welcome(text: str, own: NodeKeys, now: datetime, expect: str | None = None) -> Welcome:
    """Verify a welcome made for the node with the keys `own`; `expect` is the coordinator's fingerprint.

    1. form; 2. signature by the coordinator; 3. fingerprint, if given; 4. it is for our id and keys; 5. ids
    of coordinator and helper; 6. the certificate: chain, dates, name, use; 7. it is for our TLS key.
    Raises VerificationError, ConfigError.
    """
    welcome = _read_welcome(text)
    if expect is not None:
        welcome.coordinator.check_fingerprint(expect)
    if welcome.party != own.public():
        raise VerificationError(
            f"the welcome is for other keys than ours (it names {welcome.party.node_id})",
            party=own.node_id,
            remedy="send this node's own enrolment request, and use the welcome made from it",
        )
    if (welcome.coordinator.node_id, welcome.helper.node_id) != (COORDINATOR, HELPER):
        raise VerificationError("the welcome does not come from a coordinator", party=own.node_id)
    certificate = check_certificate(welcome.certificate_pem, welcome.ca_pem, own.node_id, now)
    if public_key_of(certificate) != own.tls.public_key():
        raise VerificationError(
            "the certificate is for another TLS key than ours",
            party=own.node_id,
            remedy="enrol again with a request made from the present keys",
        )
    return welcome


def store_welcome(path: Path, text: str, own: NodeKeys, now: datetime, expect: str | None = None) -> Welcome:
    """Verify a welcome and keep it at `path` (0600), replacing an earlier one: this is `party join`.

    The welcome must be fresh (30 days); once stored it counts as long as its certificate does.
    """
    welcome = read_welcome(text, own, now, expect)
    _check_age(_time_text(welcome.created), now, own.node_id)
    write_private(path, text.encode("utf-8"), replace=True)
    return welcome


def load_welcome(path: Path, own: NodeKeys, now: datetime) -> Welcome:
    """Read back and verify what `store_welcome` kept. Raises ConfigError, VerificationError."""
    return read_welcome(read_private(path).decode("utf-8", errors="replace"), own, now)


def check_name(organisation: str) -> str:
    """Return an organisation's name of 1-200 printable characters. Raises ConfigError."""
    printable = all(unicodedata.category(c)[0] != "C" for c in organisation)
    if not (printable and organisation.strip() == organisation and 1 <= len(organisation) <= _MAX_NAME):
        raise ConfigError(f"an organisation's name is 1 to {_MAX_NAME} printable characters")
    return organisation


def check_address(address: str) -> str:
    """Return `host:port` if it is one. Raises ConfigError."""
    host, colon, port = address.rpartition(":")
    fits = colon and host and port.isascii() and port.isdigit() and 0 < int(port) < 2**16
    if not fits or any(c.isspace() or unicodedata.category(c)[0] == "C" for c in host):
        raise ConfigError(
            "the coordinator's address must be host:port", remedy="for example room.example.cn:7443"
        )
    return address


def _read_welcome(text: str) -> Welcome:
    fields = {"address", "ca", "certificate", "party", "coordinator", "helper", "created"}
    body, signature = _open(text, _WELCOME, fields)
    coordinator = PublicKeys.from_json(body["coordinator"])
    verify_statement(coordinator.signing, _WELCOME, body, signature, party=coordinator.node_id)
    return Welcome(
        address=check_address(str(body["address"])),
        ca_pem=str(body["ca"]),
        certificate_pem=str(body["certificate"]),
        party=PublicKeys.from_json(body["party"]),
        coordinator=coordinator,
        helper=PublicKeys.from_json(body["helper"]),
        created=_parse_time(body["created"]),
    )


def _seal(kind: str, body: Mapping[str, Any], keys: NodeKeys) -> str:
    signature = encode_base64(sign_statement(keys.signing, kind, body))
    return (
        json.dumps({"kind": kind, "body": body, "signature": signature}, indent=1, ensure_ascii=False) + "\n"
    )


def _open(text: str, kind: str, fields: set[str]) -> tuple[dict[str, Any], bytes]:
    if len(text) > MAX_PAPER_BYTES:
        raise VerificationError(f"an enrolment file is at most {MAX_PAPER_BYTES} characters")
    try:
        paper = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise VerificationError(f"expected a {kind} file, this is not JSON") from exc
    if not isinstance(paper, dict) or set(paper) != {"kind", "body", "signature"} or paper["kind"] != kind:
        raise VerificationError(f"expected a {kind} file", remedy="check which of the two files this is")
    body = paper["body"]
    if not isinstance(body, dict) or set(body) != fields:
        raise VerificationError(f"a {kind} file has exactly the fields {', '.join(sorted(fields))}")
    return body, decode_base64(str(paper["signature"]), SIGNATURE_BYTES, "signature")


def _time_text(now: datetime) -> str:
    return check_aware(now).astimezone(UTC).isoformat(timespec="seconds")


def _parse_time(text: Any) -> datetime:
    try:
        return check_aware(datetime.fromisoformat(text))
    except (ValueError, TypeError) as exc:
        raise VerificationError("the file's date is not an ISO 8601 time") from exc


def _check_age(text: Any, now: datetime, party: str) -> datetime:
    created = _parse_time(text)
    if not created - _CLOCK_SKEW <= check_aware(now) <= created + timedelta(days=PAPER_DAYS):
        raise VerificationError(
            f"the file was written at {created:%Y-%m-%d %H:%M} UTC; it counts for {PAPER_DAYS} days",
            party=party,
            remedy="check this machine's clock; if it is right, have the file written again",
        )
    return created
