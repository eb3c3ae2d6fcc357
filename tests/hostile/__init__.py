"""Answers that a proxy damages on their way: byte by byte, in every way that a network or an attacker could.

`docs/hardening.md` has the results. `make asan-python` runs this folder under AddressSanitizer.
"""
