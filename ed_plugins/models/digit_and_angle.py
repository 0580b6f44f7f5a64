"""Class and rotation angle of one image: two tasks on one code."""

from keras import Input, Model

from ed_core import Activations, Fields, Head, Predictions, losses, metrics, model
from ed_plugins.models import _conv, _heads
from ed_plugins.models._assemble import join

_DEGREES = 45.0  # the unit in which the network works: its outputs and its errors are about 1


@model(
    data="rotated_digits",
    heads=(
        Head("angle", losses.squared_error, metrics=(metrics.absolute_error,)),
        Head("label", losses.categorical_crossentropy, metrics=(metrics.accuracy,)),
    ),
    probes=(Predictions("label"), Predictions("angle"), Activations("encoder")),
)
def digit_and_angle(
    fields: Fields,
    *,
    filters: tuple[int, ...] = (16, 32, 64),
    hidden: tuple[int, ...] = (128, 64),
) -> Model:
    """Three convolutions, then a branch for the angle in degrees and one for the digit.

    The squared error in degrees squared is some hundred times the cross entropy: `--weight
    label=30` to `label=100` lets both tasks count. Outputs `code`, the maps behind the
    convolutions, `angle` (batch,) in degrees and `label` (batch, classes).

    Args:
        fields: of the data set; `image`, `angle` and `label` are needed.
        filters: of each convolution, all but the last followed by a 2x2 pooling.
        hidden: units of the dense layers of either branch.
    """
    image = Input(fields["image"].shape, name="image")
    # The angle is read less well from small maps: the last ones are not pooled.
    code = _conv.contract(image, filters, norm=True, poolings=max(len(filters) - 1, 0))
    encoder = Model({"image": image}, {"code": code}, name="encoder")
    return join(
        encoder,
        _heads.estimate(code, "angle", hidden, scale=_DEGREES),
        _heads.classify(code, fields, "label", hidden),
    )
