"""Training job: checks the data, compiles the model and calls `fit`."""

import math
import warnings
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from typing import Any

import keras
import numpy as np

from ed_core.data.batches import Batches, reference_batch
from ed_core.data.checks import check_data, check_shapes
from ed_core.data.fingerprint import fingerprint
from ed_core.data.lazy import at_a_time
from ed_core.data.loading import load_data, why_missing
from ed_core.data.selection import class_weights, select
from ed_core.data.targets import needed_fields
from ed_core.data.validation_split import settle_share, unwatched
from ed_core.engine import precision, randomness, tuning
from ed_core.engine.callback_list import LazyCallbackList
from ed_core.engine.fast_layers import speed_up_layers
from ed_core.errors import EdkitError, FieldError
from ed_core.nn import losses
from ed_core.nn.objective import Objective
from ed_core.nn.optimizers import ScaledSchedule
from ed_core.nn.submodels import weights_sum
from ed_core.plugins.spec import Dataset, Field, FieldKind, Head, ModelSpec
from ed_core.probes.capture import check_size
from ed_core.probes.reading import JointReader
from ed_core.probes.recorder import Recorder
from ed_core.recording import Recording, RunFolder
from ed_core.recording.control import Inbox
from ed_core.recording.folder import now
from ed_core.recording.run_description import FORMAT
from ed_core.runs.checkpoints import Position
from ed_core.runs.earlier import is_earlier
from ed_core.runs.rebuilding import build, save_weights
from ed_core.runs.run import Run, open_run
from ed_core.seeds import Seeds
from ed_core.training.callbacks import (
    Checkpointer,
    Interrupted,
    Note,
    Order,
    WarmUp,
    weight_schedules,
)
from ed_core.training.hooks import initialise, make_augment, make_optimizer
from ed_core.training.options import BATCH, Plan, check_terms, facts, settle_batch
from ed_core.training.steering import Steering
from ed_core.training.stop_signal import StopSignal


@dataclass(frozen=True, slots=True)
class Job:
    """A compiled model with its checked data, ready to train.

    `kept` says that nothing but the job holds the data: arrays of a program.
    """

    spec: ModelSpec
    plan: Plan
    data: Dataset
    objective: Objective
    rate: ScaledSchedule
    batches: Batches
    validation: Batches | None
    earlier: bool = False
    kept: bool = False

    @classmethod
    def prepare(
        cls,
        spec: ModelSpec,
        plan: Plan,
        info: Mapping[str, Any] | None = None,
        *,
        arrays: Mapping[str, Any] | None = None,
    ) -> "Job":
        """Load and check the data, build and compile the model; writes nothing.

        Args:
            spec: the model.
            plan: of the run.
            info: what `run.json` says, of a run that goes on.
            arrays: of a program, which are trained on.
        """
        tuning.share_heap()  # before the backend has threads
        earlier = info is not None and is_earlier(info)
        check_terms(spec, plan, rising=not earlier)
        data = load_data(plan.data if arrays is None else arrays, _fields_of(spec.heads))
        if not earlier:
            plan = replace(plan, validation=settle_share(data, plan.validation, plan.data))
        facts = {**asdict(plan), "input": (info or {}).get("input")}
        data = select(data, spec.heads, facts, earlier=earlier)
        if plan.validation == 0:
            data = unwatched(data)
        try:
            objective = build(spec, data.fields, plan.params, plan.weights, plan.seed)
            check_data(data, plan.data, list(objective.input), objective.heads)
        except FieldError as error:  # a builder sees the fields, and not what they are of
            why = why_missing(data, error.missing) if error.missing else ""
            raise FieldError(f"data {plan.data!r}: {error}{why}") from error
        check_shapes(objective, objective.heads, data.fields)
        plan, data = settle_batch(plan, data, objective.input)
        if plan.engine != "plain":
            speed_up_layers(objective)
        seeds = Seeds(plan.seed, shared=earlier)
        batches, validation = _batches(spec, plan, data, objective, seeds)
        initialise(spec, objective, data.splits["train"], plan.params)
        if plan.record:
            _try_probes(spec, objective, data)
        steps = plan.epochs * batches.batches_per_epoch
        rate = _compile(objective, spec, plan, steps, _turn_steps(info, steps))
        randomness.reseed(objective, seeds)
        kept = arrays is not None
        return cls(spec, plan, data, objective, rate, batches, validation, earlier, kept)

    def facts(self) -> dict[str, Any]:
        """Return what `run.json` says of a training beside its plan: what was used for it."""
        optimizer = self.objective.optimizer
        return {
            "format": FORMAT,
            "turn_steps": self.rate.steps,
            **facts(self.data),
            "samples": self.batches.samples,
            "fingerprint": self.fingerprint(),
            "input": asdict(self.data.input),
            "precision": precision.of_now(),
            "optimizer": {"class": type(optimizer).__name__, **_plain(vars(optimizer))},
        }

    def fingerprint(self) -> dict[str, dict[str, Any]]:
        """Return the fingerprint of what is trained on, and of what is validated on."""
        return fingerprint(self.data, self.batches.arrays)

    def work(
        self,
        folder: RunFolder,
        position: Position,
        callbacks: Sequence[Any],
        stop: StopSignal,
        noted: Note | None = None,
    ) -> Run:
        """Train from `position` to the end, or until `stop`; leave the weights in the folder."""
        self.rate.factor = position.factor
        try:
            recorder = self._recorder(folder, position) if self.plan.record else None

            def note(kind: str, text: str) -> None:
                for listener in (recorder and recorder.note, noted):
                    if listener:
                        listener(kind, text)

            watching = [recorder] if recorder else []
            acting = self._acting(folder, position, note, stop, recorder)
            if stop.number:  # before the first step: there is nothing to save
                raise Interrupted(stop.number)
            with recorder or nullcontext():
                self._fit(position, [Order(self.batches), *watching, *acting, *callbacks])
                if recorder and acting[0].step == position.step:  # there was nothing left to do
                    self._record_end(recorder, position)
            save_weights(self.objective, folder.weights)
            ended = self._ended(acting[0], callbacks)
            folder.update(status="finished", ended=now(), **ended)
        except BaseException as error:
            if isinstance(error, Interrupted):
                folder.end("stopped", ended=now())
            else:
                folder.fail(error, ended=now())
            raise
        run = open_run(folder.path, model=self.objective)
        if self.kept:
            run.substitute_data(self.data, selected=True)
        return run

    def _ended(self, checkpointer: Checkpointer, callbacks: Sequence[Any]) -> dict[str, Any]:
        """Return how far training came, and what callbacks did to it at its end."""
        done = checkpointer.step // self.batches.batches_per_epoch
        names = [type(one).__name__ for one in callbacks if not _is_own(one)]
        # Where there was no step left to do, no callback was told of any.
        changed = checkpointer.weights_sum not in ("", weights_sum(self.objective))
        return {
            "epochs_done": done,
            "callbacks": names,
            "stopped_early": done < self.plan.epochs,
            "weights_changed_by_callbacks": changed,
        }

    def _fit(self, position: Position, callbacks: list[Any]) -> None:
        """Run Keras' `fit`; what is left of a half-done epoch is a `fit` of its own."""
        epoch, order = position.epoch, callbacks[0]
        sources = [one for one in (self.batches, self.validation) if one is not None]
        self.objective.gather_from(sources)
        try:
            if position.batch:
                order.start_within(position.batch, self.objective)
                self._epochs(epoch, epoch + 1, callbacks)
                epoch += 1
            stopped = position.batch and self.objective.stop_training
            if not stopped and epoch < self.plan.epochs:
                order.start_within(0, None)
                self._epochs(epoch, self.plan.epochs, callbacks)
        finally:
            self.objective.gather_from(())
            for one in sources:  # TensorFlow keeps the batches themselves
                one.let_go()

    def _epochs(self, first: int, end: int, callbacks: list[Any]) -> None:
        steps = len(self.batches)
        watched = LazyCallbackList(
            callbacks, add_history=True, model=self.objective, verbose=0, epochs=end, steps=steps
        )
        try:
            self.objective.fit(
                self.batches,
                initial_epoch=first,
                epochs=end,
                validation_data=self.validation,
                callbacks=watched,
                shuffle=False,  # the order is the batches' own
                verbose=0,
            )
        except EdkitError:
            raise
        except Exception as error:
            of_files = (one.problem for one in (self.batches, self.validation) if one)
            if problem := next(filter(None, of_files), None):
                raise problem from error
            raise

    def _record_end(self, recorder: Recorder, position: Position) -> None:
        """Take the last frame where a run was ended between its last step and that frame."""
        with Recording(recorder.folder.path) as recording:
            if position.step in recording.steps:
                return
            scalars = recording.header.scalars if recording.header else ()
        epoch = position.step / self.batches.batches_per_epoch
        recorder.record_end(self.objective, (position.step, epoch), scalars)

    def _acting(
        self,
        folder: RunFolder,
        position: Position,
        note: Note,
        stop: StopSignal,
        recorder: Recorder | None,
    ) -> list[Any]:
        """Return the callbacks that save, and that change what is trained."""
        warm_up = self._warm_up(position)
        last_step = self.plan.epochs * self.batches.batches_per_epoch - 1
        checkpointer = Checkpointer(
            folder.checkpoints,
            position,
            self.batches.batches_per_epoch,
            note,
            stop,
            settled={
                **self.spec.weights(self.plan.params, self.plan.weights),
                **{name: weight(last_step) for name, weight in warm_up.schedules.items()},
            },
            changes=warm_up.changes,
            settle=recorder.settle if recorder else lambda seconds: (),
        )
        inbox = Inbox(folder.control, list(self.objective.head_weights))
        steering = Steering(
            inbox, self.rate, checkpointer, warm_up, epochs=self.plan.epochs, note=note
        )
        return [checkpointer, warm_up, steering]

    def _warm_up(self, position: Position) -> WarmUp:
        """Return what sets the weights of the heads, except for those that were set by hand."""
        spec, plan = self.spec, self.plan
        steps = self.batches.batches_per_epoch
        rises = {name: count * steps for name, count in spec.warm_ups(plan.params).items()}
        schedules = weight_schedules(
            self.objective.heads, spec.weights(plan.params, plan.weights), rises, self.rate.steps
        )
        ours = {name: one for name, one in schedules.items() if name not in position.held}
        return WarmUp(ours, position.step)

    def _recorder(self, folder: RunFolder, position: Position) -> Recorder:
        plan, fields = self.plan, self.data.fields
        run = {
            "model": plan.model,
            "data": plan.data,
            "params": plan.params,
            "seed": plan.seed,
            "total_epochs": plan.epochs,
            "steps_per_epoch": self.batches.batches_per_epoch,
            "heads": [head.name for head in self.objective.heads],
            "steerable": True,
        }
        recorder = Recorder(
            folder.path,
            self.spec.probes,
            _reference(folder, self.data, self.earlier),
            fields={name: asdict(field) for name, field in fields.items()},
            every=plan.every,
            share=plan.record_share,
            run=run,
        )
        recorder.go_on(position.step, position.seconds, _lost_frames(folder, position))
        return recorder


def _reference(folder: RunFolder, data: Dataset, earlier: bool) -> dict[str, np.ndarray]:
    """Return what the probes look at: of an earlier run, what they looked at before."""
    if earlier and any(folder.recording.glob("*.h5")):
        with Recording(folder.path) as recording:
            if reference := recording.reference():
                return reference
    return reference_batch(data)


def _compile(
    objective: Objective, spec: ModelSpec, plan: Plan, steps: int, turn: int
) -> ScaledSchedule:
    """Compile a model with the optimizer of a training; return its learning rate.

    Args:
        objective: the model.
        spec: as registered.
        plan: of the run.
        steps: of the whole training.
        turn: the steps of which its halves are counted.
    """
    tuning.tune_allocator()  # from here on nothing is given back: the data have been looked at
    decay = keras.optimizers.schedules.CosineDecay(plan.learning_rate, steps)
    rate = ScaledSchedule(decay, steps=turn)
    optimizer = make_optimizer(spec, objective, rate, plan.params)
    compiled = objective if plan.engine != "plain" else None
    objective.compile(optimizer=optimizer, jit_compile=tuning.jit_compile(compiled, turn))
    objective.optimizer.build(objective.trainable_variables)
    return rate


def _fields_of(heads: Sequence[Head]) -> dict[str, Field]:
    """Return the targets and masks of some heads whose kind their losses tell."""
    kinds: dict[str, FieldKind] = {}
    for head in heads:
        if head.loss in (losses.categorical_crossentropy, losses.contrastive):
            kinds[head.target] = "class"
        elif head.loss is losses.squared_error:
            kinds[head.target] = "value"
        if head.mask:
            kinds[head.mask] = "mask"
    return {name: Field((), kind) for name, kind in kinds.items()}


def _lost_frames(folder: RunFolder, position: Position) -> list[tuple[str, str]]:
    """Return the event that names frames which never came to the disk, and warn of them."""
    if not position.unwritten:
        return []
    with Recording(folder.path) as recording:
        there = {position.step, *map(int, recording.steps)}  # a resume begins with a frame
    lost = sorted(set(position.unwritten) - there)
    if not lost:
        return []
    steps = ", ".join(map(str, lost[:8])) + ", ..." * (len(lost) > 8)
    text = f"frames of {len(lost)} steps are missing: {steps}"
    warnings.warn(f"{text}; they were not on the disk when the run ended.", stacklevel=2)
    return [("lost", text)]


def _batches(
    spec: ModelSpec, plan: Plan, data: Dataset, objective: Objective, seeds: Seeds
) -> tuple[Batches, Batches | None]:
    """Return the batches to train on and those to validate on, where something is kept aside."""
    inputs, heads = list(objective.input), objective.heads
    train, wanted = data.splits["train"], plan.batch_size or BATCH
    few = {name: train[name][:2] for name in needed_fields(inputs, heads)}
    batches = Batches(
        train,
        inputs,
        heads,
        wanted,
        seeds,
        class_weights=class_weights(data, heads, plan.class_weights or {}),
        augment=make_augment(spec, plan.params, few),
        oversample=plan.oversample,
    )
    if batches.batch_size < wanted:
        warnings.warn(
            f"a batch of {wanted} is more than the {batches.samples} samples; "
            f"training with {batches.batch_size}.",
            stacklevel=4,
        )
    validation = None
    if data.held_out():
        held_out = data.splits[data.held_out()]
        validation = Batches(held_out, inputs, heads, at_a_time(held_out, inputs))
    if plan.engine != "plain" and batches.keep_on_device("train") and validation:
        validation.keep_on_device("validation")
    return batches, validation


def _turn_steps(info: Mapping[str, Any] | None, steps: int) -> int:
    """Return of how many steps heads have their shares: of those that were planned at first.

    A run that is made longer keeps the turns that it has taken.
    """
    return int((info or {}).get("turn_steps") or steps)


def _is_own(callback: Any) -> bool:
    """Tell whether a callback is the command's own, such as its progress."""
    return type(callback).__module__.startswith("ed_core.")


def _plain(attributes: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the numbers, texts and switches among an optimizer's public attributes.

    Not its `get_config`, which imports TensorFlow wherever it is installed.
    """
    values: dict[str, Any] = {}
    for key, value in attributes.items():
        name = str(key)
        if name.startswith("_") or name in ("name", "built"):
            continue
        if isinstance(value, Mapping):
            value = _plain(value)
        elif isinstance(value, float) and not math.isfinite(value):
            value = str(value)
        if isinstance(value, bool | int | float | str | dict) and value != {}:
            values[name] = value
    return values


def _try_probes(spec: ModelSpec, objective: Objective, data: Dataset) -> None:
    """Read every probe once: one that does not fit is refused before anything is written."""
    few = reference_batch(data, 2)
    probes = {probe.name: probe for probe in spec.probes if probe.suits(objective)}
    bound = {name: probe.bind(objective) for name, probe in probes.items()}
    for name, arrays in JointReader(bound, few).read().items():
        check_size(probes[name], arrays)
