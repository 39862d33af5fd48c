"""A workspace that notes whose calls came with which credential."""

from dataclasses import dataclass

from workspace.scripted import GRPC_HEADERS, ScriptedServer, message

METHOD = "Config"


@dataclass(frozen=True)
class Note:
    """A call: what its body says of its caller, and what came with it."""

    caller: str
    authorization: str
    connection: int  # which one of the workspace's connections it came by
    names: frozenset  # of its headers


class Notes(ScriptedServer):
    """Answers every call with what its caller said."""

    def __init__(self, place):
        super().__init__(place.loop, place.certificate)
        self.notes = []
        self.tokens = {}
        self._connections = {}
        self.on("*", self._note)

    def token(self, label):
        """The token of that label, the same whenever it is asked for."""
        return self.tokens.setdefault(label, f"dapi-canary-of-{label}-0123456789")

    def of(self, caller):
        """The labels of the tokens that calls of this caller came with."""
        labels = {f"Bearer {token}": label for label, token in self.tokens.items()}
        return {labels.get(n.authorization) for n in self.notes if n.caller == caller}

    async def _note(self, stream):
        caller = (await stream.body())[5:].decode()
        connection = self._connections.setdefault(
            id(stream._connection), (len(self._connections), stream._connection)
        )
        names = frozenset(name for name, _ in stream.headers)
        self.notes.append(Note(caller, stream.value("authorization"), connection[0], names))
        stream.send_headers(GRPC_HEADERS)
        await stream.send_data(message(caller.encode()))
        stream.trailers(0)


def call_as(client, caller, *, metadata=()):
    """A call that says whose it is; its Answer."""
    return client.call(METHOD, message(caller.encode()), metadata=metadata)
