"""Pods that wait: active, backoff, unschedulable, gated. Pure: time arrives as `now`."""
