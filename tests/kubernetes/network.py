"""Which connections network policies let through, and which the configuration wants."""

from found import called, configuration, file_of, matches, of, settings, stays, workloads

DNS = {(who, "dns", 53, protocol) for who in ("node", "gateway") for protocol in ("UDP", "TCP")}
COLLECTOR = "the collector of traces"


def component(labels):
    return labels.get("app.kubernetes.io/component")


def peers(objects, rule, key):
    """Who is at the other end: a component of ours, DNS, anybody, or what a rule says of others."""
    if not rule.get(key):
        return ["anybody"]
    named = []
    for peer in rule[key]:
        labels = peer.get("podSelector", {}).get("matchLabels", {})
        pods = [one["spec"]["template"]["metadata"]["labels"] for one in workloads(objects)]
        ours = [component(labels) for each in pods if labels and "namespaceSelector" not in peer and matches(labels, each)]
        named.append(ours[0] if ours else "dns" if labels == {"k8s-app": "kube-dns"} else str(peer))
    return named


def ports(rule):
    """The ports of a rule; one without any means all of them."""
    return [(port["port"], port["protocol"]) for port in rule.get("ports", [])] or [("any port", "any")]


def allowed(objects):
    """Egress as (from, to, port, protocol), ingress as (from, into, port, protocol)."""
    out, into = set(), set()
    for policy in of(objects, "NetworkPolicy"):
        who = component(policy["spec"]["podSelector"]["matchLabels"])
        for rule in policy["spec"].get("egress", []):
            out |= {(who, peer, *port) for peer in peers(objects, rule, "to") for port in ports(rule)}
        for rule in policy["spec"].get("ingress", []):
            into |= {(peer, who, *port) for peer in peers(objects, rule, "from") for port in ports(rule)}
    return out, into


def dialled(objects):
    """What the services dial outside of their pods, as their configurations say."""
    headless = {
        f"{one['metadata']['name']}.{one['metadata']['namespace']}.svc": component(one["spec"]["selector"])
        for one in of(objects, "Service")
    }
    for workload in workloads(objects):
        who = component(workload["spec"]["template"]["metadata"]["labels"])
        for one in stays(workload):
            told = settings(configuration(objects, workload).get(file_of(one), ""))
            for neighbour in ("catalog", "launcher", "router"):
                host, _, port = told.get(neighbour, "").rpartition(":")
                if port and host != "127.0.0.1":
                    yield (who, headless[host], int(port), "TCP")
            if collector := told.get("otlp_endpoint"):
                yield (who, COLLECTOR, int(collector.rsplit(":", 1)[1]), "TCP")


def policies(objects, database=None, scraped=None, collector=None, clients="anybody", more=(frozenset(), frozenset())):
    """Lets through what is dialled, and nothing else: `database` as (peer, port), `scraped` as the peer that asks;
    `more` as what is let out and in beside that."""
    everything = [
        one for one in of(objects, "NetworkPolicy") if not component(one["spec"]["podSelector"]["matchLabels"])
    ]
    if [one["spec"]["policyTypes"] for one in everything] != [["Ingress", "Egress"]] or len(everything[0]["spec"]) != 2:
        yield "no policy denies what no other lets through"
    between = {one for one in dialled(objects) if one[1] != COLLECTOR}
    traced = {(who, collector, port, tcp) for who, peer, port, tcp in dialled(objects) if peer == COLLECTOR}
    wanted_out = between | traced | DNS | more[0]
    wanted_in = between | {(clients, "gateway", 8200, "TCP")} | more[1]
    if database:
        wanted_out.add(("node", *database, "TCP"))
    if scraped:
        wanted_in.add((scraped, "node", 8200, "TCP"))
    out, into = allowed(objects)
    for missing in (wanted_out - out) | (wanted_in - into):
        yield f"is not let through: {missing}"
    for odd in (out - wanted_out) | (into - wanted_in):
        yield f"nobody dials: {odd}"
    for one in of(objects, "NetworkPolicy"):
        if set(one["spec"]["policyTypes"]) != {"Ingress", "Egress"}:
            yield f"{called(one)}: does not speak of both directions"
