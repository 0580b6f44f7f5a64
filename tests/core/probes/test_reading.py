"""Probes that are read together show what each shows alone."""

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from ed_core import Activations, LatentCodes, LatentScan, Predictions, Reconstruction, Samples
from ed_core.probes import Batch, reading
from ed_core.probes.reading import JointReader
from tests.core.probes.test_probes import BATCH, build

pytestmark = pytest.mark.backend

PROBES = (
    Reconstruction("image", samples=5),
    Predictions("label"),
    Activations("encoder", "decoder/back", samples=3),
    LatentCodes(samples=7),
    LatentScan(steps=3),
    Samples(samples=4),
)


def check_same(together: dict[str, Any], alone: dict[str, Any]) -> None:
    assert together.keys() == alone.keys()
    for name, arrays in alone.items():
        assert together[name].keys() == arrays.keys()
        for key, array in arrays.items():
            assert together[name][key].dtype == array.dtype
            np.testing.assert_allclose(together[name][key], array, rtol=2e-3, atol=1e-6)


def test_probes_of_one_model_are_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    bound = {probe.name: probe.bind(build(posterior=True)) for probe in PROBES}
    alone = {name: read(BATCH) for name, read in bound.items()}

    def call(model: Any, batch: Batch) -> None:
        raise AssertionError(f"{model.name} is called by itself")

    monkeypatch.setattr(reading, "call", call)
    reader = JointReader(bound, BATCH)
    check_same(reader.read(), alone)
    check_same(reader.read(), alone)


def test_a_frame_is_of_the_weights_of_its_time() -> None:
    net = build(posterior=True)
    bound = {probe.name: probe.bind(net) for probe in PROBES}
    reader = JointReader(bound, BATCH)
    before = reader.read()
    net.set_weights([2 * weight for weight in net.get_weights()])
    after = reader.read()
    check_same(after, {name: read(BATCH) for name, read in bound.items()})
    assert not np.array_equal(after["latent_codes"]["codes"], before["latent_codes"]["codes"])


def test_what_does_not_follow_from_the_batch_alone_is_read_after_it() -> None:
    net = build(posterior=False)  # whose scan spans the codes of the batch
    probes = (LatentScan(steps=3), LatentCodes())
    bound = {probe.name: probe.bind(net) for probe in probes}
    bound["own"] = lambda batch: {"mean": batch["image"].mean(axis=0)}
    together = JointReader(bound, BATCH).read()
    assert list(together) == list(bound)
    check_same(together, {name: read(BATCH) for name, read in bound.items()})


def test_a_model_without_a_graph_is_read_as_it_is() -> None:
    class Own(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = layers.Dense(1)

        def call(self, inputs: Any) -> Any:
            return self.dense(inputs)

    bound = {"reconstruction": Reconstruction("image").bind(Own())}
    frame = JointReader(bound, {"image": BATCH["image"]}).read()
    assert frame["reconstruction"]["output"].shape == (16, 8, 8, 1)


def test_a_joint_call_that_fails_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    bound = {probe.name: probe.bind(build(posterior=True)) for probe in PROBES}

    def fail(self: Any, inputs: list[Any], training: bool = False) -> list[Any]:
        raise RuntimeError("no room")

    monkeypatch.setattr(reading.JoinedModels, "call", fail)
    reader = JointReader(bound, BATCH)
    with pytest.warns(UserWarning, match=r"one by one.*no room"):
        check_same(reader.read(), {name: read(BATCH) for name, read in bound.items()})
    reader.read()  # a second warning would be an error


def test_fewer_samples_of_a_reading() -> None:
    bound = Reconstruction("image").bind(build(posterior=False))
    assert isinstance(bound, reading.Reading)
    few = bound.of_first(2)
    np.testing.assert_allclose(few(BATCH)["output"], bound(BATCH)["output"][:2], rtol=2e-3)
    joint = JointReader({"few": few}, BATCH).read()
    np.testing.assert_allclose(joint["few"]["output"], few(BATCH)["output"], rtol=2e-3)
