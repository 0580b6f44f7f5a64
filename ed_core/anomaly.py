"""Anomalies: what a model that was trained on one class cannot give back."""

from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter
from sklearn.metrics import roc_auc_score

from ed_core import floors
from ed_core.errors import EdkitError
from ed_core.evaluation.predicting import predict
from ed_core.evaluation.splits import default_split, measured_on, split_arrays
from ed_core.evaluation.subject import Numbers, Subject
from ed_core.run import Run, open_run
from ed_core.selection import class_number
from ed_core.spec import Dataset, Field

Arrays = Mapping[str, np.ndarray]

SMOOTH = 1.0  # pixels, the standard deviation that measured best on MNIST and Fashion-MNIST
COMPONENTS = 32  # of the PCA that is the floor


def scores(run: Run, arrays: Arrays) -> np.ndarray:
    """Return how badly the model gives each sample back, (samples,): the higher, the odder.

    Args:
        run: a run that reconstructs an input; where it does so with several, the scores add up.
        arrays: field to (samples, ...), with the inputs of the model.

    Raises:
        EdkitError: the model reconstructs nothing, or gives what is not finite.
    """
    heads = _reconstructions(run)
    outputs = predict(run.model, arrays, heads.values())
    found = [
        residual_score(arrays[field], outputs[output], run.data.fields[field])
        for field, output in heads.items()
    ]
    total = np.sum(found, axis=0)
    if not np.isfinite(total).all():
        raise EdkitError(
            f"{str(run.path)!r} gives reconstructions that are not finite; train it again with a "
            "lower --learning-rate."
        )
    return np.asarray(total)


def residual_score(given: np.ndarray, restored: np.ndarray, field: Field) -> np.ndarray:
    """Return a score from what is left of each sample, (samples, ...) to (samples,).

    Of an image the residual is smoothed in height and width by a Gaussian of one pixel, since
    neighbouring residuals of one sign tell a missing stroke from noise, and the sum of its squares
    is divided by the root of that of the image, lest bright images look odd. Of other signals it is
    the plain sum of squares.
    """
    left = given.astype("float32") - restored
    if field.kind not in ("image", "video"):
        return _squares(left)
    sigma = (0.0,) * (left.ndim - 3) + (SMOOTH, SMOOTH, 0.0)
    size = np.sqrt(_squares(given))
    return _squares(gaussian_filter(left, sigma)) / np.where(size > 0, size, 1.0)


def detect(
    run: Run | str | Path,
    data: str | None = None,
    *,
    split: str | None = None,
    rate: float = 0.05,
) -> Numbers:
    """Measure how well a model trained on one class tells the others from it.

    `auroc` is the area under the receiver operating characteristic of `scores`, beside that of a
    PCA of 32 components fitted on the same training samples: of its plain squared error
    (`pca_auroc`) and of the same score (`pca_score_auroc`). `threshold` is the score that a share
    `rate` of held-out normal samples exceeds; `false_positive_rate` and `detection_rate` are the
    shares of the split's normal and abnormal samples that do.

    Args:
        run: a run that was trained with `only`, or its folder.
        data: a data set; by default the run's own.
        split: to measure on; by default `test`.
        rate: of false alarms that are accepted, between 0 and 1.

    Raises:
        EdkitError: the run was not trained on one class, reconstructs nothing, or the split has
            not both kinds of samples.
    """
    run = run if isinstance(run, Run) else open_run(run)
    only = _normal_class(run)
    if not 0 < rate < 1:
        raise EdkitError(f"--rate is a share between 0 and 1, received {rate}.")
    name, source = measured_on(run, data)
    split = split or default_split(source)
    arrays = split_arrays(run, source, name, split, more=only)
    odd, known = _abnormal(run.data, only, arrays)
    arrays = {field: array[known] for field, array in arrays.items()}
    if odd.all() or not odd.any():
        raise EdkitError(
            f"data {name!r}, split {split!r} has {int(odd.sum())} abnormal samples of {len(odd)}: "
            "both kinds are needed."
        )
    found = scores(run, arrays)
    held = scores(run, split_arrays(run, run.data, run.info["data"], "validation"))
    return {
        **Subject(run, arrays).about(name, split),
        "only": ",".join(f"{field}={wanted}" for field, wanted in only.items()),
        "auroc": float(roc_auc_score(odd, found)),
        **_pca(run, arrays, odd),
        **_alarms(found, odd, float(np.quantile(held, 1 - rate))),
    }


def _normal_class(run: Run) -> dict[str, Any]:
    """Return what the run was trained with alone, field to class."""
    only: dict[str, Any] | None = run.info.get("only")
    if not only:
        raise EdkitError(
            f"{str(run.path)!r} knows no normal class: train it with --only FIELD=CLASS."
        )
    return only


def _reconstructions(run: Run) -> dict[str, str]:
    """Return the outputs that give an input back, field to output."""
    heads = Subject(run, {}).reconstructions
    if not heads:
        raise EdkitError(
            f"{str(run.path)!r} reconstructs no input, so nothing can look odd to it: anomalies "
            "need an auto-encoder."
        )
    return {head.target: head.output for head in heads}


def _abnormal(
    data: Dataset, only: Mapping[str, Any], arrays: Arrays
) -> tuple[np.ndarray, np.ndarray]:
    """Return which samples are of another class, of those with a class; and which have one."""
    classes = {field: arrays[field].reshape(-1) for field in only}
    known = np.logical_and.reduce([labels >= 0 for labels in classes.values()])
    odd = [labels != class_number(data, field, only[field]) for field, labels in classes.items()]
    return np.logical_or.reduce(odd)[known], known


def _alarms(found: np.ndarray, odd: np.ndarray, threshold: float) -> Numbers:
    """Return the threshold, and the shares of normal and abnormal samples above it."""
    return {
        "threshold": threshold,
        "false_positive_rate": float(np.mean(found[~odd] > threshold)),
        "detection_rate": float(np.mean(found[odd] > threshold)),
    }


def _pca(run: Run, arrays: Arrays, odd: np.ndarray) -> Numbers:
    """Return the area of the floor, from its plain error and from the model's score."""
    plain, same = np.zeros(len(odd)), np.zeros(len(odd))
    for field in _reconstructions(run):
        linear = floors.pca_reconstruction(
            run.data.splits["train"][field], arrays[field], COMPONENTS
        )
        plain += _squares(arrays[field] - linear)
        same += residual_score(arrays[field], linear, run.data.fields[field])
    return {
        "pca_auroc": float(roc_auc_score(odd, plain)),
        "pca_score_auroc": float(roc_auc_score(odd, same)),
    }


def _squares(values: np.ndarray) -> np.ndarray:
    """Return the sum of squares of each sample, (samples,)."""
    flat = values.reshape(len(values), prod(values.shape[1:]))
    return np.asarray(np.einsum("ij,ij->i", flat, flat, dtype="float64"))
