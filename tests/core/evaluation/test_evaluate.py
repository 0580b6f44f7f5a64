"""Every number of `evaluate` against the same number by hand, in numpy."""

import gzip
import io
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from keras import Input, Model, layers, ops
from rich.console import Console

from ed_core import (
    Dataset,
    EdkitError,
    Field,
    Fields,
    Head,
    Run,
    RunFolder,
    dataset,
    evaluate,
    losses,
    metrics,
    model,
    open_run,
    train,
)
from ed_core.cli.evaluation_table import format_table
from ed_core.data import checks
from ed_core.evaluation import baselines
from ed_core.nn import predict
from ed_core.plugins.decorators import DATASETS, MODELS
from ed_core.recording.run_description import FORMAT
from ed_core.runs.rebuilding import build, save_weights
from ed_core.seeds import Seeds

pytestmark = pytest.mark.backend

SHAPE = (2, 2, 1)
CLASSES = ("low", "high", "unseen")
TRAIN = np.random.default_rng(1).random((40, 4)).astype("float32")
TEST = np.random.default_rng(2).random((7, 4)).astype("float32")
LABELS = np.array([0, 1, 1, 0, 1, 2, 0])
KNOWN = np.array([1, 1, 1, 1, 1, 0, 0])


@pytest.fixture(autouse=True)
def plugins() -> Iterator[None]:
    with MODELS.isolated(), DATASETS.isolated():
        dataset(pixels)
        model(data="pixels", heads=(Head("image", losses.sum_squared_error),))(linear)
        model(
            data="pixels",
            heads=(
                Head("image", losses.sum_squared_error),
                Head("code", losses.l1, weight=0.0),
            ),
        )(sparse)
        model(
            data="pixels",
            heads=(
                Head("image", losses.binary_crossentropy),
                Head("posterior", losses.gaussian_kl, weight=5.0),
            ),
        )(variational)
        model(
            data="pixels",
            heads=(
                Head(
                    "label",
                    losses.categorical_crossentropy,
                    mask="known",
                    metrics=(metrics.accuracy,),
                ),
            ),
        )(classes)
        yield


def pixels() -> Dataset:
    """Random pixels; the first split has mostly the class `high`."""
    fields = Fields(image=Field(SHAPE), label=Field((), "class", CLASSES), known=Field((), "mask"))
    labels, known = np.arange(40) % 2, np.ones(40)
    labels[:3], labels[10:], known[10:] = 1, 0, 0  # of the labelled ones 6 are high, 4 low
    return Dataset(
        fields,
        {
            "train": {"image": TRAIN.reshape(-1, *SHAPE), "label": labels, "known": known},
            "test": {"image": TEST.reshape(-1, *SHAPE), "label": LABELS, "known": KNOWN},
        },
    )


def parts(size: int, activation: str | None = None) -> tuple[Model, Model]:
    image = Input(SHAPE, name="image")
    code = layers.Dense(size, use_bias=False, name="in")(layers.Flatten()(image))
    encoder = Model({"image": image}, {"code": code}, name="encoder")
    return encoder, decoder_of(size, activation)


def decoder_of(size: int, activation: str | None) -> Model:
    code = Input((size,), name="code")
    out = layers.Dense(4, activation, use_bias=False, name="out")(code)
    return Model({"code": code}, {"image": layers.Reshape(SHAPE)(out)}, name="decoder")


def joined(encoder: Model, decoder: Model) -> Model:
    image = Input(SHAPE, name="image")
    codes = encoder({"image": image})
    return Model({"image": image}, {**decoder({"code": codes["code"]}), **codes})


def linear(fields: Fields) -> Model:
    """Two numbers, without activation."""
    return joined(*parts(2))


def sparse(fields: Fields) -> Model:
    """The pixels themselves as the code."""
    return joined(*parts(4))


def variational(fields: Fields) -> Model:
    """The first pixels as the mean, the other two as the logarithm of the variance."""
    image = Input(SHAPE, name="image")
    both = layers.Dense(4, use_bias=False, name="in")(layers.Flatten()(image))
    posterior = layers.Reshape((2, 2))(both)
    outputs = {"code": ops.take(posterior, 0, axis=1), "posterior": posterior}
    encoder = Model({"image": image}, outputs, name="encoder")
    return joined(encoder, decoder_of(2, "sigmoid"))


def classes(fields: Fields) -> Model:
    """The class by the first three pixels."""
    image = Input(SHAPE, name="image")
    out = layers.Dense(3, "softmax", use_bias=False, name="in")(layers.Flatten()(image))
    return Model({"image": image}, {"label": out})


def made(folder: Path, name: str, *weights: np.ndarray, **more: Any) -> Run:
    """Return a run of a model with the given weights, as if trained with nothing kept aside."""
    spec = MODELS[name]
    net = build(spec, pixels().fields, {}, seed=3)
    for variable, value in zip(net.layer_weights, weights, strict=True):
        variable.assign(value)
    run = RunFolder.create(folder, name)
    fields = {name: asdict(field) for name, field in pixels().fields.items()}
    facts = {"model": name, "data": "pixels", "params": {}, "seed": 3, "fields": fields}
    run.write({"format": FORMAT, **facts, "validation": 0.0, **more})
    save_weights(net, run.weights)
    return open_run(run.path)


def picking(*rows: int, size: int = 4) -> np.ndarray:
    return np.eye(size, dtype="float32")[:, list(rows)]


def test_a_linear_model_by_hand(tmp_path: Path) -> None:
    keep = picking(0, 1)
    result = evaluate(made(tmp_path, "linear", keep, keep.T))
    lost = np.square(TEST[:, 2:].astype("float64")).sum(axis=1).mean()  # the pixels left out
    assert result["mse"] == pytest.approx(lost / 4, rel=1e-6)
    assert result["sum_squared_error"] == pytest.approx(lost, rel=1e-6)
    assert result["code_size"] == 2
    assert result["parameters"] == 16
    assert result["samples"] == 7
    about = {name: result[name] for name in ("model", "data", "split")}
    assert about == {"model": "linear", "data": "pixels", "split": "test"}
    assert json.loads(json.dumps(result)) == result


def test_the_pca_is_fitted_on_the_training_split(tmp_path: Path) -> None:
    mean = TRAIN.mean(axis=0, dtype="float64")
    axes = np.linalg.svd(TRAIN - mean)[2][:2]
    left = (TEST - mean) - (TEST - mean) @ axes.T @ axes
    keep = picking(0, 1)
    result = evaluate(made(tmp_path, "linear", keep, keep.T))
    assert result["pca_mse"] == pytest.approx(np.square(left).mean(), rel=1e-4)


def test_what_is_kept_aside_is_no_part_of_the_floors(tmp_path: Path) -> None:
    keep = picking(0, 1)
    run = made(tmp_path, "linear", keep, keep.T, validation=0.25)
    train, held = (run.data.splits[name]["image"] for name in ("train", "validation"))
    assert (len(train), len(held)) == (30, 10)
    flat = train.reshape(30, 4)
    mean = flat.mean(axis=0, dtype="float64")
    axes = np.linalg.svd(flat - mean)[2][:2]
    left = (TEST - mean) - (TEST - mean) @ axes.T @ axes
    assert evaluate(run)["pca_mse"] == pytest.approx(np.square(left).mean(), rel=1e-4)
    lost = np.square(held.reshape(10, 4)[:, 2:]).mean() / 2
    assert evaluate(run, split="validation")["mse"] == pytest.approx(lost, rel=1e-5)


def test_the_untrained_model_is_the_one_of_the_runs_seed(tmp_path: Path) -> None:
    keep = picking(0, 1)
    run = made(tmp_path, "linear", keep, keep.T)
    first, second = (
        np.array(ops.convert_to_numpy(v))
        for v in build(run.spec, run.data.fields, {}, seed=3).layer_weights
    )
    expected = np.square(TEST - TEST @ first @ second).mean()
    result = evaluate(run)
    assert result["untrained_mse"] == pytest.approx(expected, rel=1e-4)
    assert result["untrained_mse"] != pytest.approx(result["mse"], rel=1e-2)


def test_as_many_components_as_dimensions_leave_nothing(tmp_path: Path) -> None:
    all_pixels = picking(0, 1, 2, 3)
    result = evaluate(made(tmp_path, "sparse", all_pixels, all_pixels))
    assert result["mse"] == 0
    assert result["pca_mse"] < 1e-10


def test_more_components_than_samples_or_pixels_are_capped() -> None:
    some = TRAIN[:3].reshape(-1, *SHAPE)
    assert baselines.pca_reconstruction(some, some, 100) == pytest.approx(some, abs=1e-5)


def test_many_dimensions_take_the_other_solver(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = baselines.pca_reconstruction(TRAIN, TEST, 2)
    monkeypatch.setattr(baselines, "_EXACT", 1)
    assert baselines.pca_reconstruction(TRAIN, TEST, 2) == pytest.approx(exact, abs=1e-4)


@pytest.mark.parametrize(
    ("rows", "dimensions", "solver"),
    [
        (8, 4050, "full"),
        (8, 20, "full"),
        (300, 784, "covariance"),
        (300, 3000, "randomized"),
        (5, 4, "covariance"),
    ],
)
def test_the_solver_is_one_that_takes_seconds(rows: int, dimensions: int, solver: str) -> None:
    assert baselines._solver(rows, dimensions) == solver


@pytest.mark.parametrize(("rows", "dimensions"), [(2500, 64), (60, 300), (300, 2100)])
@pytest.mark.parametrize("offset", [0, 300, 4000])
@pytest.mark.parametrize("components", [2, 8])  # of which the first leave much, and all little
def test_the_pca_floor_does_not_change_with_a_constant(
    rows: int, dimensions: int, components: int, offset: int
) -> None:
    """Against numpy in float64, for signals such as Kelvin or the counts of a converter."""
    random = np.random.default_rng(0)
    basis = random.normal(size=(40, dimensions)) * 0.7 ** np.arange(40)[:, None]
    signals = (random.normal(size=(rows + 50, 40)) @ basis + offset).astype("float32")
    train, test = signals[:rows, :, None], signals[rows:, :, None]
    mean = train[..., 0].mean(axis=0, dtype="float64")
    axes = np.linalg.svd(train[..., 0] - mean, full_matrices=False)[2][:components]
    left = test[..., 0] - mean
    expected = np.square(left - left @ axes.T @ axes).mean()
    found = np.square(test - baselines.pca_reconstruction(train, test, components)).mean()
    assert found == pytest.approx(expected, rel=1e-6)


class Pieces:
    """An array that is read some samples at a time, as one of a file is."""

    def __init__(self, array: np.ndarray) -> None:
        self.array, self.shape, self.dtype, self.most = array, array.shape, array.dtype, 0

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, key: Any) -> np.ndarray:
        found = self.array[key]
        self.most = max(self.most, found.nbytes)
        return found


def test_a_split_is_read_a_piece_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that one that is larger than the memory can be measured, and its floors as well."""
    monkeypatch.setattr(predict, "at_a_time", lambda arrays, inputs: 2)
    monkeypatch.setattr(baselines, "_BLOCK", 2 * 8 * 4)
    monkeypatch.setattr(baselines, "_FEW", 2)
    monkeypatch.setattr(checks, "_BYTES", 2 * 4 * 4)
    read = {
        split: {name: Pieces(array) for name, array in arrays.items()}
        for split, arrays in pixels().splits.items()
    }
    for name, weights in (
        ("linear", [picking(0, 1), picking(0, 1).T]),
        ("sparse", [np.eye(4)] * 2),
    ):
        run = made(tmp_path, name, *weights)
        expected = evaluate(run)
        run.substitute_data(Dataset(pixels().fields, read))
        found = evaluate(run)
        assert found.keys() == expected.keys()
        for key in (key for key in found if isinstance(found[key], float)):
            assert found[key] == pytest.approx(expected[key], rel=1e-6, abs=1e-12)
    for split in read:
        image = read[split]["image"]
        assert image.most < image.array.nbytes / 3


def test_active_fraction_by_hand(tmp_path: Path) -> None:
    scale = np.diag([20, 0.5, -0.1, 0]).astype("float32")
    result = evaluate(made(tmp_path, "sparse", scale, scale))
    codes = TEST @ scale
    largest = np.abs(codes).max()
    assert result["active_fraction"] == pytest.approx((np.abs(codes) > 0.01 * largest).mean())
    assert 0.25 < result["active_fraction"] < 0.5  # the second unit now and then, the third never
    nothing = np.zeros((4, 4), "float32")
    assert evaluate(made(tmp_path, "sparse", nothing, scale))["active_fraction"] == 0


def test_neg_elbo_by_hand(tmp_path: Path) -> None:
    inwards, outwards = picking(0, 1, 2, 3), np.array([[1, -1, 2, 0], [0, 1, 1, -2]], "float32")
    result = evaluate(made(tmp_path, "variational", inwards, outwards), seed=5)
    mean, log_var = TEST[:, :2], TEST[:, 2:]
    epsilon = Seeds(5).generator("noise").standard_normal((7, 2), np.float32)
    p = 1 / (1 + np.exp(-(mean + np.exp(log_var / 2) * epsilon) @ outwards))
    likelihood = TEST * np.log(p) + (1 - TEST) * np.log(1 - p)
    kl = (0.5 * (mean**2 + np.exp(log_var) - 1 - log_var)).sum(axis=1).mean()
    assert result["kl"] == pytest.approx(kl, rel=1e-5)
    assert result["reconstruction"] == pytest.approx(-likelihood.sum(axis=1).mean(), rel=1e-5)
    assert result["neg_elbo"] == pytest.approx(result["kl"] + result["reconstruction"])
    assert result["active_units"] == 2
    still = 1 / (1 + np.exp(-mean @ outwards))  # the mean code, not a sample
    assert result["mse"] == pytest.approx(np.square(TEST - still).mean(), rel=1e-5)


def test_a_latent_that_hardly_moves_is_not_active(tmp_path: Path) -> None:
    inwards = picking(0, 1, 2, 3) @ np.diag([1, 0.01, 1, 1]).astype("float32")
    result = evaluate(made(tmp_path, "variational", inwards, np.ones((2, 4), "float32")))
    assert result["active_units"] == 1


def test_a_seed_repeats_and_another_differs(tmp_path: Path) -> None:
    run = made(tmp_path, "variational", picking(0, 1, 2, 3), np.ones((2, 4), "float32"))
    first = evaluate(run)
    assert evaluate(run.path) == first
    other = evaluate(run, seed=1)
    assert other["reconstruction"] != first["reconstruction"]
    assert other["kl"] == first["kl"]


def test_metrics_count_what_is_labelled_and_stand_beside_the_majority(tmp_path: Path) -> None:
    result = evaluate(made(tmp_path, "classes", 50 * picking(0, 1, 2)))
    right = TEST[:, :3].argmax(axis=1) == LABELS
    assert result["label_accuracy"] == pytest.approx(right[:5].mean())
    assert result["label_majority"] == pytest.approx(3 / 5)  # `high`, of the first five labels
    assert "mse" not in result
    assert "code_size" not in result


def test_another_split_and_another_data_set(tmp_path: Path) -> None:
    @dataset
    def bright() -> Dataset:
        """Ones."""
        ones = np.ones((3, *SHAPE), "float32")
        return Dataset(
            Fields(image=Field(SHAPE)), {"train": {"image": ones * 0.1}, "test": {"image": ones}}
        )

    keep = picking(0, 1)
    run = made(tmp_path, "linear", keep, keep.T)
    assert evaluate(run, split="train")["mse"] == pytest.approx(
        np.square(TRAIN[:, 2:]).sum() / TRAIN.size
    )
    result = evaluate(run, "bright")
    assert result["mse"] == pytest.approx(0.5)
    assert (result["data"], result["samples"]) == ("bright", 3)
    axes = np.linalg.svd(TRAIN - TRAIN.mean(axis=0))[2][:2]  # still of the run's own data
    off = 1 - TRAIN.mean(axis=0)
    assert result["pca_mse"] == pytest.approx(np.square(off - off @ axes.T @ axes).mean(), rel=1e-3)


def test_a_run_from_before_fields_had_units_is_measured(tmp_path: Path) -> None:
    run = made(tmp_path, "linear", picking(0, 1), picking(0, 1).T)
    info = run.folder.read()
    fields = {name: {**facts, "unit": "old"} for name, facts in info["fields"].items()}
    del info["format"]
    run.folder.write({**info, "fields": fields})
    with pytest.warns(UserWarning, match="is a run of an earlier version: .* on the test split"):
        assert evaluate(run.path) == evaluate(run)


def test_a_run_whose_data_set_has_moved_is_measured_on_another(tmp_path: Path) -> None:
    file = tmp_path / "here.npz"
    np.savez(file, image=np.random.default_rng(0).random((20, 8, 8, 1)).astype("float32"))
    wish: dict[str, Any] = {
        "hidden": (4,),
        "latent": 2,
        "epochs": 1,
        "batch_size": 8,
        "record": False,
    }
    run = train("dense_autoencoder", f"arrays:{file}", out=tmp_path / "runs", **wish)
    found = evaluate(run.path)
    moved = file.rename(tmp_path / "there.npz")
    with pytest.raises(EdkitError, match="Where it lies elsewhere now, say so with --data"):
        evaluate(run.path)
    with pytest.warns(UserWarning, match="What it must beat"):
        again = evaluate(run.path, f"arrays:{moved}")
    assert {**again, "data": found["data"]} == found
    other = tmp_path / "other.npz"
    np.savez(other, image=np.random.default_rng(1).random((20, 8, 8, 1)).astype("float32"))
    with pytest.warns(UserWarning, match="What it must beat"):
        assert evaluate(run.path, f"arrays:{other}")["samples"] == 20


@pytest.mark.parametrize(
    ("fields", "arrays", "said"),
    [
        (Fields(image=Field((3, 3, 1))), {"image": np.zeros((2, 3, 3, 1))}, "(3, 3, 1)"),
        (Fields(image=Field(SHAPE, "signal")), {"image": np.zeros((2, *SHAPE))}, "signal"),
        (Fields(other=Field(SHAPE)), {"other": np.zeros((2, *SHAPE))}, "'image'"),
        (Fields(image=Field(SHAPE)), {"image": np.full((2, *SHAPE), 7.0)}, "7.0"),
        (Fields(image=Field(SHAPE)), {"image": np.zeros((2, 4))}, "(4,)"),
    ],
)
def test_data_that_does_not_fit_is_refused_in_one_line(
    tmp_path: Path, fields: Fields, arrays: dict[str, np.ndarray], said: str
) -> None:
    @dataset
    def wrong() -> Dataset:
        """Wrong in one way."""
        return Dataset(fields, {"train": arrays, "test": arrays})

    run = made(tmp_path, "linear", picking(0, 1), picking(0, 1).T)
    with pytest.raises(EdkitError) as caught:
        evaluate(run, "wrong")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_split_run_or_data_set_is_named(tmp_path: Path) -> None:
    run = made(tmp_path, "linear", picking(0, 1), picking(0, 1).T)
    with pytest.raises(EdkitError, match="no split 'validation'; it has: train, test"):
        evaluate(run, split="validation")
    with pytest.raises(EdkitError, match="unknown data set 'pixel'"):
        evaluate(run, "pixel")
    with pytest.raises(EdkitError, match="not a run folder"):
        evaluate(tmp_path)


def test_names_in_the_table_are_no_markup() -> None:
    facts = {"model": "unet", "data": "folder:/[raw]/s.toml", "split": "test", "samples": 1}
    result = {**facts, "parameters": 1, "mask_mean_iou": 0.5, "mask_iou_road [/]": 0.5}
    console = Console(width=200)
    with console.capture() as said:
        console.print(format_table(result))
    assert "/[raw]/s.toml" in said.get()
    assert "road [/]" in said.get()


def test_the_table_has_every_number_beside_its_floor() -> None:
    result = {"model": "m", "data": "d", "split": "test", "samples": 9, "parameters": 12345}
    result |= {"mse": 0.00912345, "pca_mse": 0.0104, "untrained_mse": 0.23, "active_units": 3}
    result |= {"label_accuracy": 0.875, "label_majority": 0.1}
    console = Console(file=io.StringIO(), width=100)
    console.print(format_table(result))
    lines = console.file.getvalue().splitlines()
    row = next(i for i, line in enumerate(lines) if " mse " in line)
    assert "0.009123" in lines[row]
    assert "PCA 0.0104" in lines[row]
    assert "untrained 0.23" in lines[row + 1]
    accuracy = next(line for line in lines if "label_accuracy" in line)
    assert "0.875" in accuracy
    assert "majority 0.1" in accuracy
    assert "12,345 parameters" in console.file.getvalue()
    assert not any(line.split()[:1] in (["pca_mse"], ["label_majority"]) for line in lines)


@pytest.mark.parametrize(
    ("name", "components", "known"), [("fashion-mnist", 64, 0.01037), ("mnist", 32, 0.01683)]
)
def test_the_pca_floor_of_real_data(
    data_folder: Path, name: str, components: int, known: float
) -> None:
    train, test = (
        np.frombuffer(gzip.decompress((data_folder / name / file).read_bytes()), "u1", offset=16)
        .reshape(-1, 28, 28, 1)
        .astype("float32")
        / 255
        for file in ("train-images-idx3-ubyte.gz", "t10k-images-idx3-ubyte.gz")
    )
    found = baselines.pca_reconstruction(train, test, components)
    assert np.square(test - found).mean() == pytest.approx(known, abs=1e-5)


def test_the_table_says_of_how_many_and_of_what() -> None:
    result = {"model": "m", "data": "d", "split": "all", "samples": 4000, "parameters": 9}
    result |= {"mse": 0.5, "sum_squared_error": 2.0, "signal_count": 4000, "label_accuracy": 0.9}
    result |= {"label_count": 198, "knn_accuracy": 0.5, "knn_count": 170}
    result |= {"threshold": 3.5, "threshold_count": 30, "rate": 0.05}
    result |= {"rate_low": 0.008, "rate_high": 0.22}
    words = {"": {"number": "number", "sample": "signal", "numbers": "x", "head": "signal"}}
    console = Console(file=io.StringIO(), width=160)
    console.print(format_table(result, words))
    lines = console.file.getvalue().splitlines()
    shown = {line.split()[0]: line for line in lines if line.split()}
    assert "all samples" in lines[0]
    assert " 4,000 " in shown["mse"]
    assert "per number" in shown["mse"]
    assert "per signal" in shown["sum_squared_error"]
    assert " 198 " in shown["label_accuracy"]
    assert " 170 " in shown["knn_accuracy"]
    assert " 30 " in shown["threshold"]
    assert "false alarms 0.8 to 22 % (95 %)" in shown["threshold"]
    assert not any("image" in line or "pixel" in line for line in lines)
    assert not shown.keys() & {"label_count", "rate_low", "rate_high", "rate", "threshold_count"}
