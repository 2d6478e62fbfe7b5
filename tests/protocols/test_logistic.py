"""Joint logistic regression against its plain twin; what it refuses; what happens when a peer misbehaves."""

from __future__ import annotations

import numpy as np
import pytest

from saferoom.channel.memory import MemoryNetwork, run_together
from saferoom.channel.session import Session
from saferoom.errors import (
    ConfigError,
    PeerError,
    PeerTimeout,
    ProtocolError,
    SafeRoomError,
    ShapeError,
    StepMismatchError,
    UsageError,
    VerificationError,
)
from saferoom.models.logistic import plan as logistic_plan
from saferoom.models.logistic import train as logistic
from saferoom.models.logistic.plain import fit_plain
from saferoom.models.logistic.plan import make_plan
from saferoom.models.logistic.train import LogisticSettings, deal_logistic, train_logistic
from saferoom.ring.prg import random_rows
from saferoom.sharing.values import Public
from tests.logistic_room import play_logistic, synthetic
from tests.waiting import LIMIT_S


def assert_like_twin(joint, blocks, labels, settings=None, within=0.005):
    twin = fit_plain(np.hstack(blocks), labels, settings or LogisticSettings())
    assert np.abs(joint.coefficients - twin.coefficients).max() < within
    assert abs(joint.intercept - twin.intercept) < within
    own = np.hstack(blocks) @ joint.coefficients + joint.intercept
    assert np.abs(own - joint.logits.train).max() < 0.02


@pytest.mark.parametrize("widths", [[3, 4], [2, 5, 3], [1, 3, 2, 4]], ids=["2", "3", "4"])
def test_small(widths):
    blocks, labels = synthetic(600, widths)
    assert_like_twin(play_logistic(blocks, labels), blocks, labels)


def test_eight_parties_and_the_last_holds_the_labels():
    blocks, labels = synthetic(500, [1, 2, 1, 1, 2, 1, 1, 2])
    assert_like_twin(play_logistic(blocks, labels, holder=7), blocks, labels)


def test_a_label_holder_without_features():
    blocks, labels = synthetic(800, [3, 4])
    blocks = [np.zeros((800, 0)), *blocks]
    joint = play_logistic(blocks, labels)
    assert_like_twin(joint, blocks, labels)
    assert {d.to for d in joint.played.disclosures if d.kind == "coefficients"} == {"p1", "p2"}


@pytest.mark.parametrize("l2", [0.0, 0.01, 100.0])
def test_penalties(l2):
    settings = LogisticSettings(l2=l2)
    blocks, labels = synthetic(1500, [3, 3])
    assert_like_twin(play_logistic(blocks, labels, settings=settings), blocks, labels, settings)


def test_awkward_columns():
    """Constant, repeated across parties, one-hot groups, a rare category, a column far from zero."""
    blocks, labels = synthetic(3000, [3, 3])
    group = np.eye(3)[np.arange(3000) % 3]
    rare = np.zeros((3000, 1))
    rare[[5, 1000, 2000]] = 1
    blocks = [
        np.hstack([blocks[0], np.ones((3000, 1)), group, rare]),
        np.hstack([blocks[1], blocks[0][:, :1], group, 30 + blocks[1][:, :1]]),
    ]
    assert_like_twin(play_logistic(blocks, labels), blocks, labels, within=0.02)


def test_a_column_held_by_two_parties_and_many_rows():
    """The penalty alone tells the two apart: the inverse has entries in the thousands."""
    blocks, labels = synthetic(9_000, [4, 4])
    blocks[1] = np.hstack([blocks[0][:, :1], blocks[1]])
    assert_like_twin(play_logistic(blocks, labels), blocks, labels, within=0.01)


def test_middle_plan_uses_a_subset_and_then_all_rows(monkeypatch):
    blocks, labels = synthetic(15_000, [4, 5])
    monkeypatch.setattr(logistic_plan, "SMALL_ROWS", 5_000)
    plan = make_plan(15_000, 10, LogisticSettings())
    assert plan.stages[0].full
    assert plan.subset_rows < 15_000
    assert_like_twin(play_logistic(blocks, labels), blocks, labels)


def test_large_plan_in_32_bit_words(monkeypatch):
    monkeypatch.setattr(logistic_plan, "LARGE_CELLS", 0)
    blocks, labels = synthetic(60_000, [5, 4, 6])
    tests, _ = synthetic(2_000, [5, 4, 6], seed=1)
    assert make_plan(60_000, 16, LogisticSettings()).scales.word_bits == 32
    joint = play_logistic(blocks, labels, tests)
    assert_like_twin(joint, blocks, labels)
    own = np.hstack(tests) @ joint.coefficients + joint.intercept
    assert np.abs(own - joint.logits.test).max() < 0.02


@pytest.mark.parametrize("large", [False, True])
def test_a_category_that_the_subset_hardly_sees(monkeypatch, large):
    """Steps by a Hessian that understates a direction would overshoot there, up to nonsense."""
    rows = 60_000 if large else 20_000
    blocks, labels = synthetic(rows, [4, 5])
    rare = np.random.default_rng(5).choice(rows, rows // 300, replace=False)
    category = np.zeros((rows, 1))
    category[rare] = 1
    labels[rare[::2]] = 1.0
    blocks[1] = np.hstack([blocks[1], category])
    if large:
        monkeypatch.setattr(logistic_plan, "LARGE_CELLS", 0)
    plan = make_plan(rows, 11, LogisticSettings())
    assert (plan.scales.word_bits == 32) == large
    seed = min(
        (bytes([number]) * 32 for number in range(200)),
        key=lambda one: np.isin(random_rows(one, rows, plan.stages[0].newton[0].rows), rare).sum(),
    )
    monkeypatch.setattr(logistic, "agree_seed", lambda session: seed)
    # 32-bit words: rounding errors of 0.008 a row, over the 200 rows of the category
    within = 0.03 if large else 0.01
    assert_like_twin(play_logistic(blocks, labels), blocks, labels, within=within)


def test_the_plan_depends_on_public_sizes_only():
    for rows, columns in ((50, 3), (10_001, 40), (100_000, 61), (1_000_000, 61), (60_000, 4000)):
        plan = make_plan(rows, columns, LogisticSettings())
        assert plan == make_plan(rows, columns, LogisticSettings())
        assert plan.subset_rows <= rows
        assert all(step.rows <= plan.subset_rows for stage in plan.stages for step in stage.newton)


@pytest.mark.parametrize("k", [2, 3])
def test_rounds_of_a_whole_training(k):
    """docs/protocols/logistic.md: about 36 rounds a Newton step, 12 a check, few to set up and to release."""
    blocks, labels = synthetic(300, [2] * k)
    joint = play_logistic(blocks, labels)
    rounds, passes = max(m.rounds for m in joint.played.meters.values()), 6
    assert 30 * passes < rounds < 38 * passes + 45
    assert joint.played.meters["helper"].rounds <= passes + 2  # it hears of sizes, passes done, and checks


def test_settings_are_checked():
    for wrong in ({"l2": -1.0}, {"l2": float("nan")}, {"logit_range": 10}):
        with pytest.raises(ConfigError):
            LogisticSettings(**wrong)
    assert LogisticSettings().as_dict() == {"l2": 1.0, "logit_range": None}


def lonely_session(me="p0"):
    return Session(MemoryNetwork().endpoint(me), ["p0", "p1"], helper="helper", timeout_s=0.05)


@pytest.mark.parametrize(
    ("features", "labels", "error"),
    [
        (np.zeros((4, 1)), np.array([0, 1, 2, 1.0]), VerificationError),
        (np.zeros((4, 1)), np.array([0, 1, np.nan, 1.0]), VerificationError),
        (np.zeros((4, 1)), np.ones(4), VerificationError),
        (np.zeros((4, 1)), np.zeros(4), VerificationError),
        (np.zeros((4, 1)), np.array([0, 1.0]), ShapeError),
        (np.zeros((4, 1)), None, UsageError),
        (np.zeros(4), np.array([0, 1, 1, 1.0]), ShapeError),
        (np.zeros((4, 1), np.float32), np.array([0, 1, 1, 1.0]), ShapeError),
    ],
)
def test_wrong_input_is_refused_before_anything_is_sent(features, labels, error):
    session = lonely_session()
    with pytest.raises(error):
        train_logistic(session, features, labels, LogisticSettings(), label_holder="p0")
    assert not session.meter.sent


def test_a_feature_holder_brings_columns_and_no_labels():
    with pytest.raises(UsageError):
        train_logistic(lonely_session("p1"), np.zeros((4, 0)), None, LogisticSettings(), label_holder="p0")
    with pytest.raises(UsageError):
        train_logistic(
            lonely_session("p1"), np.zeros((4, 1)), np.ones(4), LogisticSettings(), label_holder="p0"
        )


def test_missing_values_are_refused():
    blocks, labels = synthetic(100, [2, 2])
    blocks[1][3, 1] = np.nan
    with pytest.raises(UsageError, match="missing"):
        play_logistic(blocks, labels)


def test_different_row_counts_name_the_party():
    blocks, labels = synthetic(100, [2, 2])
    with pytest.raises(PeerError) as error:
        play_logistic([blocks[0], blocks[1][:99]], labels)
    assert error.value.step == "train/sizes"


def test_scores_out_of_range_release_nothing():
    """Perfectly separated without a penalty, scores run away. All parties fail; nothing else is revealed."""
    x = np.linspace(-3, 3, 400)[:, None]
    labels = (x[:, 0] > 0).astype(float)
    other = np.random.default_rng(0).normal(size=(400, 1))
    kinds: list[str] = []
    errors: list[SafeRoomError] = []

    def meddle(session):
        session._on_disclosure = lambda d: kinds.append(d.kind)

    settings = LogisticSettings(l2=0.0, logit_range=8)
    with pytest.raises(ProtocolError) as error:
        play_logistic([x, other], labels, settings=settings, meddle=meddle)
    errors.append(error.value)
    assert error.value.remedy
    assert error.value.step.startswith("train/")
    assert set(kinds) <= {"converged", "range_check"}


def bend(step, value):
    """A session whose message at `step` carries something else."""

    def meddle(session):
        if session.me != "p1":
            return
        true_send = session._send

        def send(receivers, label, values):
            if session.step(label) == step:
                return true_send(receivers, *value(label, values))
            return true_send(receivers, label, values)

        session._send = send

    return meddle


def test_a_wrong_shape_names_party_and_step():
    blocks, labels = synthetic(100, [2, 2])
    step = "train/stage=0/newton=3/sigmoid/turns"
    lie = bend(step, lambda label, values: (label, [Public(values[0].value[:-1])]))
    with pytest.raises(PeerError) as error:
        play_logistic(blocks, labels, meddle=lie)
    assert (error.value.party, error.value.step) == ("p1", step)


def test_a_wrong_label_names_both_steps():
    blocks, labels = synthetic(100, [2, 2])
    lie = bend("train/stage=0/newton=0/gradient/rows", lambda label, values: ("elsewhere", values))
    with pytest.raises(StepMismatchError) as error:
        play_logistic(blocks, labels, meddle=lie)
    assert "train/stage=0/newton=0/gradient/rows" in str(error.value)
    assert "train/stage=0/newton=0/gradient/elsewhere" in str(error.value)


def test_a_stalling_party_is_a_timeout():
    blocks, labels = synthetic(100, [2, 2])

    def meddle(session):
        if session.me == "p1":
            session._send = lambda *a: None

    with pytest.raises(PeerTimeout) as error:
        play_logistic(blocks, labels, timeout_s=0.5, meddle=meddle)
    assert error.value.step


def test_a_dying_party_ends_the_others_at_once():
    blocks, labels = synthetic(100, [2, 2, 2])
    network = MemoryNetwork()
    names = ["p0", "p1", "p2"]
    seen = {}

    class Crash(Exception):
        pass

    def progress(phase, done, total):
        raise Crash

    def role(name, index):
        session = Session(network.endpoint(name), names, helper="helper", timeout_s=LIMIT_S)
        try:
            train_logistic(
                session,
                blocks[index],
                None if index else labels,
                LogisticSettings(),
                label_holder="p0",
                **({"progress": progress} if index == 2 else {}),
            )
        except PeerError as error:
            seen[name] = error
            raise

    roles = {name: (lambda n=name, i=i: role(n, i)) for i, name in enumerate(names)}
    helper = Session(network.endpoint("helper"), names, helper="helper", timeout_s=LIMIT_S)
    roles["helper"] = lambda: deal_logistic(helper, LogisticSettings(), label_holder="p0")
    with pytest.raises((Crash, PeerError)):
        run_together(roles, network)
    assert set(seen) == {"p0", "p1"}
    assert all(error.party and error.step for error in seen.values())
