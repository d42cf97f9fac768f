# SPDX-License-Identifier: ISC
"""Runs a program on a terminal of its own, types keys, and tells what happened.

terminal.py COMMAND… reads a script from standard input, one step a line:
    expect TEXT     waits until the terminal shows TEXT
    type TEXT       types it; \\x03 and \\n are understood
    stopped         waits until the program is stopped, as a shell's job would be
    continue        continues it, in the foreground, as `fg` does
Prints what the terminal showed, then "status N" (128 + n for a signal), or "failed: STEP".
"""
import os
import pty
import select
import signal
import sys
import time

LIMIT = 10


def child(command):
    # A job of an interactive shell has these, whoever runs the tests (in the background, say).
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    os.execvp(command[0], command)


def main():
    steps = [line.rstrip("\n") for line in sys.stdin]
    pid, fd = pty.fork()
    if pid == 0:
        # A job of its own, as a shell would make one.
        inner = os.fork()
        if inner == 0:
            os.setpgid(0, 0)
            signal.signal(signal.SIGTTOU, signal.SIG_IGN)
            os.tcsetpgrp(0, os.getpid())
            signal.signal(signal.SIGTTOU, signal.SIG_DFL)
            child(sys.argv[1:])
        shell(inner)
    drive(pid, fd, steps)


def shell(inner):
    """The job's parent: reports stops, continues on SIGUSR1, passes the status on."""
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)

    def go(*_):
        os.tcsetpgrp(0, inner)
        os.killpg(inner, signal.SIGCONT)

    signal.signal(signal.SIGUSR1, go)
    while True:
        try:
            _, status = os.waitpid(inner, os.WUNTRACED)
        except InterruptedError:
            continue
        if os.WIFSTOPPED(status):
            os.tcsetpgrp(0, os.getpgrp())
            os.write(1, b"[stopped]\n")
            continue
        # Whose is the terminal now? A caller that is no interactive shell depends on it.
        mine = "kept" if os.tcgetpgrp(0) == inner else "taken"
        code = 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        os.write(1, f"[terminal {mine}]\n[status {code}]\n".encode())
        os._exit(0)


def drive(pid, fd, steps):
    seen = b""
    at = 0

    def wait(text):
        nonlocal seen, at
        until = time.monotonic() + LIMIT
        while text not in seen[at:]:
            left = until - time.monotonic()
            if left <= 0 or not select.select([fd], [], [], left)[0]:
                return False
            try:
                piece = os.read(fd, 4096)
            except OSError:
                piece = b""
            if not piece:
                return text in seen[at:]
            seen += piece
        at = seen.index(text, at) + len(text)
        return True

    failed = None
    for step in steps + ["expect [status "]:
        verb, _, argument = step.partition(" ")
        good = True
        if verb == "expect":
            good = wait(argument.encode())
        elif verb == "type":
            os.write(fd, argument.encode().decode("unicode_escape").encode("latin-1"))
        elif verb == "stopped":
            good = wait(b"[stopped]")
        elif verb == "continue":
            os.kill(pid, signal.SIGUSR1)
        if not good:
            failed = step
            break
    time.sleep(0.1)
    try:
        while select.select([fd], [], [], 0.2)[0]:
            piece = os.read(fd, 4096)
            if not piece:
                break
            seen += piece
    except OSError:
        pass
    sys.stdout.write(seen.decode(errors="replace").replace("\r\n", "\n"))
    if failed:
        print(f"failed: {failed}")
        os.kill(pid, signal.SIGKILL)


main()
