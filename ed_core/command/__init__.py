"""The name that `ed_core.cli` had until 0.1; it goes with the next version."""

from ed_core.cli import main as main
