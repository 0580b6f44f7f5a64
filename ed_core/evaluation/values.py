"""How far off an estimated value is, one a sample or one a pixel."""

import numpy as np

from ed_core.arrange import present
from ed_core.evaluation.predicting import mean
from ed_core.evaluation.subject import Numbers, Subject
from ed_core.spec import Head

NEAR = 10  # units, such as degrees, within which an estimate of one number is near the truth


def value_error(subject: Subject, head: Head) -> Numbers:
    """Return the errors in the units of the field, over what has a value, and the floor.

    The floor is the root mean square error of the mean of the training values.
    """
    target = subject.truth(head)
    there = present(target)
    known = subject.truth(head, "train")
    known = known[present(known)]
    if not there.any() or not known.size:
        return {}
    output = subject.outputs[head.output].reshape(target.shape)
    error = np.abs(output[there].astype("float64") - target[there])
    numbers: Numbers = {
        f"{head.name}_rmse": float(np.sqrt(np.mean(error**2))),
        f"{head.name}_mae": mean(error),
        f"{head.name}_mean_rmse": float(np.sqrt(np.mean((target[there] - mean(known)) ** 2))),
    }
    if target.ndim == 1:
        numbers[f"{head.name}_within_{NEAR}"] = mean(error <= NEAR)
    return numbers
