"""Threads, event loops, forks, web servers, signals and the end of the interpreter.

`docs/processes.md` has the rules that these tests show. ``support/processes.py`` starts the processes.
"""
