"""Fixtures of this folder."""

from support.viewer import *  # noqa: F403
