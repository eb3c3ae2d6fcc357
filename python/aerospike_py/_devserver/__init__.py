"""The process behind ``testing.DevServer``.

``process`` starts the embedded server as a subprocess and sends it control commands, ``arguments`` checks
what they contain, ``launch`` is the command that starts it. The public side is ``testing``; the program that
the process runs is ``devserver``. The folder uses nothing of the package.
"""
