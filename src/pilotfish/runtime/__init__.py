"""The live shells: they own every clock and socket, feed the core and execute its effects.

`process` puts a scheduler together: `watch_mode`, `polling_mode` and `feed` bring it news, `shell`
is the loop around it, `executor` and `events` write what it decides. `embedded_cluster` is the
process of `pilotfish cluster`, which may have such a scheduler in it.
"""
