"""The agents of an operator, who sell at a counter: their terms, and the settlements of their cash."""

import re
from typing import Any

from starlette.responses import Response

from busware.server import protocol
from busware.server.documents.formats import FORMATS
from busware.server.pages.operator import frame
from busware.server.pages.visits import Table, Visit
from busware.server.protocol import Agent, AgentList, Refusal, Settlement

_SECTION = "/operator/staff"
PATH = "/operator/agents"
_AGENT = f"{PATH}/{{agent}}"


def show_agents(visit: Visit) -> Response:
    """The agents with their cash."""
    listed: AgentList = visit.request(
        protocol.Agents, operator=frame.operator_named(visit), after=visit.query.get("after", [""])[0]
    )
    return frame.render(visit, "operator_agents.html", _SECTION, agents=listed.agents, next=listed.next)


def _agent(visit: Visit) -> Agent:
    """The agent in the path. Raises Refusal."""
    for listed in frame.pages_of(visit, protocol.Agents, operator=frame.operator_named(visit)):
        for agent in listed.agents:
            if agent.agent == visit.path["agent"]:
                found: Agent = agent
                return found
    raise Refusal("unknown_agent", "You have no such agent.")


def show_agent(visit: Visit) -> Response:
    """The terms of an agent, and a settlement: the open one, or the one that is asked for."""
    agent = _agent(visit)
    number = visit.query.get("settlement", [""])[0]
    settlement: Settlement = visit.request(
        protocol.GetSettlement, agent=agent.agent, operator=agent.operator, settlement_no=number
    )
    return frame.render(
        visit,
        "operator_agent.html",
        _SECTION,
        agent=agent,
        settlement=settlement,
        quotas=", ".join(f"{quota.bus_id}: {quota.seats}" for quota in agent.quotas),
        done=visit.query.get("done", [""])[0],
    )


def change_agent(visit: Visit) -> Response:
    """Change the terms of an agent, or settle its cash."""
    name = visit.path["agent"]
    if visit.value("do") == "settle":
        visit.request(
            protocol.SettleAgent,
            agent=name,
            operator=frame.operator_named(visit),
            settlement_no=visit.value("settlement_no"),
            handed_over=visit.value("handed_over"),
        )
        return visit.see(frame.link(visit, f"{PATH}/{name}", done="settled"))
    visit.request(
        protocol.PutAgent,
        agent=name,
        operator=frame.operator_named(visit),
        commission_percent=visit.value("commission_percent"),
        credit_limit=frame.exactly(visit.value("credit_limit") or None),
        active=frame.exactly(visit.value("active") == "on"),
        quotas=frame.exactly(_quotas(visit.value("quotas"))),
    )
    return visit.see(frame.link(visit, f"{PATH}/{name}", done="changed"))


def _quotas(text: str) -> list[dict[str, Any]]:
    """The quotas in a text such as "101: 4, 102: 6". Raises Refusal."""
    quotas = []
    for part in filter(None, re.split(r"[,;\n]\s*", text)):
        found = re.fullmatch(r"([0-9]{1,18})\s*:\s*([0-9]{1,5})", part.strip())
        if not found:
            message = f'"{part[:40]}" is not the number of a service, a colon and a number of seats.'
            raise Refusal("bad_request", message, field="quotas")
        quotas.append({"bus_id": int(found[1]), "seats": int(found[2])})
    return quotas


def send_settlement(visit: Visit) -> Response:
    """The payments of a settlement as CSV."""
    settlement = visit.request(
        protocol.GetSettlement,
        agent=visit.path["agent"],
        operator=frame.operator_named(visit),
        settlement_no=visit.value("settlement"),
    )
    csv = FORMATS[protocol.GetSettlement]["csv"]
    name = f"settlement-{settlement.settlement_no}.csv"
    return visit.send_file(csv.encode(settlement), csv.mime_type, name)


PAGES: Table = {
    PATH: frame.owned_page(show_agents),
    _AGENT: frame.owned_page(show_agent, change_agent),
    f"{_AGENT}/settlement.csv": frame.owned_page(send_settlement),
}
