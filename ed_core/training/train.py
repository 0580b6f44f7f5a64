"""Training of a registered model into a run folder, and resuming of a stopped run."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ed_core.data.fingerprint import changes
from ed_core.data.loading import Data, data_name, settle_data, short_data
from ed_core.engine import precision
from ed_core.engine.choice import running_backend
from ed_core.engine.compile_cache import keep_compiled
from ed_core.errors import EdkitError, unknown
from ed_core.plugins.decorators import MODELS
from ed_core.plugins.findings import say
from ed_core.recording import RunFolder
from ed_core.recording.control import forget_requests
from ed_core.recording.run_description import checked
from ed_core.runs.checkpoints import Position, newest_first, restore_checkpoint
from ed_core.runs.rebuilding import bounded, check_info, fields_of, stored_shapes, warn_of_faults
from ed_core.runs.run import Run
from ed_core.training.callbacks import Note
from ed_core.training.job import Job
from ed_core.training.options import TRAINING_OPTIONS, Plan, compare, plan_of
from ed_core.training.stop_signal import graceful

Started = Callable[[RunFolder], None] | None
_OF_ITS_END = (
    "stopped_early",
    "epochs_done",
    "weights_changed_by_callbacks",
    "callbacks",
    "problem",
)


def train(
    model: str,
    data: Data | None = None,
    *,
    out: str | Path = "runs",
    callbacks: Sequence[Any] = (),
    started: Started = None,
    noted: Note | None = None,
    **options: Any,
) -> Run:
    """Train a registered model into a run folder.

    Args:
        model: the name of a model.
        data: a data set, with its options as in `folder:scenes.toml`, or arrays by the name of
            their field, such as `{"image": x, "label": y}`, numpy or anything that slices like it;
            by default the model's own data set. Arrays are not kept: who resumes or measures the
            run gives them again.
        out: where the run folder is made.
        callbacks: more Keras callbacks.
        started: called with the run's folder before the first step.
        noted: called with the kind and the text of every event, such as a change made by hand.
        options: of the training, such as `epochs` (see `ed_core.training.options.Plan`), and of the
            model.

    Returns:
        The finished run, with its model.

    Raises:
        EdkitError: a name, an option or the data is wrong (before anything is written), or the
            loss is no longer finite.
    """
    keep_compiled(running_backend())
    spec = MODELS[model]
    for name in options:
        if name not in (*spec.options, *TRAINING_OPTIONS):
            raise unknown(f"option of model {model!r}:", name, [*spec.options, *TRAINING_OPTIONS])
    of_plan = {name: options.pop(name) for name in TRAINING_OPTIONS if name in options}
    data = spec.data if data is None else data
    plan = Plan(spec.name, settle_data(data_name(data)), spec.check(options), **of_plan)
    job = Job.prepare(spec, plan, arrays=None if isinstance(data, str) else data)
    say(job.data.input.findings, plan.data)
    with graceful() as stop:
        info = checked({**asdict(job.plan), "status": "training", **job.facts()}, "run.json")
        folder = RunFolder.create(out, f"{plan.model}-{short_data(plan.data)}")
        with folder.hold():
            try:
                folder.write(info)
            except OSError:
                shutil.rmtree(folder.path, ignore_errors=True)
                raise
            if started:
                started(folder)
            return job.work(folder, Position(0, 0, 0), callbacks, stop, noted)


def resume(
    path: str | Path,
    *,
    data: Mapping[str, Any] | None = None,
    epochs: int | None = None,
    callbacks: Sequence[Any] = (),
    started: Started = None,
    noted: Note | None = None,
) -> Run:
    """Resume a run from its newest checkpoint, as if it had never stopped.

    On the same backend and versions the result is bit for bit that of an uninterrupted run.

    Args:
        path: the run folder.
        data: the arrays that it is trained on, of a run that was trained on arrays of a program.
        epochs: train to this many epochs in all, where it is more than was planned.
        callbacks: more Keras callbacks.
        started: called with the run's folder before the first step.
        noted: called with the kind and the text of every event, such as a change made by hand.

    Raises:
        EdkitError: it is no run of this backend, it is in use, there is nothing left to do, or the
            arrays are others.
    """
    keep_compiled(running_backend())
    folder = RunFolder.open(path)
    with folder.hold():
        forget_requests(folder.control)
        info = folder.read()
        check_info(info, str(path))
        plan = plan_of(info, str(path))
        if data is not None and plan.data != data_name(data):
            raise EdkitError(
                f"{str(path)!r} was trained on {plan.data!r}, received arrays: leave these out."
            )
        if epochs is not None and epochs < plan.epochs:
            raise EdkitError(
                f"{str(path)!r} was planned for {plan.epochs} epochs, received {epochs}: "
                "a run can be made longer, not shorter."
            )
        if epochs is not None and epochs > plan.epochs:
            plan = replace(plan, epochs=epochs)
        elif info.get("status") == "finished":
            _refuse_finished(info, plan, epochs, str(path))
        compare(info)
        stored = stored_shapes(newest_first(folder.checkpoints))
        with precision.as_trained(info), bounded(stored):
            job = Job.prepare(MODELS[plan.model], plan, info, arrays=data)
        _check_same_data(job, info, str(path))
        warn_of_faults(info, job.objective, str(path))
        position = _position(folder, job)
        with graceful() as stop:
            entries = {key: value for key, value in info.items() if key not in _OF_ITS_END}
            described = {**entries, **asdict(plan), "status": "training"}
            folder.write(checked(described, str(folder.info_file)))
            folder.weights.unlink(missing_ok=True)  # those of fewer epochs: no result any more
            if started:
                started(folder)
            return job.work(folder, position, callbacks, stop, noted)


def _refuse_finished(info: Mapping[str, Any], plan: Plan, epochs: int | None, where: str) -> None:
    """Raise EdkitError unless a callback ended a run early and it is asked to go on."""
    done = info.get("epochs_done", plan.epochs)
    if not info.get("stopped_early"):
        raise EdkitError(
            f"{where!r} has finished its {plan.epochs} epochs; "
            f"ask for more with --epochs {plan.epochs + 10}."
        )
    if epochs is None:
        raise EdkitError(
            f"{where!r} was ended after {done} of its {plan.epochs} epochs by a callback "
            f"({', '.join(info.get('callbacks', ())) or 'unknown'}); go on all the same with "
            f"--epochs {plan.epochs}."
        )


def _position(folder: RunFolder, job: Job) -> Position:
    """Restore the newest checkpoint, and return where training goes on."""
    if newest_first(folder.checkpoints):
        batches = job.batches.batches_per_epoch
        return restore_checkpoint(folder.checkpoints, job.objective, batches, job.plan.epochs)
    if folder.weights.is_file():
        raise EdkitError(
            f"{str(folder.path)!r} has weights, but no checkpoint to go on from; train a new run."
        )
    return Position(0, 0, 0)


def _check_same_data(job: Job, info: Mapping[str, Any], where: str) -> None:
    """Raise EdkitError where the data set is no longer the one that a run was trained on."""
    run_fields = fields_of(info)
    for name in job.batches.arrays:
        field, before = job.data.fields[name], run_fields[name].words
        if field.words != before:
            raise EdkitError(
                f"{where!r} cannot be resumed: field {name!r} of data {info['data']!r} was "
                f"{before} and is {field.words} now; train a new run."
            )
    if changed := changes(info.get("fingerprint"), job.fingerprint()):
        raise EdkitError(
            f"{where!r} cannot be resumed: the data {info['data']!r} have changed: {changed}; "
            "train a new run."
        )
    samples = job.batches.samples
    trained = info.get("samples", samples)  # runs of earlier versions do not say
    if trained != samples:
        raise EdkitError(
            f"{where!r} cannot be resumed: an epoch of data {info['data']!r} had {trained} samples "
            f"and has {samples} now; train a new run."
        )
