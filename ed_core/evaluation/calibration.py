"""Calibration of a detector: its score, chosen on synthetic defects, and its threshold."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from math import ceil, floor
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import beta
from sklearn.metrics import roc_auc_score

from ed_core.data.defects import pasted
from ed_core.data.lazy import rows_of
from ed_core.errors import EdkitError, unknown
from ed_core.evaluation.normality import normal_rows
from ed_core.evaluation.splits import Measured, measured_on, split_arrays
from ed_core.evaluation.subject import Numbers
from ed_core.nn.predict import pieces
from ed_core.nn.residuals import CodeDistribution
from ed_core.nn.submodels import weights_sum
from ed_core.runs.detector import (
    BOTH,
    CODE,
    QUANTILES,
    Detector,
    Part,
    Scorer,
    added,
    all_parts,
    codes_of,
    positions_of,
    scale_of,
    score_names,
)
from ed_core.runs.run import Run, open_run
from ed_core.runs.trained_model import TrainedModel
from ed_core.seeds import Seeds

Arrays = Mapping[str, Any]
Scales = dict[str, tuple[float, float, float]]

SURE = 0.95  # that the interval of a rate holds it
_JUDGED = 1000  # normal samples, and as many with defects, on which a score is chosen
_FAMILIES = {"defect": "defect", "mahalanobis": "code", "elbo": "bound"}  # else a residual


def calibrate(
    run: Run | str | Path,
    data: str | None = None,
    *,
    rate: float = 0.01,
    score: str = "",
    field_names: Mapping[str, str] | None = None,
) -> Numbers:
    """Choose the score of a run, settle its threshold on normal samples, and keep both in the run.

    Of the scores that the run can give (`ed_core.runs.detector.score_names`), and of the sums of
    two of different kinds, the one is taken that best tells normal samples from the same ones with
    synthetic defects (`ed_core.defects`): real defects choose nothing. The threshold is the score
    that a share `rate` of the normal samples exceeds. An earlier calibration is replaced.

    Args:
        run: a run, or its folder.
        data: normal samples that were not trained on; by default the run's validation split. Of
            samples with classes those of the normal class alone are taken, where it is known.
        rate: of false alarms that are accepted, between 0 and 1.
        score: the score; by default it is chosen.
        field_names: of other data, what the model calls a field to what the data call it.

    Returns:
        `score`, `threshold`, `threshold_count`, `rate` with `rate_low` and `rate_high` (95 %), and
        `synthetic_auroc_<score>` of each score that was tried.

    Raises:
        EdkitError: nothing normal was kept aside, the run can give no score, or it still trains.
    """
    run = run if isinstance(run, Run) else open_run(run)
    if not 0 < rate < 1:
        raise EdkitError(f"--rate is a share between 0 and 1, received {rate}.")
    if run.folder.is_live():
        raise EdkitError(f"{str(run.path)!r} is still being trained: calibrate it once it is done.")
    on, arrays = normal_samples(run, data, field_names)
    scorer = _scorer(run, score)
    normal = all_parts(scorer, arrays)
    scales = {name: scale_of(part) for name, part in normal.items()}
    tried = _judge(scorer, arrays, scales) if not score else {}
    chosen = score or max(tried, key=lambda name: tried[name])
    used = {name: scales[name] for name in chosen.split(BOTH)}
    codes = scorer.codes if CODE in used else None
    blank = Detector(chosen, 0.0, rate, (0.0, 1.0), 1, np.zeros(1), used, tried, codes=codes)
    peak = _peak(replace(scorer, names=[*used]), blank, arrays)
    blank = replace(blank, peak=peak, weights=weights_sum(run.model))
    detector = _settled(blank, added(normal, blank)[0])
    run.folder.update(detector={**detector.facts(), "data": on.name})
    run.__dict__["detector"] = detector
    low, high = detector.interval
    return {
        "model": run.info["model"],
        "data": on.name,
        "split": on.split,
        "score": chosen,
        "threshold": detector.threshold,
        "threshold_count": detector.count,
        "rate": rate,
        "rate_low": low,
        "rate_high": high,
        **{f"synthetic_auroc_{name}": area for name, area in tried.items()},
    }


def rate_interval(samples: int, rate: float) -> tuple[float, float]:
    """Return the exact 95 % interval of the false-alarm rate of a threshold.

    Of normal samples of any continuous distribution, the share above the k-th largest of n is
    Beta(k, n + 1 - k). The threshold lies between two neighbouring ones: the interval holds for
    both.

    Args:
        samples: n, the normal samples that the threshold is a quantile of.
        rate: the share of them that exceeds it.
    """
    rank = round((samples - 1) * (1 - rate), 9)  # of the threshold: the smallest score has 0
    fewest, most = samples - ceil(rank), samples - floor(rank)
    low = beta.ppf((1 - SURE) / 2, fewest, samples + 1 - fewest)
    high = beta.ppf((1 + SURE) / 2, most, samples + 1 - most)
    return float(low), float(high)


def warn_of_few(samples: int, rate: float) -> None:
    """Warn where so few normal samples cannot hold a rate of false alarms."""
    if samples * rate < 1:
        low, high = rate_interval(samples, rate)
        warnings.warn(
            f"{samples} held-out normal samples are too few for a threshold of "
            f"{100 * rate:.3g} % false alarms: it may give {100 * low:.2g} to {100 * high:.2g} % "
            f"(95 %). {ceil(round(1 / rate, 9))} would do.",
            stacklevel=4,
        )


def _settled(detector: Detector, scores: np.ndarray) -> Detector:
    """Return the detector with the threshold, and what is kept of the scores of normal samples."""
    warn_of_few(len(scores), detector.rate)
    kept = np.sort(scores)
    if len(kept) > QUANTILES:
        kept = np.quantile(scores, np.linspace(0, 1, QUANTILES))
    return replace(
        detector,
        threshold=float(np.quantile(scores, 1 - detector.rate)),
        interval=rate_interval(len(scores), detector.rate),
        count=len(scores),
        scores=kept,
    )


def _peak(scorer: Scorer, detector: Detector, arrays: Arrays) -> float:
    """Return the 99th percentile of the maxima of the maps of normal samples, 0 without maps."""
    some = _evenly(arrays)
    maxima = []
    for inputs, _, outputs in pieces(scorer.run.model, some):
        marks = added(scorer.parts(inputs, outputs), detector)[1]
        if marks is None:
            return 0.0
        maxima.append(marks.reshape(len(marks), -1).max(axis=1))
    return float(np.quantile(np.concatenate(maxima), 0.99))


def _evenly(arrays: Arrays) -> dict[str, Any]:
    """Return at most `_JUDGED` samples, evenly spaced."""
    count = len(next(iter(arrays.values())))
    rows = np.unique(np.linspace(0, count - 1, min(count, _JUDGED)).astype(int))
    return {name: rows_of(array, rows) for name, array in arrays.items()}


def normal_samples(
    run: Run, data: str | None, field_names: Mapping[str, str] | None
) -> tuple[Measured, dict[str, Any]]:
    """Return normal samples that were not trained on, prepared, and what they are of.

    Args:
        run: the run.
        data: that they are of; None for its own validation split.
        field_names: of other data, what the model calls a field to what the data call it.

    Raises:
        EdkitError: there are none.
    """
    if data is None:
        if "validation" not in run.data.splits:
            raise EdkitError(
                f"{str(run.path)!r} kept no samples aside to settle a threshold on: give normal "
                "ones with --data, or train it without --validation 0."
            )
        on = Measured(run.info["data"], run.data, "validation")
    else:
        on = measured_on(run, data, None, field_names)
    arrays = split_arrays(run, on)
    rows = normal_rows(run, on)
    if rows is None:
        return on, arrays
    if not len(rows):
        raise EdkitError(f"data {on.name!r}, split {on.split!r}: no sample is of the normal class.")
    return on, {name: rows_of(array, rows) for name, array in arrays.items()}


def _scorer(run: Run, score: str) -> Scorer:
    """Return what gives the scores that are tried, or those that one is made of."""
    possible = score_names(run)
    names = score.split(BOTH) if score else possible
    for name in names:
        if name not in possible:
            raise unknown(f"score of {str(run.path)!r}:", name, possible)
    if CODE not in names:
        return Scorer(run, names)
    try:
        train = run.data.splits["train"]
    except EdkitError as error:
        if score:
            raise
        warnings.warn(f"the distance of the code is not tried: {error}", stacklevel=4)
        return Scorer(run, [name for name in names if name != CODE])
    codes = [codes_of(run, inputs, outputs) for inputs, _, outputs in pieces(run.model, train)]
    return Scorer(run, names, CodeDistribution.fit(np.concatenate(codes)))


def _judge(scorer: Scorer, arrays: Arrays, scales: Scales) -> dict[str, float]:
    """Return the area under the ROC curve of every score on synthetic defects, by name."""
    some = _evenly(arrays)
    without, having = all_parts(scorer, some), all_parts(scorer, with_defects(scorer.run, some))
    odd = np.repeat([0, 1], len(next(iter(some.values()))))
    return {
        name: float(
            roc_auc_score(
                odd, np.concatenate([_value(parts, name, scales) for parts in (without, having)])
            )
        )
        for name in _combinations(scorer.names)
    }


def _combinations(names: Any) -> list[str]:
    """Return the names of single scores, then of the sums of two that look at different things."""
    kinds = {name: _FAMILIES.get(name, "residual") for name in names}
    pairs = [(a, b) for a, b in combinations(names, 2) if kinds[a] != kinds[b]]
    return [*names, *(f"{a}{BOTH}{b}" for a, b in pairs if "bound" not in (kinds[a], kinds[b]))]


def _value(parts: Mapping[str, Part], name: str, scales: Scales) -> np.ndarray:
    """Return the score of a name, single or added, (samples,)."""
    blank = Detector(name, 0.0, 0.5, (0.0, 1.0), 1, np.zeros(1), scales)
    return added(parts, blank)[0]


@dataclass(frozen=True)
class WithDefects:
    """Samples with synthetic defects pasted in as they are read, the same ones each time.

    Args:
        array: (samples, ..., channels), or anything that slices like it.
        positions: axes that have neighbours; see `ed_core.defects.pasted`.
    """

    array: Any
    positions: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the array."""
        return tuple(self.array.shape)

    @property
    def dtype(self) -> np.dtype:
        """Of what is read."""
        return np.dtype("float32")

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, rows: slice) -> np.ndarray:
        random = Seeds(0).generator("defects", rows.start or 0)
        return pasted(np.asarray(self.array[rows]), random, positions=self.positions)[0]


def with_defects(run: TrainedModel, arrays: Arrays) -> dict[str, Any]:
    """Return prepared samples with synthetic defects in the inputs that hold numbers.

    An input that no head compares anything with, such as the time of the day, gets none.
    """
    targets = {head.target for head in run.model.heads}
    names = [name for name in run.model.input if name in arrays]
    fields = {name: run.fields[name] for name in [one for one in names if one in targets] or names}
    changed = {
        name: WithDefects(arrays[name], positions_of(field))
        for name, field in fields.items()
        if field.kind not in ("class", "mask") and field.shape
    }
    return {**arrays, **changed}
