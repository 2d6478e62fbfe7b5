"""The link: sealed frames between job processes, relayed by the coordinator over mutual TLS.

    job process     JobLink                   seals, numbers, acknowledges, sends again
       | pipe
    daemon          Switchboard, PartyLink    holds the certificate, moves opaque frames
       ‖ mutual TLS
    coordinator     Relay                     checks who sends, cannot open a frame
       ‖ mutual TLS
    daemon          PartyLink, Switchboard
       | pipe
    job process     JobLink

Nothing is imported here: a job process needs `joblink` and `pipe` alone and must not load gRPC.
"""
