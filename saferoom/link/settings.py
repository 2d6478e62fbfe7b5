"""Every number of the link in one place: sizes, windows, timers, and the settings gRPC is given.

The gRPC settings are measured ones. gRPC ignores a misspelt setting without a word, so a test holds
them to their effect (a silent peer is noticed), not to their spelling.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

MIB = 1 << 20
FRAME_BYTES = MIB
"""Largest frame on the wire, header and seal included: four of them fill a window exactly."""
SMALL_FRAME_BYTES = 64 * 1024
"""Frames up to this size travel on their own stream and never stand behind bulk."""
WINDOW_BYTES = 4 * MIB
"""What a sender may have under way on one flow before it is acknowledged."""
MAX_MESSAGE_BYTES = 2 * MIB
MAX_CONTROL_BYTES = 64 * MIB
MAX_QUEUED_BYTES = 256 * MIB
"""What one sender may have waiting inside a daemon or the relay, over all its flows."""

HANDSHAKE_MS = 10_000
"""A connection that shows no certificate within this time is closed."""
MOST_CONNECTIONS = 1000
"""Connections that the relay takes at once; below the number of files that a process may open."""


@dataclass(frozen=True, slots=True)
class FlowLimits:
    """Sizes and timers of the flows of one job; the same at all its endpoints."""

    frame_bytes: int = FRAME_BYTES
    window_bytes: int = WINDOW_BYTES
    acknowledge_after_s: float = 0.02
    resend_after_s: float = 2.0
    alive_every_s: float = 10.0
    """How often a job says to each peer that its process is alive, whatever it is doing."""
    outbox_cap_bytes: int = 2048 * MIB
    inbox_cap_bytes: int = 2048 * MIB
    inbox_pause_bytes: int = 256 * MIB
    """Unread messages of one sender past which it is no longer acknowledged, so that it stops."""


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """Timers of the connection between a party and the coordinator."""

    heartbeat_s: float = 10.0
    dead_after_s: float = 30.0
    back_off_s: tuple[float, ...] = (0.2, 1.0, 3.0)
    connect_timeout_s: float = 10.0
    keepalive_time_ms: int = 20_000
    keepalive_timeout_ms: int = 10_000


@dataclass(frozen=True, slots=True)
class NetworkEmulation:
    """A slower network, made by the relay: each party's line to the coordinator has this delay and rate.

    latency_ms: one way, between a party and the coordinator. mbit_per_s: each direction; 0 is unlimited.
    """

    latency_ms: float = 0.0
    mbit_per_s: float = 0.0


@dataclass(frozen=True, slots=True)
class RelayLimits:
    """What the relay lets one sender leave waiting inside it.

    Two windows a flow: one under way, and one sent again after a broken connection.
    """

    flow_bytes: int = 2 * WINDOW_BYTES + FRAME_BYTES
    sender_bytes: int = MAX_QUEUED_BYTES
    control_bytes: int = 2 * MAX_CONTROL_BYTES
    """Control messages on their way to one party."""
    message_bytes: int = MAX_CONTROL_BYTES
    inbox_bytes: int = 2 * MAX_CONTROL_BYTES
    """One control message of a party, and all that wait to be read by the coordinator."""
    controls_per_s: float = 200.0
    controls_at_once: float = 2000.0
    """Control messages of one party; one that sends more is read more slowly."""
    streams_per_s: float = 10.0
    streams_at_once: float = 200.0
    """Streams that one party may open; one connection takes five."""


DEFAULT_FLOW_LIMITS = FlowLimits()
DEFAULT_LINK_SETTINGS = LinkSettings()
DEFAULT_RELAY_LIMITS = RelayLimits()

Options = list[tuple[str, str | int]]


def _common(settings: LinkSettings) -> Options:
    return [
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        ("grpc.http2.bdp_probe", 1),
        ("grpc.keepalive_time_ms", settings.keepalive_time_ms),
        ("grpc.keepalive_timeout_ms", settings.keepalive_timeout_ms),
        ("grpc.http2.ping_timeout_ms", settings.keepalive_timeout_ms),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.keepalive_permit_without_calls", 1),
    ]


def server_options(settings: LinkSettings) -> Options:
    """Settings for the relay. Without `so_reuseport` 0 a second relay would share the port in silence."""
    return [
        *_common(settings),
        ("grpc.http2.min_ping_interval_without_data_ms", settings.keepalive_time_ms // 2),
        ("grpc.so_reuseport", 0),
        ("grpc.max_concurrent_streams", 16),
        ("grpc.server_handshake_timeout_ms", HANDSHAKE_MS),
        ("grpc.max_connection_idle_ms", 60_000),
        ("grpc.max_allowed_incoming_connections", MOST_CONNECTIONS),
    ]


def channel_options(settings: LinkSettings, address: str, server_name: str) -> Options:
    """Settings for a party's channel. A proxy is used where one is set up, but not to this machine."""
    return [
        *_common(settings),
        ("grpc.ssl_target_name_override", server_name),
        ("grpc.use_local_subchannel_pool", 1),
        # Read from a stream in the reading thread itself; a version without this only reads more slowly.
        ("SingleThreadedUnaryStream", 1),
        ("grpc.enable_http_proxy", 0 if is_loopback(address) else 1),
    ]


def is_loopback(address: str) -> bool:
    """Whether `host:port` names this machine."""
    host = address.rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
