"""What is counted and measured, for Prometheus; and whether the node is well."""

from node.metrics.metrics import Metrics

__all__ = ["Metrics"]
