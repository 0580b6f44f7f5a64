"""Anomaly detection by the reconstruction error of a model trained on one class."""

import warnings
from collections.abc import Mapping
from math import ceil, floor, prod
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.stats import beta
from sklearn.metrics import roc_auc_score

from ed_core.data.batches import at_a_time
from ed_core.data.selection import class_number
from ed_core.errors import EdkitError
from ed_core.evaluation.baselines import principal_components
from ed_core.evaluation.splits import Measured, measured_on, split_arrays
from ed_core.evaluation.subject import Numbers, Subject
from ed_core.nn.predict import pieces, ready
from ed_core.plugins.spec import Dataset, Field
from ed_core.runs.run import Run, open_run

Arrays = Mapping[str, Any]

SMOOTH = 1.0  # pixels, the standard deviation that measured best on MNIST and Fashion-MNIST
COMPONENTS = 32  # of the PCA that is the floor
_SURE = 0.95  # that the interval of a rate holds it


def scores(run: Run, arrays: Arrays) -> np.ndarray:
    """Return the anomaly score of each sample, (samples,), from its reconstruction error.

    Args:
        run: a run that reconstructs an input; with several, the scores add up.
        arrays: field to (samples, ...), with the inputs of the model.

    Raises:
        EdkitError: the model reconstructs nothing, or its output is not finite.
    """
    heads = _reconstructions(run)
    totals = []
    for inputs, _, outputs in pieces(run.model, arrays):
        restored = {field: outputs[output] for field, output in heads.items()}
        totals.append(_residuals(run, inputs, restored))
    total = np.concatenate(totals)
    if not np.isfinite(total).all():
        raise EdkitError(
            f"{str(run.path)!r} gives reconstructions that are not finite; train it again with a "
            "lower --learning-rate."
        )
    return total


def _residuals(run: Run, inputs: Arrays, restored: Arrays) -> np.ndarray:
    """Return the scores of some samples, (samples,), summed over the reconstructed fields."""
    return np.sum(
        [
            residual_score(inputs[field], output, run.data.fields[field])
            for field, output in restored.items()
        ],
        axis=0,
    )


def residual_score(original: np.ndarray, restored: np.ndarray, field: Field) -> np.ndarray:
    """Return a score from the residual of each sample, (samples, ...) to (samples,).

    Of an image the residual is smoothed in height and width by a Gaussian of one pixel, since
    neighbouring residuals of one sign tell a missing stroke from noise, and the sum of its squares
    is divided by the root of that of the image, lest bright images look odd. Of other signals it is
    the plain sum of squares.
    """
    left = original.astype("float64") - restored
    if field.kind not in ("image", "video"):
        return _squares(left)
    sigma = (0.0,) * (left.ndim - 3) + (SMOOTH, SMOOTH, 0.0)
    size = np.sqrt(_squares(original))
    return _squares(gaussian_filter(left, sigma)) / np.where(size > 0, size, 1.0)


def detect(
    run: Run | str | Path,
    data: str | None = None,
    *,
    split: str | None = None,
    rate: float = 0.05,
    field_names: Mapping[str, str] | None = None,
) -> Numbers:
    """Measure how well a model trained on one class tells the others from it.

    `auroc` is the area under the receiver operating characteristic of `scores`, beside that of a
    PCA of 32 components fitted on the same training samples: of its plain squared error
    (`pca_auroc`) and of the same score (`pca_score_auroc`). `threshold` is the score that a share
    `rate` of the `threshold_count` held-out normal samples exceeds; of all normal samples a share
    between `rate_low` and `rate_high` does (95 %, exact whatever the scores: `rate_interval`).
    `false_positive_rate` and `detection_rate` are the shares of the `normal_count` normal and the
    `abnormal_count` abnormal samples of the split that do. Samples without a class are left out.

    Args:
        run: a run that was trained with `only`, or its folder.
        data: a data set; by default the run's own.
        split: to measure on; by default as `evaluate` has it.
        rate: of false alarms that are accepted, between 0 and 1.
        field_names: of other data, what the model calls a field to what the data call it.

    Raises:
        EdkitError: the run was not trained on one class, reconstructs nothing, or the split has
            not both kinds of samples.
    """
    run = run if isinstance(run, Run) else open_run(run)
    only = _normal_class(run)
    if not 0 < rate < 1:
        raise EdkitError(f"--rate is a share between 0 and 1, received {rate}.")
    on = measured_on(run, data, split, field_names)
    arrays = split_arrays(run, on, more=only)
    odd, has_class = _abnormal(run.data, only, arrays)
    if odd.all() or not odd.any():
        raise EdkitError(
            f"data {on.name!r}, split {on.split!r} has {int(odd.sum())} abnormal samples of "
            f"{len(odd)}: both kinds are needed."
        )
    values = scores(run, arrays)[has_class]
    return {
        **Subject(run, arrays).about(on.name, on.split),
        "samples": len(values),
        "only": ",".join(f"{field}={class_}" for field, class_ in only.items()),
        "auroc": float(roc_auc_score(odd, values)),
        **_pca(run, arrays, odd, has_class),
        **_at_threshold(run, values, odd, rate),
    }


def _at_threshold(run: Run, values: np.ndarray, odd: np.ndarray, rate: float) -> Numbers:
    """Return the threshold of the rate and what it does; nothing where no sample was kept aside."""
    if "validation" not in run.data.splits:
        warnings.warn(
            f"{str(run.path)!r} has no threshold: no normal samples were kept aside to settle it "
            "on; train it without --validation 0.",
            stacklevel=3,
        )
        return {}
    own = Measured(run.info["data"], run.data, "validation")
    held = scores(run, split_arrays(run, own))
    return {
        **_threshold(held, rate),
        **_alarms(values, odd, float(np.quantile(held, 1 - rate))),
    }


def rate_interval(samples: int, rate: float) -> tuple[float, float]:
    """Return the exact 95 % interval of the false-alarm rate of a threshold.

    Of normal samples of any continuous distribution, the share above the k-th largest of n is
    Beta(k, n + 1 - k). `threshold` lies between two neighbouring ones: the interval holds for both.

    Args:
        samples: n, the normal samples that the threshold is a quantile of.
        rate: the share of them that exceeds it.
    """
    rank = round((samples - 1) * (1 - rate), 9)  # of the threshold: the smallest score has 0
    fewest, most = samples - ceil(rank), samples - floor(rank)
    low = beta.ppf((1 - _SURE) / 2, fewest, samples + 1 - fewest)
    high = beta.ppf((1 + _SURE) / 2, most, samples + 1 - most)
    return float(low), float(high)


def _threshold(normal_scores: np.ndarray, rate: float) -> Numbers:
    """Return the threshold with its interval; warn where the samples cannot hold the rate."""
    low, high = rate_interval(len(normal_scores), rate)
    if len(normal_scores) * rate < 1:
        warnings.warn(
            f"{len(normal_scores)} held-out normal samples are too few for a threshold of "
            f"{100 * rate:.3g} % false alarms: it may give {100 * low:.2g} to {100 * high:.2g} % "
            f"(95 %). {ceil(1 / rate):,} would do; --rate asks for another share.",
            stacklevel=3,
        )
    return {
        "threshold": float(np.quantile(normal_scores, 1 - rate)),
        "threshold_count": len(normal_scores),
        "rate": rate,
        "rate_low": low,
        "rate_high": high,
    }


def _normal_class(run: Run) -> dict[str, Any]:
    """Return the only class that the run was trained on, field to class."""
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
            f"{str(run.path)!r} reconstructs no input, so it cannot score anomalies: they "
            "need an auto-encoder."
        )
    return {head.target: head.output for head in heads}


def _abnormal(
    data: Dataset, only: Mapping[str, Any], arrays: Arrays
) -> tuple[np.ndarray, np.ndarray]:
    """Return masks of the samples of other classes, among those with a class, and of the latter."""
    classes = {field: np.asarray(arrays[field][:]).reshape(-1) for field in only}
    has_class = np.logical_and.reduce([labels >= 0 for labels in classes.values()])
    odd = [labels != class_number(data, field, only[field]) for field, labels in classes.items()]
    return np.logical_or.reduce(odd)[has_class], has_class


def _alarms(values: np.ndarray, odd: np.ndarray, threshold: float) -> Numbers:
    """Return the shares of normal and abnormal samples above the threshold."""
    return {
        "false_positive_rate": float(np.mean(values[~odd] > threshold)),
        "normal_count": int(np.sum(~odd)),
        "detection_rate": float(np.mean(values[odd] > threshold)),
        "abnormal_count": int(np.sum(odd)),
    }


def _pca(run: Run, arrays: Arrays, odd: np.ndarray, has_class: np.ndarray) -> Numbers:
    """Return the area of the floor, from its plain error and from the model's score."""
    train, fields = run.data.splits["train"], _reconstructions(run)
    linear = {field: principal_components(train[field], COMPONENTS) for field in fields}
    plain, same = [], []
    step = at_a_time(arrays, fields)
    for first in range(0, len(has_class), step):
        originals = {field: ready(arrays[field][first : first + step]) for field in fields}
        restored = {field: linear[field].restore(originals[field]) for field in fields}
        plain.append(sum(_squares(originals[field] - restored[field]) for field in fields))
        same.append(_residuals(run, originals, restored))
    return {
        "pca_auroc": float(roc_auc_score(odd, np.concatenate(plain)[has_class])),
        "pca_score_auroc": float(roc_auc_score(odd, np.concatenate(same)[has_class])),
    }


def _squares(values: np.ndarray) -> np.ndarray:
    """Return the sum of squares of each sample, (samples,)."""
    flat = values.reshape(len(values), prod(values.shape[1:]))
    return np.asarray(np.einsum("ij,ij->i", flat, flat, dtype="float64"))
