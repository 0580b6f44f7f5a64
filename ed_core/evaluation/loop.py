"""Every measure that suits a head of a run, on one split."""

from collections.abc import Callable
from pathlib import Path

from ed_core import losses
from ed_core.evaluation.classes import class_accuracy, metrics_of, neighbours
from ed_core.evaluation.maps import map_accuracy
from ed_core.evaluation.reconstruction import activity, reconstruction_error
from ed_core.evaluation.splits import default_split, measured_on, split_arrays
from ed_core.evaluation.subject import Numbers, Subject
from ed_core.evaluation.values import value_error
from ed_core.evaluation.variational import evidence_bound
from ed_core.run import Run, open_run
from ed_core.spec import Head

Suits = Callable[[Subject, Head], bool]
Measure = Callable[[Subject, Head], Numbers]


def evaluate(
    run: Run | str | Path, data: str | None = None, *, split: str | None = None, seed: int = 0
) -> Numbers:
    """Measure a trained model on one split, and what it must beat.

    Which numbers there are follows from the heads (`MEASURES`), those of targets over what has one:

    - a reconstruction: `mse` (per pixel, from the mean code), `sum_squared_error` (per image), and
      the floors `pca_mse` and `untrained_mse`; where several heads reconstruct, with `<head>_`;
    - a sparse code: `active_fraction`;
    - a variational model: `neg_elbo`, `reconstruction`, `kl` (nats, one sample of z an image) and
      `active_units`;
    - a class a sample: `<head>_accuracy` and the floor `<head>_majority`;
    - a class a pixel: `<head>_mean_iou` over the classes that occur in the truth of the split,
      `<head>_iou_<class>`, `<head>_pixel_accuracy` and the floor `<head>_majority`;
    - a value a sample or a pixel, in its own units: `<head>_rmse`, `<head>_mae` and the floor
      `<head>_mean_rmse` (the training mean); of one a sample also `<head>_within_10`;
    - a contrastive code: `knn_accuracy` and the floor `knn_majority`;
    - every other metric of a head: `<head>_<metric>`.

    Args:
        run: a run, or its folder.
        data: a data set; by default the run's own. The floors are fitted on the run's own.
        split: the split to measure on; by default `test`, or `validation` where there is no test.
        seed: of the noise in z, the same on every backend.

    Returns:
        The numbers by name, flat and ready for JSON.

    Raises:
        EdkitError: it is no run, the data set is unknown or does not fit the model, or the model
            gives what is not finite.
    """
    run = run if isinstance(run, Run) else open_run(run)
    name, source = measured_on(run, data)
    split = split or default_split(source)
    subject = Subject(run, split_arrays(run, source, name, split), seed)
    result = subject.about(name, split)
    for suits, measure in MEASURES:
        for head in run.model.heads:
            if suits(subject, head):
                result |= measure(subject, head)
    return result


MEASURES: tuple[tuple[Suits, Measure], ...] = (
    (lambda subject, head: head in subject.reconstructions, reconstruction_error),
    (lambda subject, head: head.loss is losses.l1, activity),
    (lambda subject, head: head.loss is losses.gaussian_kl, evidence_bound),
    (lambda subject, head: subject.kind(head) == "class", class_accuracy),
    (lambda subject, head: subject.kind(head) == "class map", map_accuracy),
    (
        lambda subject, head: subject.kind(head) == "value" and head not in subject.reconstructions,
        value_error,
    ),
    (lambda subject, head: head.output == "code" and head.loss is losses.contrastive, neighbours),
    (lambda subject, head: bool(head.metrics) and subject.kind(head) != "class map", metrics_of),
)
"""Which heads are measured how; a new kind of head is one function and one line here."""
