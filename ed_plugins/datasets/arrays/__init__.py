"""Data set of the arrays in an npz, MATLAB or HDF5 file."""

from ed_plugins.datasets.arrays.loader import arrays as arrays
