"""A feature service with FastAPI (app.py), and a script that fills its sets and generates load (load.py)."""
