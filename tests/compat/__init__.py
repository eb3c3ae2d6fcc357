"""This client compared with the official client and aerospike-native, and those clients on the embedded node.

``test_interop_*.py`` run the same call on two clients and compare what comes of it. ``test_devserver*.py``,
``test_official.py`` and ``test_native.py`` test the embedded node with clients that do not know it. Needs the
packages ``aerospike`` and ``aerospike-native``; also runs against a real server (``make test-integration``).
"""
