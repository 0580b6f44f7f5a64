"""`python -m ed_core.decoding RUN`: the decoding process."""

from ed_core.decoding.worker import main

main()
