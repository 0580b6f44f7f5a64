"""A run applied to arrays: the numbers of its model, in the units and names of the user."""

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.core import TINY, untrained_run

from ed_core import DATASETS, MODELS, EdkitError, train
from ed_core.plugins.spec import Field, Fields
from ed_core.runs.outputs import class_numbers, encoding
from ed_core.runs.prior import Drawing
from ed_core.runs.run import Run

pytestmark = pytest.mark.backend


@pytest.fixture(scope="module")
def tiny_run(tmp_path_factory: Any) -> Any:
    with MODELS.isolated(), DATASETS.isolated():
        runpy.run_path(str(TINY))
        yield train("tiny", out=tmp_path_factory.mktemp("runs"), epochs=1, record=False)


def images(run: Run, count: int = 70) -> np.ndarray:
    array: np.ndarray = run.data.splits["train"]["image"][:count]
    return array


def test_the_numbers_are_those_of_the_model(tiny_run: Run) -> None:
    x = images(tiny_run)
    expected = tiny_run.model.predict({"image": x}, verbose=0)
    close = {"rtol": 1e-5, "atol": 1e-6}
    np.testing.assert_allclose(tiny_run.encode(x)["code"], expected["code"], **close)
    np.testing.assert_allclose(tiny_run.reconstruct(x)["image"], expected["image"], **close)
    predicted = tiny_run.predict({"image": x}, probabilities=True)
    assert [*predicted] == ["label", "label_probability", "label_probabilities", "angle"]
    np.testing.assert_allclose(predicted["label_probabilities"], expected["label"], **close)
    np.testing.assert_allclose(predicted["angle"], expected["angle"], **close)
    names = np.array(["top", "middle", "bottom"])[expected["label"].argmax(axis=1)]
    assert predicted["label"].tolist() == names.tolist()
    np.testing.assert_allclose(predicted["label_probability"], expected["label"].max(1), **close)


def test_an_image_that_was_scaled_by_itself_comes_back_as_it_was(tiny_run: Run) -> None:
    x = images(tiny_run, 2)
    scales = np.array([[0.5, 0.25], [4.0, -1.0]], "f4")  # factor and offset
    plain = tiny_run.reconstruct(x)["image"]
    own = tiny_run.reconstruct({"image": x, "image_own_scale": scales})["image"]
    np.testing.assert_allclose(own[0], plain[0] * 0.5 + 0.25, atol=1e-6)
    np.testing.assert_allclose(own[1], np.clip(plain[1] * 4 - 1, 0, 1), atol=1e-5)


@pytest.mark.parametrize("count", [1, 3, 257, 229])
def test_any_number_of_samples_is_given_back_in_its_order(tiny_run: Run, count: int) -> None:
    x = np.random.default_rng(count).random((count, 6, 6, 1), dtype="float32")
    expected = tiny_run.model.predict({"image": x}, verbose=0)["code"]
    np.testing.assert_allclose(tiny_run.encode(x)["code"], expected, rtol=1e-5, atol=1e-6)


def test_a_code_is_decoded_flat_or_as_it_was_encoded(tiny_run: Run) -> None:
    codes = tiny_run.encode(images(tiny_run))
    restored = tiny_run.reconstruct(images(tiny_run))["image"]
    for given in (codes, codes["code"], codes["code"].tolist()):
        np.testing.assert_allclose(tiny_run.decode(given)["image"], restored, atol=1e-6)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((2, 6, 6)), r"input 'image': expected samples of shape \(6, 6, 1\)"),
        (np.zeros((2, 6, 6, 1), "u1") + 200, "finite numbers from 0 to 1"),
        (np.full((2, 6, 6, 1), np.nan), "sample 0 holds nan"),
        (np.zeros((0, 6, 6, 1)), "one or more"),
        ({"picture": np.zeros((2, 6, 6, 1))}, "needs input 'image', got 'picture'"),
    ],
)
def test_what_the_model_does_not_take_is_refused(tiny_run: Run, x: Any, message: str) -> None:
    with pytest.raises(EdkitError, match=message):
        tiny_run.encode(x)


def test_a_draw_depends_on_seed_and_number_alone(tiny_run: Run) -> None:
    many = tiny_run.generate(9, seed=4)["image"]
    np.testing.assert_allclose(tiny_run.generate(3, seed=4)["image"], many[:3], atol=1e-6)
    assert np.abs(tiny_run.generate(3, seed=5)["image"] - many[:3]).max() > 1e-3
    codes = np.stack([Drawing(9, 4).code(row, (2,)) for row in range(9)])
    np.testing.assert_allclose(tiny_run.decode(codes)["image"], many, atol=1e-6)


def test_a_walk_has_the_draws_as_its_ends() -> None:
    walk, draws = Drawing(2, seed=1, steps=5), Drawing(3, seed=1)
    codes = np.stack([walk.code(row, (4,)) for row in range(len(walk))])
    ends = [draws.code(row, (4,)) for row in range(3)]
    np.testing.assert_allclose(codes[[0, 4, 5, 9]], [ends[0], ends[1], ends[1], ends[2]])
    np.testing.assert_allclose(codes[2], (ends[0] + ends[1]) / 2, atol=1e-6)
    assert [walk.name(row) for row in (0, 9)] == ["1-1", "2-5"]


def test_a_plane_has_the_second_dimension_upwards() -> None:
    plane = Drawing(plane=3)
    codes = np.stack([plane.code(row, (3,)) for row in range(9)]).reshape(3, 3, 3)
    np.testing.assert_allclose(codes[1, :, 0], [-0.967422, 0, 0.967422], atol=1e-5)
    np.testing.assert_allclose(codes[:, 1, 1], [0.967422, 0, -0.967422], atol=1e-5)
    assert not codes[..., 2].any()


FACES = Fields(image=Field((8, 8, 1)), label=Field((), "class", ("cat", "dog", "cow")))


def test_a_conditional_run_is_told_classes_by_name_and_gives_them_back(tmp_path: Path) -> None:
    run = untrained_run(tmp_path, "conditional_vae", FACES, hidden=(8,), latent=2)
    x = np.random.default_rng(0).random((4, 8, 8, 1), dtype="float32")
    by_name = run.encode({"image": x, "label": np.array(["cow", "cat", "dog", "cow"])})
    by_number = run.encode({"image": x, "label": np.array([2, 0, 1, 2])})
    assert by_name["label"].tolist() == by_number["label"].tolist() == ["cow", "cat", "dog", "cow"]
    np.testing.assert_array_equal(by_name["code"], by_number["code"])
    restored = run.reconstruct({"image": x, "label": by_name["label"]})["image"]
    np.testing.assert_allclose(run.decode(by_name)["image"], restored, atol=1e-6)
    assert run.generate(5)["label"].tolist() == ["cat", "dog", "cow", "cat", "dog"]
    assert run.generate(2, label="dog")["label"].tolist() == ["dog", "dog"]
    with pytest.raises(EdkitError, match="class 'horse' is unknown to the run: expected cat, dog"):
        run.generate(2, label="horse")
    with pytest.raises(EdkitError, match="takes 'image' and 'label'"):
        run.encode(x)


def test_generators_make_samples_and_plain_auto_encoders_refuse(tmp_path: Path) -> None:
    run = untrained_run(tmp_path, "conditional_gan", FACES, latent=3, filters=(4,))
    assert run.generate(4)["image"].shape == (4, 8, 8, 1)
    with pytest.raises(EdkitError, match="'conditional_gan', which has no encoder"):
        run.encode({"image": np.zeros((1, 8, 8, 1)), "label": np.zeros(1, "i4")})
    with pytest.raises(EdkitError, match="no output that gives an input back"):
        run.reconstruct(np.zeros((1, 8, 8, 1)))
    plain = untrained_run(tmp_path, "dense_autoencoder", FACES, hidden=(8,), latent=2)
    with pytest.raises(EdkitError, match="codes follow no known distribution"):
        plain.generate(1)
    with pytest.raises(EdkitError, match="no head that predicts a class or a value of a sample"):
        plain.predict(np.zeros((1, 8, 8, 1)))
    with pytest.raises(EdkitError, match="no head that predicts the class of every pixel"):
        plain.segment(np.zeros((1, 8, 8, 1)))


def test_masks_and_maps_come_from_a_run_that_has_them(tmp_path: Path) -> None:
    fields = Fields(
        image=Field((8, 8, 3)),
        mask=Field((8, 8), "class", ("road", "grass")),
        elevation=Field((8, 8, 1), "value", unit="m"),
    )
    run = untrained_run(tmp_path, "unet_land_use_and_elevation", fields, filters=(4, 8))
    x = np.random.default_rng(0).random((3, 8, 8, 3), dtype="float32")
    raw = run.model.predict({"image": x}, verbose=0)
    masks = run.segment(x, probabilities=True)
    np.testing.assert_allclose(masks["mask_probabilities"], raw["mask"], atol=1e-6)
    assert (masks["mask"] == raw["mask"].argmax(-1)).mean() > 0.99
    np.testing.assert_allclose(run.predict(x)["elevation"], raw["elevation"], atol=1e-5)
    with pytest.raises(EdkitError, match="takes more than a code: skip_1"):
        run.decode(run.encode(x))


def test_signals_come_back_in_their_own_units_without_the_training_data(tmp_path: Path) -> None:
    fitted = {"standardised": "wave", "mean": [100.0, -5.0], "deviation": [20.0, 0.5]}
    info = {"input": {"fitted": {**fitted, "standardised": "signal"}}}
    fields = Fields(signal=Field((16, 2), "signal"))
    run = untrained_run(tmp_path, "signal_autoencoder", fields, info, filters=(4,))
    mean, deviation = np.array(fitted["mean"]), np.array(fitted["deviation"])
    x = mean + deviation * np.random.default_rng(0).normal(size=(3, 16, 2))
    raw = run.model.predict({"signal": ((x - mean) / deviation).astype("f4")}, verbose=0)["signal"]
    np.testing.assert_allclose(run.reconstruct(x)["signal"], raw * deviation + mean, rtol=1e-5)


def test_what_a_model_gives_must_be_finite(tiny_run: Run) -> None:
    before = tiny_run.model.get_weights()
    tiny_run.model.set_weights([np.full_like(w, np.nan) for w in before])
    try:
        with pytest.raises(EdkitError, match=r"output 'code' of .* is not finite"):
            tiny_run.encode(images(tiny_run))
    finally:
        tiny_run.model.set_weights(before)


def test_classes_are_known_by_name_then_by_number() -> None:
    digits = Field((), "class", ("1", "0"))
    assert class_numbers(["1", "0", 1], digits, "class").tolist() == [0, 1, 0]
    assert class_numbers([3, "4"], Field((), "class"), "class").tolist() == [3, 4]


def test_a_batch_is_as_large_as_its_samples_allow(tiny_run: Run) -> None:
    assert encoding(tiny_run).batch_size == 256
