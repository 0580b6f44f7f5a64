"""Wrong data and wishes are refused before anything is written."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ed_core import EdkitError

pytestmark = [pytest.mark.backend, pytest.mark.usefixtures("tiny")]


def _set(split: str, field: str, row: Any, value: Any) -> Any:
    return lambda splits: splits[split][field].__setitem__(row, value)


def _be(split: str, field: str, change: Any) -> Any:
    return lambda splits: splits[split].__setitem__(field, change(splits[split][field]))


BAD = {
    "NaN": (
        _set("train", "image", (3, 1, 1), np.nan),
        "stripes/train/image: sample 3 holds nan; expected finite numbers from 0 to 1 "
        "(scale bytes by 1/255).",
    ),
    "infinite": (
        _set("validation", "image", (9, 0), -np.inf),
        "stripes/validation/image: sample 9 holds -inf",
    ),
    "bytes": (
        _be("train", "image", lambda a: (a * 200).astype("u1")),
        "stripes/train/image: sample 0 holds 0, 1",
    ),
    "label above": (
        lambda s: (
            s["train"]["has_label"].fill(1),
            s["train"]["label"].fill(0),
            _set("train", "label", 5, 3)(s),
        ),
        "stripes/train/label: sample 5 holds 3; expected whole numbers 0 to 2.",
    ),
    "label hidden but not masked": (
        _be("train", "has_label", np.ones_like),
        "stripes/train/label: sample ",
    ),
    "label with a fraction": (
        _be("validation", "label", lambda a: a + 0.5),
        "stripes/validation/label: sample ",
    ),
    "text": (_be("train", "label", lambda a: a.astype("U3")), "stripes/train/label: "),
    "objects": (_be("train", "image", lambda a: a.astype(object)), "stripes/train/image: "),
    "complex": (_be("train", "image", lambda a: a.astype("c8")), "stripes/train/image: "),
    "shape": (
        _be("train", "image", lambda a: a[:, :5]),
        "stripes/train/image: expected samples of shape (6, 6, 1), received (5, 6, 1).",
    ),
    "no channel": (
        _be("validation", "image", lambda a: a[..., 0]),
        "stripes/validation/image: expected samples of shape (6, 6, 1), received (6, 6).",
    ),
    "missing field": (
        lambda s: s["train"].pop("has_label"),
        "data 'stripes', split 'train': no array for ['has_label'].",
    ),
    "missing split": (lambda s: s.pop("train"), "data set 'stripes' has no split 'train'"),
    "empty": (
        lambda s: s.update(validation={n: a[:0] for n, a in s["validation"].items()}),
        "data 'stripes', split 'validation': every field needs as many samples, at least one",
    ),
    "lengths": (
        _be("train", "label", lambda a: a[:100]),
        "data 'stripes', split 'train': every field needs as many samples",
    ),
    "mask of NaN": (_set("train", "has_label", 4, np.nan), "stripes/train/has_label: sample 4"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_data_is_refused_before_anything_is_written(
    tmp_path: Path, tiny: Any, name: str, fast: Any
) -> None:
    spoil, text = BAD[name]
    spoil(tiny.splits)
    with pytest.raises(EdkitError, match=re.escape(text)) as caught:
        fast(tmp_path / "out")
    assert str(caught.value).isprintable()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("wish", "text"),
    [
        (
            {"latnt": 3},
            "unknown option of model 'tiny': 'latnt'. Did you mean 'latent' or 'validation'?",
        ),
        ({"latent": 2.5}, "option 'latent' is a whole number, received 2.5."),
        ({"latent": 0}, "option 'latent' is a whole number of 1 or more, received 0."),
        ({"weights": {"label": -1.0}}, "weight of head 'label' must be 0 or more, received -1."),
        ({"beta": -0.5}, "option 'beta' must be 0 or more, received -0.5."),
        ({"anneal": -1.0}, "option 'anneal' must be 0 epochs or more, received -1."),
        (
            {"anneal": 2.0},
            "option 'anneal' must be fewer epochs than the training has, or the weight of head "
            "'posterior' never reaches 0.1: received 2 of 2 epochs.",
        ),
        (
            {"validation": 0.2},
            "data 'stripes' have a validation split of their own, received a share of 0.2: ",
        ),
        ({"validation": 1.0}, "validation must be a share from 0 to below 1, received 1.0."),
        ({"validation": "a tenth"}, "option 'validation' is a number, received 'a tenth'."),
        ({"weights": {"imge": 1.0}}, "unknown head of model 'tiny': 'imge'. Did you mean 'image'?"),
        ({"epochs": 0}, "epochs must be at least 1, received 0."),
        ({"learning_rate": -1.0}, "learning_rate must be above 0, received -1.0."),
        ({"every": "5"}, "option 'every' is a whole number, received '5'."),
        ({"every": 0}, "every must be at least 1 step, received 0."),
        (
            {"record_share": 0.0},
            "record_share must be a share above 0, up to 1, received 0.0: --no-record records "
            "nothing.",
        ),
        ({"engine": "fast"}, "option 'engine' is one of 'auto', 'plain', received 'fast'."),
        ({"epochs": True}, "option 'epochs' is a whole number, received True."),
        ({"stratified": "no"}, "option 'stratified' is yes or no, received 'no'."),
        ({"weights": {"image": "1"}}, "option 'weights' is a mapping of each name to a number, "),
        ({"only": [3]}, "option 'only' is a mapping of each name to a text or a whole number, "),
        ({"seed": -1}, "seed must be from 0 to 2147483647, received -1."),
        ({"epochs": 3 * 10**9}, "epochs must be a whole number from 1 to 2147483647, received"),
        ({"data": "strips"}, "unknown data set 'strips'. Did you mean 'stripes'?"),
    ],
)
def test_wrong_wish_is_refused_before_anything_is_written(
    tmp_path: Path, wish: dict[str, Any], text: str, fast: Any
) -> None:
    with pytest.raises(EdkitError, match=re.escape(text)) as caught:
        fast(tmp_path / "out", **wish)
    assert str(caught.value).isprintable()
    assert not (tmp_path / "out").exists()
