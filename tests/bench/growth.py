"""How the cost of a call grows with the calls in flight and with the connections.

What connecting costs is taken off: the load runs a first time with one call for each place in
flight, and what counts is what the calls beyond those have cost.
"""

from works import Bodies, Work, timed

IN_FLIGHT = (1, 4, 16, 64, 256, 1024)
CONNECTIONS = (1, 10, 100, 1000)
MOST_ON_ONE = 512  # every peer allows 1,000 streams: 1,024 calls take two connections
METRIC = "CPU us a call"


def in_flight_title(count):
    return f"in flight, {count:,}"


def connections_title(count):
    return f"connections, {count:,}"


class GrowthWorks:
    def __init__(self, directory, scale, most):
        self._small = Bodies(directory).small()
        self._scale = scale
        self.all = []
        for count in (count for count in IN_FLIGHT if count <= most):
            clients = -(-count // MOST_ON_ONE) if count > 1000 else 1
            self.all.append(self._work(in_flight_title(count), clients, count // clients))
        for count in (count for count in CONNECTIONS if count <= most):
            self.all.append(self._work(connections_title(count), count, 1))

    def _work(self, title, clients, streams):
        return Work(title, lambda subject: self._measure(subject, clients, streams))

    def _measure(self, subject, clients, streams):
        in_flight = clients * streams
        more = max((5000 if in_flight == 1 else 20000) // self._scale, 10 * in_flight)
        options = ("-c", clients, "-m", streams)
        _, first = timed(subject, "Config", self._small, in_flight, *options)
        _, whole = timed(subject, "Config", self._small, in_flight + more, *options)
        return {METRIC: (whole - first) / more * 1e6}
