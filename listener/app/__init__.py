"""The only place where the parts meet: opened in order, run together, stopped in order."""

from listener.app.parts import CannotRun, Parts, alone, inference, opened, reading
from listener.app.running import leave, run_once, serve
from listener.app.service import Service, Stage
from listener.app.ways_out import Channels

__all__ = [
    "CannotRun",
    "Channels",
    "Parts",
    "Service",
    "Stage",
    "alone",
    "inference",
    "leave",
    "opened",
    "reading",
    "run_once",
    "serve",
]
