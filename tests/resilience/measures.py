"""What the kernel says about a process, and ways to wait."""

import os
import re
import threading
import time

# What AddressSanitizer keeps of freed memory, and when it gives that back to the kernel, would hide
# growth for longer than a short run.
SMALL_QUARANTINE = {
    "ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=1:abort_on_error=0"
    ":quarantine_size_mb=4:thread_local_quarantine_size_kb=64"
    ":allocator_release_to_os_interval_ms=0"
}


def _field(pid, file, name):
    with open(f"/proc/{pid}/{file}") as text:
        return int(re.search(rf"^{name}:\s+(\d+)", text.read(), re.MULTILINE)[1])


def resident_kib(pid):
    return _field(pid, "status", "VmRSS")


def anonymous_kib(pid):
    """What is resident and of no file."""
    return _field(pid, "status", "RssAnon")


def peak_kib(pid):
    """The most that was ever resident."""
    return _field(pid, "status", "VmHWM")


def processor_s(pid):
    """Of all its threads since its start."""
    with open(f"/proc/{pid}/stat") as text:
        fields = text.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def proportional_kib(pid):
    return _field(pid, "smaps_rollup", "Pss")


def wakeups(pid):
    """How often its threads have slept and been woken."""
    return sum(
        _field(f"{pid}/task/{thread}", "status", "voluntary_ctxt_switches")
        for thread in os.listdir(f"/proc/{pid}/task")
    )


def files(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def let_pass(seconds):
    """For where time itself is what is tested: waits on the clock."""
    deadline = time.monotonic() + seconds
    never = threading.Event()
    while (remaining := deadline - time.monotonic()) > 0:
        never.wait(remaining)


def wait_until_still(value, timeout=60):
    """Until `value()` has not changed for a while: what it is then."""
    deadline = time.monotonic() + timeout
    pause = threading.Event()
    last = None
    while (now := value()) != last:
        last = now
        assert time.monotonic() < deadline
        pause.wait(0.5)
    return last
