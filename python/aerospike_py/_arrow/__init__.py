"""Arrow results: schemas as users write them (``schema``), warnings and errors (``finish``).

Uses the standard library only; nothing here imports pyarrow or another library of data frames.
"""
