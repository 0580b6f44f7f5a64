"""Data set of images and maps in folders, described by a small TOML file."""

from ed_plugins.datasets.folder.loader import folder as folder
