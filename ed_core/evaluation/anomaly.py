"""Anomaly detection: how well the scores of a run tell odd samples from normal ones."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from ed_core.data.lazy import at_a_time
from ed_core.errors import EdkitError
from ed_core.evaluation.baselines import principal_components
from ed_core.evaluation.calibration import check_rate, normal_samples, rate_interval, warn_of_few
from ed_core.evaluation.expert import Expert, fit_expert
from ed_core.evaluation.localisation import per_region_overlap, pixel_auroc
from ed_core.evaluation.normality import abnormal, defect_masks, normal_class
from ed_core.evaluation.seasonal import median_scores
from ed_core.evaluation.splits import Measured, measured_on, split_arrays
from ed_core.evaluation.subject import Numbers, Subject
from ed_core.nn.predict import pieces, ready
from ed_core.runs.detector import (
    BOTH,
    RESIDUALS,
    Detector,
    Scorer,
    added,
    all_parts,
    default_score,
    residual_part,
    score_names,
)
from ed_core.runs.outputs import reconstructing
from ed_core.runs.run import Run, open_run

Arrays = Mapping[str, Any]

NO_DEFECT = "no defect in the mask"
"""What is normal where masks say so, and no class."""
CALENDAR = "calendar"  # the field of the times of a signal's steps
COMPONENTS = 32  # of the PCA as it is
RATE = 0.05  # of false alarms, where neither the caller nor a calibration says another


def scores(run: Run, arrays: Arrays) -> np.ndarray:
    """Return the anomaly score of each sample, (samples,).

    It is the score that `edkit calibrate` chose, or else the first one that the run can give.

    Args:
        run: the run.
        arrays: field to (samples, ...), prepared, with the inputs of the model.

    Raises:
        EdkitError: the model can give no score, or its output is not finite.
    """
    scorer, detector = _scorer(run)
    parts = all_parts(scorer, arrays)
    return added(parts, detector)[0] if detector else parts[scorer.names[0]][0]


def _scorer(run: Run) -> tuple[Scorer, Detector | None]:
    detector = run.detector
    if detector is None:
        return Scorer(run, [default_score(run)]), None
    return Scorer(run, detector.score.split(BOTH), detector.codes), detector


def detect(
    run: Run | str | Path,
    data: str | None = None,
    *,
    split: str | None = None,
    rate: float | None = None,
    only: Mapping[str, Any] | None = None,
    field_names: Mapping[str, str] | None = None,
) -> Numbers:
    """Measure how well a run tells odd samples from normal ones.

    - `auroc`, the area under the receiver operating characteristic, and `average_precision`;
    - at the `threshold` that the run keeps (`edkit calibrate`), or else that a share `rate` of the
      held-out normal samples exceeds: `f1`, `detection_rate` of the `abnormal_count` odd samples
      and `false_positive_rate` of the `normal_count` normal ones; of all normal samples a share
      between `rate_low` and `rate_high` exceeds it (95 %, exact whatever the scores);
    - where the data have masks: `pixel_auroc` and `aupro`, over false alarms up to 30 %;
    - of signals with a field `calendar`: `half_hour_auroc` and `half_hour_average_precision`, by
      the distance from the median of the same half hour of the week;
    - the floors, all fitted on the training samples: of a PCA of 32 components as it is, by its
      plain error (`pca_auroc`) and by a residual as the run's (`pca_score_auroc`); of a PCA as an
      expert would have it (`expert_auroc` and so on; `ed_core.evaluation.expert`); of calling
      everything odd (`all_odd_f1`, `odd_share`).

    Args:
        run: a run, or its folder.
        data: a data set; by default the run's own.
        split: to measure on; by default as `evaluate` has it.
        rate: of false alarms that are accepted, between 0 and 1; by default that of the run's
            calibration, else 0.05. Given, the threshold is settled anew on the validation split.
        only: the normal class, field to class; by default that of the training, else the class of
            a sample that is called good, normal or ok; where there is none, a sample with a defect
            in its mask is odd. Samples without a class are left out.
        field_names: of other data, what the model calls a field to what the data call it.

    Raises:
        EdkitError: nothing says what is normal, all is or nothing, or the run can give no score.
    """
    run = run if isinstance(run, Run) else open_run(run)
    check_rate(rate)
    _scorer(run)  # one that can give no score is refused before data are read
    on = measured_on(run, data, split, field_names)
    normal, truth = _truth(run, on, only)
    arrays = split_arrays(run, on)
    values = scores(run, arrays)[truth.has_class]
    held = normal_samples(run, None, None)[1] if "validation" in run.data.splits else {}
    threshold = _threshold(run, rate, held)
    return {
        **Subject(run, arrays).about(on.name, on.split),
        "samples": len(values),
        "only": ",".join(f"{field}={class_}" for field, class_ in normal.items()) or NO_DEFECT,
        "score": run.detector.score if run.detector else default_score(run),
        **_ranking(truth.odd, values),
        "odd_share": float(truth.odd.mean()),
        **_pca(run, arrays, truth),
        **(_at(threshold, values, truth.odd) if threshold else {}),
        **_located(run, arrays, truth),
        **_expert(run, arrays, truth, (threshold, held)),
        **_usual(run, arrays, truth),
    }


def _usual(run: Run, arrays: Arrays, truth: "_Truth") -> Numbers:
    """Return the measures of the distance from the median of the same half hour of the week."""
    train = run.data.splits["train"]
    names = [head.target for head in reconstructing(run) if len(run.fields[head.target].shape) == 2]
    if len(names) != 1 or CALENDAR not in arrays or CALENDAR not in train:
        return {}
    (name,) = names
    values = median_scores(train[name], train[CALENDAR], arrays[name], arrays[CALENDAR])
    return _ranking(truth.odd, values[truth.has_class], "half_hour_")


@dataclass(frozen=True)
class _Truth:
    """What is odd in a split.

    Args:
        odd: of the samples that have a class, (samples with one,).
        has_class: (samples,).
        masks: where samples are odd, (samples, height, width), or None.
    """

    odd: np.ndarray
    has_class: np.ndarray
    masks: np.ndarray | None


def _truth(
    run: Run, on: Measured, only: Mapping[str, Any] | None
) -> tuple[Mapping[str, Any], _Truth]:
    """Return the class that is normal, field to class, and what is odd in a split.

    Where no class is known to be normal, a sample is odd if its mask says so of a pixel.

    Raises:
        EdkitError: no class is known to be normal, or the split has not both kinds of samples.
    """
    normal, masks = normal_class(run, on, only), defect_masks(run, on)
    if normal is not None:
        odd, has_class = abnormal(on, normal)
    elif masks is not None:
        odd = np.asarray(masks.any(axis=(1, 2)))
        has_class = np.ones(len(odd), bool)
    else:
        raise EdkitError(
            f"nobody says which samples of data {on.name!r} are normal: call their class good, "
            "normal or ok, say it with --only FIELD=CLASS, or give masks of the defects."
        )
    if odd.all() or not odd.any():
        raise EdkitError(
            f"data {on.name!r}, split {on.split!r} has {int(odd.sum())} abnormal samples of "
            f"{len(odd)}: both kinds are needed."
        )
    return normal or {}, _Truth(odd, has_class, masks)


def _ranking(odd: np.ndarray, values: np.ndarray, prefix: str = "") -> Numbers:
    return {
        f"{prefix}auroc": float(roc_auc_score(odd, values)),
        f"{prefix}average_precision": float(average_precision_score(odd, values)),
    }


@dataclass(frozen=True)
class _Threshold:
    """A threshold: its value, on how many normal samples it was settled, and for which rate."""

    value: float
    count: int
    rate: float
    interval: tuple[float, float]


def _threshold(run: Run, rate: float | None, held: Arrays) -> _Threshold | None:
    """Return the threshold of a run; None where no sample was kept aside to settle one on."""
    if run.detector and rate in (None, run.detector.rate):
        kept = run.detector
        return _Threshold(kept.threshold, kept.count, kept.rate, kept.interval)
    if not held:
        warnings.warn(
            f"{str(run.path)!r} has no threshold: no normal samples were kept aside to settle it "
            "on; train it without --validation 0, or give some to edkit calibrate.",
            stacklevel=3,
        )
        return None
    rate = RATE if rate is None else rate
    normal = scores(run, held)
    warn_of_few(len(normal), rate)
    interval = rate_interval(len(normal), rate)
    return _Threshold(float(np.quantile(normal, 1 - rate)), len(normal), rate, interval)


def _at(threshold: _Threshold, values: np.ndarray, odd: np.ndarray) -> Numbers:
    """Return the threshold and what it does to normal and odd samples."""
    alarms = values > threshold.value
    low, high = threshold.interval
    return {
        "threshold": threshold.value,
        "threshold_count": threshold.count,
        "rate": threshold.rate,
        "rate_low": low,
        "rate_high": high,
        "f1": float(f1_score(odd, alarms, zero_division=0)),
        "all_odd_f1": float(f1_score(odd, np.ones(len(odd), bool))),
        "false_positive_rate": float(np.mean(alarms[~odd])),
        "normal_count": int(np.sum(~odd)),
        "detection_rate": float(np.mean(alarms[odd])),
        "abnormal_count": int(np.sum(odd)),
    }


def _pca(run: Run, arrays: Arrays, truth: _Truth) -> Numbers:
    """Return the area of a PCA as it is, by its plain error and by a residual as the run's."""
    heads = reconstructing(run)
    fields = list(dict.fromkeys([head.target for head in heads])) or _images(run)
    if not fields:
        return {}
    train = run.data.splits["train"]
    names = run.detector.score.split(BOTH) if run.detector else score_names(run)
    name = next((one for one in names if one in RESIDUALS), "squared")
    linear = {field: principal_components(train[field], COMPONENTS) for field in fields}
    plain: list[Any] = []
    same: list[Any] = []
    step = at_a_time(arrays, fields)
    for first in range(0, len(truth.has_class), step):
        originals = {field: ready(arrays[field][first : first + step]) for field in fields}
        restored = {field: linear[field].restore(originals[field]) for field in fields}
        for one, totals in (("squared", plain), (name, same)):
            totals.append(
                sum(
                    residual_part(one, originals[field], restored[field], run.fields[field])[0]
                    for field in fields
                )
            )
    return {
        "pca_auroc": float(roc_auc_score(truth.odd, np.concatenate(plain)[truth.has_class])),
        "pca_score_auroc": float(roc_auc_score(truth.odd, np.concatenate(same)[truth.has_class])),
    }


def _images(run: Run) -> list[str]:
    return [name for name in run.model.input if run.fields[name].kind == "image"]


def _located(run: Run, arrays: Arrays, truth: _Truth) -> Numbers:
    """Return how well the maps of the run find the masks; nothing where either is missing."""
    if truth.masks is None or not truth.masks.any() or truth.masks.all():
        return {}
    scorer, detector = _scorer(run)
    maps = []
    for inputs, _, outputs in pieces(run.model, arrays):
        parts = scorer.parts(inputs, outputs)
        marks = added(parts, detector)[1] if detector else parts[scorer.names[0]][1]
        if marks is None or marks.shape[1:] != truth.masks.shape[1:]:
            return {}
        maps.append(marks.astype("float32"))
    return _places(np.concatenate(maps), truth.masks)


def _places(maps: np.ndarray, masks: np.ndarray, prefix: str = "") -> Numbers:
    return {
        f"{prefix}pixel_auroc": pixel_auroc(maps, masks),
        f"{prefix}aupro": per_region_overlap(maps, masks),
    }


def _expert(
    run: Run, arrays: Arrays, truth: _Truth, kept: tuple[_Threshold | None, Arrays]
) -> Numbers:
    """Return the same measures of a PCA as an expert would have it.

    Args:
        run: the run.
        arrays: of the split, prepared.
        truth: what is odd in it.
        kept: the threshold of the run, and the normal samples kept aside.
    """
    threshold, held = kept
    fields = _images(run) or [
        head.target for head in reconstructing(run) if run.fields[head.target].kind == "signal"
    ]
    if len(fields) != 1:
        return {}
    name = fields[0]
    expert = fit_expert(run.data.splits["train"][name], held.get(name), run.fields[name])
    values = expert.scores(arrays[name])
    result: Numbers = {
        "expert": expert.words,
        **_ranking(truth.odd, values[truth.has_class], "expert_"),
    }
    if threshold and name in held:
        normal = expert.scores(held[name])
        alarms = values[truth.has_class] > np.quantile(normal, 1 - threshold.rate)
        result["expert_f1"] = float(f1_score(truth.odd, alarms, zero_division=0))
    masks = truth.masks
    if masks is not None and masks.any() and not masks.all():
        result |= _places(_expert_maps(expert, arrays[name]), masks, "expert_")
    return result


def _expert_maps(expert: Expert, samples: Any) -> np.ndarray:
    return np.concatenate([part.astype("float32") for part in expert.maps(samples)])
