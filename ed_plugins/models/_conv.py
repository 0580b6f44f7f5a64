"""Convolutional encoders and decoders of signals, images and videos of any size."""

from collections.abc import Sequence
from typing import Any

from keras import initializers, layers, ops

from ed_core import CentredBatchNormalization

Tensor = Any
Margins = tuple[tuple[int, int], ...]


def contract(
    x: Tensor,
    filters: Sequence[int],
    kernel: int = 3,
    norm: bool = False,
    poolings: int | None = None,
) -> Tensor:
    """Return the maps after `conv_1`, `pool_1`, `conv_2`, ...; each pooling halves the size.

    The input is first padded to a multiple of 2 to the power of the poolings.

    Args:
        x: (batch, time, channels), (batch, height, width, channels) or (batch, time, height, width,
            channels); the convolutions have as many axes.
        filters: of each convolution.
        kernel: size of the convolutions along every axis.
        norm: batch normalisation after each convolution (Ioffe & Szegedy, 2015).
        poolings: number of convolutions, from the first on, followed by a pooling; None for all.
    """
    axes = len(x.shape) - 2
    poolings = len(filters) if poolings is None else poolings
    x = _padded(x, poolings)
    for number, count in enumerate(filters, 1):
        if norm:
            x = _layer("Conv", axes)(
                count, kernel, padding="same", use_bias=False, name=f"conv_{number}"
            )(x)
            # An average of 0.9 follows the weights closely enough for runs of a hundred steps.
            x = CentredBatchNormalization(momentum=0.9, name=f"norm_{number}")(x)
            x = layers.ReLU(name=f"relu_{number}")(x)
        else:
            last = number == len(filters)
            x = _conv(axes, count, kernel, f"conv_{number}", beside_code=last)(x)
        if number <= poolings:
            x = _layer("MaxPooling", axes)(2, name=f"pool_{number}")(x)
    return x


def expand(
    maps: Tensor,
    filters: Sequence[int],
    shape: tuple[int, ...],
    kernel: int = 3,
    activation: str = "sigmoid",
    start: float = 0.0,
) -> Tensor:
    """Return a sample of `shape`, by default in 0..1: the mirror image of `contract`.

    Args:
        maps: result of `contract` for a sample of that shape.
        filters: of each convolution, all followed by an up-sampling that doubles the size.
        shape: of the result, channels included.
        kernel: size of the convolutions along every axis.
        activation: of the result.
        start: initial bias of the last layer, before its activation.
    """
    axes, x = len(shape) - 1, maps
    for number, count in enumerate(filters, 1):
        x = _conv(axes, count, kernel, f"conv_{number}", beside_code=number == 1)(x)
        x = _layer("UpSampling", axes)(2, name=f"up_{number}")(x)
    pixels = _layer("Conv", axes)(
        shape[-1],
        kernel,
        padding="same",
        activation=activation,
        bias_initializer=initializers.Constant(start),
        name="pixels",
    )
    return _layer("Cropping", axes)(_padding(shape, len(filters)), name="crop")(pixels(x))


def margins(shape: tuple[int, ...], halvings: int) -> Margins:
    """Return the padding, ((top, bottom), (left, right)), that makes every size divisible.

    Of an odd number of lines, the larger half goes to the bottom or to the right.

    Args:
        shape: of a sample, channels last.
        halvings: number of halvings of every axis but the channels.
    """
    missing = [-size % 2**halvings for size in shape[:-1]]
    return tuple((lines // 2, lines - lines // 2) for lines in missing)


def _padded(x: Tensor, halvings: int) -> Tensor:
    """Return a sample with its margins: zeros, or, around a video, its mirror image.

    TensorFlow 2.21 merges zeros and a Conv3D into one step that forgets the size of its result.
    """
    axes, around = len(x.shape) - 2, margins(x.shape[1:], halvings)
    if axes == 3:
        for axis, (low, high) in enumerate(around, 1):
            first, last = (
                ops.split(x, [low], axis)[0],
                ops.split(x, [x.shape[axis] - high], axis)[1],
            )
            x = ops.concatenate([ops.flip(first, axis), x, ops.flip(last, axis)], axis)
        return x
    return _layer("ZeroPadding", axes)(_padding(x.shape[1:], halvings), name="pad")(x)


def _padding(shape: tuple[int, ...], halvings: int) -> Any:
    """Return the margins in Keras' form: for one axis without an outer tuple."""
    around = margins(shape, halvings)
    return around if len(around) > 1 else around[0]


def _conv(axes: int, filters: int, kernel: int, name: str, beside_code: bool) -> layers.Layer:
    # With few filters every dead one counts: with a bias of 1 all start above 0. From a bias of
    # 0, one of the four maps of the code stayed 0 in three runs out of six.
    bias = "ones" if beside_code else "zeros"
    return _layer("Conv", axes)(
        filters, kernel, padding="same", activation="relu", bias_initializer=bias, name=name
    )


def _layer(name: str, axes: int) -> Any:
    """Return the class of a layer for signals (1 axis), images (2) or videos (3)."""
    return getattr(layers, f"{name}{axes}D")
