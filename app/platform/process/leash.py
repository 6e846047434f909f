"""Becomes the command given, which then gets SIGTERM when the process that started it dies, however it dies.

    python leash.py PARENT_PID COMMAND [ARGUMENT ...]

It stands between fork and exec, where Python code of a process with threads must not run. Without Linux it only
becomes the command; what a killed run leaves behind there is ended by the next one.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1

if sys.platform == "linux":
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
if os.getppid() != int(sys.argv[1]):
    sys.exit(1)  # it died before the leash was on
os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 -- it is made of what the supervisor itself says
