"""A node's first steps: make a home and keys, ask to be enrolled, enrol, join."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from saferoom.errors import StorageError
from saferoom.files.private import write_private
from saferoom.identity.authority import Authority
from saferoom.identity.enrolment import (
    Enroller,
    EnrolmentRequest,
    Welcome,
    check_address,
    check_name,
    read_request,
    store_welcome,
    write_request,
    write_welcome,
)
from saferoom.identity.keys import NodeKeys
from saferoom.identity.register import Register
from saferoom.ids import COORDINATOR, HELPER, check_party_id
from saferoom.jobs.home import Home
from saferoom.node.core import Core, log_signer
from saferoom.node.settings import NodeSettings, save_settings

CERTIFICATE_DAYS = 365

POLICY_TEXT = """\
# What this party accepts, whatever a contract says. Read anew before every decision.
# See docs/contracts.md; configs/policies/ has examples.
"""


def init_party(
    home: Home,
    party: str,
    organisation: str,
    now: datetime,
    passphrase: str | None = None,
) -> str:
    """Make a party's home, keys and policy; return its enrolment request, also kept as request.json."""
    check_party_id(party)
    check_name(organisation)
    home.create()
    keys = NodeKeys.create(home.keys, party, passphrase)
    request = write_request(keys, organisation, now)
    write_private(home.request, request.encode())
    write_private(home.policy, POLICY_TEXT.encode())
    _write_log_key(home, keys)
    save_settings(home.settings, NodeSettings(role="party", node_id=party, organisation=organisation))
    return request


def renew_request(core: Core, now: datetime) -> str:
    """A new enrolment request for the keys that are there, to have the certificate renewed."""
    request = write_request(core.keys, core.settings.organisation, now)
    write_private(core.home.request, request.encode(), replace=True)
    return request


def init_coordinator(
    home: Home, settings: NodeSettings, now: datetime, passphrase: str | None = None
) -> None:
    """Make the coordinator's home: its keys, the helper's keys, the room's authority, its own certificate."""
    check_address(settings.public_address)
    check_name(settings.organisation)
    home.create()
    keys = NodeKeys.create(home.keys, COORDINATOR, passphrase)
    NodeKeys.create(home.helper_keys, HELPER, passphrase)
    _write_log_key(home, keys)
    authority = Authority.create(home.authority, now, passphrase)
    host = settings.public_address.rsplit(":", 1)[0].strip("[]")
    certificate = authority.issue_server(keys.tls.public_key(), CERTIFICATE_DAYS, now, [host])
    write_private(home.tls / "ca.pem", authority.certificate_pem.encode())
    write_private(home.tls / "certificate.pem", certificate.encode())
    save_settings(home.settings, settings)


def enrol(
    core: Core, request_text: str, now: datetime, passphrase: str | None, expect: str | None
) -> tuple[EnrolmentRequest, str]:
    """Verify a party's request, enter it in the register, and return it with its welcome. Logged first."""
    request = read_request(request_text, now, expect)
    authority = Authority.load(core.home.authority, now, passphrase)
    helper = NodeKeys.load(core.home.helper_keys, passphrase).public()
    enroller = Enroller(authority, core.keys, helper, core.settings.public_address)
    welcome, entry = write_welcome(request, enroller, now, CERTIFICATE_DAYS)
    register = Register.load(core.home.register).with_node(entry)
    core.record("party.enrolled", by=request.keys.node_id)
    register.save(core.home.register)
    return request, welcome


def join(core: Core, welcome_text: str, now: datetime, expect: str | None) -> Welcome:
    """Verify the coordinator's welcome and keep it: the node can go up from now on."""
    welcome = store_welcome(core.home.welcome, welcome_text, core.keys, now, expect)
    core.record("party.joined")
    return welcome


def _write_log_key(home: Home, keys: NodeKeys) -> None:
    """The public text with which anybody checks this node's log: give it to your auditor."""
    home.log_key.write_text(log_signer(keys).verifier_key + "\n", encoding="ascii")


def read_text(path: Path, what: str) -> str:
    """A small text file. Raises StorageError naming it."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(f"cannot read the {what} {path}", remedy="check the path") from error
