"""The tasks of a worker process."""
