"""Losses, masks and metrics against numpy's formulas, with their gradients."""

from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from ed_core import losses, metrics

pytestmark = pytest.mark.backend

RNG = np.random.default_rng(0)
SHAPES = [(5, 7), (4, 6, 6, 3), (3, 20, 2), (1, 1)]


def pair(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    target, output = RNG.uniform(0.02, 0.98, (2, *shape)).astype("float32")
    return target, output


def numpy(tensor: Any) -> np.ndarray:
    return np.asarray(ops.convert_to_numpy(tensor))


def gradient(loss: Any, start: np.ndarray) -> np.ndarray:
    """The gradient by a step of plain descent, which is the same on every backend."""

    class Free(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.free = self.add_weight(shape=start.shape, name="free")

        def call(self, inputs: Any) -> Any:
            return loss(ops.convert_to_tensor(self.free)) + 0.0 * ops.sum(inputs)

    model = Free()
    model.compile(optimizer=keras.optimizers.SGD(1.0), loss=lambda y, p: ops.sum(p))
    model(np.zeros((1, 1), "float32"))
    model.free.assign(start)
    model.train_on_batch(np.zeros((1, 1), "float32"), np.zeros((1, 1), "float32"))
    return start - np.array(numpy(model.free))


@pytest.mark.parametrize("shape", SHAPES)
def test_reconstruction_losses(shape: tuple[int, ...]) -> None:
    target, output = pair(shape)
    axes = tuple(range(1, len(shape)))
    bits = target * np.log(output) + (1 - target) * np.log(1 - output)
    expected = {
        losses.sum_squared_error: np.square(target - output).sum(axes),
        losses.gaussian_likelihood: np.square(target - output).sum(axes) / 2,
        losses.sum_absolute_error: np.abs(target - output).sum(axes),
        losses.mean_squared_error: np.square(target - output).mean(axes),
        losses.binary_crossentropy: -bits.sum(axes),
        metrics.absolute_error: np.abs(target - output).mean(axes),
    }
    for function, value in expected.items():
        found = numpy(function(ops.convert_to_tensor(target), ops.convert_to_tensor(output)))
        assert found.shape == (shape[0],), function.__name__
        np.testing.assert_allclose(found, value, rtol=1e-5, err_msg=function.__name__)


@pytest.mark.parametrize("shape", [(6,), (4, 5), (2, 3, 3)])
def test_class_losses(shape: tuple[int, ...]) -> None:
    logits = RNG.normal(size=(*shape, 4))
    output = (np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)).astype("float32")
    target = RNG.integers(0, 4, shape).astype("int32")
    picked = np.take_along_axis(output, target[..., None], -1)[..., 0]
    found = losses.categorical_crossentropy(
        ops.convert_to_tensor(target), ops.convert_to_tensor(output)
    )
    np.testing.assert_allclose(numpy(found), -np.log(picked), rtol=1e-5)
    right = metrics.accuracy(ops.convert_to_tensor(target), ops.convert_to_tensor(output))
    np.testing.assert_array_equal(numpy(right), output.argmax(-1) == target)


@pytest.mark.parametrize("shape", [(5, 3), (2, 4, 4, 2)])
def test_l1(shape: tuple[int, ...]) -> None:
    code = RNG.normal(size=shape).astype("float32")
    expected = np.abs(code).sum(tuple(range(1, len(shape))))
    np.testing.assert_allclose(numpy(losses.l1(ops.convert_to_tensor(code))), expected, rtol=1e-5)


def test_kl_against_samples() -> None:
    """E[log q(z) - log p(z)] over samples of q, for each of the four posteriors."""
    mean = np.array([[0.0, 0.0], [1.0, -2.0], [0.5, 0.0], [0.0, 3.0]])
    log_var = np.array([[0.0, 0.0], [0.0, 0.5], [-2.0, 1.0], [-4.0, 0.3]])
    noise = np.random.default_rng(1).normal(size=(400_000, 1, 2))
    z = mean + np.exp(log_var / 2) * noise
    log_q = -0.5 * (noise**2 + log_var + np.log(2 * np.pi)).sum(-1)
    log_p = -0.5 * (z**2 + np.log(2 * np.pi)).sum(-1)
    posterior = np.stack([mean, log_var], axis=1).astype("float32")
    found = numpy(losses.gaussian_kl(ops.convert_to_tensor(posterior)))
    assert found[0] == 0
    np.testing.assert_allclose(found, (log_q - log_p).mean(0), rtol=0.01, atol=1e-6)


@pytest.mark.parametrize("over", ["labelled", "batch"])
@pytest.mark.parametrize("labelled", [0, 1, 5, 20])
@pytest.mark.parametrize("positions", [(), (3, 2)])
def test_masked_mean(over: Any, labelled: int, positions: tuple[int, ...]) -> None:
    values = RNG.uniform(1, 2, (20, *positions)).astype("float32")
    mask = np.zeros(20, "float32")
    mask[RNG.permutation(20)[:labelled]] = 1
    found = float(
        numpy(losses.masked(ops.convert_to_tensor(values), ops.convert_to_tensor(mask), over))
    )
    total = values[mask > 0].sum()
    count = values.size if over == "batch" else values[mask > 0].size
    assert found == pytest.approx(total / count if count else 0.0, rel=1e-5)


def test_mask_of_positions() -> None:
    values, mask = RNG.uniform(size=(2, 4, 5)).astype("float32")
    mask = (mask > 0.5).astype("float32")
    found = losses.masked(ops.convert_to_tensor(values), ops.convert_to_tensor(mask))
    assert float(numpy(found)) == pytest.approx(values[mask > 0].mean(), rel=1e-5)


def test_weight_means_the_same_at_few_labels() -> None:
    """Over the labelled, the mean of equal losses is the same at 5 % as at 100 %."""
    values = np.full(100, 1.5, "float32")
    few = (np.arange(100) < 5).astype("float32")
    means = {
        over: [
            float(
                numpy(
                    losses.masked(ops.convert_to_tensor(values), ops.convert_to_tensor(mask), over)
                )
            )
            for mask in (few, np.ones(100, "float32"))
        ]
        for over in ("labelled", "batch")
    }
    assert means["labelled"] == pytest.approx([1.5, 1.5])
    assert means["batch"] == pytest.approx([0.075, 1.5])


@pytest.mark.parametrize("over", ["labelled", "batch"])
def test_values_that_are_masked_may_be_anything(over: Any) -> None:
    values = np.array([1.0, np.nan, np.inf, 3.0], "float32")
    mask = np.array([1.0, 0.0, 0.0, 1.0], "float32")
    found = float(
        numpy(losses.masked(ops.convert_to_tensor(values), ops.convert_to_tensor(mask), over))
    )
    assert found == pytest.approx(2.0 if over == "labelled" else 1.0)


@pytest.mark.parametrize("over", ["labelled", "batch"])
@pytest.mark.parametrize("mask", [[0, 0, 0], [1, 0, 1]])
def test_gradient_is_finite_and_0_where_masked(over: Any, mask: list[int]) -> None:
    weights = np.array(mask, "float32")
    start = np.array([[0.2, 0.4], [0.6, 0.8], [0.3, 0.1]], "float32")

    def loss(output: Any) -> Any:
        values = losses.mean_squared_error(ops.zeros_like(output), output)
        return losses.masked(values, ops.convert_to_tensor(weights), over)

    count = weights.sum() if over == "labelled" else 3
    expected = start * weights[:, None] / max(count, 1)
    np.testing.assert_allclose(gradient(loss, start), expected, atol=1e-6)


@pytest.mark.parametrize(
    "function", [losses.binary_crossentropy, losses.sum_squared_error, losses.sum_absolute_error]
)
def test_losses_at_the_limits_are_finite(function: Any) -> None:
    target = np.array([[0.0, 1.0, 0.0, 1.0]], "float32")
    output = np.array([[0.0, 1.0, 1.0, 0.0]], "float32")
    found = numpy(function(ops.convert_to_tensor(target), ops.convert_to_tensor(output)))
    assert np.isfinite(found).all()
    assert np.isfinite(
        gradient(lambda free: ops.sum(function(ops.convert_to_tensor(target), free)), output)
    ).all()
