"""What connectconformance starts as the client under test: a real one that is led to the bridge.

The runner writes ClientCompatRequests, each with its length in front, that name the port and the
certificate of its own server. The real client gets the bridge's port, in clear text, instead.
"""

import struct
import subprocess
import sys


def varint(number):
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(0x80 | number & 0x7F)
        number >>= 7
    return bytes(encoded) + bytes([number])


def redirected(message, port):
    """Of a field that comes twice the last one counts: 7 is the port, 8 the certificate."""
    return message + b"\x38" + varint(port) + b"\x42\x00"


def main():
    port, command = int(sys.argv[1]), sys.argv[2:]
    client = subprocess.Popen(command, stdin=subprocess.PIPE)
    runner = sys.stdin.buffer
    while prefix := runner.read(4):
        message = redirected(runner.read(*struct.unpack(">I", prefix)), port)
        client.stdin.write(struct.pack(">I", len(message)) + message)
        client.stdin.flush()
    client.stdin.close()
    sys.exit(client.wait())


if __name__ == "__main__":
    main()
