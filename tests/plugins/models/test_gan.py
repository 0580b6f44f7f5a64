"""The adversarial pairs: any size of image, the class that was asked for, runs that go on."""

from pathlib import Path

import numpy as np
import pytest

import ed_core
from ed_core import MODELS, EdkitError, Field, Fields
from ed_core.evaluation.baselines import untrained
from ed_core.nn.submodels import call, to_numpy
from ed_core.runs.rebuilding import build
from ed_core.runs.run import Run

pytestmark = pytest.mark.backend

CLASSES = Field((), "class", ("a", "b", "c"))


@pytest.mark.parametrize("name", ["gan", "conditional_gan"])
@pytest.mark.parametrize(
    ("shape", "filters"), [((28, 28, 1), (8, 4)), ((30, 45, 3), (8, 6, 4)), ((5, 5, 1), (3,))]
)
def test_images_have_the_size_of_the_data(
    name: str, shape: tuple[int, ...], filters: tuple[int, ...]
) -> None:
    fields = Fields(image=Field(shape), label=CLASSES)
    net = build(MODELS[name], fields, {"filters": filters, "latent": 6})
    image = np.random.default_rng(0).random((4, *shape), "float32")
    outputs = call(net, {"image": image, "label": np.array([0, 1, 2, 0], "int32")})
    assert outputs["image"].shape == image.shape
    assert outputs["image"].min() >= 0
    assert outputs["image"].max() <= 1
    for score in ("real_score", "fake_score", "generator_score"):
        assert outputs[score].shape == (4, 1)
    np.testing.assert_allclose(outputs["fake_score"], outputs["generator_score"], rtol=1e-5)


def test_generator_draws_from_code_and_label() -> None:
    fields = Fields(image=Field((8, 8, 1)), label=CLASSES)
    decoder = build(MODELS["conditional_gan"], fields, {"latent": 6}).get_layer("decoder")
    code = np.tile(np.random.default_rng(0).standard_normal((1, 6), "float32"), (3, 1))
    drawn = decoder.predict_on_batch({"code": code, "label": np.arange(3, dtype="int32")})["image"]
    assert np.ptp(drawn, axis=0).max() > 1e-4, "the class changes the image"
    other = decoder.predict_on_batch({"code": -code, "label": np.arange(3, dtype="int32")})["image"]
    assert np.abs(drawn - other).max() > 1e-4, "the noise changes the image"


def test_the_label_must_name_its_classes() -> None:
    fields = Fields(image=Field((8, 8, 1)), label=Field((), "class"))
    with pytest.raises(EdkitError, match="label"):
        build(MODELS["conditional_gan"], fields, {})


def drawn_as_asked(run: Run, net: object) -> float:
    """Return the share of samples that the nearest mean of the real classes takes for theirs."""
    train = run.data.splits["train"]
    real = train["image"].reshape(len(train["image"]), -1)
    means = np.stack([real[train["label"] == number].mean(axis=0) for number in range(10)])
    label = np.repeat(np.arange(10, dtype="int32"), 30)
    decoder = net.get_layer("decoder")
    code = np.random.default_rng(0).standard_normal(
        (len(label), decoder.input["code"].shape[-1]), "float32"
    )
    images = decoder.predict_on_batch({"code": code, "label": label})["image"]
    distance = np.linalg.norm(images.reshape(len(label), 1, -1) - means, axis=-1)
    return float(np.mean(distance.argmin(axis=1) == label))


@pytest.mark.once
def test_it_learns_to_draw_what_it_is_asked_to(tmp_path: Path) -> None:
    run = ed_core.train(
        "conditional_gan",
        out=tmp_path,
        epochs=6,
        batch_size=32,
        latent=16,
        filters=(16, 8),
        learning_rate=0.003,
    )
    before, after = drawn_as_asked(run, untrained(run)), drawn_as_asked(run, run.model)
    assert after > 0.8 > 0.2 > before, (before, after)
    recording = run.recording()
    first, last = (recording.read("samples", n)["images"] for n in (0, len(recording) - 1))
    assert np.abs(first.astype("f4") - last).mean() > 0.05


def test_a_longer_run_goes_on_with_both_optimizers_states(tmp_path: Path) -> None:
    options = {"filters": (4,), "latent": 4, "batch_size": 256, "record": False}
    run = ed_core.train("gan", out=tmp_path, epochs=1, **options)
    steps = int(to_numpy(run.model.optimizer.iterations))
    momenta = [to_numpy(v) for v in run.model.optimizer.variables]
    again = ed_core.resume(run.path, epochs=2)
    assert int(to_numpy(again.model.optimizer.iterations)) == 2 * steps
    assert len(again.model.optimizer.variables) == len(momenta)
    opened = ed_core.open_run(run.path)
    for one, other in zip(again.model.layer_weights, opened.model.layer_weights, strict=True):
        np.testing.assert_array_equal(to_numpy(one), to_numpy(other))
