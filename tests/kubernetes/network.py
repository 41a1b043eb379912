"""Which connections network policies let through, and which the configuration wants."""

from found import called, configuration, file_of, matches, of, settings, stays, workloads

DNS = {("node", "dns", 53, "UDP"), ("node", "dns", 53, "TCP"), ("gateway", "dns", 53, "UDP"), ("gateway", "dns", 53, "TCP")}


def component(labels):
    return labels.get("app.kubernetes.io/component")


def peers(objects, rule, key):
    """Who is at the other end: a component of ours, DNS, anybody, or what a rule says of others."""
    if not rule.get(key):
        return ["anybody"]
    named = []
    for peer in rule[key]:
        labels = peer.get("podSelector", {}).get("matchLabels", {})
        ours = [
            component(labels)
            for one in workloads(objects)
            if labels and "namespaceSelector" not in peer and matches(labels, one["spec"]["template"]["metadata"]["labels"])
        ]
        named.append(ours[0] if ours else "dns" if labels == {"k8s-app": "kube-dns"} else str(peer))
    return named


def allowed(objects):
    """Egress as (from, to, port, protocol), ingress as (from, into, port, protocol)."""
    out, into = set(), set()
    for policy in of(objects, "NetworkPolicy"):
        who = component(policy["spec"]["podSelector"]["matchLabels"])
        for rule in policy["spec"].get("egress", []):
            for peer in peers(objects, rule, "to"):
                out |= {(who, peer, port["port"], port["protocol"]) for port in rule.get("ports", [{"port": 0, "protocol": ""}])}
        for rule in policy["spec"].get("ingress", []):
            for peer in peers(objects, rule, "from"):
                into |= {(peer, who, port["port"], port["protocol"]) for port in rule.get("ports", [{"port": 0, "protocol": ""}])}
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


def policies(objects, database=None, scraped=None, clients="anybody", more_out=frozenset(), more_in=frozenset()):
    """Lets through what is dialled, and nothing else: `database` as (peer, port), `scraped` as the peer that asks."""
    everything = [one for one in of(objects, "NetworkPolicy") if component(one["spec"]["podSelector"]["matchLabels"]) is None]
    if [one["spec"]["policyTypes"] for one in everything] != [["Ingress", "Egress"]] or len(everything[0]["spec"]) != 2:
        yield "no policy denies what no other lets through"
    between = set(dialled(objects))
    wanted_out = between | DNS | more_out
    wanted_in = between | {(clients, "gateway", 8200, "TCP")} | more_in
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
