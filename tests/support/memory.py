"""Memory of a program that a test runs in a process of its own."""

#: The beginning of such a program: ``status("VmHWM")`` is its peak in bytes (Linux).
STATUS = """
def status(field):
    for line in open("/proc/self/status"):
        if line.startswith(field):
            return int(line.split()[1]) * 1024
"""
