"""Classifier on the encoder of an earlier run."""

from typing import Literal

from keras import Input, Model

from ed_core import (
    Activations,
    EdkitError,
    Fields,
    Head,
    LatentCodes,
    Predictions,
    RunPath,
    losses,
    metrics,
    model,
)
from ed_core.nn.layers import Frozen
from ed_core.nn.submodels import submodel
from ed_plugins.datasets._options import NO_RUN
from ed_plugins.models import _conv, _dense, _heads
from ed_plugins.models._assemble import Weights, earlier, input_field, join


@model(
    data="digits",
    heads=(
        Head("label", losses.categorical_crossentropy, metrics=(metrics.accuracy,), optional=True),
        Head("value", losses.squared_error, optional=True),
    ),
    probes=(
        Predictions("label", optional=True),
        Predictions("value", optional=True),
        Activations("encoder"),
        LatentCodes(),
    ),
)
def classifier(
    fields: Fields,
    *,
    encoder: RunPath = NO_RUN,
    encoder_weights: Weights = "last",
    freeze: bool = False,
    start: Literal["trained", "random"] = "trained",
    hidden: tuple[int, ...] = (128,),
    dropout: float = 0.0,
    filters: tuple[int, ...] = (16, 32),
    kernel: int = 3,
    units: tuple[int, ...] = (64, 32),
) -> Model:
    """Dense layers on the code of an encoder trained before (Hinton & Salakhutdinov, 2006).

    Outputs `code` and `label` (batch, classes), or, of data with a value and no class, `value`
    (batch,).

    Args:
        fields: of the data set; `label` or `value` and the inputs of the encoder are needed.
        encoder: the run whose encoder is used, trained on any backend; it must stay where it is.
            Without it, convolutions on `image` or `signal`, or dense layers on `features`, are
            trained from scratch.
        encoder_weights: of its last step, or of the epoch that was best on its validation split.
        freeze: leave the encoder as it is, its statistics included.
        start: keep the encoder's weights, or draw them anew, to compare with training from scratch.
        hidden: units of the dense layers before the classes.
        dropout: share of the last layer's inputs dropped during training.
        filters: of each convolution where no run is given, all normalised; each halves the size.
        kernel: numbers that a convolution spans along every axis.
        units: of the dense layers on the rows of a table where no run is given.
    """
    target = "value" if "value" in fields and "label" not in fields else "label"
    if encoder:
        net = earlier(
            encoder, fields, "encoder", trained=start == "trained", weights=encoder_weights
        )
        part = submodel(net, "encoder")
        if target in part.input:
            raise EdkitError(
                f"option 'encoder': the encoder of run {encoder!r} takes the {target} as an input, "
                f"but the {target} is the target here. Choose a run of another model."
            )
    else:
        is_signal = "signal" in fields and "image" not in fields
        name = "signal" if is_signal else input_field(fields)
        sample = Input(fields[name].shape, name=name)
        # Without the norm, a run on MNIST stayed at chance for three epochs and was stopped.
        code = (
            _dense.contract(sample, units)
            if name == "features"
            else _conv.contract(sample, filters, kernel, norm=True)
        )
        part = Model({name: sample}, {"code": code}, name="encoder")
    code = part.output["code"]
    if target == "value":
        head = _heads.estimate(code, "value", hidden, *fields["value"].scale[::-1])
    else:
        head = _heads.classify(code, fields, "label", hidden, dropout=dropout)
    return join(Frozen(part) if freeze else part, head)
