"""Measures of classes, reconstructions, codes, values and variational bounds."""

from collections import defaultdict
from collections.abc import Mapping
from math import prod, sqrt
from typing import Any

import numpy as np
from sklearn.neighbors import KNeighborsClassifier

from ed_core.confusion import confusion as counted
from ed_core.confusion import intersection_over_union
from ed_core.data.targets import present
from ed_core.evaluation import baselines
from ed_core.evaluation.splits import known_split
from ed_core.evaluation.subject import Numbers, SampleBatch, Subject, truth
from ed_core.labels import class_name
from ed_core.nn.predict import mean, pieces, predict, total, values_of
from ed_core.nn.submodels import inputs_of, model_inputs
from ed_core.plugins.spec import Head
from ed_core.runs.outputs import positions
from ed_core.runs.run import Run
from ed_core.seeds import Seeds

NEIGHBOURS = 5
_CODES = 10_000  # largest number of training codes searched for neighbours
_ROWS = 500  # training samples read at a time
NOTICEABLE = 0.01  # share of the layer's maximum from which a unit of a sparse code is active
NEAR = 10  # units, such as degrees, within which an estimate of one number is near the truth
ACTIVE = 0.01  # variance of E[z|x] from which a latent unit is active; Burda et al., 2016


def confusion(run: Run, head: Head, split: str) -> np.ndarray:
    """Return how often each class (row) of a split was taken for each (column).

    Counted piece by piece: the probabilities of a whole split are never held. What has no target
    is left out.

    Args:
        run: the run.
        head: one of its model, that predicts the class of a sample or of every pixel.
        split: of the run's data.

    Returns:
        (classes, classes) integers, of samples or of pixels.

    Raises:
        EdkitError: the data have no such split.
    """
    arrays = known_split(run.data, run.info["data"], split)
    field = run.data.fields[head.target]
    classes = run.model.output[head.output].shape[-1]
    counts = np.zeros((classes, classes), np.int64)
    for _, rows, output in pieces(run.model, arrays):
        names = [name for name in (head.target, head.mask) if name]
        target = truth({name: arrays[name][rows] for name in names}, field, head)
        counts += counted(target, output[head.output].argmax(axis=-1), classes)
    return counts


class ConfusionCounts:
    """Counts of truth against prediction, over what has a class: a measure is made of them.

    Args:
        subject: what is measured.
        head: one that predicts classes.
    """

    def __init__(self, subject: Subject, head: Head) -> None:
        self._subject, self._head = subject, head
        classes = subject.run.model.output[head.output].shape[-1]
        self._matrix = np.zeros((classes, classes), np.int64)

    def add(self, part: SampleBatch) -> None:
        """Take some samples into account."""
        target = self._subject.truth(self._head, part)
        predicted = part.outputs[self._head.output].argmax(axis=-1)
        self._matrix += counted(target, predicted, len(self._matrix))


class MapAccuracy(ConfusionCounts):
    """The IoU of each class, their mean, the share of right pixels, and the floor.

    Only classes that occur in the truth of the split have an IoU and count in the mean.
    """

    def numbers(self) -> Numbers:
        """Return them by name; none where no pixel has a class."""
        name, matrix = self._head.name, self._matrix
        field, count = self._subject.run.fields[self._head.target], int(matrix.sum())
        if not count:
            return {}
        occurs = np.flatnonzero(matrix.sum(axis=1))
        shares = intersection_over_union(matrix)
        usual = baselines.majority(self._subject.training_truths(self._head))
        numbers: Numbers = {
            f"{name}_mean_iou": mean(shares[occurs]),
            f"{name}_pixel_accuracy": float(np.trace(matrix) / count),
            f"{name}_majority": float(matrix[usual].sum() / count),
            f"{name}_count": count,
        }
        return numbers | {
            f"{name}_iou_{class_name(field.classes, number)}": float(shares[number])
            for number in map(int, occurs)
        }


class ClassAccuracy(ConfusionCounts):
    """The share of labelled samples whose most probable class is right, and the floor."""

    def numbers(self) -> Numbers:
        """Return them by name; none where nothing has a label."""
        name, count = self._head.name, int(self._matrix.sum())
        if not count:
            return {}
        usual = baselines.majority(self._subject.training_truths(self._head))
        return {
            f"{name}_accuracy": float(np.trace(self._matrix) / count),
            f"{name}_majority": float(self._matrix[usual].sum() / count),
            f"{name}_count": count,
        }


class Neighbours:
    """How often the class of the five nearest training codes is right, and the floor.

    Of the training codes with a class at most 10,000 are looked at, chosen by the seed.
    """

    def __init__(self, subject: Subject, head: Head) -> None:
        self._subject, self._head = subject, head
        self._codes: list[np.ndarray] = []
        self._labels: list[np.ndarray] = []

    def add(self, part: SampleBatch) -> None:
        """Take some samples into account."""
        target = self._subject.truth(self._head, part)
        there = present(target)
        codes = part.outputs[self._head.output]
        self._codes.append(codes.reshape(len(codes), -1)[there])
        self._labels.append(target[there])

    def numbers(self) -> Numbers:
        """Return them by name; none where nothing has a label."""
        subject, head = self._subject, self._head
        target = np.concatenate(self._labels)
        labels = np.concatenate(list(subject.training_truths(head)))
        rows = np.flatnonzero(present(labels))
        if not len(target) or not len(rows):
            return {}
        rows = np.sort(Seeds(subject.seed).generator("neighbours").permutation(rows)[:_CODES])
        codes = _codes_of(subject.run.encoder, subject.run.data.splits["train"], rows)
        nearest = KNeighborsClassifier(min(NEIGHBOURS, len(rows))).fit(codes, labels[rows])
        predicted = nearest.predict(np.concatenate(self._codes))
        return {
            "knn_accuracy": mean(predicted == target),
            "knn_majority": mean(target == baselines.majority([labels])),
            "knn_count": len(target),
        }


def _codes_of(encoder: Any, arrays: Mapping[str, Any], rows: np.ndarray) -> np.ndarray:
    """Return the codes of some samples, (rows, size); `rows` rise, as HDF5 wants them."""
    parts = []
    for first in range(0, len(rows), _ROWS):
        some = rows[first : first + _ROWS]
        inputs = {name: np.asarray(arrays[name][some]) for name in inputs_of(encoder) or {}}
        parts.append(predict(encoder, inputs, ["code"])["code"].reshape(len(some), -1))
    return np.concatenate(parts)


class ReconstructionError:
    """The squared error per number, that of the floors, and the sum per sample.

    Over the samples, or positions, that the head has a target for.
    """

    def __init__(self, subject: Subject, head: Head) -> None:
        self._subject, self._head = subject, head
        self._linear: baselines.PrincipalComponents | None = None
        if subject.code_shape is not None:
            train = subject.run.data.splits["train"][head.target]
            self._linear = baselines.principal_components(train, prod(subject.code_shape))
        self._sums: dict[str, float] = defaultdict(float)
        self._numbers = self._samples = 0

    def add(self, part: SampleBatch) -> None:
        """Take some samples into account."""
        head, target = self._head, part.arrays[self._head.target]
        there = present(self._subject.truth(head, part)).reshape(target.shape)
        self._numbers += int(there.sum())
        self._samples += int(there.reshape(len(there), -1).any(axis=1).sum())
        restored = {"mse": part.outputs[head.output]}
        if self._linear is not None:
            restored["pca_mse"] = self._linear.restore(target)
        model = self._subject.untrained
        restored["untrained_mse"] = model.predict_on_batch(model_inputs(model, part.arrays))[
            head.output
        ]
        for name, output in restored.items():
            self._sums[name] += total(np.square(target - output.astype("float64"))[there])

    def numbers(self) -> Numbers:
        """Return them by name."""
        if not self._numbers:
            return {}
        numbers: Numbers = {name: value / self._numbers for name, value in self._sums.items()}
        size = prod(self._subject.run.fields[self._head.target].shape)
        numbers["sum_squared_error"] = self._sums["mse"] / self._numbers * size
        prefix = self._subject.prefix(self._head)
        named = {f"{prefix}{name}": value for name, value in numbers.items()}
        return {**named, f"{self._head.name}_count": self._samples}


class UnitActivity:
    """The share of code units, over all samples, above 1 % of the layer's maximum."""

    def __init__(self, subject: Subject, head: Head) -> None:
        self._subject, self._output = subject, head.output
        self._largest = 0.0

    def add(self, part: SampleBatch) -> None:
        """Take some samples into account."""
        self._largest = max(self._largest, float(np.abs(part.outputs[self._output]).max()))

    def numbers(self) -> Numbers:
        """Return it; the maximum is known at the end alone, so that the model is asked again."""
        least, active, units = np.float32(NOTICEABLE * self._largest), 0, 0
        for part in self._subject.parts():
            values = np.abs(part.outputs[self._output])
            active += int(np.sum(values > least))
            units += values.size
        return {"active_fraction": active / units}


class ValueErrors:
    """The errors in the units of the field, over what has a value, and the floor.

    The floor is the root mean square error of the mean of the training values.
    """

    def __init__(self, subject: Subject, head: Head) -> None:
        self._subject, self._head = subject, head
        count, sum_known = 0, 0.0
        for target in subject.training_truths(head):
            there = target[present(target)]
            count, sum_known = count + there.size, sum_known + total(there)
        self._usual = sum_known / count if count else None
        self._count = self._near = 0
        self._absolute = self._squares = self._floor = 0.0

    def add(self, part: SampleBatch) -> None:
        """Take some samples into account."""
        target = self._subject.truth(self._head, part)
        there = present(target)
        output = part.outputs[self._head.output].reshape(target.shape)[there].astype("float64")
        error = np.abs(output - target[there])
        self._count += error.size
        self._near += int(np.sum(error <= NEAR))
        self._absolute += total(error)
        self._squares += total(error**2)
        self._floor += total((target[there].astype("float64") - (self._usual or 0.0)) ** 2)

    def numbers(self) -> Numbers:
        """Return them by name; none where nothing has a value, here or in the training split."""
        if not self._count or self._usual is None:
            return {}
        name, count = self._head.name, self._count
        numbers: Numbers = {
            f"{name}_rmse": sqrt(self._squares / count),
            f"{name}_mae": self._absolute / count,
            f"{name}_mean_rmse": sqrt(self._floor / count),
        }
        if not positions(self._subject.run.fields[self._head.target]):
            numbers[f"{name}_within_{NEAR}"] = self._near / count
        return {**numbers, f"{name}_count": count}


class EvidenceBound:
    """The negative ELBO of the model proper (weight 1), its two terms, and active units.

    z = mean + exp(log_var / 2) * epsilon, one a sample. Kingma & Welling, 2014, equation 10. A
    reconstruction that was never trained, since its weight is 0, is no term.
    """

    def __init__(self, subject: Subject, head: Head) -> None:
        self._subject, self._head = subject, head
        self._terms = [term for term in subject.reconstructions if subject.run.was_trained(term)]
        self._random = Seeds(subject.seed).generator("noise")
        self._kl = self._reconstruction = 0.0
        self._samples = 0
        self._mean: np.ndarray | float = 0.0  # (latent,) of what came so far
        self._squares: np.ndarray | float = 0.0  # of the differences from that mean

    def add(self, part: SampleBatch) -> None:
        """Take some samples into account."""
        posterior = part.outputs[self._head.output]
        mean, log_var = posterior[:, 0], posterior[:, 1]
        epsilon = self._random.standard_normal(mean.shape, np.float32)
        z = (mean + np.exp(0.5 * log_var) * epsilon).reshape(-1, *(self._subject.code_shape or ()))
        decoder = self._subject.run.decoder
        decoded = decoder.predict_on_batch(model_inputs(decoder, {**part.arrays, "code": z}))
        self._kl += total(values_of(self._head.loss, posterior))
        for term in self._terms:
            target, output = part.arrays[term.target], decoded[term.output]
            self._reconstruction += total(values_of(term.loss, target, output))
        self._add_means(mean.astype("float64"))

    def _add_means(self, means: np.ndarray) -> None:
        """Take means (samples, latent) into their variance; Chan et al., 1983."""
        before, count = self._samples, len(means)
        own = means.mean(axis=0)
        self._samples += count
        self._squares += np.square(means - own).sum(axis=0)
        self._squares += np.square(own - self._mean) * before * count / self._samples
        self._mean += (own - self._mean) * count / self._samples

    def numbers(self) -> Numbers:
        """Return them by name, in nats."""
        kl, rest = self._kl / self._samples, self._reconstruction / self._samples
        return {
            "neg_elbo": rest + kl,
            "reconstruction": rest,
            "kl": kl,
            "active_units": int(np.sum(self._squares / self._samples > ACTIVE)),
        }
