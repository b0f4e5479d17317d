"""What each kind adds to the life of its objects: defaults, what writes may change, validation."""
