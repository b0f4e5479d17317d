"""Controllers: they read what changed and write through the API, as users of the cluster do.

Pure: no I/O, no clocks, no randomness. `controllers` runs them all; `controller` says what one is.
`workloads`, `volumes`, `nodes` and `lifetimes` hold them by what they are about; beside these is
what they share.
"""

from pilotfish.cluster.controllers.controllers import Controllers, controllers_of

__all__ = ["Controllers", "controllers_of"]
