"""Plots: axes, scatters, signals and their legend."""
