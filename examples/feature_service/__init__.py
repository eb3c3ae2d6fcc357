"""A feature service with FastAPI: sets and columns (features.py), how they are read (readers.py), a model
(model.py), numbers for monitoring (metrics.py), the service (app.py), and a script that fills the sets and
generates load (load.py)."""
