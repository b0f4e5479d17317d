"""What `kubectl get` shows of each kind: upstream's columns. Pure: no I/O, no clock."""
