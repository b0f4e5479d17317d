"""What looks at a write after authorization and before storage, and may change or refuse it."""
