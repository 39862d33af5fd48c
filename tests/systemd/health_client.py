"""Asks the bridge at argv[1] whether it serves, and writes the answer: SERVING or a status code."""

import sys

import grpc

with grpc.insecure_channel(sys.argv[1]) as channel:
    check = channel.unary_unary("/grpc.health.v1.Health/Check")
    try:
        answer = check(b"", timeout=20, wait_for_ready=True)
        print("SERVING" if answer == b"\x08\x01" else answer)
    except grpc.RpcError as error:
        print(error.code().name, error.details())
