"""Showing samples that have a target of some head more often than there are of them."""

from collections.abc import Mapping, Sequence

import numpy as np

from ed_core.errors import EdkitError, unknown

Groups = list[tuple[np.ndarray, int]]


def groups(taught: Mapping[str, np.ndarray], shares: Mapping[str, float]) -> Groups:
    """Return rows and how many of them an epoch shows; it is as long as there are samples.

    With 5 % of the labels, an ordinary batch of 128 has six samples that a classifier learns from;
    a fixed share of each batch is what semi-supervised learning uses (Sohn et al., "FixMatch",
    2020, section 2.1).

    Args:
        taught: head to (samples,), whether a sample has its target.
        shares: head to the share of an epoch that such samples get, in 0..1. What the shares leave
            goes to the samples that have none of these targets.

    Raises:
        EdkitError: a head is unknown, the shares are no shares, or there are no samples for one.
    """
    for name, share in shares.items():
        if name not in taught:
            raise unknown("head", name, taught)
        if not 0 < share <= 1 or not taught[name].any():
            raise EdkitError(
                f"oversample of head {name!r} must be above 0 and at most 1, and some samples must "
                f"have its target, received {share} and {taught[name].sum()} samples."
            )
    if sum(shares.values()) > 1 + 1e-9:
        raise EdkitError(f"the shares of oversample must be at most 1 in all, got {dict(shares)}.")
    samples = len(next(iter(taught.values())))
    rows = {name: np.flatnonzero(taught[name]) for name in shares}
    found = [(rows[name], round(share * samples)) for name, share in shares.items()]
    left = max(samples - sum(count for _, count in found), 0)
    chosen = np.logical_or.reduce([taught[name] for name in shares])
    rest = np.flatnonzero(np.logical_or.reduce([*taught.values()]) & ~chosen)
    if left and not len(rest):
        raise EdkitError(
            f"oversample: no sample without a target of {', '.join(shares)} teaches anything, so "
            "there is none for the rest of an epoch: leave it out, or give all to them."
        )
    return [*found, (rest, left)]


def drawn(random: np.random.Generator, of: Sequence[tuple[np.ndarray, int]]) -> np.ndarray:
    """Return the rows of an epoch in random order; of a group, no row much more than another."""
    parts = [_rounds(random, rows, count) for rows, count in of if count]
    return random.permutation(np.concatenate(parts))


def _rounds(random: np.random.Generator, rows: np.ndarray, count: int) -> np.ndarray:
    """Return `count` of the rows: all of them, again and again, the last time in part."""
    rounds = -(-count // len(rows))
    return np.concatenate([random.permutation(rows) for _ in range(rounds)])[:count]
