"""A port that is kept for the coordinator."""

from __future__ import annotations

import socket

import pytest

from saferoom.lab.processes import reserved_port


def test_a_reserved_port_is_given_to_nobody_and_serves_its_owner_again_and_again() -> None:
    with reserved_port() as port:
        for _ in range(2):
            with socket.socket() as stranger, pytest.raises(OSError):
                stranger.bind(("127.0.0.1", port))
            with socket.create_server(("127.0.0.1", port)) as listener:
                socket.create_connection(("127.0.0.1", port)).close()
                listener.accept()[0].close()
    with reserved_port() as other:
        assert other
