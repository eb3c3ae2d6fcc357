"""A feature service on FastAPI (app.py), and a script that fills its sets and puts load on it (load.py)."""
