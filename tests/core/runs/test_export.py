"""Exported models: files' numbers in, results in their units out, by Keras alone."""

import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops
from support.core import untrained_run

from ed_core import EdkitError, Field, Fields
from ed_core.cli import main
from ed_core.cli.results import FORMATS as OFFERED
from ed_core.nn.residuals import CodeDistribution
from ed_core.runs.detector import Detector, scoring
from ed_core.runs.export import FORMATS, Exported, export, exported
from ed_core.runs.outputs import reconstructing
from ed_core.runs.run import Run

pytestmark = pytest.mark.backend

GREY = Fields(image=Field((8, 8, 1)))
SCENE = Fields(image=Field((8, 8, 3)), mask=Field((8, 8), "class", ("road", "grass")))
BYTES = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 1)).astype("float32")
CLOSE = {"rtol": 1e-4, "atol": 1e-5}
SCORES = ("squared", "smoothed", "smoothed_2", "multiscale", "ssim", "mahalanobis", "elbo")

ALONE = """
import sys, pathlib, keras, numpy as np
folder = pathlib.Path(sys.argv[1])
model = keras.models.load_model(folder / "model.keras")
np.savez(folder / "alone.npz", **model.predict_on_batch(dict(np.load(folder / "given.npz"))))
assert not [name for name in sys.modules if name.startswith("ed_")]
"""


def info_of(**units: float) -> dict[str, Any]:
    return {"input": {"reading": {"units": {"image": units}}}}


def results(one: Exported, **inputs: np.ndarray) -> dict[str, np.ndarray]:
    given = one.model.predict_on_batch(inputs)
    return {name: np.asarray(array) for name, array in given.items()}


def detector(score: str) -> Detector:
    random = np.random.default_rng(1)
    scales = dict.fromkeys(score.split("+"), (0.5, 2.0, 1.0))
    codes = CodeDistribution.fit(random.normal(size=(50, 3)))
    return Detector(score, 0.1, 0.01, (0.0, 0.1), 9, random.random(9), scales, codes=codes)


@pytest.fixture(scope="module")
def vae(tmp_path_factory: Any) -> Run:
    folder = tmp_path_factory.mktemp("runs")
    return untrained_run(folder, "vae", GREY, info_of(black=0, white=255), hidden=(8,), latent=3)


@pytest.mark.parametrize("score", [*SCORES, "smoothed+mahalanobis", "ssim+squared"])
def test_every_score_is_that_of_the_run(vae: Run, score: str) -> None:
    settled = detector(score)
    expected = scoring(vae, settled).of(BYTES / 255)
    middle = float(np.median(expected["score"]))
    settled = replace(settled, threshold=middle)
    found = results(exported(vae, detector=settled), image=BYTES)
    np.testing.assert_allclose(found["score"], expected["score"], rtol=2e-4)
    names = np.array(["normal", "odd"])[found["verdict"]]
    far = np.abs(expected["score"] - middle) > 1e-3 * abs(middle)
    assert (names == scoring(vae, settled).of(BYTES / 255)["verdict"])[far].all()
    assert 0 < found["verdict"].sum() < len(BYTES)


def test_a_detector_of_defects_brings_its_map_and_its_score(tmp_path: Path) -> None:
    fields = Fields(image=Field((16, 16, 1)))
    options = {"latent": 4, "filters": (4, 8), "mirror": "both"}
    run = untrained_run(tmp_path, "defect_detector", fields, info_of(black=0, white=255), **options)
    x = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 1)).astype("float32")
    for score in ("defect", "defect+multiscale"):
        settled = detector(score)
        expected = scoring(run, settled).of(x / 255)
        found = results(exported(run, detector=settled), image=x)
        np.testing.assert_allclose(found["score"], expected["score"], rtol=1e-3)


def of_numbers(target: Any, output: Any) -> Any:
    return np.sum(np.asarray(target) - np.asarray(output), axis=(1, 2, 3))


def of_a_batch(target: Any, output: Any) -> Any:
    return ops.mean(target - output)


@pytest.mark.parametrize("loss", [of_numbers, of_a_batch])
def test_a_score_without_a_graph_is_left_out_with_a_word(
    vae: Run, loss: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    heads = [replace(head, loss=loss) for head in reconstructing(vae)]
    monkeypatch.setattr("ed_core.runs.export.reconstructing", lambda run: heads)
    one = exported(vae, detector=detector("elbo"))
    assert set(one.model.output) == {"image", "code"}
    assert (
        "'elbo' cannot be part of an exported model with the loss of head 'image'"
        in (one.left_out[0])
    )
    assert one.facts["left_out"] == [*one.left_out]


def test_keras_alone_loads_what_takes_bytes_and_gives_bytes(tmp_path: Path) -> None:
    run = untrained_run(tmp_path, "vae", GREY, info_of(black=0, white=255), hidden=(8,), latent=3)
    settled = detector("elbo+smoothed")
    written = export(run, tmp_path / "model.keras", detector=settled)
    np.savez(tmp_path / "given.npz", image=BYTES)
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    subprocess.run([sys.executable, "-c", ALONE, str(tmp_path)], check=True, env=environment)
    with np.load(tmp_path / "alone.npz") as found:
        expected = run.reconstruct(BYTES / 255)["image"] * 255
        np.testing.assert_allclose(found["image"], expected, rtol=1e-4, atol=1e-3)
        np.testing.assert_allclose(found["code"], run.encode(BYTES / 255)["code"], **CLOSE)
        score = scoring(run, settled).of(BYTES / 255)["score"]
        np.testing.assert_allclose(found["score"], score, rtol=2e-4)
    facts = json.loads((tmp_path / "model.json").read_text())
    assert facts == written.facts
    assert facts["inputs"] == {"image": {"shape": [None, 8, 8, 1], "range": [0, 255]}}
    assert facts["outputs"]["code"] == {"shape": [None, 3]}


def test_images_are_standardised_and_come_back_as_bright_as_they_were(tmp_path: Path) -> None:
    info = info_of(black=0, white=255, span=8)
    run = untrained_run(tmp_path, "dense_autoencoder", GREY, info, hidden=(8,), latent=3)
    x = BYTES.copy()
    x[0] = 40  # an image of one number
    axes = (1, 2, 3)
    mean, span = x.mean(axes, keepdims=True), 8 * x.std(axes, keepdims=True)
    span[span == 0] = 8 * 255  # divided by 1, in 0..1
    seen = np.clip((x - mean) / span + 0.5, 0, 1)
    expected = (run.reconstruct(seen)["image"] - 0.5) * span + mean
    found = results(exported(run), image=x)
    np.testing.assert_allclose(found["image"], expected, rtol=1e-4, atol=1e-2)


def test_columns_with_gaps_are_in_their_own_units(tmp_path: Path) -> None:
    fitted = {"mean": [100.0, -5.0, 0.0], "deviation": [20.0, 0.5, 1.0]}
    info = {"input": {"fitted": {"standardised": "columns", **fitted}}}
    info["field_names"] = {"features": "columns"}
    fields = Fields(features=Field((3,), "value", ("a", "b", "c")))
    run = untrained_run(tmp_path, "dense_autoencoder", fields, info, hidden=(8,), latent=2)
    x = np.array([[90, -4.5, 1], [np.nan, -5, 0], [120, np.nan, 1]], "float32")
    found = results(exported(run), features=x)["features"]
    prepared = (np.nan_to_num(x, nan=0) - fitted["mean"]) / np.array(fitted["deviation"])
    prepared[np.isnan(x)] = 0
    raw = run.model.predict_on_batch({"features": prepared.astype("f4")})["features"]
    expected = np.asarray(raw) * fitted["deviation"] + fitted["mean"]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert np.isfinite(found).all()


def test_parts_fit_together(vae: Run) -> None:
    code = results(exported(vae, "encoder"), image=BYTES)
    assert set(code) == {"code"}
    whole = results(exported(vae), image=BYTES)
    np.testing.assert_allclose(code["code"], whole["code"], **CLOSE)
    image = results(exported(vae, "decoder"), code=code["code"])["image"]
    np.testing.assert_allclose(image, whole["image"], rtol=1e-4, atol=1e-3)
    with pytest.raises(EdkitError, match="unknown part 'middle'"):
        exported(vae, "middle")


@pytest.mark.once
def test_heads_give_probabilities_and_say_their_classes(tmp_path: Path) -> None:
    run = untrained_run(tmp_path, "unet", SCENE, info_of(black=0, white=4095), filters=(4, 8))
    x = np.random.default_rng(0).random((2, 8, 8, 3)).astype("float32")
    one = exported(run)
    found = results(one, image=x * 4095)["mask"]
    np.testing.assert_allclose(
        found, run.segment(x, probabilities=True)["mask_probabilities"], **CLOSE
    )
    assert one.facts["outputs"]["mask"]["classes"] == ["road", "grass"]


@pytest.mark.once
def test_what_was_fitted_and_has_no_counterpart_is_refused(tmp_path: Path) -> None:
    info = {"input": {"fitted": {"histogram": [1, 2, 3]}}}
    run = untrained_run(tmp_path, "dense_autoencoder", GREY, info, hidden=(8,), latent=2)
    with pytest.raises(EdkitError, match="data set 'gone' fitted has no counterpart in Keras"):
        exported(run)


@pytest.mark.once
def test_nothing_is_overwritten_and_nothing_half_made(vae: Run, tmp_path: Path) -> None:
    with pytest.raises(EdkitError, match=r"nothing is exported as \.txt"):
        export(vae, tmp_path / "model.txt")
    (tmp_path / "model.json").write_text("mine")
    with pytest.raises(EdkitError, match=r"model.json' is there already"):
        export(vae, tmp_path / "model.keras")
    if importlib.util.find_spec("onnx") is None:
        with pytest.raises(EdkitError, match=r"onnx could not be written with jax \("):
            export(vae, tmp_path / "other.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["model.json"]
    assert (tmp_path / "model.json").read_text() == "mine"


@pytest.mark.once
@pytest.mark.parametrize(("ending", "form"), [*FORMATS.items()][1:])
def test_other_formats_are_asked_of_keras_by_a_path_that_is_text(
    vae: Run, ending: str, form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenVINO's converter takes no Path."""
    asked = []

    def write(model: Any, path: str, format: str, verbose: bool) -> None:  # noqa: A002
        asked.append((path, format, model.trainable))
        Path(path).write_text("model")

    monkeypatch.setattr(keras.Model, "export", write)
    export(vae, tmp_path / f"model{ending}")
    ((path, format_, trainable),) = asked
    assert isinstance(path, str)
    assert (format_.removeprefix("tf_"), trainable) == (form, False)
    assert {one.name for one in tmp_path.iterdir()} == {f"model{ending}", "model.json"}


@pytest.mark.once
def test_the_command(
    vae: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert tuple(FORMATS.values()) == OFFERED
    assert main(["export", str(vae.path), "--part", "encoder"]) == 0
    name = f"{vae.path.name}.keras"
    assert capsys.readouterr().out == f"{name}\n"
    model = keras.models.load_model(tmp_path / name)
    assert np.asarray(model.predict_on_batch({"image": BYTES})["code"]).shape == (5, 3)
    assert main(["export", str(vae.path), "-o", name]) == 2
    assert "is there already" in capsys.readouterr().err
