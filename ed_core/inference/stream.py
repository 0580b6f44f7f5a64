"""Streams of samples through a run: read ahead, computed in batches, written, and gone on with."""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ed_core.errors import EdkitError, one_line
from ed_core.inference.job import OutputJob, Refusal, words
from ed_core.plugins.spec import FileSamples

if TYPE_CHECKING:
    from ed_core.runs.outputs import Inference

Sample = dict[str, np.ndarray]
_PIECE = 16  # samples read by one thread at a time
_AHEAD = 2  # batches read before they are needed
_THREADS = 8  # at most


class Stopped(Exception):  # noqa: N818 it is no error
    """A job was asked to stop, and did so between two batches; it can go on."""


@dataclass(frozen=True)
class Result:
    """What was made of one sample.

    Args:
        row: its number in the input.
        name: its name.
        inputs: field to its array, as it was read.
        outputs: output to its array.
    """

    row: int
    name: str
    inputs: Sample
    outputs: Sample


class Writer(Protocol):
    """Writer of results, whole batches at a time."""

    def write(self, job: OutputJob, results: Sequence[Result]) -> tuple[Sample, list[Refusal]]:
        """Write some results in the order of their rows.

        Return the columns that are put together at the end, (samples, ...) each, and the results
        that do not go with the others.
        """
        ...

    def finish(self, job: OutputJob) -> None:
        """Put the finished batches together."""
        ...


@dataclass(frozen=True, slots=True)
class Summary:
    """How a job ended.

    Args:
        samples: how many there were.
        refused: those that could not be used, with the reason.
    """

    samples: int
    refused: tuple[Refusal, ...]


@dataclass(frozen=True)
class Stream:
    """Samples that are run through a model and written.

    Args:
        samples: of the input.
        inference: what is made of them.
        writer: where they go.
        strict: whether the first sample that cannot be used ends it.
    """

    samples: FileSamples
    inference: "Inference"
    writer: Writer
    strict: bool = False

    def run(
        self,
        job: OutputJob,
        *,
        progress: Callable[[int, int], None] = lambda done, total: None,
        stop: Callable[[], bool] = lambda: False,
    ) -> Summary:
        """Work through all batches that are not finished.

        Args:
            job: of the output.
            progress: told how many samples are finished, of how many.
            stop: asked between two batches whether to stop.

        Raises:
            Stopped: it was asked to.
            EdkitError: a sample cannot be used and it is strict, or no sample can be used.
        """
        names = self.samples.names
        batches = list(job.pending(names, self.inference.batch_size))
        left = sum(len(rows) for _, rows in batches)
        progress(len(names) - left, len(names))
        for number, rows, read in self._read_ahead(batches):
            results, refused = self._computed(rows, read)
            self._check(refused)
            columns, more = self.writer.write(job, results)
            self._check(more)
            job.keep(number, columns, refused + more)
            left -= len(rows)
            progress(len(names) - left, len(names))
            if left and stop():
                raise Stopped
        every = job.refused()
        if len(every) == len(names):
            job.discard()
            raise _none_of(every)
        self.writer.finish(job)
        job.finish(every)
        return Summary(len(names), tuple(every))

    def _check(self, refused: Sequence[Refusal]) -> None:
        if self.strict and refused:
            raise EdkitError(
                f"{words(refused[0])} Mend it and give the same command again, or leave --strict "
                "out."
            )

    def _read_ahead(
        self, batches: Sequence[tuple[int, range]]
    ) -> Iterator[tuple[int, range, list[Sample | EdkitError]]]:
        """Yield the batches in their order, each with its samples; threads read the next ones."""
        waiting: deque[tuple[int, range, list[Future[list[Sample | EdkitError]]]]] = deque()
        left = iter(batches)
        pool = ThreadPoolExecutor(min(_THREADS, (os.cpu_count() or 1) + 1))
        try:
            for number, rows in left:
                pieces = [rows[first : first + _PIECE] for first in range(0, len(rows), _PIECE)]
                waiting.append((number, rows, [pool.submit(self._read, piece) for piece in pieces]))
                if len(waiting) > _AHEAD:
                    yield _ready(*waiting.popleft())
            while waiting:
                yield _ready(*waiting.popleft())
        finally:
            pool.shutdown(cancel_futures=True)

    def _read(self, rows: range) -> list[Sample | EdkitError]:
        try:
            return self.samples.read(rows)
        except Exception as error:  # a foreign reader may fail in any way
            if len(rows) == 1:
                return [error if isinstance(error, EdkitError) else EdkitError(one_line(error))]
            return [sample for row in rows for sample in self._read(range(row, row + 1))]

    def _computed(
        self, rows: range, read: Sequence[Sample | EdkitError]
    ) -> tuple[list[Result], list[Refusal]]:
        """Return the results of a batch in its order, and what was refused of it."""
        by_shape: dict[tuple[tuple[int, ...], ...], list[tuple[int, Sample]]] = {}
        outcomes: dict[int, Sample | EdkitError] = {}
        inputs: dict[int, Sample] = {}
        for row, sample in zip(rows, read, strict=True):
            if isinstance(sample, EdkitError):
                outcomes[row] = sample
                continue
            inputs[row] = sample
            shapes = tuple(np.shape(array) for array in sample.values())
            by_shape.setdefault(shapes, []).append((row, sample))
        for group in by_shape.values():
            outcomes |= self._outputs(group)
        names = self.samples.names
        results, refused = [], []
        for row in rows:
            outcome = outcomes[row]
            if isinstance(outcome, EdkitError):
                refused.append((names[row], str(outcome)))
            else:
                results.append(Result(row, names[row], inputs[row], outcome))
        return results, refused

    def _outputs(self, group: Sequence[tuple[int, Sample]]) -> dict[int, Sample | EdkitError]:
        """Return what the model makes of samples of one shape, and the errors of the others."""
        rows = [row for row, _ in group]
        try:
            outputs = self.inference(_stacked(group))
        except EdkitError as error:
            if len(group) == 1:
                return {rows[0]: error}
            is_taken = [self._is_taken(one) for one in group]
            good = [one for one, taken in zip(group, is_taken, strict=True) if taken]
            alone = [one for one, taken in zip(group, is_taken, strict=True) if not taken]
            parts = [good, *([one] for one in alone)] if alone else [[one] for one in group]
            return {row: out for part in parts if part for row, out in self._outputs(part).items()}
        return {
            row: {name: array[place] for name, array in outputs.items()}
            for place, row in enumerate(rows)
        }

    def _is_taken(self, one: tuple[int, Sample]) -> bool:
        try:
            self.inference.prepared(_stacked([one]))
        except EdkitError:
            return False
        return True


def _stacked(group: Sequence[tuple[int, Sample]]) -> Sample:
    return {name: np.stack([sample[name] for _, sample in group]) for name in group[0][1]}


def _ready(
    number: int, rows: range, pieces: Sequence[Future[list[Sample | EdkitError]]]
) -> tuple[int, range, list[Sample | EdkitError]]:
    return number, rows, [sample for piece in pieces for sample in piece.result()]


def _none_of(refused: Sequence[Refusal]) -> EdkitError:
    """Return the error for an input of which nothing could be used."""
    more = f"none of {len(refused):,} samples can be used, such as " * (len(refused) > 1)
    return EdkitError(more + words(refused[0]))
