"""The documentation: what pages, docstrings, examples and the feature table say is run and compared."""
