"""Several tasks on one code: each of them is learnt, and labels that are missing do no harm."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from ed_core import DATASETS, Dataset, EdkitError, Field, Fields, Run, dataset, evaluate, train
from ed_core.evaluation import baselines, predict

pytestmark = pytest.mark.backend

Check = Callable[[Run, str], None]


def distances(run: Run, head: str) -> tuple[float, float]:
    """The mean distance of a value from its target after training, and before."""
    arrays = run.data.splits["test"]
    errors = [
        np.abs(predict(net, arrays)[head] - arrays[head]).mean()
        for net in (run.model, baselines.untrained(run))
    ]
    return float(errors[0]), float(errors[1])


@pytest.fixture(scope="module")
def both(tmp_path_factory: Any) -> Run:
    """An auto-encoder that classifies."""
    return train(
        "autoencoder_classifier",
        "digits",
        out=tmp_path_factory.mktemp("runs"),
        record=False,
        epochs=8,
        batch_size=32,
        learning_rate=2e-3,
        weights={"label": 10.0},
        hidden=(128,),
        latent=32,
        classifier=(32,),
    )


def test_one_code_serves_the_image_and_the_class(both: Run, check_trained: Check) -> None:
    check_trained(both, "image")
    check_trained(both, "label")
    found = evaluate(both)
    assert found["label_accuracy"] > 0.8 > found["label_majority"] + 0.5
    assert found["mse"] < 0.4 * found["untrained_mse"]


def test_image_and_class_are_read_from_the_same_code(both: Run) -> None:
    image = both.data.splits["test"]["image"][:20]
    found = predict(both.model, {"image": image})
    code = {"code": predict(both.encoder, {"image": image})["code"]}
    decoded = predict(both.decoder, code)["image"]
    named = predict(both.model.get_layer("label_head"), code)["label"]
    np.testing.assert_allclose(found["image"], decoded, atol=1e-5)
    np.testing.assert_allclose(found["label"], named, atol=1e-5)
    np.testing.assert_allclose(found["label"].sum(axis=1), 1, atol=1e-5)


@pytest.mark.once
def test_digit_and_angle_are_both_learnt(tmp_path: Any, check_trained: Check) -> None:
    run = train(
        "digit_and_angle",
        "rotated_digits:source=digits",
        out=tmp_path,
        record=False,
        epochs=8,
        batch_size=32,
        learning_rate=2e-3,
        filters=(8, 16, 32),
        weights={"label": 2000.0},
    )
    check_trained(run, "angle")
    check_trained(run, "label")
    found = evaluate(run)
    after, before = distances(run, "angle")
    assert found["angle_mae"] == pytest.approx(after, rel=1e-4)
    # Of angles uniform in -45..45 degrees, the mean is wrong by 22.5.
    assert after < 14 < 18 < before
    assert found["label_accuracy"] > 0.5 > found["label_majority"] + 0.3


def bright_quarters() -> dict[str, dict[str, np.ndarray]]:
    """Images with one bright quarter: which it is (fine), and whether at the top (coarse)."""
    random, splits = np.random.default_rng(0), {}
    for split, samples in {"train": 800, "test": 200, "validation": 200}.items():
        label = random.integers(0, 4, samples)
        image = random.uniform(0, 0.6, (samples, 2, 4, 2, 4, 1))
        image[np.arange(samples), label // 2, :, label % 2] += 0.4
        image = image.reshape(samples, 8, 8, 1).astype("float32")
        splits[split] = {"image": image, "label": label, "coarse": label // 2}
    return splits


@pytest.fixture(scope="module")
def few(tmp_path_factory: Any) -> Iterator[Run]:
    """A run of coarse and fine classes, of which one fine label in ten is known."""
    fields = Fields(
        image=Field((8, 8, 1)),
        label=Field((), "class", ("top left", "top right", "bottom left", "bottom right")),
        coarse=Field((), "class", ("top", "bottom")),
    )

    def quarters() -> Dataset:
        return Dataset(fields, bright_quarters())

    with DATASETS.isolated():
        dataset(quarters)
        yield train(
            "coarse_and_fine",
            "quarters",
            out=tmp_path_factory.mktemp("runs"),
            record=False,
            epochs=12,
            batch_size=32,
            learning_rate=3e-3,
            filters=(8, 16),
            latent=16,
            reconstruction=0.1,
            shift=0,
            flip=False,
            labels={"fine": 0.1},
        )


@pytest.mark.once
def test_few_fine_labels_are_enough(few: Run, check_trained: Check) -> None:
    known = np.sum(few.data.splits["train"]["label"][:] >= 0)
    assert known == 80
    for head in ("coarse", "fine", "image"):
        check_trained(few, head)
    found = evaluate(few)
    assert found["coarse_accuracy"] > 0.85 > found["coarse_majority"] + 0.2
    assert found["fine_accuracy"] > 0.55 > found["fine_majority"] + 0.2
    assert found["mse"] < 0.75 * found["untrained_mse"]
    codes = few.encoder.predict({"image": few.data.splits["test"]["image"][:]}, verbose=0)["code"]
    assert (codes.max(axis=0) > 0).all()  # no unit is 0 for every image


@pytest.mark.once
def test_coarse_classes_are_needed(tmp_path: Any) -> None:
    with pytest.raises(EdkitError, match="coarse"):
        train("coarse_and_fine", "digits", out=tmp_path, record=False)
