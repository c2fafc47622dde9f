"""Who does what, and when: the scheduler as Pykka actors."""

from actors.messages import Info, Passivate, ProcessInfo, Submit
from actors.process import ProcessActor
from actors.registry import SchedulerRegistry
from actors.scheduler import Scheduler
from actors.stages import Duplicates, SchedulingMode, Stage
from actors.ticket import Ticket

__all__ = [
    "Duplicates",
    "Info",
    "Passivate",
    "ProcessActor",
    "ProcessInfo",
    "Scheduler",
    "SchedulerRegistry",
    "SchedulingMode",
    "Stage",
    "Submit",
    "Ticket",
]
