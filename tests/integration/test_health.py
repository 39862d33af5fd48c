"""grpc.health.v1 is answered by the bridge itself, whatever the workspace does."""

import signal

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

SERVICE = "spark.connect.SparkConnectService"


@pytest.fixture
def bridge(bridges):
    """A bridge whose workspace is not there."""
    return bridges(port=1)


@pytest.fixture
def health(bridge):
    with grpc.insecure_channel(f"localhost:{bridge.port}") as channel:
        yield health_pb2_grpc.HealthStub(channel)


@pytest.mark.parametrize("service", ["", SERVICE])
def test_check(health, service):
    answer = health.Check(health_pb2.HealthCheckRequest(service=service), timeout=10)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_check_of_an_unknown_service(health):
    with pytest.raises(grpc.RpcError) as raised:
        health.Check(health_pb2.HealthCheckRequest(service="other"), timeout=10)
    assert raised.value.code() == grpc.StatusCode.NOT_FOUND


def test_watch_until_the_bridge_stops(health, bridge):
    watch = health.Watch(health_pb2.HealthCheckRequest(service=SERVICE), timeout=30)
    assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
    bridge.child.send_signal(signal.SIGTERM)
    assert next(watch).status == health_pb2.HealthCheckResponse.NOT_SERVING
    with pytest.raises(grpc.RpcError) as raised:
        next(watch)
    assert raised.value.code() == grpc.StatusCode.UNAVAILABLE
    assert bridge.child.wait(30) == 0  # a second signal would cut the drain short


def test_watch_of_an_unknown_service(health):
    watch = health.Watch(health_pb2.HealthCheckRequest(service="other"), timeout=30)
    assert next(watch).status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
    watch.cancel()
