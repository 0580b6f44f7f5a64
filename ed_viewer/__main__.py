"""`python -m ed_viewer [RUN ...]`, which is `edkit view [RUN ...]`."""

import sys

from ed_core.cli import main

sys.exit(main(["view", *sys.argv[1:]]))
