"""The only polite door to the network: guarded, paced, patient."""

from connectors.kit.web.network import Limits, Network, PacedWeb

__all__ = ["Limits", "Network", "PacedWeb"]
