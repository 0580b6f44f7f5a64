"""Backend: choice, settings and random state; the only code that depends on which one runs."""

from ed_core.engine.choice import AUTO as AUTO
from ed_core.engine.choice import BACKENDS as BACKENDS
from ed_core.engine.choice import choose_backend as choose_backend
from ed_core.engine.choice import installed_backends as installed_backends
from ed_core.engine.choice import reason_for as reason_for
from ed_core.engine.threads import share_processors as share_processors
from ed_core.engine.threads import use_one_thread as use_one_thread
