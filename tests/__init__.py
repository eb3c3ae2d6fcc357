"""The Python tests. README.md says what each folder has."""
