"""The commands, family by family: in each module a class for `Client` and one for `AsyncClient`.

Both are one line a method over the same core.
"""
