"""What connectconformance starts as the server under test: it names a port that serves already.

The runner writes a ServerCompatRequest, which is not needed, and reads a ServerCompatResponse.
"""

import signal
import struct
import sys


def response(host, port):
    """A ServerCompatResponse, with its length in front. A port is a varint of three bytes."""
    varint = bytes([0x80 | port & 0x7F, 0x80 | port >> 7 & 0x7F, port >> 14])
    message = b"\x0a" + bytes([len(host)]) + host.encode() + b"\x10" + varint
    return struct.pack(">I", len(message)) + message


def main():
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    sys.stdin.buffer.read()
    sys.stdout.buffer.write(response("127.0.0.1", int(sys.argv[1])))
    sys.stdout.buffer.flush()
    signal.sigwait({signal.SIGTERM})


if __name__ == "__main__":
    main()
