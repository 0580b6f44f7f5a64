"""Data set of windows of WAV, CSV and Parquet files."""

from ed_plugins.datasets.signals.loader import signals as signals
