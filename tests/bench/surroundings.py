"""Where a run took place, and with which versions."""

import os
import platform
import re
import subprocess
from pathlib import Path

import peers


def describe():
    cpu = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = re.search(r"^MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())
    return {
        "cpu": cpu[1] if cpu else platform.machine(),
        "cores": os.cpu_count(),
        "memory_mib": int(memory[1]) // 1024,
        "kernel": platform.release(),
    }


def _first(pattern, *words):
    """What the pattern finds in what a program says; "unknown" where it finds nothing."""
    try:
        done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    except OSError:
        return "unknown"
    found = re.search(pattern, done.stdout + done.stderr)
    return found[1] if found else "unknown"


def _bridge(binary):
    version = _first(r"sparkbridge (\S+)", binary, "--version")
    commit = _first(r"(\S+)", "git", "describe", "--always", "--dirty", "--exclude=*")
    return f"{version} ({commit})"


def versions(binary):
    number = r"(\d+\.\d+[\w.+~-]*)"
    found = {
        "sparkbridge": lambda: _bridge(binary),
        "nghttpx": lambda: _first(rf"nghttp2/{number}", "nghttpx", "--version"),
        "nginx": lambda: _first(rf"nginx/{number}", "nginx", "-v"),
        "haproxy": lambda: _first(rf"version {number}", "haproxy", "-v"),
        "envoy": lambda: _first(rf"/{number}/", peers.envoy_binary(), "--version"),
        "h2load": lambda: _first(rf"nghttp2/{number}", "h2load", "--version"),
        "libnghttp2": lambda: _first(number, "pkg-config", "--modversion", "libnghttp2"),
        "libuv": lambda: _first(number, "pkg-config", "--modversion", "libuv"),
        "OpenSSL": lambda: _first(rf"OpenSSL {number}", "openssl", "version"),
        "Linux": platform.release,
    }
    installed = set(peers.installed())
    return {
        name: find() for name, find in found.items() if name not in peers.NAMES or name in installed
    }
