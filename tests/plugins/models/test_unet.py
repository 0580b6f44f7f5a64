"""The U-Nets: maps of the size of the image, learning, blind to ignored pixels."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ed_core import MODELS, EdkitError, Field, Fields, Run, load_data, train
from ed_core.data.batches import Batches
from ed_core.nn.submodels import call
from ed_core.runs.rebuilding import build
from ed_core.testing import tiny_arrays

pytestmark = pytest.mark.backend

NAMES = ("unet", "fusion_unet", "unet_land_use_and_elevation")
LAND = "land_use:samples=40,size=32"


def fields(height: int, width: int, classes: int = 3) -> Fields:
    return Fields(
        image=Field((height, width, 3)),
        elevation=Field((height, width, 1), "value", partial=True),
        mask=Field((height, width), "class", tuple("abcdefghij"[:classes]), partial=True),
    )


def small(name: str) -> dict[str, Any]:
    more = {"elevation_filters": (4, 8)} if name == "fusion_unet" else {}
    return {"filters": (8, 16), **more}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("stride", [1, 2])
def test_maps_have_the_size_of_the_image(name: str, stride: int) -> None:
    for height, width, classes in ((45, 30, 3), (16, 16, 7)):
        known = fields(height, width, classes)
        net = build(MODELS[name], known, {**small(name), "stride": stride})
        found = call(net, tiny_arrays(known, 2))
        assert found["mask"].shape == (2, height, width, classes)
        np.testing.assert_allclose(found["mask"].sum(-1), 1, atol=1e-5)
        if "elevation" in found:
            assert found["elevation"].shape == (2, height, width, 1)


@pytest.mark.once
@pytest.mark.parametrize("name", NAMES)
def test_it_learns(name: str, tmp_path: Path, check_trained: Callable[[Run, str], None]) -> None:
    plan = {"epochs": 8, "batch_size": 4, "learning_rate": 0.01, "record": False, "out": tmp_path}
    run = train(name, LAND, **plan, **small(name))
    spec, test = MODELS[name], run.data.splits["test"]
    fresh = build(spec, run.data.fields, run.info["params"])
    fresh.compile()
    logs = [
        net.evaluate(Batches(test, list(net.input), spec.heads, 8), verbose=0, return_dict=True)
        for net in (run.model, fresh)
    ]
    for head in spec.heads:
        check_trained(run, head.name)
        assert logs[0][f"{head.name}_loss"] < 0.8 * logs[1][f"{head.name}_loss"]


def test_ignored_pixels_teach_nothing() -> None:
    known = fields(16, 16)
    spec = MODELS["unet"]
    arrays = tiny_arrays(known, 4)
    arrays["mask"][:, :8] = -1
    net = build(spec, known, small("unet"), seed=1)
    net.compile()
    batches = Batches(arrays, ["image"], spec.heads, 4)
    loss = net.evaluate(batches, verbose=0, return_dict=True)["mask_loss"]
    output = call(net, arrays)["mask"]
    rows = np.take_along_axis(output[:, 8:], arrays["mask"][:, 8:, :, None], axis=-1)
    assert loss == pytest.approx(float(-np.log(rows).mean()), rel=1e-4)


def test_a_missing_elevation_is_named() -> None:
    bare = Fields({name: field for name, field in fields(16, 16).items() if name != "elevation"})
    with pytest.raises(EdkitError, match="needs a field 'elevation', but the data set has only"):
        build(MODELS["fusion_unet"], bare, {})
    net = build(MODELS["fusion_unet"], fields(16, 16), small("fusion_unet"))
    with pytest.raises(EdkitError, match="needs input 'elevation', got"):
        call(net, {"image": np.zeros((1, 16, 16, 3), "float32")})


def test_maps_of_another_size_are_refused() -> None:
    wrong = Fields({**fields(16, 16), "mask": Field((8, 8), "class", ("a", "b"))})
    with pytest.raises(EdkitError, match="field 'mask' needs one number for every pixel"):
        build(MODELS["unet"], wrong, {})


@pytest.mark.parametrize(
    ("name", "given", "text"),
    [
        ("unet", {"filters": (4,)}, "'filters' is two numbers or more, a level each, received 4"),
        ("unet", {"filters": ()}, "'filters' is two numbers or more, a level each, received none"),
        ("unet", {"stride": 4}, "'stride' is 1 or 2, received 4"),
        (
            "fusion_unet",
            {"filters": (4,), "elevation_filters": (2,)},
            "'filters' is two numbers or more, a level each, received 4",
        ),
        ("fusion_unet", {"filters": (4, 8)}, "must have equally many numbers, received 2 and 4"),
    ],
)
def test_filters_that_make_no_u_are_refused(name: str, given: dict[str, Any], text: str) -> None:
    with pytest.raises(EdkitError, match=text) as caught:
        build(MODELS[name], fields(16, 16), given)
    assert "ValueError" not in str(caught.value)


def test_aerial_pictures_are_changed_with_their_maps() -> None:
    spec = MODELS["unet"]
    arrays = {name: array[:4] for name, array in load_data(LAND).splits["train"].items()}
    batch = {name: np.asarray(array) for name, array in arrays.items()}
    random = np.random.default_rng(0)
    params = {**spec.check({}), "augment": "none"}
    assert spec.augment(batch, random, params=params) is batch
    changed = spec.augment(batch, random, params={**params, "augment": "aerial"})
    assert changed["image"].shape == batch["image"].shape
    assert not np.array_equal(changed["mask"], batch["mask"])
