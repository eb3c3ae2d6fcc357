"""Every command with both clients, against the embedded node or a real server (``make test-integration``).

A test takes ``client`` or ``face`` and writes into ``fresh_set``. Tests that need the embedded node are
marked ``embedded``. Start with ``test_guide.py``, which follows the user's guide.
"""
