"""Fixtures of this folder."""

from support.plugins import *  # noqa: F403
