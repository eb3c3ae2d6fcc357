"""What the engines' modules (``dask``, ``ray``, ``spark`` ...) and ``splits`` have in common.

Start with ``plan``, which cuts partitions into splits. ``clients`` has the clients of this process,
``columns`` schemas that travel to workers, ``conditions`` turns predicates of engines into filter
expressions, ``writing`` writes tables and gathers what failed, ``library`` imports an engine. The folder may
use the clients and everything below them.
"""
