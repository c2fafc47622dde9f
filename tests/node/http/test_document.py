from __future__ import annotations

import re

from protocol.ids import Id
from protocol.wallet import Wallet
from tests.node.http.service import Service
from tests.sources import ROOT

DOCUMENT = (ROOT / "docs" / "HTTP.md").read_text("utf-8")
ROUTES = re.findall(r"`(GET|POST) (/[^`]*)`", DOCUMENT)
FORMS = re.findall(r"^(/\S*slot\S*)$", DOCUMENT, re.MULTILINE)
NOWHERE = "nothing here has this address"


def test_every_route_of_the_document_is_served(
    service: Service, process: Id, wallet: Wallet
) -> None:
    """docs/HTTP.md names no address that leads nowhere."""
    assert NOWHERE in service.get("/nobody").text
    assert len(ROUTES) > 20
    for method, address in ROUTES:
        here = address.format(process=process, message=process, address=wallet.address, id=process)
        reply = service.request(method, here, headers={"accept": "application/json"})
        assert reply.status_code < 500, address
        assert NOWHERE not in reply.text, address


def test_all_forms_of_an_address_mean_the_same(service: Service, process: Id) -> None:
    """The document shows five; each is answered with the slot."""
    assert len(FORMS) == 5
    for form in FORMS:
        assert service.get(form.format(process=process)).headers["current"] == "0", form
