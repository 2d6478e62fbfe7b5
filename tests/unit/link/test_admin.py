"""Administration on the same machine: items, results, and errors that keep their class."""

from __future__ import annotations

import stat
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from saferoom.errors import ConfigError, PeerError, RefusedError, SafeRoomError
from saferoom.link.admin import AdminServer, admin_call, socket_path
from tests.waiting import LIMIT_S


def handle(verb: str, args: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if verb == "count":
        for number in range(args["to"]):
            yield {"progress": number}
        yield {"done": args["to"], "名": "屋"}
    elif verb == "refuse":
        raise RefusedError("the policy says no", party="bank", step="check", remedy="ask the data officer")
    elif verb == "late":
        yield {"progress": 1}
        raise PeerError("gone")
    else:
        raise KeyError(verb)


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    path = socket_path(tmp_path / "屋 with space & 100%")
    server = AdminServer(path, handle)
    server.start()
    yield path
    server.stop()


def test_items_come_one_by_one_and_the_last_is_the_result(path: Path) -> None:
    items = list(admin_call(path, "count", {"to": 3}))
    assert items == [{"progress": 0}, {"progress": 1}, {"progress": 2}, {"done": 3, "名": "屋"}]


def test_an_error_of_our_tree_crosses_whole(path: Path) -> None:
    with pytest.raises(RefusedError) as caught:
        list(admin_call(path, "refuse", {}))
    error = caught.value
    assert (error.message, error.party, error.step, error.remedy) == (
        "the policy says no", "bank", "check", "ask the data officer",
    )  # fmt: skip


def test_an_error_after_some_items_comes_after_them(path: Path) -> None:
    call = admin_call(path, "late", {})
    assert next(call) == {"progress": 1}
    with pytest.raises(PeerError, match="gone"):
        next(call)


def test_a_foreign_error_tells_nothing_of_itself(path: Path) -> None:
    with pytest.raises(SafeRoomError) as caught:
        list(admin_call(path, "secret-verb", {}))
    assert "secret-verb" not in str(caught.value)


def test_only_this_user_may_open_the_socket(path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_second_node_in_the_same_home_is_refused_and_the_first_lives_on(path: Path) -> None:
    with pytest.raises(ConfigError, match="already running"):
        AdminServer(path, handle).start()
    assert list(admin_call(path, "count", {"to": 0})) == [{"done": 0, "名": "屋"}]


def test_a_socket_left_behind_by_a_crash_is_replaced(tmp_path: Path) -> None:
    import socket

    path = socket_path(tmp_path)
    path.parent.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    with pytest.raises(PeerError) as caught:
        list(admin_call(path, "count", {"to": 1}))
    assert caught.value.step == "admin"
    server = AdminServer(path, handle)
    server.start()
    assert list(admin_call(path, "count", {"to": 0}))
    server.stop()


def test_without_a_node_the_error_says_so(tmp_path: Path) -> None:
    with pytest.raises(PeerError) as caught:
        list(admin_call(socket_path(tmp_path), "count", {"to": 1}))
    assert caught.value.step == "admin"
    assert caught.value.remedy


def test_a_folder_others_may_enter_is_not_trusted(tmp_path: Path) -> None:
    path = socket_path(tmp_path)
    path.parent.mkdir(mode=0o755)
    with pytest.raises(ConfigError, match="only this user"):
        AdminServer(path, handle).start()


def test_a_long_home_gets_a_short_private_socket_of_its_own(tmp_path: Path) -> None:
    long, other = tmp_path / ("x" * 150), tmp_path / ("y" * 150)
    assert socket_path(long) == socket_path(long) != socket_path(other)
    assert len(str(socket_path(long))) <= 100
    assert socket_path(long).is_relative_to(tempfile.gettempdir())
    server = AdminServer(socket_path(long), handle)
    server.start()
    assert list(admin_call(socket_path(long), "count", {"to": 0}))
    server.stop()
    socket_path(long).parent.rmdir()


def test_more_calls_than_threads_are_turned_away_and_not_left_hanging(tmp_path: Path) -> None:
    release = threading.Event()

    def wait(_verb: str, _args: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield {"begun": True}
        release.wait(LIMIT_S)
        yield {"done": True}

    server = AdminServer(socket_path(tmp_path), wait)
    server.start()
    calls = [admin_call(socket_path(tmp_path), "wait", {}) for _ in range(8)]
    for call in calls:
        next(call)
    with pytest.raises(PeerError, match="busy"):
        list(admin_call(socket_path(tmp_path), "wait", {}, timeout_s=LIMIT_S))
    release.set()
    assert [list(call) for call in calls] == [[{"done": True}]] * 8
    server.stop()
