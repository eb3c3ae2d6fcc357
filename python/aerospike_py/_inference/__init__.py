"""Everything behind ``infer_dtype``: from records to a dtype with a report.

Start with ``infer``, which has both entry points: records that the caller has, and a sample of a set.
``sample`` reads the sample, ``observe`` counts what its bins and their maps hold, ``choose`` picks the field
for values of one kind, ``build`` makes the dtype of these fields, ``result`` is what the user gets. The
folder may use ``_types``, ``_utils``, ``exception`` and ``values``. It takes either client through a protocol
and imports neither.
"""

#: Default of ``max_width``: the widest field in bytes. Here, so that declaring ``infer_dtype`` imports
#: nothing else.
MAX_WIDTH = 65_536
