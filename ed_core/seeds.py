"""Random streams: one for each named use of a seed, independent of all others."""

from dataclasses import dataclass
from zlib import crc32

import numpy as np


@dataclass(frozen=True, slots=True)
class Seeds:
    """The random streams that follow from one seed.

    Stream k of a use is `SeedSequence(seed, spawn_key=(crc32(use), k))`.

    Args:
        seed: of a run, from 0.
        shared: draw as runs of before format 2 did, whose uses shared one stream: the order of
            the first epoch was the permutation that chose the labels. Only to go on with those.
    """

    seed: int
    shared: bool = False

    def sequence(self, use: str, *numbers: int) -> np.random.SeedSequence:
        """Return the stream of a use.

        Args:
            use: what is drawn, such as "order".
            numbers: which of several streams of that use, such as the epoch.
        """
        if self.shared:
            return np.random.SeedSequence([self.seed, *numbers])
        return np.random.SeedSequence(self.seed, spawn_key=(crc32(use.encode()), *numbers))

    def generator(self, use: str, *numbers: int) -> np.random.Generator:
        """Return a generator on the stream of a use; arguments as in `sequence`."""
        return np.random.default_rng(self.sequence(use, *numbers))

    def integer(self, use: str, *numbers: int) -> int:
        """Return one number of 31 bits from the stream of a use, for other generators."""
        return int(self.sequence(use, *numbers).generate_state(1)[0] % 2**31)


def content_generator(seed: int, *numbers: int) -> np.random.Generator:
    """Return a generator for what a data set makes or chooses; a negative seed is one as well.

    What a data set holds stays the same for ever, so this is `SeedSequence([seed, numbers])` as in
    the first version. No stream of `Seeds` meets it: those have a spawn key.

    Args:
        seed: an option of the data set.
        numbers: which of its uses.
    """
    return np.random.default_rng([seed % 2**64, *numbers])
