"""How well a model gives its input back, and how much of its code it uses for that."""

from math import prod

import numpy as np

from ed_core import floors
from ed_core.evaluation.predicting import mean_square, predict
from ed_core.evaluation.subject import Numbers, Subject
from ed_core.spec import Head

NOTICEABLE = 0.01  # share of the layer's maximum from which a unit of a sparse code is active


def reconstruction_error(subject: Subject, head: Head) -> Numbers:
    """Return the squared error per pixel, that of the floors, and the sum per image."""
    target, run = subject.arrays[head.target], subject.run
    error = mean_square(target, subject.outputs[head.output])
    numbers: Numbers = {"mse": error}
    if subject.code_shape is not None:
        size = prod(subject.code_shape)
        linear = floors.pca_reconstruction(run.data.splits["train"][head.target], target, size)
        numbers["pca_mse"] = mean_square(target, linear)
    before = predict(floors.untrained(run), subject.arrays, [head.output])[head.output]
    numbers["untrained_mse"] = mean_square(target, before)
    numbers["sum_squared_error"] = error * prod(target.shape[1:])
    return {f"{subject.prefix(head)}{name}": value for name, value in numbers.items()}


def activity(subject: Subject, head: Head) -> Numbers:
    """Return the share of code units, over all samples, above 1 % of the layer's maximum."""
    values = np.abs(subject.outputs[head.output])
    return {"active_fraction": float(np.mean(values > NOTICEABLE * values.max()))}
