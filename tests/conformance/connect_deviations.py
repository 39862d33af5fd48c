"""The cases of connectconformance that do not pass, and why: the only ones that may fail.

A deviation is a pattern of case names and what the runner must say of each case that it matches,
in full: a case that fails in another way is a failure.
"""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True)
class Deviation:
    name: str  # a pattern
    says: str  # a regular expression

    def covers(self, case, said):
        return fnmatchcase(case, self.name) and re.fullmatch(self.says, said, re.DOTALL)


# These fail without the bridge, too. A stream with none or two messages where one is due: grpc-go
# calls it INTERNAL where the suite follows a table that says UNIMPLEMENTED.
_CARDINALITY = r'actual error {code: 13 \(internal\), message: "cardinality violation: .*} does not '
_CARDINALITY += r"match expected code 12 \(unimplemented\)"

OF_GRPC_GO_SERVER = [
    Deviation("gRPC Unexpected Requests/*/unary/multiple-requests*", _CARDINALITY),
    Deviation("gRPC Unexpected Requests/*/unary/no-request*", _CARDINALITY),
    Deviation("gRPC Unexpected Requests/*/server-stream/multiple-requests*", _CARDINALITY),
    Deviation("gRPC Unexpected Requests/*/server-stream/no-request*", _CARDINALITY),
]
OF_GRPC_GO_CLIENT = [
    Deviation("gRPC Unexpected Responses/*/unary/multiple-responses*", _CARDINALITY),
    Deviation("gRPC Unexpected Responses/*/unary/ok-but-no-response*", _CARDINALITY),
    Deviation("gRPC Unexpected Responses/*/client-stream/multiple-responses*", _CARDINALITY),
    Deviation("gRPC Unexpected Responses/*/client-stream/ok-but-no-response*", _CARDINALITY),
]

# What is not gRPC the bridge answers itself. The code is the one expected, but unlike a client that
# makes up a status alone, the bridge says by an ErrorInfo that the status is its own.
_OWN_STATUS = "actual error contain 1 details; expecting 0"

OF_REFUSALS_BY_HTTP = [
    Deviation("gRPC Unexpected Requests/*/unexpected-codec", _OWN_STATUS),
    Deviation("gRPC Unexpected Requests/*/unexpected-uri", _OWN_STATUS),
]
OF_ANSWERS_THAT_ARE_NOT_GRPC = [
    Deviation("HTTP to RPC Code Mapping/*", _OWN_STATUS),
    Deviation("Unexpected Responses/*/nonexistent-http-status-code", _OWN_STATUS),
    Deviation("Unexpected Responses/*/unmapped-http-status-code", _OWN_STATUS),
    # A page instead of gRPC is a login page on the way: a matter of configuration, not UNKNOWN.
    Deviation(
        "gRPC Unexpected Responses/*/unexpected-content-type",
        r'actual error {code: 9 \(failed_precondition\), message: "sparkbridge: .* answered with '
        r'image/jpeg instead of gRPC; .*"} does not match expected code 2 \(unknown\)\n'
        + _OWN_STATUS,
    ),
]

# An answer that ends without a status was cut: UNAVAILABLE makes Spark's clients re-attach, while
# INTERNAL and UNKNOWN fail the query.
_CUT = r'actual error {code: 14 \(unavailable\), message: "sparkbridge: .* ended the answer without '
_CUT += r'a status.*"} does not match expected code (13|2) \(\w+\) or (13|2) \(\w+\)\n'
_CUT += _OWN_STATUS

OF_ANSWERS_WITHOUT_STATUS = [
    Deviation("gRPC Unexpected Responses/*/unary/no-terminal-status", _CUT),
    Deviation("gRPC Unexpected Responses/*/client-stream/no-terminal-status", _CUT),
    Deviation("gRPC Unexpected Responses/*/server-stream/no-terminal-status", _CUT),
    Deviation("gRPC Unexpected Responses/*/bidi-stream/*/no-terminal-status", _CUT),
    Deviation("gRPC Unexpected Responses/*/missing-status", _CUT),
    Deviation("gRPC Unexpected Responses/*/trailers-only/ignore-header-if-body-present", _CUT),
]

# The suite's servers put the request's headers into the details of an error, the credential that the
# bridge has added among them. The bridge takes out a detail that holds it, and leaves others alone,
# which tests/integration/test_passthrough.py shows.
OF_CREDENTIALS_IN_DETAILS = [
    Deviation("*", "actual error contain 0 details; expecting 1"),
]
