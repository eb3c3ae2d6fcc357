"""The end of reads into Arrow columns: results, warnings and errors (``finish``).

Uses the standard library only; nothing here imports pyarrow or another library of data frames.
"""
