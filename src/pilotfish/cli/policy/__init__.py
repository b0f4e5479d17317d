"""`pilotfish policy`: check a policy, and begin one."""
