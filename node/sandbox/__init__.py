"""A local stand-in for a bundler and an Arweave gateway, which misbehaves when told to."""

from node.sandbox.faults import Fault, Kind
from node.sandbox.server import Sandbox

__all__ = ["Fault", "Kind", "Sandbox"]
