"""Losses of the lecture. Each returns one value a sample; `masked` takes the mean.

A reconstruction is compared as the sum over the whole signal, (batch, ...) to (batch,), so
that the weight of a head means the same whatever the size of the image.
"""

from math import prod
from typing import Any, Literal

from keras import ops

from ed_core.errors import EdkitError

Tensor = Any


def sum_squared_error(target: Tensor, output: Tensor) -> Tensor:
    """Squared L2 distance: the sum of squares over the signal, (batch, ...) to (batch,)."""
    return ops.sum(ops.square(_flat_difference(target, output)), axis=-1)


def sum_absolute_error(target: Tensor, output: Tensor) -> Tensor:
    """L1 distance: the sum of absolute differences over the signal, (batch, ...) to (batch,)."""
    return ops.sum(ops.abs(_flat_difference(target, output)), axis=-1)


def squared_error(target: Tensor, output: Tensor) -> Tensor:
    """The square of the difference at every position, (batch, ...) to (batch, ...).

    For a value a sample or a pixel, of which some may be missing.
    """
    return ops.square(difference(target, output))


def mean_squared_error(target: Tensor, output: Tensor) -> Tensor:
    """The mean of squares over the signal, (batch, ...) to (batch,)."""
    return ops.mean(ops.square(_flat_difference(target, output)), axis=-1)


def binary_crossentropy(target: Tensor, output: Tensor) -> Tensor:
    """Negative log-likelihood of independent Bernoulli pixels in nats, (batch, ...) to (batch,).

    Both are in 0..1; `output` holds probabilities. Kingma & Welling, 2014, appendix C.1.
    """
    return ops.sum(ops.binary_crossentropy(*_flat_pair(target, output)), axis=-1)


def gaussian_likelihood(target: Tensor, output: Tensor) -> Tensor:
    """Negative log-likelihood of numbers of deviation 1 about the output, in nats, less a constant.

    Half the sum of squares, (batch, ...) to (batch,); the constant is log(2 pi) / 2 for each
    number. Kingma & Welling, 2014, appendix C.2, with a variance of 1.
    """
    return 0.5 * ops.sum(ops.square(_flat_difference(target, output)), axis=-1)


def categorical_crossentropy(target: Tensor, output: Tensor) -> Tensor:
    """Negative log-likelihood of the right class in nats.

    `target` holds class numbers (batch, ...), `output` probabilities (batch, ..., classes); the
    result has the shape of the target. A last axis of 1 of the target counts for nothing.

    Raises:
        EdkitError: they do not fit, with both shapes.
    """
    paired(target, output[..., 0])
    # As a list of positions: torch has no gradient for maps whose channels lie last in memory.
    classes = ops.reshape(ops.cast(target, "int32"), (-1,))
    probabilities = ops.reshape(output, (-1, output.shape[-1]))
    values = ops.sparse_categorical_crossentropy(classes, probabilities)
    return ops.reshape(values, ops.shape(target))


def gaussian_kl(posterior: Tensor) -> Tensor:
    """KL divergence of N(mean, exp(log_var)) from N(0, 1), in nats.

    `posterior` is (batch, 2, latent), the mean before the logarithm of the variance; the result
    is (batch,). Kingma & Welling, 2014, appendix B.
    """
    mean, log_var = posterior[:, 0], posterior[:, 1]
    return 0.5 * ops.sum(ops.square(mean) + ops.exp(log_var) - 1.0 - log_var, axis=-1)


def l1(code: Tensor) -> Tensor:
    """Sparsity of the code: the sum of absolute values, (batch, ...) to (batch,)."""
    return _sum_over_signal(ops.abs(code))


def sum_of_squares(output: Tensor) -> Tensor:
    """Squared L2 norm of an output that is itself a difference, (batch, ...) to (batch,)."""
    return _sum_over_signal(ops.square(output))


def contrastive(
    target: Tensor, output: Tensor, mask: Tensor | None = None, margin: float = 1.0
) -> Tensor:
    """Pull samples of one class together and push those of two apart, over all pairs of the batch.

    Of a pair at the Euclidean distance d, d^2 / 2 if the classes are the same, else
    max(0, margin - d)^2 / 2 (Hadsell et al., 2006, equation 4). `target` holds class numbers
    (batch,), `output` embeddings (batch, ...); the result (batch,) is a sample's mean over its
    partners. A sample whose `mask` (batch,) is 0 is no partner; its own value is left to `masked`.
    The scale of an embedding is free, so that one margin is as good as another.
    """
    target = ops.reshape(target, (-1,))
    mask = None if mask is None else ops.reshape(mask, (-1,))
    points = _flat(output)
    squares = ops.sum(ops.square(points[:, None] - points[None]), axis=-1)
    distance = ops.sqrt(ops.maximum(squares, 1e-12))  # at 0 the root has no gradient
    apart = ops.square(ops.maximum(margin - distance, 0.0))
    pairs = 0.5 * ops.where(target[:, None] == target[None], squares, apart)
    there = ops.ones_like(pairs[0]) if mask is None else ops.cast(mask > 0, pairs.dtype)
    # The pair of a sample with itself adds 0 to the sum, and is not counted.
    return ops.sum(pairs * there, axis=-1) / ops.maximum(ops.sum(there) - there, 1.0)


def score_as_real(score: Tensor) -> Tensor:
    """-log D in nats, where D = sigmoid(score) is the probability of being real.

    The discriminator's loss on real samples, and the generator's, which does not saturate, on its
    own. `score` is (batch,) or (batch, 1), the result (batch,). Goodfellow et al., 2014, section 3.
    """
    return _sum_over_signal(ops.softplus(-score))


def score_as_fake(score: Tensor) -> Tensor:
    """-log(1 - D) in nats, where D = sigmoid(score) is the probability of being real.

    The discriminator's loss on generated samples; (batch,) or (batch, 1) to (batch,).
    """
    return _sum_over_signal(ops.softplus(score))


def masked(
    values: Tensor, mask: Tensor | None = None, over: Literal["labelled", "batch"] = "labelled"
) -> Tensor:
    """Return the mean of `values` where `mask` is 1, a scalar.

    Over the labelled positions, sum(mask * values) / sum(mask), a head's weight means the same at
    5 % of the labels as at 100 %; a batch without labels gives 0. Over the batch, the sum is
    divided by the number of positions, labelled or not.

    Args:
        values: (batch,) or (batch, ...), one loss a sample or a position.
        mask: 1 where there is a target, 0 where there is not; (batch,) or the shape of `values`.
        over: `labelled` or `batch`.
    """
    if mask is None:
        return ops.mean(values)
    mask = broadcast_like(ops.cast(mask, values.dtype), values)
    total = ops.sum(ops.where(mask > 0, values * mask, 0.0))
    if over == "batch":
        return total / ops.cast(ops.size(values), values.dtype)
    # Not divide_no_nan, whose gradient is NaN at 0 / 0 on some versions of Keras.
    count = ops.sum(mask)
    return total / ops.where(count > 0, count, 1.0)


def paired(target: Tensor, output: Tensor) -> tuple[Tensor, Tensor]:
    """Return both in one shape: that of (batch,) and (batch, 1) is (batch, 1).

    The same holds of any shape and a last axis of 1. Without it (batch,) less (batch, 1) would be
    (batch, batch), every sample compared with every other.

    Raises:
        EdkitError: the shapes differ otherwise.
    """
    shapes = tuple(target.shape), tuple(output.shape)
    # TensorFlow does not know the last axis of a target; `check_shapes` has looked at it before.
    if len(target.shape) + 1 == len(output.shape) and output.shape[-1] in (1, None):
        target = ops.expand_dims(target, -1)
    elif len(output.shape) + 1 == len(target.shape) and target.shape[-1] in (1, None):
        output = ops.expand_dims(output, -1)
    sizes = zip(target.shape, output.shape, strict=False)
    same = all(one == other or None in (one, other) for one, other in sizes)
    if len(target.shape) != len(output.shape) or not same:
        raise EdkitError(
            f"a target of shape {shapes[0]} cannot be compared with an output of shape {shapes[1]}"
            ": bring both to one shape."
        )
    return target, output


def difference(target: Tensor, output: Tensor) -> Tensor:
    """Return target - output, position by position; see `paired`."""
    target, output = paired(target, output)
    return target - output


def broadcast_like(mask: Tensor, values: Tensor) -> Tensor:
    """Return `mask` with axes of size 1 added until it broadcasts with `values`, and broadcast."""
    while len(mask.shape) < len(values.shape):
        mask = ops.expand_dims(mask, -1)
    return ops.broadcast_to(mask, ops.shape(values))


def all_present(mask: Tensor, values: Tensor) -> Tensor:
    """Return `mask` with at most the axes of `values`: 1 where a whole target is present."""
    if len(mask.shape) <= len(values.shape):
        return mask
    return ops.min(mask, axis=tuple(range(len(values.shape), len(mask.shape))))


def _flat_difference(target: Tensor, output: Tensor) -> Tensor:
    target, output = _flat_pair(target, output)
    return target - output


def _flat_pair(target: Tensor, output: Tensor) -> tuple[Tensor, Tensor]:
    """Return both as (batch, numbers); see `paired`.

    Flat before the arithmetic, not after it: on JAX's CPU a last axis of 1, as of a grey image, is
    computed one number at a time, and the cross entropy of such took nine times as long.
    """
    target, output = paired(target, output)
    return _flat(target), _flat(output)


def _flat(values: Tensor) -> Tensor:
    sizes = values.shape[1:]
    if None in sizes:
        return ops.reshape(values, (ops.shape(values)[0], -1))
    return ops.reshape(values, (-1, prod(sizes)))  # of tensors without a batch too


def _sum_over_signal(values: Tensor) -> Tensor:
    return ops.sum(_flat(values), axis=-1)
