"""What a command costs: CPU seconds and peak memory, told by the kernel.

In: an argument list. Out: a Cost. Owner: `run`.
"""

import os
import statistics
import subprocess
import time


class Cost:
    """CPU seconds in user and kernel mode, wall-clock seconds, peak resident bytes, exit status."""

    def __init__(self, cpu, wall, peak, status):
        self.cpu, self.wall, self.peak, self.status = cpu, wall, peak, status


class Failure(Exception):
    """A measurement that did not come about, and why."""


class Running:
    """A started command. `wait` tells its cost.

    The peak is read from /proc while it runs, because the rusage of a child also counts the memory of the process that
    it was forked from.
    """

    def __init__(self, arguments, **options):
        self.arguments = [str(argument) for argument in arguments]
        options.setdefault("stdout", subprocess.DEVNULL)
        options.setdefault("stderr", subprocess.PIPE)
        self.began = time.monotonic()
        self.process = subprocess.Popen(self.arguments, **options)
        self.peak = 0

    def look(self):
        try:
            with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
                for line in status:
                    if line.startswith("VmHWM:"):
                        self.peak = max(self.peak, int(line.split()[1]) * 1024)
        except (FileNotFoundError, ProcessLookupError):
            pass

    def wait(self, accept=(0,), limit=600):
        """Reads the error stream to its end only afterwards: a benchmarked command says a few lines, not more."""
        while True:
            self.look()
            pid, status, usage = os.wait4(self.process.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() - self.began > limit:
                self.process.kill()
                limit = float("inf")
            time.sleep(0.005)
        wall = time.monotonic() - self.began
        code = self.process.returncode = os.waitstatus_to_exitcode(status)
        message = self.process.stderr.read().decode(errors="replace").strip() if self.process.stderr else ""
        if code not in accept:
            raise Failure(f"{' '.join(self.arguments)}: status {code}: {message[-400:]}")
        return Cost(usage.ru_utime + usage.ru_stime, wall, self.peak, code)


def cost(arguments, accept=(0,)):
    return Running(arguments).wait(accept)


def median(values):
    return statistics.median(values)


def alternating(count, *measurements):
    """Runs each of the measurements `count` times, by turns, so that a busy minute of the machine falls on all of them."""
    results = [[] for _ in measurements]
    for _ in range(count):
        for result, measurement in zip(results, measurements):
            result.append(measurement())
    return results
