"""The link: sealed frames between job processes, relayed by the coordinator over mutual TLS.

    job process          party's daemon            coordinator            party's daemon          job process
    JobLink  ── pipe ──  Switchboard, PartyLink ══ mTLS ══ Relay ══ mTLS ══ PartyLink, Switchboard ── pipe ── JobLink
    seals, numbers,      holds the certificate,    checks who sends,       moves opaque frames      checks, opens,
    resends              moves opaque frames       cannot open a frame                              acknowledges

Nothing is imported here: a job process needs `joblink` and `pipe` alone and must not load gRPC.
"""
