"""Connects again and again to the addresses in argv, and waits each time for the first bytes of an
HTTP/2 server. Ends with its standard input, and writes how often it was served, and what failed."""

import socket
import sys
import threading

GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
ended = threading.Event()


def knock(address):
    family = socket.AF_UNIX if address.startswith("/") else socket.AF_INET
    with socket.socket(family) as client:
        client.settimeout(60)
        client.connect(address if address.startswith("/") else ("127.0.0.1", int(address)))
        client.sendall(GREETING)
        if not client.recv(9):
            raise ConnectionError("closed without a word")


def main():
    served, faults = 0, []
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    while True:
        for address in sys.argv[1:]:
            try:
                knock(address)
                served += 1
            except OSError as error:
                faults.append(f"{address}: {error}")
        if ended.is_set():
            break
    print(served, *faults, sep="\n")


main()
