"""What a model of one class makes of the others, by hand."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from keras import Input, Model, layers
from scipy.ndimage import gaussian_filter
from scipy.stats import binom
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score

import ed_core
from ed_core import Dataset, EdkitError, Field, Fields, Head, Run, dataset, losses, model
from ed_core.cli import main
from ed_core.evaluation.anomaly import detect, scores
from ed_core.evaluation.calibration import rate_interval
from ed_core.plugins.decorators import DATASETS, MODELS
from ed_core.runs.detector import residual_part

pytestmark = pytest.mark.backend

SHAPE = (6, 6, 1)


def rows() -> Dataset:
    """A bright row of noise; which one is the class."""
    random = np.random.default_rng(0)
    splits = {}
    for split, samples in {"train": 900, "test": 60}.items():
        label = random.integers(0, 3, samples)
        image = random.random((samples, *SHAPE), "float32") * 0.5
        image[np.arange(samples), 2 * label] += 0.3
        splits[split] = {"image": image, "label": label}
    return Dataset(
        Fields(image=Field(SHAPE), label=Field((), "class", ("top", "middle", "low"))), splits
    )


def small(fields: Fields) -> Model:
    """Two numbers of 36."""
    image, code = Input(SHAPE, name="image"), Input((2,), name="code")
    encoder = Model({"image": image}, {"code": layers.Dense(2)(layers.Flatten()(image))})
    decoded = layers.Reshape(SHAPE)(layers.Dense(36)(code))
    decoder = Model({"code": code}, {"image": decoded}, name="decoder")
    return Model({"image": image}, decoder(encoder({"image": image})))


def names(fields: Fields) -> Model:
    """A classifier."""
    image = Input(SHAPE, name="image")
    return Model({"image": image}, {"label": layers.Dense(3, "softmax")(layers.Flatten()(image))})


@pytest.fixture(scope="module", autouse=True)
def plugins() -> Iterator[None]:
    with MODELS.isolated(), DATASETS.isolated():
        dataset(rows)
        model(data="rows", heads=(Head("image", losses.sum_squared_error),))(small)
        model(data="rows", heads=(Head("label", losses.categorical_crossentropy),))(names)
        yield


def trained(name: str, folder: Path, **more: Any) -> Run:
    return ed_core.train(name, epochs=2, batch_size=16, record=False, out=folder, **more)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return trained("small", tmp_path_factory.mktemp("one"), only={"label": "middle"})


def by_hand(given: np.ndarray, restored: np.ndarray) -> np.ndarray:
    return np.array(
        [
            np.sum(gaussian_filter((a - b)[..., 0].astype("float64"), 1.0) ** 2)
            / np.sqrt(np.sum(a.astype("float64") ** 2))
            for a, b in zip(given, restored, strict=True)
        ]
    )


def test_every_number_by_hand(run: Run) -> None:
    result = detect(run, rate=0.2)
    test = rows().splits["test"]
    odd = test["label"] != 1
    found = by_hand(test["image"], run.model.predict({"image": test["image"]}, verbose=0)["image"])
    assert scores(run, test) == pytest.approx(found, rel=1e-4)
    assert result["auroc"] == pytest.approx(roc_auc_score(odd, found))
    held = run.data.splits["validation"]["image"]
    normal = by_hand(held, run.model.predict({"image": held}, verbose=0)["image"])
    threshold = np.quantile(normal, 0.8)
    assert result["threshold"] == pytest.approx(threshold, rel=1e-4)
    assert result["false_positive_rate"] == pytest.approx(np.mean(found[~odd] > threshold))
    assert result["detection_rate"] == pytest.approx(np.mean(found[odd] > threshold))
    assert (result["only"], result["samples"], result["split"]) == ("label=middle", 60, "test")


def test_a_threshold_says_which_rates_it_allows(run: Run) -> None:
    result = detect(run, rate=0.2)
    held = len(run.data.splits["validation"]["image"])
    assert result["threshold_count"] == held
    assert (result["rate_low"], result["rate_high"]) == rate_interval(held, 0.2)
    odd = rows().splits["test"]["label"] != 1
    assert (result["normal_count"], result["abnormal_count"]) == ((~odd).sum(), odd.sum())


@pytest.mark.parametrize(("samples", "rate"), [(30, 0.05), (30, 0.01), (101, 0.1), (4, 0.3)])
def test_the_interval_holds_the_rate_of_nineteen_in_twenty(samples: int, rate: float) -> None:
    """The scores are uniform, so that the share above a threshold is 1 less the threshold."""
    scored = np.random.default_rng(0).random((20_000, samples))
    rates = 1 - np.quantile(scored, 1 - rate, axis=1)
    low, high = rate_interval(samples, rate)
    assert 0.945 < np.mean((low <= rates) & (rates <= high)) < 0.996
    assert low < rate < high


def test_the_interval_of_a_threshold_that_is_a_sample_is_that_of_clopper_and_pearson() -> None:
    low, high = rate_interval(101, 0.05)  # the sixth largest
    assert binom.cdf(5, 101, low) == pytest.approx(0.975)
    assert binom.cdf(5, 101, high) == pytest.approx(0.025)


def test_too_few_normal_samples_for_a_rate_are_said(run: Run) -> None:
    held = len(run.data.splits["validation"]["image"])
    said = f"{held} held-out normal samples are too few for a threshold of 1 % false alarms"
    with pytest.warns(UserWarning, match=f"{said}.*100 would do") as caught:
        detect(run, rate=0.01)
    assert sum("held-out" in str(one.message) for one in caught) == 1


def test_samples_without_a_class_are_left_out(run: Run) -> None:
    """Of another data set, whose labels may be missing."""
    given = rows()
    label = np.where(np.arange(60) % 3, given.splits["test"]["label"], -1)
    test = {**given.splits["test"], "label": label}
    fields = Fields(given.fields, label=replace(given.fields["label"], partial=True))
    some = Run(run.folder, run.info, run.model)
    some.__dict__["fields"] = fields
    some.__dict__["data"] = Dataset(fields, {**run.data.splits, "test": test})
    result = detect(some)
    kept = {name: array[label >= 0] for name, array in given.splits["test"].items()}
    some.__dict__["data"] = Dataset(fields, {**run.data.splits, "test": kept})
    assert (result["samples"], result) == (40, detect(some))


def test_the_floor_is_fitted_on_the_normal_training_samples(run: Run) -> None:
    train, test = run.data.splits["train"]["image"], rows().splits["test"]
    assert (run.data.splits["train"]["label"] == 1).all()
    pca = PCA(32).fit(train.reshape(len(train), -1))
    flat = test["image"].reshape(60, -1)
    linear = pca.inverse_transform(pca.transform(flat)).reshape(-1, *SHAPE)
    odd, result = test["label"] != 1, detect(run)
    plain = np.square(flat - linear.reshape(60, -1)).sum(axis=1)
    assert result["pca_auroc"] == pytest.approx(roc_auc_score(odd, plain), abs=2e-3)
    same = by_hand(test["image"], linear)
    assert result["pca_score_auroc"] == pytest.approx(roc_auc_score(odd, same), abs=2e-3)


def test_a_stroke_is_odder_than_noise_and_black_images_have_a_score() -> None:
    given = np.zeros((3, *SHAPE), "float32")
    stroke, noise = given[0].copy(), given[0].copy()
    stroke[:, 2], noise.flat[::6] = 1, np.resize([1, -1], 6)
    noise = np.roll(noise, 2, axis=1)
    found, _ = residual_part("smoothed", given, np.stack([stroke, noise, given[0]]), Field(SHAPE))
    assert found[0] > 2 * found[1] > 0
    assert found[2] == 0
    five = np.ones((2, 5, 1))
    signal, _ = residual_part("squared", five, 3 * five, Field((5, 1), "signal"))
    assert signal == pytest.approx([20, 20])  # the plain sum of squares


@pytest.mark.parametrize(
    ("name", "more", "given", "said"),
    [
        ("small", {}, {}, "--only FIELD=CLASS"),
        ("names", {"only": {"label": "0"}}, {}, "reconstructs no input"),
        ("small", {"only": {"label": "0"}}, {"split": "validation"}, "both kinds are needed"),
        ("small", {"only": {"label": "0"}}, {"rate": 1.0}, "--rate is a share"),
        ("small", {"only": {"label": "0"}}, {"split": "nowhere"}, "no split 'nowhere'"),
    ],
)
def test_mistakes_are_one_line(
    name: str, more: dict[str, Any], given: dict[str, Any], said: str, tmp_path: Path
) -> None:
    if name == "names" and more:  # a classifier of one class is refused before it is trained
        run = trained(name, tmp_path)
        run = type(run)(run.folder, {**run.info, **more}, run.model)
    else:
        run = trained(name, tmp_path, **more)
    with pytest.raises(EdkitError) as caught:
        detect(run, **given)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_scores_that_are_not_finite_are_one_line(tmp_path: Path) -> None:
    run = trained("small", tmp_path, only={"label": "0"})
    run.model.layer_weights[-1].assign(np.full(36, np.nan))
    with pytest.raises(EdkitError, match="not finite"):
        detect(run)


def test_the_command_prints_what_stands_beside_what(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(run.path), "--anomaly", "--rate", "0.1"]) == 0
    shown = capsys.readouterr().out
    assert "label=middle is normal" in " ".join(shown.split())
    line = next(line for line in shown.splitlines() if " auroc " in line)
    assert "PCA 0." in line
    line = next(line for line in shown.splitlines() if " threshold " in line)
    assert f" {len(run.data.splits['validation']['image'])} " in line
    assert "false alarms" in " ".join(shown.split())
    for wrong in (["--rate", "0.1"], ["--anomaly", "--classifier", "x"]):
        assert main(["evaluate", str(run.path), *wrong]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1
