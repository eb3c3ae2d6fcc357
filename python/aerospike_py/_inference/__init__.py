"""How a dtype is inferred: ``observe`` looks at values, ``choose`` finds fields that take them all."""

#: The widest field in bytes that is chosen without asking.
MAX_WIDTH = 65_536
