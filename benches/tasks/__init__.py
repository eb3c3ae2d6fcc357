"""What a worker process is asked to measure."""
