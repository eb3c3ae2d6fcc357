"""Connecting and staying connected: logins, TLS, compression, and hosts that do not answer as nodes do."""
