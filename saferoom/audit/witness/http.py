"""The witness protocol over HTTP: a stand-alone witness, and the asking of one.

    POST <prefix>/add-checkpoint      the statuses of `witness`; a 409's body is of type text/x.tlog.size
    anything else                     404

Requests and answers are public and signed in themselves, so plain HTTP serves; put a TLS proxy before it
where others should not see which logs grow when.

Source: c2sp.org/tlog-witness.
"""

from __future__ import annotations

import logging
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

from saferoom.audit.witness.feeder import AWAY
from saferoom.audit.witness.witness import (
    BAD_REQUEST,
    CONFLICT,
    MAX_REQUEST_BYTES,
    NOT_FOUND,
    Answer,
    Witness,
)
from saferoom.errors import ConfigError, StorageError

ADD_CHECKPOINT = "/add-checkpoint"
SIZE_TYPE = "text/x.tlog.size"
MAX_ANSWER_BYTES = 100_000
READ_S = 10.0
TOO_LARGE, BROKEN = 413, 500

_log = logging.getLogger(__name__)


class _Handler(BaseHTTPRequestHandler):
    witness: ClassVar[Witness]
    timeout = READ_S
    server_version = "saferoom-witness"
    sys_version = ""

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if self.path != ADD_CHECKPOINT:
            self._answer(Answer(NOT_FOUND, "a witness answers POST /add-checkpoint\n"))
        elif not length.isascii() or not length.isdigit():
            self._answer(Answer(BAD_REQUEST, "the request has no length\n"))
        elif int(length) > MAX_REQUEST_BYTES:
            self._answer(Answer(TOO_LARGE, "the request is too long\n"))
        else:
            self._add_checkpoint(self.rfile.read(int(length)))

    def do_GET(self) -> None:
        self._answer(Answer(NOT_FOUND, "a witness answers POST /add-checkpoint\n"))

    def _add_checkpoint(self, body: bytes) -> None:
        try:
            answer = self.witness.add_checkpoint(body)
        except StorageError as error:
            _log.error("%s", error.message)
            answer = Answer(BROKEN, "the witness cannot write its memory\n")
        self._answer(answer)

    def _answer(self, answer: Answer) -> None:
        body = answer.body.encode()
        self.send_response(answer.status)
        is_size = answer.status == CONFLICT
        self.send_header("Content-Type", SIZE_TYPE if is_size else "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.close_connection = True
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's own word
        _log.info("%s: %s", self.address_string(), format % args)


def witness_server(witness: Witness, host: str, port: int) -> ThreadingHTTPServer:
    """A server that listens; call its `serve_forever`, and `server_close` at the end. Port 0 takes any.

    Raises: ConfigError if the address cannot be used.
    """
    handler = type("Handler", (_Handler,), {"witness": witness})
    try:
        return ThreadingHTTPServer((host, port), handler)
    except OSError as error:
        raise ConfigError(f"cannot listen at {host}:{port}: {error.strerror}", step="witness") from error


def ask_witness(url: str, body: bytes, timeout_s: float = READ_S) -> Answer:
    """Post a request to the witness at `url`, its submission prefix. One that cannot be reached is AWAY.

    Raises: ConfigError if that is no address.
    """
    if not url.startswith(("http://", "https://")):
        raise ConfigError("a witness's address begins with http:// or https://", step="witness")
    request = urllib.request.Request(  # noqa: S310 - the scheme was looked at
        url.rstrip("/") + ADD_CHECKPOINT, data=body, method="POST"
    )
    request.add_header("Content-Type", "text/plain; charset=utf-8")
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as response:  # noqa: S310 - as above
            return Answer(response.status, response.read(MAX_ANSWER_BYTES).decode("utf-8", errors="replace"))
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.read(MAX_ANSWER_BYTES).decode("utf-8", errors="replace"))
    except (OSError, ValueError) as error:
        return Answer(AWAY, f"the witness cannot be reached ({type(error).__name__})")
