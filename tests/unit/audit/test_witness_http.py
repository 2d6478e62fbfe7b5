"""The witness protocol over HTTP on loopback."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from saferoom.audit import AuditLog
from saferoom.audit.formats.note import split_note
from saferoom.audit.witness.feeder import AWAY
from saferoom.audit.witness.http import SIZE_TYPE, ask_witness, witness_server
from saferoom.audit.witness.witness import MAX_REQUEST_BYTES, read_answer
from saferoom.errors import ConfigError
from tests.waiting import LIMIT_S
from tests.witness_room import Bench, grow, open_log, request_for


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def server(bench: Bench) -> Iterator[ThreadingHTTPServer]:
    server = witness_server(bench.witnesses["auditor"], "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def url(server: ThreadingHTTPServer) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}"


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[AuditLog]:
    with open_log(tmp_path / "bank.db") as log:
        grow(log, 3)
        yield log


def test_a_checkpoint_is_cosigned_over_http(bench: Bench, url: str, bank: AuditLog) -> None:
    answer = ask_witness(url, request_for(bank, 0).body())
    assert answer.status == 200
    read_answer(split_note(bank.checkpoint())[0], answer.body, bench.witnesses["auditor"].verifier)


def test_a_feeder_finds_its_way_by_the_size_alone(bench: Bench, url: str, bank: AuditLog) -> None:
    for entries in (0, 2):
        grow(bank, entries)
        bench.feed(bank, "auditor", through=lambda name, body: ask_witness(f"{url}/", body))
    assert [item.size for item in bank.cosignatures()] == [3, 5]


def post(url: str, path: str, body: bytes, headers: dict[str, str]) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=LIMIT_S)
    connection.putrequest("POST", path)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    connection.send(body)
    return connection.getresponse()


def test_a_conflict_has_its_own_type(url: str, bank: AuditLog) -> None:
    body = request_for(bank, 2).body()
    answer = post(url, "/add-checkpoint", body, {"Content-Length": str(len(body))})
    assert (answer.status, answer.headers["Content-Type"], answer.read()) == (409, SIZE_TYPE, b"0\n")


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/", {"Content-Length": "0"}, 404),
        ("/add-checkpoint/", {"Content-Length": "0"}, 404),
        ("/add-checkpoint", {}, 400),
        ("/add-checkpoint", {"Content-Length": "-1"}, 400),
        ("/add-checkpoint", {"Content-Length": "0"}, 400),
        ("/add-checkpoint", {"Content-Length": str(MAX_REQUEST_BYTES + 1)}, 413),
    ],
)
def test_what_is_no_request(url: str, path: str, headers: dict[str, str], status: int) -> None:
    assert post(url, path, b"", headers).status == status


def test_a_witness_whose_disk_is_full_signs_nothing(bench: Bench, url: str, bank: AuditLog) -> None:
    bench.witnesses["auditor"].store._db.execute("PRAGMA query_only = ON")
    answer = ask_witness(url, request_for(bank, 0).body())
    assert answer.status == 500
    assert "saferoom/auditor" not in answer.body


def test_a_witness_that_is_not_there_is_away(server: ThreadingHTTPServer, bank: AuditLog) -> None:
    free = witness_server(None, "127.0.0.1", 0)  # type: ignore[arg-type]
    port = free.server_address[1]
    free.server_close()
    assert ask_witness(f"http://127.0.0.1:{port}", b"x").status == AWAY


def test_addresses_that_are_none(server: ThreadingHTTPServer) -> None:
    with pytest.raises(ConfigError):
        ask_witness("file:///etc/hosts", b"x")
    with pytest.raises(ConfigError):
        witness_server(None, "127.0.0.1", int(server.server_address[1]))  # type: ignore[arg-type]
