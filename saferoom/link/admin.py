"""Local administration: the command line asks the node on the same machine, over a Unix-domain socket.

    request      JSON  {"verb": ..., "args": {...}}
    responses    JSON  {"item": {...}} any number of times, the last of them the result;
                 or    {"error": {"class", "message", "party", "step", "remedy"}} as the last one

Whoever may open the socket may administer the node: the socket is 0600 in a folder 0700 of the same user.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import socket
import stat
import tempfile
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import grpc

from saferoom.errors import ConfigError, PeerError, SafeRoomError, error_by_name
from saferoom.link.settings import MAX_MESSAGE_BYTES

SERVICE = "saferoom.v1.Admin"
METHOD = "Call"
MAX_PATH_BYTES = 100
MAX_CALLS = 8
_OPTIONS = [
    ("grpc.enable_http_proxy", 0),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.max_receive_message_length", 32 * MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", 32 * MAX_MESSAGE_BYTES),
]
_ERROR_FIELDS = ("message", "party", "step", "remedy")
_log = logging.getLogger(__name__)

Answer = dict[str, Any]
Handler = Callable[[str, Answer], Iterator[Answer]]


def socket_path(home: Path) -> Path:
    """Where the node of this home listens: inside it, or, if that path is too long for a socket, in a
    private folder under the system's temporary one."""
    path = home.absolute() / "run" / "admin.sock"
    if len(os.fsencode(path)) <= MAX_PATH_BYTES:
        return path
    key = hashlib.sha256(os.fsencode(home.absolute())).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"saferoom-{os.getuid()}-{key}" / "admin.sock"


class AdminServer:
    """Answers `admin_call`s with `handler(verb, args)`, at most eight at a time, each in a thread."""

    def __init__(self, path: Path, handler: Handler) -> None:
        self._path = path
        self._handler = handler
        self._server: grpc.Server | None = None

    def start(self) -> None:
        """Listen. Raises ConfigError if a node answers there already or the folder is not private."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_private(self._path.parent)
        if self._path.exists() and _is_answered(self._path):
            raise ConfigError(
                f"a node is already running with {self._path}",
                remedy="stop it, or give this one another home",
            )
        self._path.unlink(missing_ok=True)
        server = grpc.server(
            ThreadPoolExecutor(MAX_CALLS, thread_name_prefix="admin"),
            # Without this the call after the last free thread would wait in silence.
            maximum_concurrent_rpcs=MAX_CALLS,
            options=_OPTIONS,
        )
        method = grpc.unary_stream_rpc_method_handler(self._answer)
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {METHOD: method}),))
        credentials = grpc.local_server_credentials(grpc.LocalConnectionType.UDS)
        try:
            server.add_secure_port(_target(self._path), credentials)
        except RuntimeError as error:
            raise ConfigError(f"cannot listen at {self._path}") from error
        self._path.chmod(0o600)
        server.start()
        self._server = server

    def stop(self) -> None:
        """End; calls that are running are cut off."""
        if self._server is not None:
            self._server.stop(grace=0.5).wait()
            self._path.unlink(missing_ok=True)
            self._server = None

    def _answer(self, request: bytes, _context: object) -> Iterator[bytes]:
        try:
            call = _read_object(request)
            verb, args = call.get("verb"), call.get("args")
            if not isinstance(verb, str) or not isinstance(args, dict):
                raise PeerError("an administration call without a verb and arguments")
            for item in self._handler(verb, args):
                yield _write(item=item)
        except SafeRoomError as error:
            yield _write(error=_pack(error))
        except Exception as error:
            # Without the exception's own text: a foreign one may quote data.
            frames = "".join(traceback.format_tb(error.__traceback__))
            _log.error("an administration call failed: %s\n%s", type(error).__name__, frames)
            yield _write(
                error=_pack(SafeRoomError("the node failed while answering", remedy="see the node's own log"))
            )


def admin_call(path: Path, verb: str, args: Answer, *, timeout_s: float | None = None) -> Iterator[Answer]:
    """Ask the node; gives its items one by one, the last being the result.

    Raises PeerError at step "admin" if no node answers there, and whatever error of our tree the node raised.
    """
    if not path.exists():
        raise _nobody(path)
    _check_private(path.parent)
    credentials = grpc.local_channel_credentials(grpc.LocalConnectionType.UDS)
    with grpc.secure_channel(_target(path), credentials, options=_OPTIONS) as channel:
        ask = channel.unary_stream(f"/{SERVICE}/{METHOD}", None, None)
        request = json.dumps({"verb": verb, "args": args}).encode()
        try:
            for response in ask(request, timeout=timeout_s):
                answer = _read_object(response)
                if "error" in answer:
                    raise _unpack(answer["error"])
                yield answer["item"]
        except grpc.RpcError as error:
            raise _explain(error, path) from error


def _explain(error: grpc.RpcError, path: Path) -> SafeRoomError:
    code = error.code() if isinstance(error, grpc.Call) else grpc.StatusCode.UNKNOWN
    if code == grpc.StatusCode.UNAVAILABLE:
        return _nobody(path)
    if code == grpc.StatusCode.DEADLINE_EXCEEDED:
        return PeerError("the node did not answer in time", step="admin")
    if code == grpc.StatusCode.RESOURCE_EXHAUSTED:
        return PeerError("the node is busy with other calls, or its answer is too long", remedy="try again")
    return PeerError(f"the call to the node ended with {code.name}")


def _nobody(path: Path) -> PeerError:
    return PeerError(
        f"no node answers at {path}", step="admin", remedy="start the node, or name its home folder"
    )


def _target(path: Path) -> str:
    return f"unix://{quote(str(path.absolute()))}"


def _check_private(folder: Path) -> None:
    """Raise ConfigError unless the folder is ours alone: else somebody else may listen there."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise ConfigError(
            f"{folder} is not a folder that only this user may open", remedy="remove it, or chmod 700 it"
        )


def _is_answered(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True


def _pack(error: SafeRoomError) -> Answer:
    return {"class": type(error).__name__, **{name: getattr(error, name) for name in _ERROR_FIELDS}}


def _unpack(packed: Answer) -> SafeRoomError:
    message, *where = (str(packed.get(name, "")) for name in _ERROR_FIELDS)
    return error_by_name(str(packed.get("class")))(
        message, **dict(zip(_ERROR_FIELDS[1:], where, strict=True))
    )


def _write(**answer: Answer) -> bytes:
    return json.dumps(answer, ensure_ascii=False).encode()


def _read_object(data: bytes) -> Answer:
    try:
        value = json.loads(data)
    except ValueError as error:
        raise PeerError("an administration message that is not JSON") from error
    if not isinstance(value, dict):
        raise PeerError("an administration message that is not a JSON object")
    return value
