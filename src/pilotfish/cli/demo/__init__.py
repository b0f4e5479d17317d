"""The demo: a short story on the embedded cluster, drawn as the scheduler's log tells it."""
