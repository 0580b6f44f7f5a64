"""The batch size that is taken where none is asked for."""

import pytest

from ed_core import Dataset, EdkitError, Field, Fields
from ed_core.training.options import Plan, settle_batch

pytestmark = [pytest.mark.backend, pytest.mark.once]


@pytest.mark.parametrize(
    ("side", "size"), [(28, 128), (96, 128), (128, 64), (256, 16), (1024, 1), (4096, 1)]
)
def test_large_images_come_in_small_batches_and_this_is_said(side: int, size: int) -> None:
    fields = Fields({"image": Field((side, side, 3)), "mask": Field((side, side), "class")})
    plan, data = settle_batch(Plan("unet", "mine", {}), Dataset(fields, {}), ["image"])
    assert plan.batch_size == size
    sayings = [(one.about, one.option) for one in data.input.findings]
    assert sayings == ([] if size == 128 else [("batch", "--batch-size")])


def test_a_batch_size_that_is_asked_for_is_taken() -> None:
    data = Dataset(Fields({"image": Field((1024, 1024, 3))}), {})
    plan = Plan("unet", "mine", {}, batch_size=40)
    assert settle_batch(plan, data, ["image"]) == (plan, data)
    with pytest.raises(EdkitError, match="batch_size must be at least 1, received 0"):
        Plan("unet", "mine", {}, batch_size=0)
