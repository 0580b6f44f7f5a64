"""Data set of the arrays in an npz, npy, MATLAB or HDF5 file."""

from ed_plugins.datasets.arrays.loader import arrays as arrays
