"""Assembly of encoder, decoder and further heads of the code into one model."""

from collections.abc import Collection
from typing import Any, Literal

from keras import Input, Model, layers, ops

from ed_core import EdkitError, Field, FieldError, Fields, Sampling, open_run
from ed_core.nn.submodels import submodel

Tensor = Any
Weights = Literal["last", "best"]


def input_field(fields: Fields) -> str:
    """Return the field that a dense network takes: the rows of a table, else the image."""
    return "features" if "features" in fields and "image" not in fields else "image"


def join(encoder: Model, *parts: Model, noise: float = 0.0, clean: Collection[str] = ()) -> Model:
    """Return the model from the encoder's inputs to the outputs of all.

    Args:
        encoder: model from the inputs to `code` and possibly further outputs.
        parts: decoder, classifier, ...: each takes inputs, or outputs of earlier parts such as
            `code`, by name.
        noise: standard deviation of Gaussian noise added to the encoder's inputs in training.
        clean: the inputs that get none.
    """
    inputs = {
        name: Input(tensor.shape[1:], name=name, dtype=tensor.dtype)
        for name, tensor in encoder.input.items()
    }
    noisy = dict(inputs)
    if noise:
        noisy = {
            name: layers.GaussianNoise(noise, seed=number, name=f"noise_{name}")(tensor)
            if name not in clean
            else tensor
            for number, (name, tensor) in enumerate(inputs.items())
        }
    outputs = encoder(noisy)
    for part in parts:
        tensors = {**inputs, **outputs}
        outputs = {**outputs, **part({name: tensors[name] for name in part.input})}
    return Model(inputs, outputs)


def posterior(x: Tensor, latent: int) -> dict[str, Tensor]:
    """Return a Gaussian `posterior` (batch, 2, latent) and a `code` (batch, latent) drawn from it.

    The posterior holds the mean before the logarithm of the variance; while not training, the code
    is the mean.
    """
    mean = layers.Dense(latent, name="mean")(x)
    log_var = layers.Dense(latent, name="log_var")(x)
    code = Sampling(seed=0, name="sampling")((mean, log_var))
    return {"code": code, "posterior": ops.stack([mean, log_var], axis=1)}


def earlier(
    path: str, fields: Fields, option: str, *, trained: bool = True, weights: Weights = "last"
) -> Any:
    """Return the model of an earlier run after checking that its encoder fits this data set.

    Args:
        path: the run's folder.
        fields: of the data set.
        option: that holds the path, for messages.
        trained: take its weights; otherwise draw new ones from the seed of the model being built.
        weights: of its last step, or of its best epoch.

    Raises:
        EdkitError: it is no run, has no such weights or no encoder, or its fields differ from those
            of the data set.
    """
    try:
        run = open_run(path, weights=weights)
        encoder = run.encoder
    except EdkitError as error:
        raise EdkitError(f"option {option!r}: {error}") from error
    if "code" not in encoder.output:
        raise EdkitError(f"option {option!r}: the encoder of run {path!r} gives no code.")
    for name in encoder.input:
        expected = _facts(Field.from_facts(run.info["fields"][name]))
        received = _facts(fields[name]) if name in fields else "none"
        if received != expected:
            raise FieldError(
                f"option {option!r}: the encoder of run {path!r} takes {name!r}, {expected}; "
                f"the data set has {received}. Choose data or a run that fits."
            )
    if trained:
        return run.model
    stated = Fields({name: Field.from_facts(facts) for name, facts in run.info["fields"].items()})
    return run.spec.builder(stated, **run.spec.check(run.info["params"]))


def earlier_parts(path: str, fields: Fields, option: str, weights: Weights) -> tuple[Any, Any]:
    """Return the trained encoder and decoder of a run that gives an image back.

    Args:
        path: the run's folder.
        fields: of the data set.
        option: that holds the path, for messages.
        weights: of its last step, or of its best epoch.

    Raises:
        EdkitError: as `earlier`, or the run is no auto-encoder from image to image.
    """
    net = earlier(path, fields, option, weights=weights)
    try:
        parts = submodel(net, "encoder"), submodel(net, "decoder")
    except EdkitError as error:
        raise EdkitError(
            f"option {option!r}: run {path!r} has no decoder; expected an auto-encoder from image "
            "to image."
        ) from error
    if [*parts[0].input, *parts[1].input, *parts[1].output] != ["image", "code", "image"]:
        raise EdkitError(
            f"option {option!r}: run {path!r} goes from {', '.join(parts[0].input)} to "
            f"{', '.join(parts[1].output)}; expected an auto-encoder from image to image."
        )
    return parts


def _facts(field: Field) -> str:
    classes = f" of {', '.join(field.classes)}" if field.classes else ""
    return f"{field.kind} {field.shape}{classes}"
