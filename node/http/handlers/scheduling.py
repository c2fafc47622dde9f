"""Posting a message: it is verified, scheduled, and answered with its assignment."""

from __future__ import annotations

from starlette.responses import Response

from node.http.admission import admitted, is_large
from node.http.assignment_wire import assignment_wire
from node.http.confirmation import reached, wanted
from node.http.negotiation import HTTPSIG, Form
from node.http.places import elsewhere, follows, redirect
from node.http.replies import NO_STORE, Fields, Reply, respond
from node.http.request import Call
from node.http.subjects import subject
from node.http.waiting import asking_peers
from node.node import Node
from protocol.assignment import LEGACY_VARIANT, Assignment
from protocol.codecs import assignment as assignments
from protocol.errors import (
    NotFound,
    NotOurProcess,
    UnsupportedProcess,
    WrongTarget,
)
from protocol.ids import Id
from protocol.message import Message, Verified, named_process

_USUAL = Form(HTTPSIG, bundle=False)


async def schedule(node: Node, call: Call) -> Reply | Response:
    """Schedule the message of a request; answer with its assignment.

    The answer waits for the stage that `confirmation` names, else for the node's own, and
    says in a header of that name which one was reached. A header `id` names the message.

    Raises:
        InvalidInput: the message or `confirmation` is at fault; nothing was scheduled.
        NotFound: nobody knows the process.
        SchedulerError: what the ticket ended with.
    """
    stage = wanted(node, call)
    message = subject(call, node.scheduler.message)
    _require_destination(call, message)
    _require_item(node, message)
    verified = await admitted(node, message)
    ticket = node.scheduler.schedule(verified)
    try:
        assignment = await ticket.future(stage)
    except (NotFound, NotOurProcess) as exc:
        return await _sent_on(node, call, verified, exc)
    return _answer(call, message, assignment, reached(ticket))


async def _sent_on(
    node: Node, call: Call, message: Verified, refusal: NotFound | NotOurProcess
) -> Reply | Response:
    # What is refused here may be for somebody else to take.
    spawned = dict(message.keys) if message.is_process else None
    try:
        place = await elsewhere(node, call, message.process, spawned)
    except NotFound:
        place = None
    if place is None:
        raise refusal from None
    if not follows(node, call):
        return redirect(call, place, message.process)
    entry = await asking_peers(node.remote.schedule, place, message)
    # How far it got is for its scheduler to say.
    return _answer(call, entry.message, entry.assignment, ())


def _require_destination(call: Call, message: Message) -> None:
    # The message alone says which process it is for; the address may only agree.
    process = named_process(message)
    target = call.path.keys.get("target")
    asked = call.path.base if target is None else Id.parse(target.partition("?")[0])
    if asked not in (None, process, message.id):
        raise WrongTarget(f"the message is for process {process}")


def _require_item(node: Node, message: Message) -> None:
    # Readers of the older variant can check data items, and nothing else.
    if message.codec == "ans104":
        return
    process = named_process(message)
    variant = message.keys.get(b"variant", b"").decode("latin-1")
    if process != message.id:
        variant = node.scheduler.terms(process).variant if node.scheduler.has(process) else ""
    if variant == LEGACY_VARIANT:
        raise UnsupportedProcess(f"a process of variant {LEGACY_VARIANT} takes ANS-104 items only")


def _answer(
    call: Call, message: Message, assignment: Assignment, confirmation: Fields
) -> Reply | Response:
    fields = (*NO_STORE, (b"id", message.id.ascii), *confirmation)
    if call.form == _USUAL and not call.path.rest:
        wire = assignment_wire(assignment)
        return respond(Reply({}, fields), wire.headers, wire.body)
    body = message.tabm if call.form.bundle else None
    tabm = assignments.tabm(assignment, body)
    return Reply(tabm, fields, body is not None and is_large(message))
