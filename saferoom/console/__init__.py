"""The auditor's console: `saferoom audit serve`. Web pages over log files, read only, Chinese and English.

    sources      a log's database or an exported folder, opened anew for each request
    index        columns in memory over all entries, for filters and counts; derived, rebuilt at will
    evidence     the logs together: index, keys, verdicts
    access       one-time tokens, sessions
    app, routes  the pages (FastAPI); `serve` runs them on loopback, or with client certificates

It needs no running node and writes nothing: what a page shows is read from the log and checked in the page's
own request.
"""
