"""Evaluation of a run on one split, with the measures that suit its heads."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from ed_core.data.loading import Data
from ed_core.evaluation.measures import (
    ClassAccuracy,
    EvidenceBound,
    MapAccuracy,
    Neighbours,
    ReconstructionError,
    UnitActivity,
    ValueErrors,
)
from ed_core.evaluation.splits import measured_on, split_arrays
from ed_core.evaluation.subject import Numbers, SampleBatch, Subject
from ed_core.evaluation.terms import Metrics, OwnLoss
from ed_core.nn import losses
from ed_core.plugins.spec import Head
from ed_core.runs.run import Run, open_run


class Measure(Protocol):
    """A sum over the samples that becomes numbers: no measure holds the samples themselves."""

    def add(self, part: SampleBatch) -> None:
        """Take some samples into account."""

    def numbers(self) -> Numbers:
        """Return the numbers by name."""


Suits = Callable[[Subject, Head], bool]


def evaluate(
    run: Run | str | Path,
    data: Data | None = None,
    *,
    split: str | None = None,
    seed: int = 0,
    field_names: Mapping[str, str] | None = None,
) -> Numbers:
    """Measure a trained model on one split, and what it must beat.

    Which numbers there are follows from the heads (`MEASURES`), those of targets over what has one;
    `<head>_count` says over how many samples (of a reconstruction) or targets (of all else). A head
    whose weight was always 0 has no number; what is said of a code stays.

    - a reconstruction: `mse` (per number, from the mean code), `sum_squared_error` (per sample),
      and the floors `pca_mse` and `untrained_mse`; where several heads reconstruct, with `<head>_`;
    - a sparse code: `active_fraction`;
    - a variational model: `neg_elbo`, `reconstruction`, `kl` (nats, one of z a sample) and
      `active_units`;
    - a class a sample: `<head>_accuracy` and the floor `<head>_majority`;
    - a class a pixel: `<head>_mean_iou` over the classes that occur in the truth of the split,
      `<head>_iou_<class>`, `<head>_pixel_accuracy` and the floor `<head>_majority`;
    - a value a sample or a pixel, in its own units: `<head>_rmse`, `<head>_mae` and the floor
      `<head>_mean_rmse` (the training mean); of one a sample also `<head>_within_10`;
    - a contrastive code: `knn_accuracy` and the floor `knn_majority`;
    - every other metric of a head: `<head>_<metric>`;
    - a head with a loss of one's own, or that nothing else suits: `<head>_loss`, its mean over what
      has a target, unweighted. The scores of an adversarial pair have none.

    A split is read a piece at a time, and may be larger than the memory.

    Args:
        run: a run, or its folder.
        data: a data set, or arrays by the name of their field, such as `{"image": x}`; by default
            the run's own. The floors are fitted on the run's own.
        split: the split to measure on, or `all` of a data set that came without splits. By default
            `all` of such a data set that is not the run's own, else `test`, or `validation` where
            there is no test.
        seed: of the noise in z, the same on every backend.
        field_names: of other data, what the model calls a field to what the data call it.

    Returns:
        The numbers by name, flat and ready for JSON.

    Raises:
        EdkitError: it is no run, the data set is unknown or does not fit the model, or the model
            gives what is not finite.
    """
    run = run if isinstance(run, Run) else open_run(run)
    on = measured_on(run, data, split, field_names)
    subject = Subject(run, split_arrays(run, on), seed)
    measures = [
        measure(subject, head)
        for suits, measure in MEASURES
        for head in run.model.heads
        if suits(subject, head)
    ]
    for part in subject.parts() if measures else ():
        for measure in measures:
            measure.add(part)
    result = subject.about(on.name, on.split)
    for measure in measures:
        result |= measure.numbers()
    return result


def _restores(subject: Subject, head: Head) -> bool:
    return head in subject.reconstructions and subject.run.was_trained(head)


def _predicts(kind: str) -> Suits:
    return lambda subject, head: (
        subject.kind(head) == kind
        and head not in subject.reconstructions
        and subject.run.was_trained(head)
    )


def _has_metrics(subject: Subject, head: Head) -> bool:
    return (
        bool(head.metrics) and subject.kind(head) != "class map" and subject.run.was_trained(head)
    )


def _is_contrastive(subject: Subject, head: Head) -> bool:
    return head.output == "code" and head.loss is losses.contrastive


def _has_own_loss(subject: Subject, head: Head) -> bool:
    """Return whether no other measure covers the loss of a head."""
    if head.loss in (losses.score_as_real, losses.score_as_fake) or not subject.run.was_trained(
        head
    ):
        return False
    own = getattr(head.loss, "__module__", "") != losses.__name__
    return own or not any(suits(subject, head) for suits, _ in MEASURES[:-1])


MEASURES: tuple[tuple[Suits, Callable[[Subject, Head], Measure]], ...] = (
    (_restores, ReconstructionError),
    (lambda subject, head: head.loss is losses.l1, UnitActivity),
    (lambda subject, head: head.loss is losses.gaussian_kl, EvidenceBound),
    (_predicts("class"), ClassAccuracy),
    (_predicts("class map"), MapAccuracy),
    (_predicts("value"), ValueErrors),
    (_is_contrastive, Neighbours),
    (_has_metrics, Metrics),
    (_has_own_loss, OwnLoss),
)
"""Which heads are measured how; a new kind of head is one class and one line here."""
