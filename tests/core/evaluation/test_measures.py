"""The numbers of maps, values, classes, codes and generators, by hand."""

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from keras import Input, Model, layers, ops
from sklearn.metrics import confusion_matrix, jaccard_score
from sklearn.neighbors import KNeighborsClassifier

import ed_core
from ed_core import Dataset, EdkitError, Field, Fields, Head, Run, dataset, losses, metrics, model
from ed_core.evaluation import Subject, agreement, confusion, evaluate
from ed_core.evaluation.baselines import pca_reconstruction
from ed_core.figures.latent import principal_axes
from ed_core.nn import predict
from ed_core.plugins.decorators import DATASETS, MODELS
from ed_core.seeds import Seeds

pytestmark = [pytest.mark.backend, pytest.mark.once]

SHAPE = (4, 4, 3)
NAMES = ("road", "tree", "sky", "never")
HEADS = (
    Head("map", losses.categorical_crossentropy, metrics=(metrics.accuracy,)),
    Head("height", losses.squared_error),
    Head("angle", losses.squared_error, mask="known", metrics=(metrics.absolute_error,)),
    Head("label", losses.categorical_crossentropy),
    Head("code", losses.contrastive, target="label", name="near"),
)


def scenes() -> Dataset:
    """Images with a map of classes, a map of values, a value and a class, of which some miss."""
    random = np.random.default_rng(0)
    splits = {}
    for split, samples in {"train": 30, "validation": 13}.items():
        arrays = {
            "image": random.random((samples, *SHAPE), "float32"),
            "map": random.integers(-1, 3, (samples, 4, 4)),
            "height": random.normal(3, 2, (samples, 4, 4, 1)).astype("float32"),
            "angle": random.normal(0, 9, samples).astype("float32"),
            "known": (random.random(samples) < 0.7).astype("float32"),
            "label": random.integers(-1, 2, samples),
        }
        arrays["height"][random.random(arrays["height"].shape) < 0.2] = np.nan
        arrays["angle"][arrays["known"] == 0] = np.nan
        splits[split] = arrays
    fields = Fields(
        image=Field(SHAPE),
        map=Field((4, 4), "class", NAMES, partial=True),
        height=Field((4, 4, 1), "value", partial=True),
        angle=Field((), "value", partial=True),
        known=Field((), "mask"),
        label=Field((), "class", ("a", "b"), partial=True),
    )
    return Dataset(fields, splits)


def tasks(fields: Fields) -> Model:
    """Every kind of head on one small code."""
    image = Input(SHAPE, name="image")
    code = layers.Dense(3, name="dense")(layers.Flatten()(image))
    encoder = Model({"image": image}, {"code": code}, name="encoder")
    code = encoder({"image": image})["code"]
    outputs = {
        "code": code,
        "map": layers.Dense(4, "softmax")(image),
        "height": layers.Dense(1)(image),
        "angle": 10.0 * layers.Dense(1)(code)[:, 0],
        "label": layers.Dense(2, "softmax")(code),
    }
    return Model({"image": image}, outputs)


def drawer(fields: Fields) -> Model:
    """A decoder whose first pixels are the class, scored as an adversarial pair is."""
    code, label = Input((2,), name="code"), Input((), dtype="int32", name="label")
    noise = ops.repeat(ops.sigmoid(code[:, :1]), 46, axis=1)
    drawn = ops.concatenate([ops.one_hot(label, 2), noise], axis=1)
    decoder = Model(
        {"code": code, "label": label}, {"image": ops.reshape(drawn, (-1, *SHAPE))}, name="decoder"
    )
    image, wanted = Input(SHAPE, name="image"), Input((), dtype="int32", name="label")
    score = layers.Dense(1)(layers.Flatten()(image))
    drawn = decoder({"code": layers.Flatten()(image)[:, :2], "label": wanted})["image"]
    return Model({"image": image, "label": wanted}, {"score": score, "drawn": drawn})


def steepness(output: Any) -> Any:
    """A penalty of one's own."""
    return ops.sum(ops.square(output), axis=-1)


def focal(target: Any, output: Any) -> Any:
    """A loss of one's own, of classes (Lin et al., 2017)."""
    likely = ops.sum(output * ops.one_hot(ops.cast(target, "int32"), 2), axis=-1)
    return -ops.square(1 - likely) * ops.log(likely)


def cubic(target: Any, output: Any) -> Any:
    """A loss of one's own, of a value a pixel, that says one number a sample."""
    return ops.mean(ops.abs(target - output) ** 3, axis=(1, 2, 3))


def mean_loss(output: Any) -> Any:
    """A loss that says a single number for a batch."""
    return ops.mean(ops.abs(output))


OWN = (
    Head("label", focal),
    Head("code", steepness),
    Head("height", cubic),
    Head("map", losses.categorical_crossentropy, weight=0.0, metrics=(metrics.accuracy,)),
    Head("code", steepness, weight=0.0, name="off"),
    Head("angle", losses.squared_error, weight=0.0),
    Head("code", losses.l1, weight=0.0, name="sparse"),
    Head("code", mean_loss, name="single"),
)


def own(fields: Fields) -> Model:
    """The same outputs under losses of one's own, and some without weight."""
    return tasks(fields)


def reader(fields: Fields) -> Model:
    """A classifier that reads the first two pixels."""
    image = Input(SHAPE, name="image")
    return Model(
        {"image": image}, {"label": layers.Dense(2, "softmax")(layers.Flatten()(image)[:, :2])}
    )


@pytest.fixture(scope="module", autouse=True)
def plugins() -> Iterator[None]:
    with MODELS.isolated(), DATASETS.isolated():
        dataset(scenes)
        dataset(all_labelled)
        model(data="scenes", heads=HEADS)(tasks)
        model(data="scenes", heads=OWN)(own)
        model(data="all_labelled", heads=(Head("score", losses.score_as_real),))(drawer)
        model(data="all_labelled", heads=(Head("label", losses.categorical_crossentropy),))(reader)
        yield


def all_labelled() -> Dataset:
    """The same with a class everywhere."""
    random = np.random.default_rng(1)
    splits = {
        split: {
            "image": random.random((20, *SHAPE), "float32"),
            "label": np.arange(20) % 2,
        }
        for split in ("train", "test")
    }
    return Dataset(Fields(image=Field(SHAPE), label=Field((), "class", ("a", "b"))), splits)


def trained(name: str, folder: Path) -> Run:
    return ed_core.train(name, epochs=1, batch_size=10, record=False, out=folder)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return trained("tasks", tmp_path_factory.mktemp("tasks"))


@pytest.fixture(scope="module")
def held() -> dict[str, np.ndarray]:
    return scenes().splits["validation"]


@pytest.fixture(scope="module")
def result(run: Run) -> dict[str, Any]:
    return evaluate(run)


@pytest.fixture(scope="module")
def outputs(run: Run, held: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return run.model.predict({"image": held["image"]}, verbose=0)


def test_without_a_test_split_it_is_the_validation_split(result: dict[str, Any]) -> None:
    assert (result["split"], result["samples"]) == ("validation", 13)


def test_maps_by_hand(
    result: dict[str, Any], held: dict[str, np.ndarray], outputs: dict[str, np.ndarray]
) -> None:
    target, found = held["map"].ravel(), outputs["map"].argmax(axis=-1).ravel()
    known = target >= 0
    shares = jaccard_score(
        target[known], found[known], labels=[0, 1, 2], average=None, zero_division=0
    )
    for name, share in zip(NAMES[:3], shares, strict=True):
        assert result[f"map_iou_{name}"] == pytest.approx(share)
    assert "map_iou_never" not in result
    assert result["map_mean_iou"] == pytest.approx(shares.mean())
    assert result["map_pixel_accuracy"] == pytest.approx((target == found)[known].mean())
    train = scenes().splits["train"]["map"]
    usual = np.bincount(train[train >= 0]).argmax()
    assert result["map_majority"] == pytest.approx((target[known] == usual).mean())
    assert "map_accuracy" not in result


def test_the_confusion_is_counted_piece_by_piece(
    run: Run,
    held: dict[str, np.ndarray],
    outputs: dict[str, np.ndarray],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sizes: list[int] = []
    monkeypatch.setattr(predict, "at_a_time", lambda arrays, inputs: 5)
    monkeypatch.setattr(
        run.model,
        "predict_on_batch",
        lambda batch, plain=run.model.predict_on_batch: (
            sizes.append(len(batch["image"])) or plain(batch)
        ),
    )
    target, found = held["map"].ravel(), outputs["map"].argmax(axis=-1).ravel()
    counts = confusion(run, run.model.heads[0], "validation")
    assert sizes == [5, 5, 3]
    expected = confusion_matrix(target, found, labels=[0, 1, 2, 3])  # -1 is no label: left out
    assert np.array_equal(counts, expected)
    assert counts.sum() == (target >= 0).sum()
    with pytest.raises(EdkitError, match="no split 'test'; it has: train, validation"):
        confusion(run, run.model.heads[0], "test")


def test_every_number_says_of_how_many_targets(
    result: dict[str, Any], held: dict[str, np.ndarray]
) -> None:
    assert result["map_count"] == (held["map"] >= 0).sum()
    assert result["height_count"] == (~np.isnan(held["height"])).sum()
    assert result["angle_count"] == held["known"].sum()
    assert result["label_count"] == result["knn_count"] == (held["label"] >= 0).sum() < 13
    assert result["samples"] == 13


def test_a_model_is_asked_for_no_more_than_a_piece(
    run: Run, held: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predict, "at_a_time", lambda arrays, inputs: 5)
    parts = list(Subject(run, held).parts())
    assert [len(part.outputs["map"]) for part in parts] == [5, 5, 3]
    assert [len(part.arrays["angle"]) for part in parts] == [5, 5, 3]


def test_values_by_hand(
    result: dict[str, Any], held: dict[str, np.ndarray], outputs: dict[str, np.ndarray]
) -> None:
    train = scenes().splits["train"]
    for name in ("height", "angle"):
        known = ~np.isnan(held[name])
        off = (outputs[name] - held[name])[known]
        assert result[f"{name}_rmse"] == pytest.approx(np.sqrt(np.mean(off**2)), rel=1e-5)
        assert result[f"{name}_mae"] == pytest.approx(np.abs(off).mean(), rel=1e-5)
        spread = held[name][known] - np.nanmean(train[name])
        assert result[f"{name}_mean_rmse"] == pytest.approx(np.sqrt(np.mean(spread**2)), rel=1e-5)
    assert result["angle_within_10"] == pytest.approx(np.mean(np.abs(off) <= 10))
    assert "angle_absolute_error" not in result  # it is angle_mae
    assert "height_within_10" not in result


def test_classes_and_neighbours_by_hand(
    run: Run, result: dict[str, Any], held: dict[str, np.ndarray], outputs: dict[str, np.ndarray]
) -> None:
    train, known = scenes().splits["train"], held["label"] >= 0
    right = outputs["label"].argmax(axis=-1) == held["label"]
    assert result["label_accuracy"] == pytest.approx(right[known].mean())
    usual = np.bincount(train["label"][train["label"] >= 0]).argmax()
    floor = (held["label"][known] == usual).mean()
    assert result["label_majority"] == pytest.approx(floor)
    rows = train["label"] >= 0
    codes = run.encoder.predict({"image": train["image"][rows]}, verbose=0)["code"]
    nearest = KNeighborsClassifier(5).fit(codes, train["label"][rows])
    expected = nearest.score(outputs["code"][known], held["label"][known])
    assert result["knn_accuracy"] == pytest.approx(expected)
    assert result["knn_majority"] == pytest.approx(floor)
    assert "near_accuracy" not in result  # a code is no class


def test_losses_of_ones_own_are_measured_and_terms_without_weight_are_not(
    tmp_path: Path, held: dict[str, np.ndarray]
) -> None:
    run = trained("own", tmp_path)
    result, found = evaluate(run), run.model.predict({"image": held["image"]}, verbose=0)
    known = held["label"] >= 0
    likely = np.take_along_axis(found["label"][known], held["label"][known][:, None], axis=1)
    expected = np.mean(-((1 - likely) ** 2) * np.log(likely))
    assert result["label_loss"] == pytest.approx(expected, rel=1e-5)
    assert result["label_count"] == known.sum()
    assert result["label_accuracy"] == pytest.approx(
        np.mean(found["label"].argmax(axis=-1)[known] == held["label"][known])
    )
    squares = np.square(found["code"]).sum(axis=1)
    assert result["code_loss"] == pytest.approx(squares.mean(), rel=1e-5)
    assert result["code_count"] == 13
    assert result["single_loss"] == pytest.approx(np.abs(found["code"]).mean(), rel=1e-5)
    whole = ~np.isnan(held["height"]).any(axis=(1, 2, 3))
    if whole.any():
        cubes = np.abs(found["height"] - held["height"])[whole] ** 3
        assert result["height_loss"] == pytest.approx(cubes.mean(), rel=1e-5)
        assert result["height_loss_count"] == whole.sum()
    assert "active_fraction" in result  # of the code, whatever its sparsity weighs
    assert not [name for name in result if name.startswith(("map_", "angle_", "off_", "sparse_"))]


def test_a_weight_that_was_set_by_hand_is_one(tmp_path: Path, monkeypatch: Any) -> None:
    run = trained("own", tmp_path)
    rows = {"off_weight": np.array([0.0, 0.5])}
    recording = SimpleNamespace(scalars=lambda: rows)
    monkeypatch.setattr(Run, "recording", lambda _: nullcontext(recording))
    assert evaluate(run)["off_loss"] == evaluate(run)["code_loss"]


@pytest.mark.parametrize(
    ("head", "loss", "said"),
    [
        ("label", lambda target, output: ops.nonsense(target), "AttributeError"),
        ("code", lambda output: output[:, 0] * np.nan, "its loss is not finite"),
    ],
)
def test_a_loss_that_fails_is_one_line(tmp_path: Path, head: str, loss: Any, said: str) -> None:
    run = trained("own", tmp_path)
    run.model.heads = tuple(
        replace(one, loss=loss) if one.name == head else one for one in run.model.heads
    )
    with pytest.raises(EdkitError, match=f"head '{head}' cannot be measured: .*{said}") as caught:
        evaluate(run)
    assert "\n" not in str(caught.value)


def test_a_generator_is_judged_by_a_classifier(tmp_path: Path) -> None:
    run, judge = trained("drawer", tmp_path), trained("reader", tmp_path)
    weights = judge.model.layer_weights
    for sign, expected in ((1.0, 1.0), (-1.0, 0.0)):
        weights[0].assign(50 * sign * np.eye(2))
        weights[1].assign(np.zeros(2))
        numbers = agreement(run, judge)
        assert (numbers["agreement"], numbers["agreement_chance"]) == (expected, 0.5)
    weights[0].assign(np.zeros((2, 2)))
    weights[1].assign([1.0, 0.0])
    assert agreement(run, judge)["agreement"] == 0.5  # it always says the first
    numbers = evaluate(run)  # scores have no number of their own
    assert set(numbers) == {"model", "data", "split", "samples", "parameters"}


def test_a_generator_of_one_picture_a_class_is_seen(tmp_path: Path) -> None:
    run, judge = trained("drawer", tmp_path), trained("reader", tmp_path)
    codes = Seeds(0).generator("codes").standard_normal((200, 2), np.float32)[:, 0].reshape(2, 100)
    spread = 46 * (1 / (1 + np.exp(-codes))).var(axis=1).mean()  # the class is no variance
    train = run.data.splits["train"]
    real = np.mean([train["image"][train["label"] == one].var(axis=0).sum() for one in (0, 1)])
    assert agreement(run, judge)["diversity"] == pytest.approx(spread / real, rel=1e-4)


def test_a_pair_that_does_not_fit_is_one_line(tmp_path: Path) -> None:
    drawing, judge = trained("drawer", tmp_path), trained("reader", tmp_path)
    for pair, said in (
        ((drawing, drawing), "is no classifier"),
        ((judge, judge), "decoder"),
    ):
        with pytest.raises(EdkitError) as caught:
            agreement(*pair)
        assert said in str(caught.value)
        assert "\n" not in str(caught.value)


def test_what_is_not_finite_is_one_line(tmp_path: Path) -> None:
    judge = trained("reader", tmp_path)
    judge.model.layer_weights[1].assign([np.nan, 0.0])
    with pytest.raises(EdkitError, match="output 'label' is not finite"):
        evaluate(judge)


def test_one_training_sample_has_a_floor() -> None:
    one, test = np.full((1, *SHAPE), 0.25, "float32"), np.ones((2, *SHAPE), "float32")
    assert np.array_equal(pca_reconstruction(one, test, 32), np.full((2, *SHAPE), 0.25))


def test_the_codes_of_one_sample_lie_in_a_plane() -> None:
    centre, directions, names = principal_axes(np.ones((1, 5)))
    assert np.array_equal(centre, np.ones(5))
    assert directions @ directions.T == pytest.approx(np.eye(2))
    assert len(names) == 2
