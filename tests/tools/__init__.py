"""What comes with the package and the repository: command line, pytest plugin, scripts, benches, types."""
