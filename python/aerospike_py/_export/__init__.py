"""Results as objects of other libraries: one module per library.

A module takes arrays, not the result class that holds them, so that every kind of result can use it. It
imports its library inside the function, because none of them is a dependency of the package. It may use
``_types`` only. Start with ``pandas``.
"""
