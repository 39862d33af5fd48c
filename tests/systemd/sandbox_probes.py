"""One thing each that a sandboxed service should not be able to do, by the name in argv[1].

Ends with 0 where it could do it and with 7 where it could not. It runs by the system's own Python,
in units that see no home.
"""

import ctypes
import errno
import mmap
import os
import platform
import resource
import signal
import socket
import subprocess
import sys
from pathlib import Path

libc = ctypes.CDLL(None, use_errno=True)
NUMBERS = {"x86_64": (248, 250), "aarch64": (217, 219)}  # of add_key and keyctl
USER_KEYRING, SESSION_KEYRING, KEYCTL_SEARCH = -4, -3, 10
CLONE_NEWUTS = 0x04000000
ADDR_NO_RANDOMIZE = 0x0040000
HERE = Path("/srv/probe")


def checked(result):
    if result == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def own_file():
    path = f"/tmp/probe-{os.getpid()}"
    with open(path, "w"):
        return path


def core():
    resource.setrlimit(resource.RLIMIT_CORE, (1, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    return True


def keyring():
    """A key of the user's is found in the session's keyring, which others of the user share."""
    add_key, keyctl = NUMBERS[platform.machine()]
    checked(libc.syscall(add_key, b"user", b"probe", b"x", 1, USER_KEYRING))
    return checked(libc.syscall(keyctl, KEYCTL_SEARCH, SESSION_KEYRING, b"user", b"probe", 0)) > 0


def keyctl_kills():
    child = os.fork()
    if child == 0:
        libc.syscall(NUMBERS[platform.machine()][1], 0, SESSION_KEYRING, 0)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGSYS


def keyctl():
    checked(libc.syscall(NUMBERS[platform.machine()][1], 0, SESSION_KEYRING, 1))
    return True


def umask():
    return Path(own_file()).stat().st_mode & 0o044 != 0


def chown():
    os.chown(own_file(), 1, 1)
    return True


def setuid_program():
    return subprocess.check_output([HERE / "setuid-id", "-u"]) == b"0\n"


def other_users():
    return (HERE / "of-alice").stat().st_uid != 65534


def temporary_files():
    return Path("/tmp/probe-file").exists()


def devices():
    return Path("/dev/probe-file").exists()


def mounts():
    """A mount of its own is seen by all."""
    target = HERE / "mnt"
    checked(libc.mount(b"probe", bytes(target), b"tmpfs", 0, None))
    try:
        return str(target) in Path("/proc/1/mountinfo").read_text()
    finally:
        libc.umount(bytes(target))


def shared_memory():
    return checked(libc.shmget(0x5B5B, 4096, 0)) >= 0


def open_device(path):
    os.close(os.open(path, os.O_RDWR))
    return True


def device_node():
    return open_device(HERE / "tun")


def listed_device():
    return open_device("/dev/probe-tun")


def write_system():
    (HERE / "written").write_text("x")
    return True


def clock():
    return checked(libc.adjtimex(ctypes.create_string_buffer(512))) >= 0


def hostname():
    socket.sethostname(socket.gethostname())
    return True


def kernel_log():
    return Path("/dev/kmsg").read_text() != ""


def modules():
    return Path("/lib/modules/probe-file").exists()


def tunables():
    path = Path("/proc/sys/net/ipv4/ip_default_ttl")
    path.write_text(path.read_text())
    return True


def control_groups():
    path = Path(f"/sys/fs/cgroup/probe-{os.getpid()}")
    path.mkdir()
    path.rmdir()
    return True


def other_processes():
    return Path("/proc/1/status").exists()


def proc_files():
    return Path("/proc/uptime").exists()


def personality():
    return checked(libc.personality(ADDR_NO_RANDOMIZE)) >= 0


def executable_memory():
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    return True


def namespaces():
    checked(libc.unshare(CLONE_NEWUTS))
    return True


def realtime():
    """No priority is wrong for this policy: the kernel says so to all, and a filter says no."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(0))
    except OSError as error:
        return error.errno == errno.EINVAL
    return True


def set_user_id():
    os.chmod(own_file(), 0o4755)
    return True


def foreign_system_call():
    """getpid() of 32-bit x86 programs."""
    code = bytes.fromhex("b814000000 cd80 c3")  # mov eax, 20; int 0x80; ret
    memory = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    memory.write(code)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    return ctypes.CFUNCTYPE(ctypes.c_int)(address)() > 0


def other_programs():
    return subprocess.run(["/usr/bin/true"], check=False).returncode == 0


def many_processes():
    children = []
    try:
        for _ in range(100):
            child = os.fork()
            if child == 0:
                signal.pause()
            children.append(child)
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
    return True


def much_memory():
    memory = mmap.mmap(-1, 600 << 20)
    for place in range(0, len(memory), 4096):
        memory[place] = 1
    return True


def swap():
    group = Path("/proc/self/cgroup").read_text().rsplit("::", 1)[1].strip()
    return Path(f"/sys/fs/cgroup{group}/memory.swap.max").read_text() != "0\n"


def homes():
    return Path("/root/probe-file").exists()


def address_family(family, kind=socket.SOCK_RAW):
    socket.socket(family, kind).close()
    return True


def netlink():
    return address_family(socket.AF_NETLINK)


def internet():
    return address_family(socket.AF_INET, socket.SOCK_DGRAM)


def other_address():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"x", ("192.0.2.1", 9))
    return True


def secrets_in_the_environment():
    return "DATABRICKS_TOKEN" in os.environ and "DATABRICKS_CLIENT_SECRET" in os.environ


def whole_root():
    return HERE.exists()


try:
    could = globals()[sys.argv[1]]()
except (OSError, ValueError) as error:
    print(f"{sys.argv[1]}: {error}")
    could = False
sys.exit(0 if could else 7)
