"""The siamese network: the loss over all pairs, and an embedding in which classes lie together."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from keras import ops

from ed_core import MODELS, Run, losses, train
from ed_core.evaluation import baselines, predict
from ed_core.runs.rebuilding import build
from ed_plugins.datasets.digits import digits

pytestmark = pytest.mark.backend

RNG = np.random.default_rng(0)
POINTS = RNG.normal(size=(9, 3)).astype("float32") * 0.6
CLASSES = np.array([0, 1, 1, 2, 0, 1, 2, 2, 0], "int32")


def pairwise(
    label: np.ndarray, points: np.ndarray, there: np.ndarray, margin: float
) -> list[float]:
    """Hadsell et al., 2006, equation 4: the mean over a sample's partners, one pair at a time."""
    values = []
    for i in range(len(label)):
        terms = []
        for j in range(len(label)):
            if i == j or not there[j]:
                continue
            d = float(np.linalg.norm(points[i] - points[j]))
            same = label[i] == label[j]
            terms.append(d**2 / 2 if same else max(0.0, margin - d) ** 2 / 2)
        values.append(sum(terms) / max(len(terms), 1))
    return values


def contrastive(
    label: np.ndarray, points: np.ndarray, mask: np.ndarray | None = None, margin: float = 1.0
) -> np.ndarray:
    given = None if mask is None else ops.convert_to_tensor(mask)
    found = losses.contrastive(
        ops.convert_to_tensor(label), ops.convert_to_tensor(points), given, margin
    )
    return np.asarray(ops.convert_to_numpy(found))


@pytest.mark.parametrize("margin", [0.3, 1.0, 2.5])
def test_the_loss_is_that_of_all_pairs(margin: float) -> None:
    expected = pairwise(CLASSES, POINTS, np.ones(9), margin)
    found = contrastive(CLASSES, POINTS, margin=margin)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_a_sample_without_a_label_is_no_partner() -> None:
    mask = np.array([1, 0, 1, 1, 1, 0, 1, 1, 1], "float32")
    there = mask > 0
    found = contrastive(CLASSES, POINTS, mask)
    expected = pairwise(CLASSES, POINTS, there, 1.0)
    np.testing.assert_allclose(found[there], np.array(expected)[there], rtol=1e-4, atol=1e-6)
    alone = contrastive(CLASSES[there], POINTS[there])
    np.testing.assert_allclose(found[there], alone, rtol=1e-4, atol=1e-6)


def test_a_sample_alone_costs_nothing() -> None:
    mask = np.eye(9, dtype="float32")[4]
    assert contrastive(CLASSES, POINTS, mask)[4] == 0
    assert contrastive(CLASSES[:1], POINTS[:1]).tolist() == [0]


def test_an_embedding_in_one_point_still_learns() -> None:
    """At the distance 0 the root has no gradient; the loss must not become NaN there."""
    net = build(MODELS["siamese"], digits().fields, {"filters": (2,), "hidden": 4})
    net.compile(optimizer="adam")
    same = {"image": np.zeros((6, 32, 32, 1), "float32")}
    target = {"code": np.array([0, 0, 1, 1, 2, 2], "int32")}
    for _ in range(2):
        logs = net.train_on_batch(same, target, return_dict=True)
    assert np.isfinite(logs["loss"])
    # Of the five partners of a sample one has its class; the others are a margin too close.
    assert logs["code_loss"] == pytest.approx(0.4, abs=1e-3)
    assert all(np.isfinite(ops.convert_to_numpy(v)).all() for v in net.trainable_weights)


def test_unlabelled_samples_are_in_no_pair() -> None:
    net = build(MODELS["siamese"], digits().fields, {"filters": (2,), "hidden": 4})
    net.compile(optimizer="adam")
    train_split = digits().splits["train"]
    image, label = train_split["image"][:40], train_split["label"][:40].astype("int32")
    known = np.arange(40) < 25
    hidden, weight = np.where(known, label, -1), {"code": known.astype("float32")}
    found = net.test_on_batch({"image": image}, {"code": hidden}, weight, return_dict=True)
    code = net.predict_on_batch({"image": image})["code"]
    expected = pairwise(hidden[known], code[known], np.ones(25), 1.0)
    assert found["loss"] == pytest.approx(np.mean(expected), rel=1e-3)
    everyone = pairwise(hidden, code, np.ones(40), 1.0)
    assert found["loss"] != pytest.approx(np.mean(everyone), rel=1e-2)


def closeness(code: np.ndarray, label: np.ndarray) -> float:
    """The mean distance of pairs of one class over that of pairs of two."""
    distance = np.linalg.norm(code[:, None] - code[None], axis=-1)
    same = label[:, None] == label[None]
    own = same & ~np.eye(len(label), dtype=bool)
    return float(distance[own].mean() / distance[~same].mean())


@pytest.mark.once
def test_samples_of_one_class_come_to_lie_together(
    tmp_path: Path, check_trained: Callable[[Run, str], None]
) -> None:
    run = train(
        "siamese",
        "digits",
        out=tmp_path,
        record=False,
        epochs=6,
        batch_size=32,
        learning_rate=2e-3,
        filters=(8, 16),
        hidden=64,
        labels={"code": 0.5},
    )
    assert (run.data.splits["train"]["label"][:] < 0).mean() == pytest.approx(0.5, abs=0.01)
    check_trained(run, "code")
    test = run.data.splits["test"]
    after = closeness(predict(run.model, test)["code"], test["label"])
    before = closeness(predict(baselines.untrained(run), test)["code"], test["label"])
    assert after < 0.5
    assert after < 0.7 * before
