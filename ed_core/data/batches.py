"""Batches of named arrays, shuffled as a pure function of seed and epoch."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import keras
import numpy as np

from ed_core.data.lazy import at_a_time, in_memory, is_slow, parts_of, stored_of
from ed_core.data.targets import (
    Arrays,
    ClassWeights,
    arrange,
    have_targets,
    needed_fields,
    without_gaps,
)
from ed_core.engine.resident import MOST_BYTES, DeviceArrays, RawArray
from ed_core.errors import EdkitError, unknown
from ed_core.plugins.spec import Dataset, Head
from ed_core.recording.layout import MAX_BYTES
from ed_core.seeds import Seeds

Groups = list[tuple[np.ndarray, int]]
REFERENCE = 512  # samples of the validation split in the reference batch of the probes
_AHEAD = 2  # batches that are read ahead
_WEIGHT = " weight"  # what follows the name of a head, of its sample weights on the device
Augment = Callable[[dict[str, np.ndarray], np.random.Generator], dict[str, np.ndarray]]


def groups(has_target: Mapping[str, np.ndarray], shares: Mapping[str, float]) -> Groups:
    """Return groups of rows with their counts in an epoch of as many samples as the data.

    With 5 % of the labels, an ordinary batch of 128 has six samples that a classifier learns from;
    a fixed share of each batch is what semi-supervised learning uses (Sohn et al., "FixMatch",
    2020, section 2.1).

    Args:
        has_target: head to (samples,), whether a sample has its target.
        shares: head to the share of an epoch that such samples get, in 0..1. The rest goes to the
            samples without any of these targets.

    Raises:
        EdkitError: a head is unknown, the shares are invalid, or a share has no samples.
    """
    for name, share in shares.items():
        if name not in has_target:
            raise unknown("head", name, has_target)
        if not 0 < share <= 1 or not has_target[name].any():
            raise EdkitError(
                f"oversample of head {name!r} must be above 0 and at most 1, and some samples must "
                f"have its target, received {share} and {has_target[name].sum()} samples."
            )
    if sum(shares.values()) > 1 + 1e-9:
        raise EdkitError(f"the shares of oversample must be at most 1 in all, got {dict(shares)}.")
    samples = len(next(iter(has_target.values())))
    rows = {name: np.flatnonzero(has_target[name]) for name in shares}
    counts_of_rows = [(rows[name], round(share * samples)) for name, share in shares.items()]
    left = max(samples - sum(count for _, count in counts_of_rows), 0)
    chosen = np.logical_or.reduce([has_target[name] for name in shares])
    rest = np.flatnonzero(np.logical_or.reduce([*has_target.values()]) & ~chosen)
    if left and not len(rest):
        raise EdkitError(
            f"oversample: no sample without a target of {', '.join(shares)} teaches anything, so "
            "there is none for the rest of an epoch: leave it out, or give all to them."
        )
    return [*counts_of_rows, (rest, left)]


def drawn(random: np.random.Generator, of: Sequence[tuple[np.ndarray, int]]) -> np.ndarray:
    """Return the rows of an epoch in random order, with the rows of a group used equally often."""
    parts = [_rounds(random, rows, count) for rows, count in of if count]
    return random.permutation(np.concatenate(parts))


def gathered(order: np.ndarray, parts: np.ndarray, at_once: int) -> np.ndarray:
    """Return an order in which the samples of a file come near to each other.

    The files come in the order of their first samples, some at once; among the samples of these the
    order is as it was.

    Args:
        order: rows of samples, in random order.
        parts: the file of each sample.
        at_once: how many files are mixed.
    """
    files, firsts, file_of = np.unique(parts[order], return_index=True, return_inverse=True)
    turn = np.empty(len(files), int)
    turn[np.argsort(firsts)] = np.arange(len(files))
    return order[np.argsort(turn[file_of] // at_once, kind="stable")]


def _rounds(random: np.random.Generator, rows: np.ndarray, count: int) -> np.ndarray:
    """Return `count` of the rows: full random rounds, the last one in part."""
    rounds = -(-count // len(rows))
    return np.concatenate([random.permutation(rows) for _ in range(rounds)])[:count]


class Batches(keras.utils.PyDataset):
    """Batches of one split; the order of every epoch is a function of seed and epoch alone.

    The only state is (epoch, start): the trainer sets both before an epoch begins.

    Args:
        arrays: the split, field to array (samples, ...).
        inputs: the fields that the model takes.
        heads: the terms of its objective.
        batch_size: samples a batch; when shuffled, a smaller last batch is left out, and so are
            samples with no target of any head.
        seed: of the order and of `augment`, or the streams of a run; None keeps the order of the
            arrays and every sample.
        class_weights: head to (classes,), for heads with class weights.
        augment: changes a batch before it is arranged; called with a generator that depends on
            seed, epoch and batch alone.
        oversample: head to the share of an epoch that samples with its target get.
    """

    def __init__(
        self,
        arrays: Arrays,
        inputs: Iterable[str],
        heads: Sequence[Head],
        batch_size: int,
        seed: int | Seeds | None = None,
        *,
        class_weights: ClassWeights | None = None,
        augment: Augment | None = None,
        oversample: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__()
        self.class_weights = class_weights
        self.augment = augment
        self.inputs = tuple(inputs)
        self.heads = tuple(heads)
        names = needed_fields(self.inputs, self.heads)
        self.arrays = {name: arrays[name] for name in names}
        self._whole = without_gaps(self.arrays, self.heads)
        maps = [h for h in self.heads if h.needs_target and len(self.arrays[h.target].shape) > 1]
        # The weights of all batches of a map have its shape: TensorFlow needs one rank.
        self._gaps = {head.name for head in maps} - self._whole
        self.samples = len(self.arrays[self.inputs[0]])
        self._groups: Groups | None = None
        if seed is not None and oversample:
            self._groups = groups(have_targets(self.arrays, self.heads), oversample)
        elif seed is not None and self.heads and all(head.needs_target for head in self.heads):
            rows = np.logical_or.reduce([*have_targets(self.arrays, self.heads).values()])
            if not rows.any():
                raise EdkitError("no sample has a target of any head: label some.")
            if not rows.all():
                self._groups = [(np.flatnonzero(rows), int(rows.sum()))]
        if self._groups:
            self.samples = sum(count for _, count in self._groups)
        self.batch_size = min(batch_size, self.samples)
        self.seeds = Seeds(seed) if isinstance(seed, int) else seed
        self.start = 0
        self.problem: EdkitError | None = None
        self._device: DeviceArrays | None = None
        parts = map(parts_of, self.arrays.values())
        self._parts = next((one for one in parts if one is not None), None)
        self._ahead = ReadAhead(_AHEAD) if any(map(is_slow, self.arrays.values())) else None
        self.begin_epoch(0)

    def begin_epoch(self, epoch: int, start: int = 0) -> None:
        """Set the order of `epoch`, from its batch number `start` on."""
        self.start = start
        self.epoch = epoch
        self._order = None
        if self._ahead is not None:
            self._ahead.forget()
        if self.seeds is not None:
            random = self.seeds.generator("order", epoch)
            if self._groups:
                self._order = drawn(random, self._groups)
            else:
                self._order = random.permutation(self.samples)
            if self._parts is not None:
                self._order = gathered(self._order, *self._parts)

    @property
    def batches_per_epoch(self) -> int:
        """The number of batches in a whole epoch."""
        if self.seeds is None:
            return -(-self.samples // self.batch_size)
        return self.samples // self.batch_size

    def __len__(self) -> int:
        return self.batches_per_epoch - self.start

    def keep_on_device(self, name: str) -> bool:
        """Keep the arrays on the device from now on, if they fit there and none is augmented.

        A batch is an index then, and the samples are gathered by the compiled step.

        Args:
            name: of the split.

        Returns:
            Whether they are kept there.
        """
        changing = self.augment is not None and self.seeds is not None
        spread = keras.distribution.distribution() is not None  # which cuts every array of a batch
        if changing or spread or any(map(is_slow, self.arrays.values())):
            return False
        fields = dict.fromkeys([*self.inputs, *(h.target for h in self.heads if h.needs_target)])
        arrays = {name: _stored(self.arrays[name]) for name in fields}
        # Not by what memory is free: a resumed run would go another way than before.
        if sum(one.nbytes for one in arrays.values()) + self._size_of_weights() > MOST_BYTES:
            return False
        for head, weights in self._all_weights().items():
            arrays[head + _WEIGHT] = RawArray(weights, None, floats=True)
        self._device = DeviceArrays(name, arrays)
        return True

    def let_go(self) -> None:
        """Keep nothing on the device any more."""
        if self._device is not None:
            self._device.free()
        self._device = None

    def holds(self, batch: Any) -> bool:
        """Return whether a batch is one of rows of these arrays."""
        return self._device is not None and self._device.holds(batch)

    def arranged(self, batch: Mapping[str, Any]) -> tuple[Any, Any, Any]:
        """Return the Keras triple of a batch of rows, as `arrange` does of samples.

        Args:
            batch: what an index gave, as tensors.
        """
        assert self._device is not None
        samples = self._device.gathered(batch)
        targeted = [head for head in self.heads if head.needs_target]
        targets = {head.name: samples[head.target] for head in targeted}
        ones = keras.ops.ones(keras.ops.shape(samples[self.inputs[0]])[:1])
        weights = {head.name: samples.get(head.name + _WEIGHT, ones) for head in targeted}
        return {name: samples[name] for name in self.inputs}, targets, weights

    def __getitem__(self, index: int) -> Any:
        if self._device is not None:
            return self._device.batch(self._rows_of(index))
        if self._ahead is None:
            batch = self._read(index)
        else:
            batch = self._ahead.result(self._read, index, len(self))
        if self.augment is not None and self.seeds is not None:
            random = self.seeds.generator("augment", self.epoch, self.start + index)
            batch = self.augment(batch, random)
        whole = self._whole if self.augment is None else ()  # which may take a target away
        return arrange(batch, self.inputs, self.heads, self.class_weights, self._gaps, whole=whole)

    def _read(self, index: int) -> dict[str, np.ndarray]:
        """Return the samples of a batch, as they are in the arrays.

        Raises:
            EdkitError: a file cannot be read; it is kept as `problem`, since TensorFlow turns what
                is raised in its threads into errors of its own.
        """
        try:
            return self._rows(index)
        except EdkitError as error:
            self.problem = error
            raise

    def _rows(self, index: int) -> dict[str, np.ndarray]:
        rows = self._rows_of(index)
        if self._order is None:
            rows = slice(rows[0], rows[-1] + 1)
            # Copies: PyTorch takes no array that cannot be written to, such as a file's.
            return {name: _floats(array[rows], copy=True) for name, array in self.arrays.items()}
        return {name: _floats(_taken(array, rows)) for name, array in self.arrays.items()}

    def _rows_of(self, index: int) -> Any:
        """Return the rows of a batch, (samples,)."""
        first = (self.start + index) * self.batch_size
        last = min(first + self.batch_size, self.samples)
        return np.arange(first, last) if self._order is None else self._order[first:last]

    @property
    def _weighted(self) -> list[Head]:
        """The heads of which some sample may have another weight than 1."""
        classes = self.class_weights or {}
        return [
            head
            for head in self.heads
            if head.needs_target
            and (head.mask or head.name in classes or head.name not in self._whole)
        ]

    def _size_of_weights(self) -> int:
        """Return how many bytes the weights of all samples take at the most."""
        return sum(
            int(np.prod(self.arrays[head.target].shape))
            * (4 if head.name in (self.class_weights or {}) else 1)
            for head in self._weighted
        )

    def _all_weights(self) -> dict[str, np.ndarray]:
        """Return the weights of all samples, by head: of those heads where some may not be 1."""
        weighted = self._weighted
        names = needed_fields((), weighted)
        parts: dict[str, list[np.ndarray]] = {head.name: [] for head in weighted}
        step = at_a_time(self.arrays, names)
        for first in range(0, len(self.arrays[self.inputs[0]]) if weighted else 0, step):
            few = {name: np.asarray(self.arrays[name][first : first + step]) for name in names}
            every = arrange(few, (), weighted, self.class_weights, self._gaps, whole=self._whole)
            for name, part in parts.items():
                weights = every[2][name]
                part.append(weights.astype("uint8") if np.isin(weights, (0, 1)).all() else weights)
        return {name: np.concatenate(part) for name, part in parts.items()}


class ReadAhead:
    """Results of a function for 0, 1, 2, ...: the next ones are made while one is used.

    What is made ahead follows from the number alone, so that the results are the same as without.

    Args:
        most: how many are made ahead.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._pool = ThreadPoolExecutor(1, "edkit-read-ahead")
        self._coming: dict[int, Future[Any]] = {}

    def result(self, function: Callable[[int], Any], number: int, end: int) -> Any:
        """Return the result for a number, and begin with those for the next ones before `end`."""
        for one in [*self._coming]:
            if not number <= one <= number + self.most:
                self._coming.pop(one).cancel()
        for one in range(number, min(number + self.most + 1, end)):
            if one not in self._coming:
                self._coming[one] = self._pool.submit(function, one)
        return self._coming.pop(number).result()

    def forget(self) -> None:
        """Wait for what is being made, and forget it: the function gives other results from now."""
        for one in self._coming.values():
            one.cancel()
        wait(self._coming.values())
        self._coming.clear()


def reference_batch(
    data: Dataset, samples: int = REFERENCE, split: str = ""
) -> dict[str, np.ndarray]:
    """Return the reference batch: the first samples of a split, one of every class first.

    Without labels, a fixed random choice from the whole split: frames of a film and windows of a
    recording are in order, and the first ones are all alike.

    Args:
        data: the data set.
        samples: at most.
        split: their split; by default `validation`, or `train` without one.
    """
    arrays = data.splits[split or data.held_out() or "train"]
    sample = sum(np.asarray(array[:1]).nbytes for array in arrays.values())
    there = len(next(iter(arrays.values())))
    samples = min(samples, there, max(1, MAX_BYTES // sample))
    label = data.fields.get("label")
    rows = np.arange(samples)
    if label is None or label.kind != "class" or label.shape:
        rows = Seeds(0).generator("reference").permutation(there)[:samples]
    else:
        classes, firsts = np.unique(np.asarray(arrays["label"][: len(rows)]), return_index=True)
        firsts = firsts[classes >= 0]
        rows = np.concatenate([firsts, np.setdiff1d(rows, firsts)])
    in_order, back = np.unique(rows, return_inverse=True)  # h5py needs increasing rows
    return {name: np.asarray(array[in_order])[back] for name, array in arrays.items()}


def _stored(array: Any) -> RawArray:
    """Return how an array is kept on the device; a batch has the types of `_floats`."""
    raw, white = stored_of(array)
    return RawArray(raw, white, floats=np.dtype(array.dtype).kind == "f")


def _taken(array: Any, rows: np.ndarray) -> np.ndarray:
    """Return the samples of the given rows, in this order, in an array of its own."""
    if in_memory(array):
        return array[rows]
    rows, again = np.unique(rows, return_inverse=True)  # h5py needs increasing rows, each once
    return np.asarray(array[rows])[again]


def _floats(array: Any, copy: bool = False) -> np.ndarray:
    values = np.asarray(array)
    return values.astype("float32" if values.dtype.kind == "f" else "int32", copy=copy)
