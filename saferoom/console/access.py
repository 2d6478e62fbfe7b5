"""Who may look: one-time tokens printed at the terminal, and sessions in cookies.

    token      256 random bits, shown at the terminal; opens one session, then the next is shown
    session    256 random bits in a cookie (HttpOnly, SameSite=Strict), for twelve hours

Both are compared by their SHA-256 in constant time and kept in memory only: when the console stops they are
void.
"""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from collections.abc import Callable
from hashlib import sha256

TOKEN_BYTES = 32
SESSION_S = 12 * 3600
COOKIE = "saferoom_console"

OnToken = Callable[[str], None]


class Access:
    """The door. `open_to_all` where the transport has already asked for a certificate."""

    def __init__(
        self,
        on_token: OnToken = lambda _token: None,
        *,
        open_to_all: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.open_to_all = open_to_all
        self._on_token, self._clock = on_token, clock
        self._lock = threading.Lock()
        self._sessions: dict[bytes, float] = {}
        self._token = b""

    def invite(self) -> None:
        """Show the next token. Until the first is shown nobody gets in."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        self._token = _digest(token)
        self._on_token(token)

    def enter(self, token: str) -> str:
        """Spend a token for a new session's cookie; empty if the token is not the one shown."""
        with self._lock:
            if self.open_to_all or not hmac.compare_digest(_digest(token), self._token):
                return ""
            session = secrets.token_urlsafe(TOKEN_BYTES)
            self._sessions[_digest(session)] = self._clock() + SESSION_S
            self.invite()
            return session

    def may_look(self, session: str) -> bool:
        """Whether a cookie's session is open."""
        if self.open_to_all:
            return True
        wanted, now = _digest(session), self._clock()
        with self._lock:
            self._sessions = {key: end for key, end in self._sessions.items() if end > now}
            # Every session is compared: how long this takes says nothing about which one was close.
            return any([hmac.compare_digest(wanted, key) for key in self._sessions])  # noqa: C419

    def leave(self, session: str) -> None:
        """Close a session."""
        with self._lock:
            self._sessions.pop(_digest(session), None)


def _digest(text: str) -> bytes:
    return sha256(text.encode(errors="surrogatepass")).digest()
