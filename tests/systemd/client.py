"""Calls a method of the bridge, argv[1] argv[2], and writes SERVING or the status of the answer."""

import sys

import grpc

with grpc.insecure_channel(sys.argv[1]) as channel:
    check = channel.unary_unary(sys.argv[2])
    try:
        answer = check(b"", timeout=20, wait_for_ready=True)
        print("SERVING" if answer == b"\x08\x01" else answer)
    except grpc.RpcError as error:
        print(error.code().name, error.details())
