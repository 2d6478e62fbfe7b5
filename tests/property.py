"""How many examples a property test tries, and which.

    SAFEROOM_EXAMPLES=ci        the same ones in every run; the default, so that a failure is a change's fault
    SAFEROOM_EXAMPLES=nightly   others each time, and twenty times as many

An example that fails at night is printed; it goes on to stand above its test as `@example(...)`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from hypothesis import HealthCheck, settings

TIMES = {"ci": 1, "nightly": 20}
PROFILE = os.environ.get("SAFEROOM_EXAMPLES", "ci")


def load_profile() -> None:
    """Once, before any test is read. No example need be quick: the machine may have other work."""
    if PROFILE not in TIMES:
        raise ValueError(f"SAFEROOM_EXAMPLES={PROFILE}: expected {' or '.join(TIMES)}")
    patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.register_profile("ci", patient, derandomize=True, max_examples=100)
    # Said, not left as it is: where hypothesis finds that it runs in CI, the same examples are its default.
    settings.register_profile(
        "nightly", patient, derandomize=False, print_blob=True, max_examples=100 * TIMES["nightly"]
    )
    settings.load_profile(PROFILE)


def examples(count: int, *, allow: Sequence[HealthCheck] = ()) -> settings:
    """Above a test: that many examples, or at night many times as many. `allow`: what else is meant."""
    return settings(max_examples=count * TIMES[PROFILE], suppress_health_check=[HealthCheck.too_slow, *allow])
