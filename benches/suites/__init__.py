"""What is measured: each module here is a workload of README.md, `run(bench)` gives its figures."""
