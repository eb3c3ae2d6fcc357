"""The official client's own test suite, run with this package in place of its import.

``python -m tests.official_suite.run`` runs it; docs/testing.md has the command. The suite itself is not part
of the project: it is read from a checkout of github.com/aerospike/aerospike-client-python.
"""
