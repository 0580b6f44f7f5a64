"""Synthetic electrocardiogram, which needs no file."""

import numpy as np


def electrocardiogram(random: np.random.Generator, samples: int, rate: int) -> np.ndarray:
    """Return a synthetic electrocardiogram (samples, 1) in mV, at about 60 beats a minute.

    A sum of five Gaussians over the phase of the beat, the waves P, Q, R, S and T, at the angles
    and with the widths of McSharry et al., "A dynamical model for generating synthetic
    electrocardiogram signals", 2003, table I; their heights are its a b^2, with R at 1 mV. Heart
    rate and heights wander by a tenth; the baseline swings with the breath, 0.25 a second.
    """
    time = np.arange(samples) / rate
    phase = 2 * np.pi * np.cumsum(1 + 0.1 * _wander(random, samples, 2 * rate)) / rate
    angles = np.pi * np.array([-1 / 3, -1 / 12, 0, 1 / 12, 1 / 2])
    widths = np.array([0.25, 0.1, 0.1, 0.1, 0.4])
    heights = np.array([0.25, -1 / 6, 1, -0.25, 0.4])
    waves = np.zeros(samples)
    for angle, width, height in zip(angles, widths, heights, strict=True):
        away = (phase - angle + np.pi) % (2 * np.pi) - np.pi
        tall = height * (1 + 0.1 * _wander(random, samples, 2 * rate))
        waves += tall * np.exp(-((away / width) ** 2) / 2)
    breath = 0.05 * np.sin(2 * np.pi * 0.25 * time)
    return (waves + breath + random.normal(0, 0.02, samples)).astype("float32")[:, None]


def _wander(random: np.random.Generator, samples: int, every: int) -> np.ndarray:
    """Return linear interpolation between standard normal numbers, one every `every` samples."""
    knots = np.arange(0, samples + every, every)
    return np.interp(np.arange(samples), knots, random.standard_normal(len(knots)))
