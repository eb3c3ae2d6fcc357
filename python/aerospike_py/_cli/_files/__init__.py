"""Files that ``export`` writes and ``import`` reads, and how both go on after a stop.

``formats`` has what differs between Parquet, Arrow IPC and CSV; ``spool`` is the file that an export appends
to while it runs; ``state`` is the small file that says how far a run has come. pyarrow is imported here only,
through ``formats.pyarrow()``. Start with ``state``.
"""
