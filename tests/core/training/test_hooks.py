"""The functions that plugins hand over, with the wrong signature or the wrong result."""

from dataclasses import replace

import keras
import pytest

from ed_core import Head, model, train
from ed_core.errors import EdkitError
from ed_core.plugins.decorators import DATASETS, MODELS
from ed_core.testing import check_dataset, check_model, check_probe

pytestmark = pytest.mark.backend


def _optimizer_of_one(rate):
    return keras.optimizers.Adam(rate)


def _fails(net, rate, params):
    raise KeyError("rates")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"optimizer": _optimizer_of_one},
            r"expected optimizer\(model, learning_rate, params\), received optimizer\(rate\)",
        ),
        ({"optimizer": _fails}, "failed: KeyError: 'rates'"),
        (
            {"optimizer": lambda net, rate, params: "adam"},
            "returns a Keras optimizer, received str",
        ),
        (
            {"augment": lambda batch: batch},
            r"expected augment\(batch, random, \*, params\), received augment\(batch\)",
        ),
        ({"augment": lambda batch, random, params: None}, "received NoneType"),
        ({"augment": lambda batch, random, params: {}}, "without 'image'"),
        (
            {"augment": lambda b, random, params: {k: v[:1] for k, v in b.items()}},
            r"'image' of \(1, 32, 32, 1\)",
        ),
        (
            {"initialise": lambda net: None},
            r"expected initialise\(model, train, params\), received initialise\(net\)",
        ),
        ({"initialise": _fails}, "failed: KeyError: 'rates'"),
        ({"heads": (Head("image", lambda: 0.0),)}, "cannot take output"),
    ],
)
def test_functions_of_a_model_are_called_as_they_will_be(given, said, tmp_path):
    spec = MODELS["dense_autoencoder"]
    changed = {"optimizer": None, "augment": None, "heads": spec.heads[:1], **given}
    with MODELS.isolated():

        @model(data="digits", **changed)
        def foreign(fields, *, units: int = 4):
            """A model with a function that is wrong.

            Args:
                units: of the code.
            """
            return spec.builder(fields, hidden=(units,), latent=units)

        with pytest.raises((AssertionError, EdkitError), match=said) as checked:
            check_model("foreign")
        assert "\n" not in str(checked.value)
        with pytest.raises(EdkitError, match=said):
            train("foreign", epochs=1, out=tmp_path)
        assert not any(tmp_path.iterdir())


class _Hook:
    def __init__(self, **methods):
        vars(self).update(methods)


@pytest.mark.parametrize(
    ("hook", "said"),
    [
        (_Hook(fit=lambda: {}, apply=None), r"expected Preparation.fit\(train\), received"),
        (
            _Hook(fit=lambda train: {}, apply=lambda arrays: arrays),
            r"expected Preparation.apply\(arrays, fitted\), received",
        ),
    ],
)
def test_a_preparation_is_called_as_it_will_be(hook, said, monkeypatch):
    spec = DATASETS["digits"]
    data = replace(spec.load(), preparation=hook)

    def load():
        """Digits with a preparation that is wrong."""
        return data

    with DATASETS.isolated():
        monkeypatch.setitem(DATASETS._entries, "digits", replace(spec, load=load))
        with pytest.raises(AssertionError, match=said):
            check_dataset("digits")


def test_a_probe_is_called_as_it_will_be():
    probe = _Hook(name="p", kind="k", bind=lambda: None)
    with pytest.raises(
        AssertionError, match=r"p: expected Probe.bind\(net\), received Probe.bind\(\)"
    ):
        check_probe(probe, None, {})
