"""The detector of defects: what it learns from, and that it marks what is foreign."""

from typing import Any

import keras
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from ed_core import MODELS, Field, Fields, defects
from ed_core.data.batches import Batches
from ed_core.nn.submodels import call
from ed_core.runs.rebuilding import build
from ed_core.testing import tiny_arrays
from ed_plugins.models.defect_detector import defect_loss, with_defects

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
    from keras import ops

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
