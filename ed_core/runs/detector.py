"""Detector of anomalies: the scores of a run, and the threshold that normal samples settle."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from scipy.ndimage import gaussian_filter

from ed_core.errors import EdkitError
from ed_core.nn import losses, residuals
from ed_core.nn.predict import pieces, values_of
from ed_core.nn.submodels import inputs_of, weights_sum
from ed_core.plugins.spec import Field, Fields
from ed_core.runs.outputs import Inference, reconstructing
from ed_core.runs.trained_model import TrainedModel

Arrays = Mapping[str, Any]
Maps = dict[str, np.ndarray]

VERDICTS = ("normal", "odd")
DEFECT = "defect"
"""The output of a model that is a map of defects, (samples, height, width, 1) in 0..1."""
BOTH = "+"  # between the names of two scores that are added
LARGEST_CODE = 128  # numbers of a code whose covariance is kept in run.json
QUANTILES = 1001  # quantiles of the calibration scores that are kept, at most
TINY = 1e-12  # that is added before a logarithm
CODE = "mahalanobis"
MULTISCALE = "multiscale"
BOUND = "elbo"
_SMOOTHED, _SQUARED = "smoothed", "squared"
_OF_CONTRAST = ("smoothed_2", MULTISCALE)

RESIDUALS: Mapping[str, Callable[[np.ndarray, np.ndarray, int], np.ndarray]] = {
    _SMOOTHED: lambda x, y, positions: residuals.smoothed(x, y, positions),
    _SQUARED: lambda x, y, positions: residuals.squared(x, y),
    "smoothed_2": lambda x, y, positions: residuals.smoothed(x, y, positions, 2.0),
    MULTISCALE: residuals.multiscale,
    "ssim": residuals.dissimilarity,
}


@dataclass(frozen=True)
class Detector:
    """Score of a run with the threshold that was settled on normal samples.

    Args:
        score: the name of a score, or of two that are added, such as `defect+smoothed`.
        threshold: the score above which a sample is odd.
        rate: the share of normal samples that was to be above it.
        interval: the shares that so few samples allow, with 95 %.
        count: the normal samples that it was settled on.
        scores: theirs, sorted, or `QUANTILES` quantiles of them.
        scales: of each part of the score on those samples, by name: the mean and the deviation of
            its logarithm, and the mean of its map.
        tried: the score's name to its area under the ROC curve on synthetic defects.
        peak: the 99th percentile of the maxima of the maps of normal samples; 0 without maps.
        weights: the sum of the weights that it was settled with.
        codes: of normal samples, where the score is their distance.
    """

    score: str
    threshold: float
    rate: float
    interval: tuple[float, float]
    count: int
    scores: np.ndarray
    scales: Mapping[str, tuple[float, float, float]]
    tried: Mapping[str, float] = field(default_factory=dict)
    peak: float = 0.0
    weights: str = ""
    codes: residuals.CodeDistribution | None = None

    @classmethod
    def from_facts(cls, facts: Any) -> "Detector | None":
        """Return the detector that `run.json` states; None where it states none."""
        if not isinstance(facts, Mapping):
            return None
        low, high = facts["interval"]
        codes = facts.get("codes")
        return cls(
            facts["score"],
            facts["threshold"],
            facts["rate"],
            (low, high),
            facts["count"],
            np.array(facts["scores"], "float64"),
            {name: (a, b, c) for name, (a, b, c) in facts["scales"].items()},
            facts.get("tried", {}),
            facts.get("peak", 0.0),
            facts.get("weights", ""),
            residuals.CodeDistribution(np.array(codes["mean"]), np.array(codes["precision"]))
            if codes
            else None,
        )

    def facts(self) -> dict[str, Any]:
        """Return it as `run.json` states it."""
        codes = self.codes and {
            "mean": self.codes.mean.tolist(),
            "precision": self.codes.precision.tolist(),
        }
        return {
            "score": self.score,
            "threshold": self.threshold,
            "rate": self.rate,
            "interval": list(self.interval),
            "count": self.count,
            "scores": self.scores.tolist(),
            "scales": {name: list(scale) for name, scale in self.scales.items()},
            "tried": dict(self.tried),
            "peak": self.peak,
            "weights": self.weights,
            **({"codes": codes} if codes else {}),
        }

    def probability(self, scores: np.ndarray) -> np.ndarray:
        """Return the share of the calibration scores that lie below each score, (samples,)."""
        ranks = np.searchsorted(self.scores, scores, side="left") / len(self.scores)
        return np.asarray(ranks, "float32")


def score_names(run: TrainedModel) -> list[str]:
    """Return the scores that a run can give, the one that is taken by default first.

    - `defect`: the square of a map of defects, smoothed by a pixel, of a model with such an output;
    - of a model that gives an input back, residuals: `smoothed` by one pixel and squared, plain
      (`squared`), `smoothed_2` by two pixels, at several scales (`multiscale`) and 1 - SSIM
      (`ssim`); of tables the plain one alone, which of signals comes first;
    - `mahalanobis`: the distance of the code, where it has up to 128 numbers, or channels;
    - `elbo`: the negative evidence bound of a variational model, at the mean code.

    Raises:
        EdkitError: it can give none.
    """
    names = [DEFECT] if DEFECT in run.model.output else []
    back = reconstructing(run)
    if back:
        most = max(positions_of(run.fields[head.target]) for head in back)
        order = {2: RESIDUALS, 1: [_SQUARED, *RESIDUALS], 0: [_SQUARED]}[most]
        names += dict.fromkeys(order)
    if 0 < _code_size(run) <= LARGEST_CODE:
        names.append(CODE)
    if back and posterior_of(run):
        names.append(BOUND)
    if not names:
        raise EdkitError(
            f"{str(run.path)!r} reconstructs no input, so it cannot score anomalies: they need an "
            "auto-encoder, or a model with a map of defects."
        )
    return names


def detector_of(run: TrainedModel) -> Detector | None:
    """Return the detector that a run's `run.json` states; None where it states none.

    Raises:
        EdkitError: its score is none of the run's, or it was settled with other weights.
    """
    detector = Detector.from_facts(run.info.get("detector"))
    if detector is None:
        return None
    names, possible = detector.score.split(BOTH), score_names(run)
    whole = len(names) == 1 or set(names) <= set(detector.scales)
    if not set(names) <= set(possible) or not whole or (CODE in names and not detector.codes):
        raise EdkitError(
            f"{str(run.path)!r} states a score {detector.score!r} that it cannot give: calibrate "
            "it again with edkit calibrate."
        )
    if detector.weights != weights_sum(run.model):
        raise EdkitError(
            f"{str(run.path)!r} was calibrated with other weights than these: calibrate it again "
            "with edkit calibrate, or take --weights as then."
        )
    return detector


def default_score(run: TrainedModel) -> str:
    """Return the score of a run that was not calibrated.

    Raises:
        EdkitError: it can give none before normal samples were looked at.
    """
    for name in score_names(run):
        if name != CODE:
            return name
    raise EdkitError(
        f"{str(run.path)!r} can be scored by the distance of its code alone: calibrate it first, "
        f"with edkit calibrate {run.path}."
    )


def positions_of(field: Field) -> int:
    """Return along how many axes, before the channels, the numbers of a field have neighbours."""
    return {"image": 2, "video": 2, "signal": 1}.get(field.kind, 0)


Part = tuple[np.ndarray, np.ndarray | None]
"""A score of some samples, (samples,), and its map, (samples, ...), where it has one."""


@dataclass(frozen=True)
class Scorer:
    """Scores of what a run makes of some samples.

    Args:
        run: the run.
        names: of single scores, out of `score_names`.
        codes: of normal samples; needed for `mahalanobis`.
    """

    run: TrainedModel
    names: Sequence[str]
    codes: residuals.CodeDistribution | None = None

    def parts(self, inputs: Arrays, outputs: Arrays) -> dict[str, Part]:
        """Return each score of a batch, by name.

        Args:
            inputs: of the model, prepared, (samples, ...) by name.
            outputs: of the model for them.
        """
        return {name: self._part(name, inputs, outputs) for name in self.names}

    def _part(self, name: str, inputs: Arrays, outputs: Arrays) -> Part:
        if name == DEFECT:
            seen = np.asarray(outputs[DEFECT], "float64")[..., 0]
            return np.square(gaussian_filter(seen, (0, 1, 1))).mean(axis=(1, 2)), seen
        if name == CODE and self.codes is not None:
            return self.codes.distance(codes_of(self.run, inputs, outputs)), None
        if name == BOUND:
            return self._bound(inputs, outputs), None
        total = np.zeros(len(next(iter(inputs.values()))))
        marks: np.ndarray | None = None
        for head in reconstructing(self.run):
            facts = self.run.fields[head.target]
            score, own = residual_part(name, inputs[head.target], outputs[head.output], facts)
            total += score
            marks = own if marks is None and positions_of(facts) else marks
        return total, marks

    def _bound(self, inputs: Arrays, outputs: Arrays) -> np.ndarray:
        """Return the loss of the reconstruction plus the divergence, in nats; Kingma & Welling."""
        terms = [
            values_of(head.loss, inputs[head.target], outputs[head.output])
            for head in reconstructing(self.run)
        ]
        terms.append(values_of(losses.gaussian_kl, outputs[posterior_of(self.run)]))
        return np.sum(terms, axis=0, dtype="float64")


def divisor_of(name: str, positions: int) -> Literal["", "norm", "variance"]:
    """Return what of each original the sum of a residual is divided by, "" for nothing.

    Of `smoothed` of an image it is the root of the sum of its squares, lest bright images look odd,
    of `smoothed_2` and `multiscale` the variance.

    Args:
        name: one of the residuals of `score_names`.
        positions: axes along which the numbers have neighbours.
    """
    if name == _SMOOTHED and positions == 2:
        return "norm"
    return "variance" if name in _OF_CONTRAST else ""


def residual_part(name: str, original: np.ndarray, restored: np.ndarray, field: Field) -> Part:
    """Return a score of the residual of each sample, and its map.

    Its sum over a sample is divided by what `divisor_of` says.

    Args:
        name: one of the residuals of `score_names`.
        original: (samples, ...) of the field.
        restored: in the same shape.
        field: the field.
    """
    positions = positions_of(field)
    marks = RESIDUALS[name](original, restored, positions)
    axes = tuple(range(1, original.ndim))
    size = np.ones(len(original))
    divisor = divisor_of(name, positions)
    if divisor == "norm":
        size = np.sqrt(np.square(original, dtype="float64").sum(axis=axes))
    if divisor == "variance":
        size = np.var(original, axis=axes, dtype="float64")
    size = np.where(size > 0, size, 1.0).reshape(-1, *[1] * (marks.ndim - 1))
    marks = np.asarray(marks / size)
    return marks.reshape(len(marks), -1).sum(axis=1), marks


def codes_of(run: TrainedModel, inputs: Arrays, outputs: Arrays) -> np.ndarray:
    """Return the codes of a batch, (samples, numbers): of maps the means of their channels."""
    if "code" in outputs:
        return residuals.flat_codes(outputs["code"])
    encoder = run.encoder
    given = {name: inputs[name] for name in inputs_of(encoder) or {}}
    return residuals.flat_codes(encoder.predict_on_batch(given)["code"])


def added(parts: Mapping[str, Part], detector: Detector) -> Part:
    """Return the score of a detector from its parts.

    Two scores are added as the means of their logarithms, each less its mean on the normal samples
    and divided by its deviation there; two maps each divided by their means there.
    """
    names = detector.score.split(BOTH)
    if len(names) == 1:
        return parts[names[0]]
    scores, marks = np.zeros(len(parts[names[0]][0])), None
    for name in names:
        mean, deviation, level = detector.scales[name]
        score, own = parts[name]
        scores = scores + (np.log(score + TINY) - mean) / deviation / len(names)
        if own is not None:
            own = own / max(level, TINY)
            marks = own if marks is None else marks + own
    return np.asarray(scores), marks


def scale_of(part: Part) -> tuple[float, float, float]:
    """Return what `added` needs of a score on normal samples; see `Detector.scales`."""
    score, marks = part
    logs = np.log(score + TINY)
    level = float(np.mean(marks)) if marks is not None else 0.0
    return float(logs.mean()), max(float(logs.std()), 1e-6), level


def all_parts(scorer: Scorer, arrays: Arrays) -> dict[str, Part]:
    """Return the scores of any number of samples, of their maps the mean alone, (samples,).

    Args:
        scorer: what scores them.
        arrays: field to (samples, ...), prepared, or anything that slices like it.

    Raises:
        EdkitError: an output of the model is not finite.
    """
    pieces_of = [
        scorer.parts(inputs, outputs) for inputs, _, outputs in pieces(scorer.run.model, arrays)
    ]
    whole: dict[str, Part] = {}
    for name in scorer.names:
        score = np.concatenate([piece[name][0] for piece in pieces_of])
        if not np.isfinite(score).all():
            raise EdkitError(
                f"{str(scorer.run.path)!r} gives scores that are not finite; train it again with a "
                "lower --learning-rate."
            )
        maps = [piece[name][1] for piece in pieces_of]
        means = [m.reshape(len(m), -1).mean(axis=1) for m in maps if m is not None]
        whole[name] = score, np.concatenate(means) if means else None
    return whole


def scoring(
    run: TrainedModel, detector: Detector | None = None, *, maps: bool = False
) -> Inference:
    """Return the inference from samples to their scores.

    `score` (samples,); where the run has a threshold also `probability`, the share of the
    calibration scores below it, and `verdict`, normal or odd; on request `map`.

    Args:
        run: the run.
        detector: of the run, where it was calibrated.
        maps: whether the maps are given.

    Raises:
        EdkitError: the run can give no score, or a map is wanted that its score does not have.
    """
    name = detector.score if detector else default_score(run)
    scorer = Scorer(run, name.split(BOTH), detector.codes if detector else None)
    outputs = Fields(score=Field((), "value"))
    if detector:
        outputs["probability"] = Field((), "value")
        outputs["verdict"] = Field((), "class", VERDICTS)
    if maps:
        outputs["map"] = Field(_map_shape(run, name), "value")

    def finish(given: Maps, raw: Maps) -> Maps:
        count = len(next(iter(raw.values())))
        parts = scorer.parts({name: array[:count] for name, array in given.items()}, raw)
        score, marks = added(parts, detector) if detector else parts[name]
        result = {"score": score.astype("float32")}
        if detector:
            result["probability"] = detector.probability(score)
            result["verdict"] = np.array(VERDICTS)[(score > detector.threshold).astype(int)]
        if maps and marks is not None:
            result["map"] = marks.astype("float32")
        return result

    fields = Fields({one: run.fields[one] for one in inputs_of(run.model) or {}})
    return Inference(run, run.model, fields, outputs, finish)


def _map_shape(run: TrainedModel, score: str) -> tuple[int, ...]:
    """Return the shape of the map of one sample."""
    names = score.split(BOTH)
    if DEFECT in names:
        return tuple(run.model.output[DEFECT].shape[1:-1])
    shapes = [
        run.fields[head.target].shape[:-1]
        for head in reconstructing(run)
        if positions_of(run.fields[head.target])
    ]
    if not shapes or not any(name in RESIDUALS for name in names):
        raise EdkitError(
            f"the score {score!r} of {str(run.path)!r} has no map: leave the maps out, or choose "
            "another score with edkit calibrate --score."
        )
    return shapes[0]


def _code_size(run: TrainedModel) -> int:
    """Return how many numbers of a code are looked at: its channels; 0 where there is none."""
    try:
        return int(run.encoder.output["code"].shape[-1])
    except (EdkitError, KeyError, TypeError):
        return 0


def posterior_of(run: TrainedModel) -> str:
    """Return the output that holds the distribution of the code, "" where there is none."""
    heads = [head.output for head in run.model.heads if head.loss is losses.gaussian_kl]
    return next(iter(heads), "")
