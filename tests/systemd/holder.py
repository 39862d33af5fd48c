"""Keeps a bidirectional call open, at argv[1] of method argv[2]: sends each line of standard input
as a message, and writes each message that comes, then the status."""

import sys

import grpc

with grpc.insecure_channel(sys.argv[1]) as channel:
    requests = (line.strip().encode() for line in sys.stdin)
    call = channel.stream_stream(sys.argv[2])(requests, wait_for_ready=True)
    try:
        for message in call:
            print(message.decode(), flush=True)
    except grpc.RpcError:
        pass
    print(call.code().name, flush=True)
