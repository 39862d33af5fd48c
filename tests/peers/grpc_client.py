"""A user's own program: `python grpc_client.py [UID,GID,PORT]` makes one call by grpcio."""

import json
import os
import sys

import grpc

uid, gid, port = json.loads(sys.argv[1])
# Opened before, as the library may be in somebody's home; it connects when it is used.
with grpc.insecure_channel(f"localhost:{port}") as channel:
    call = channel.unary_unary("/spark.connect.SparkConnectService/Config")
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    try:
        answer = call(f"from uid {os.getuid()}".encode(), timeout=30)
        print(json.dumps(["OK", answer.decode()]))
    except grpc.RpcError as error:
        print(json.dumps([error.code().name, error.details()]))
