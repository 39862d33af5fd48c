"""The stand-in workspace: what the bridge is tested against (see tests/README.md)."""
