"""The workloads of README.md, one per module. `run(bench)` returns the figures."""
