"""The live shells: they own every clock and socket, feed the core and execute its effects."""
