"""What a model of one class makes of the others, by hand."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from keras import Input, Model, layers
from scipy.ndimage import gaussian_filter
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score

import ed_core
from ed_core import Dataset, EdkitError, Field, Fields, Head, Run, dataset, losses, model
from ed_core.anomaly import detect, residual_score, scores
from ed_core.command import main
from ed_core.plugins import DATASETS, MODELS

pytestmark = pytest.mark.backend

SHAPE = (6, 6, 1)


def rows() -> Dataset:
    """A bright row of noise; which one is the class."""
    random = np.random.default_rng(0)
    splits = {}
    for split, samples in {"train": 120, "test": 60}.items():
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
    found = residual_score(given, np.stack([stroke, noise, given[0]]), Field(SHAPE))
    assert found[0] > 2 * found[1] > 0
    assert found[2] == 0
    signal = residual_score(np.ones((2, 5, 1)), np.full((2, 5, 1), 3), Field((5, 1), "signal"))
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
    assert "label=middle only" in shown
    line = next(line for line in shown.splitlines() if " auroc " in line)
    assert "PCA 0." in line
    for wrong in (["--rate", "0.1"], ["--anomaly", "--classifier", "x"]):
        assert main(["evaluate", str(run.path), *wrong]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1
