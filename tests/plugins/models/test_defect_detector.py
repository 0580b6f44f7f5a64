"""The detector of defects: what it learns from, and that it marks what is foreign."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops
from sklearn.metrics import roc_auc_score

import ed_core
from ed_core import MODELS, Field, Fields, RunFolder, defects
from ed_core.data.batches import Batches
from ed_core.nn.submodels import call
from ed_core.runs.checkpoints import newest_first
from ed_core.runs.rebuilding import build
from ed_core.runs.weights_file import read_arrays
from ed_core.testing import tiny_arrays
from ed_plugins.models.defect_detector import defect_loss, with_components, with_defects

pytestmark = pytest.mark.backend

SMALL: dict[str, Any] = {"latent": 8, "filters": (4, 8)}


@pytest.mark.parametrize("shape", [(16, 16, 1), (15, 22, 3), (130, 70, 1)])
@pytest.mark.parametrize("stride", [1, 2])
def test_every_output_has_the_size_of_the_image(shape: tuple[int, ...], stride: int) -> None:
    fields = Fields(image=Field(shape))
    net = build(MODELS["defect_detector"], fields, {**SMALL, "stride": stride})
    outputs = call(net, tiny_arrays(fields, 2))
    assert outputs["image"].shape == (2, *shape)
    assert outputs["defect"].shape == (2, *shape[:2], 1)
    assert outputs["defect"].min() >= 0
    assert outputs["defect"].max() <= 1


def test_a_mirror_image_has_the_mirrored_map_where_it_is_as_normal() -> None:
    fields = Fields(image=Field((16, 24, 1)))
    image = tiny_arrays(fields, 2)["image"]
    for mirror, flips in (("none", 0), ("sideways", 1), ("both", 2)):
        net = build(MODELS["defect_detector"], fields, {**SMALL, "mirror": mirror})
        net.get_layer("decoder").get_layer("pixels").kernel.assign(
            ops.zeros((16 * 24, SMALL["latent"])[::-1])
        )  # what it restores by chance is not symmetric
        own = call(net, {"image": image})["defect"]
        for number, axis in enumerate((2, 1), 1):
            other = np.flip(call(net, {"image": np.flip(image, axis)})["defect"], axis)
            assert np.allclose(own, other, atol=1e-4) == (number <= flips)


def test_brightness_and_contrast_change_no_mark_and_are_restored() -> None:
    fields = Fields(image=Field((16, 16, 1)))
    net = build(MODELS["defect_detector"], fields, SMALL)
    image = tiny_arrays(fields, 2)["image"]
    first, second = (call(net, {"image": x}) for x in (image, 0.5 * image + 0.3))
    np.testing.assert_allclose(first["defect"], second["defect"], atol=2e-3)
    np.testing.assert_allclose(0.5 * first["image"] + 0.3, second["image"], atol=2e-3)


@pytest.mark.once
def test_a_defect_is_in_the_image_that_is_seen_and_not_in_the_target() -> None:
    batch = tiny_arrays(Fields(image=Field((16, 16, 1))), 64)
    given = batch["image"].copy()
    params = {"mirror": "none", "defect_share": 0.5}
    changed = with_defects(batch, np.random.default_rng(0), params=params)
    np.testing.assert_array_equal(changed["image_target"], given)
    odd = (changed["image"] != given).reshape(64, -1).any(axis=1)
    assert 0.3 < odd.mean() < 0.7
    mirrored = with_defects(
        batch, np.random.default_rng(0), params={"mirror": "both", "defect_share": 0.0}
    )
    np.testing.assert_array_equal(mirrored["image"], mirrored["image_target"])
    assert sorted(np.ravel(mirrored["image"])) == sorted(np.ravel(given))


def test_a_perfect_map_has_no_loss_and_its_opposite_much() -> None:
    image = np.full((2, 4, 4, 1), 0.5, "float32")
    seen = image.copy()
    seen[0, 1:3, 1:3] = 0.9
    defect = (seen != image).astype("float32")
    for marks, low, high in ((defect, 0, 1e-4), (1 - defect, 16, 600)):
        marked = np.concatenate([marks, seen], axis=-1)
        loss = ops.convert_to_numpy(
            defect_loss(ops.convert_to_tensor(image), ops.convert_to_tensor(marked))
        )
        assert ((low <= loss) & (loss <= high)).all()


def test_heads_are_compared_with_the_clean_image() -> None:
    """The input of a batch has defects, the targets of both heads have none."""
    spec, fields = MODELS["defect_detector"], Fields(image=Field((16, 16, 1)))
    arrays = tiny_arrays(fields, 8)
    net = build(spec, fields, SMALL)
    params = {"mirror": "none", "defect_share": 1.0}
    batches = Batches(
        arrays,
        ["image"],
        net.heads,
        8,
        seed=0,
        augment=lambda batch, random: with_defects(batch, random, params=params),
    )
    inputs, targets, _ = batches[0]
    assert set(targets) == {"image", "defect"}
    np.testing.assert_array_equal(targets["image"], targets["defect"])
    assert (inputs["image"] != targets["image"]).reshape(8, -1).any(axis=1).all()
    clean = {tuple(one.ravel()) for one in arrays["image"]}
    assert {tuple(one.ravel()) for one in targets["image"]} == clean


def test_it_learns_to_mark_what_is_foreign() -> None:
    """Of smooth images, after 32 steps."""
    spec, fields = MODELS["defect_detector"], Fields(image=Field((16, 16, 1)))
    random, ramp = np.random.default_rng(0), np.linspace(0, 1, 16)[:, None, None]
    arrays = {"image": (random.random((96, 1, 1, 1)) * ramp * np.ones((16, 1))).astype("float32")}
    net = build(spec, fields, {**SMALL, "stride": 1}, seed=1)
    net.compile(optimizer=keras.optimizers.Adam(0.01))
    params = {"mirror": "none", "defect_share": 0.7}
    batches = Batches(
        {"image": arrays["image"][:64]},
        ["image"],
        net.heads,
        16,
        seed=0,
        augment=lambda batch, random: with_defects(batch, random, params=params),
    )
    for epoch in range(8):
        batches.begin_epoch(epoch)
        net.fit(batches, verbose=0, shuffle=False)
    odd, masks = defects.pasted(arrays["image"][64:], np.random.default_rng(0))
    marks = net.predict({"image": odd}, verbose=0)["defect"]
    assert roc_auc_score(masks.ravel() > 0, marks.ravel()) > 0.65


def _standardised(images: np.ndarray) -> np.ndarray:
    flat = images.reshape(len(images), -1).astype("float64")
    flat = flat - flat.mean(axis=1, keepdims=True)
    return flat / flat.std(axis=1, keepdims=True)


@pytest.mark.parametrize("mirror", ["none", "sideways", "both"])
def test_it_begins_with_the_principal_components_of_the_normal_images(mirror: str) -> None:
    fields = Fields(image=Field((12, 10, 1)))
    images = np.random.default_rng(0).random((40, 12, 10, 1), "float32")
    params = MODELS["defect_detector"].check({**SMALL, "mirror": mirror})
    net = build(MODELS["defect_detector"], fields, params)
    with_components(net, {"image": images}, params)
    restored = call(net, {"image": images})["image"]
    together = [images]
    if mirror != "none":
        together += [images[:, :, ::-1]]
    if mirror == "both":
        together += [one[:, ::-1] for one in together]
    flat = _standardised(np.concatenate(together))
    mean = flat.mean(axis=0)
    axes = np.linalg.svd(flat - mean, full_matrices=False)[2][: SMALL["latent"]]
    own = _standardised(images)
    best = own - mean - (own - mean) @ axes.T @ axes
    deviation = images.std(axis=(1, 2, 3))[:, None]
    left = (images - restored).reshape(len(images), -1) / deviation
    assert np.square(left).sum() == pytest.approx(np.square(best).sum(), rel=0.03)


def test_few_images_are_not_restored_by_heart() -> None:
    """Of as many components as images nothing would be left of a defect in one of them."""
    images = np.random.default_rng(0).random((10, 16, 16, 1), "float32")
    fields = Fields(image=Field((16, 16, 1)))
    params = MODELS["defect_detector"].check({**SMALL, "latent": 20})
    net = build(MODELS["defect_detector"], fields, params)
    with_components(net, {"image": images}, params)
    left = images - call(net, {"image": images})["image"]
    assert np.square(left).mean() > 0.2 * images.var(axis=(1, 2)).mean()


class _Stop(keras.callbacks.Callback):
    """Raises after three steps."""

    steps = 0

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.steps += 1
        if self.steps == 3:
            raise InterruptedError


@pytest.fixture
def _save_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ed_core.training.callbacks._PAUSE", 0.0)
    monkeypatch.setattr("ed_core.training.callbacks._SHARE", 0.0)


@pytest.mark.usefixtures("_save_every_step")
def test_one_that_was_stopped_and_resumed_is_bit_for_bit_one_that_was_not(tmp_path: Path) -> None:
    images = np.random.default_rng(0).random((16, 16, 16, 1), "float32")
    np.savez(tmp_path / "normal.npz", image=images)
    data = f"arrays:{tmp_path / 'normal.npz'}"
    options: dict[str, Any] = {**SMALL, "mirror": "both", "batch_size": 8, "epochs": 3}
    options |= {"record": False, "validation": 0.0}
    whole = ed_core.train("defect_detector", data, out=tmp_path / "whole", **options)
    with pytest.raises(InterruptedError):
        ed_core.train("defect_detector", data, out=tmp_path / "cut", callbacks=[_Stop()], **options)
    (cut,) = (tmp_path / "cut").iterdir()
    assert read_arrays(newest_first(RunFolder(cut).checkpoints)[0])[1]["step"] in (2, 3)
    again = ed_core.resume(cut)
    for first, second in zip(whole.model.weights, again.model.weights, strict=True):
        np.testing.assert_array_equal(np.asarray(first), np.asarray(second), err_msg=first.path)
    checkpoints = [
        read_arrays(newest_first(run.folder.checkpoints)[0])[0] for run in (whole, again)
    ]
    for one, other in zip(*checkpoints, strict=True):
        np.testing.assert_array_equal(one, other)
