"""What has to be true between objects: what names something names what is there. Each rule names what breaks it."""

import re

import yaml

from found import SERVICES, called, configuration, containers, file_of, matches, of, pod, settings, stays, workloads


def selectors(objects):
    """Every selector means exactly the pods of one workload; that of the default policy, all of them."""
    pods = {called(one): one["spec"]["template"]["metadata"]["labels"] for one in workloads(objects)}
    wanted = []
    for one in workloads(objects):
        wanted.append((called(one), one["spec"]["selector"]["matchLabels"], 1))
        for spread in pod(one).get("topologySpreadConstraints", []):
            wanted.append((called(one), spread["labelSelector"]["matchLabels"], 1))
    for one in of(objects, "Service"):
        wanted.append((called(one), one["spec"]["selector"], 1))
    for one in of(objects, "PodDisruptionBudget"):
        wanted.append((called(one), one["spec"]["selector"]["matchLabels"], 1))
    for one in of(objects, "NetworkPolicy"):
        nothing = not one["spec"].get("ingress") and not one["spec"].get("egress")
        wanted.append((called(one), one["spec"]["podSelector"]["matchLabels"], 2 if nothing else 1))
    for who, selector, number in wanted:
        if (found := sum(matches(selector, labels) for labels in pods.values())) != number:
            yield f"{who}: {selector} selects {found} kinds of pods"
    for one in of(objects, "ServiceMonitor"):
        selector = one["spec"]["selector"]["matchLabels"]
        services = [each for each in of(objects, "Service") if matches(selector, each["metadata"]["labels"])]
        ports = [port["name"] for each in services for port in each["spec"]["ports"]]
        if len(services) != 1 or one["spec"]["endpoints"][0]["port"] not in ports:
            yield f"{called(one)}: {selector} selects {len(services)} services"


def secrets_of(one):
    """The secrets that an object names, wherever."""
    if isinstance(one, list):
        return {name for each in one for name in secrets_of(each)}
    if not isinstance(one, dict):
        return set()
    named = {name for value in one.values() for name in secrets_of(value)}
    for key in ("secretKeyRef", "credentials"):
        if key in one:
            named.add(one[key]["name"])
    if isinstance(one.get("secret"), dict):
        named.add(one["secret"].get("secretName") or one["secret"]["name"])
    return named | {each["name"] for each in one.get("imagePullSecrets", [])}


def references(objects, given=frozenset()):
    """Everything that is named is there: secrets that are given, or made by cert-manager."""
    made = {one["spec"]["secretName"] for one in of(objects, "Certificate")}
    for one in objects:
        for name in secrets_of(one) - made - given:
            yield f"{called(one)}: there is no secret {name}"
    issuers = {one["metadata"]["name"] for one in of(objects, "Issuer")}
    for one in of(objects, "Issuer"):
        if "ca" in one["spec"] and one["spec"]["ca"]["secretName"] not in made:
            yield f"{called(one)}: there is no secret {one['spec']['ca']['secretName']}"
    for one in of(objects, "Certificate"):
        issuer = one["spec"]["issuerRef"]
        if issuer.get("kind", "Issuer") == "Issuer" and issuer["name"] not in issuers:
            yield f"{called(one)}: there is no issuer {issuer['name']}"
    accounts = {one["metadata"]["name"] for one in of(objects, "ServiceAccount")}
    services = {one["metadata"]["name"] for one in of(objects, "Service")}
    configurations = {one["metadata"]["name"] for one in of(objects, "ConfigMap")}
    for workload in workloads(objects):
        spec, name = pod(workload), called(workload)
        if spec.get("serviceAccountName") not in accounts:
            yield f"{name}: there is no account {spec.get('serviceAccountName')}"
        if workload["kind"] == "StatefulSet" and workload["spec"]["serviceName"] not in services:
            yield f"{name}: there is no service {workload['spec']['serviceName']}"
        volumes = {volume["name"] for volume in spec["volumes"]}
        volumes |= {claim["metadata"]["name"] for claim in workload["spec"].get("volumeClaimTemplates", [])}
        used = {mount["name"] for one in containers(workload) for mount in one.get("volumeMounts", [])}
        for odd in volumes ^ used:
            yield f"{name}: the volume {odd} is not used, or not there"
        for volume in spec["volumes"]:
            if "configMap" in volume and volume["configMap"]["name"] not in configurations:
                yield f"{name}: there is no configuration {volume['configMap']['name']}"
        for one in stays(workload):
            if file_of(one) not in configuration(objects, workload):
                yield f"{name}: {one['name']} reads {file_of(one)}, which is not there"
            ports = {port["name"] for port in one.get("ports", [])}
            for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
                port = one.get(kind, {}).get("httpGet", {}).get("port")
                if port and port not in ports:
                    yield f"{name}: {kind} asks the port {port}, which is not there"
    for service in of(objects, "Service"):
        ports = {
            port["name"]
            for workload in workloads(objects)
            if matches(service["spec"]["selector"], workload["spec"]["template"]["metadata"]["labels"])
            for one in stays(workload)
            for port in one.get("ports", [])
        }
        for port in service["spec"]["ports"]:
            if port["targetPort"] not in ports:
                yield f"{called(service)}: no pod has the port {port['targetPort']}"


def listens(objects):
    """Ports say where a configuration listens; what nobody outside of the pod asks listens at the pod itself."""
    for workload in workloads(objects):
        for one in stays(workload):
            text = configuration(objects, workload).get(file_of(one), "")
            host, port = settings(text).get("address", ":").rsplit(":", 1)
            declared = [str(each["containerPort"]) for each in one.get("ports", [])]
            if declared != ([] if host == "127.0.0.1" else [port]):
                yield f"{called(workload)}: {one['name']} listens at {host}:{port}, and declares {declared}"


def no_secrets(objects):
    """Nothing that is rendered holds a secret."""
    for one in objects:
        if one["kind"] == "Secret":
            yield f"{called(one)}: a secret is rendered"
        text = yaml.safe_dump(one)
        if re.search(r"PRIVATE KEY|connection_url\s*=|postgres(ql)?://|\bhv[sb]\.", text):
            yield f"{called(one)}: holds a secret"


def certificates(objects):
    """Each service reads its own certificate only, which names it and no other service."""
    for one in of(objects, "Certificate"):
        spec, name = one["spec"], one["metadata"]["name"]
        names = set(spec.get("dnsNames", [])) & set(SERVICES)
        service = next((each for each in SERVICES if name.endswith(f"-{each}")), None)
        if names != ({service} if service else set()):
            yield f"{called(one)}: names {names}"
        if service and not {"digital signature", "server auth", "client auth"} <= set(spec["usages"]):
            yield f"{called(one)}: cannot be shown by a client and a server"
        if service and spec["issuerRef"]["name"] != next(
            each["metadata"]["name"] for each in of(objects, "Issuer") if "ca" in each["spec"]
        ):
            yield f"{called(one)}: is not signed by the authority of the services"
        if name.endswith("-listener"):
            host = re.sub(r"^https?://|:\d+$", "", api_addr(objects))
            if host not in spec["dnsNames"]:
                yield f"{called(one)}: does not name {host}, where clients are sent to"
    for workload in workloads(objects):
        for one in stays(workload):
            mounted = {mount["name"] for mount in one["volumeMounts"] if mount["name"].endswith("-certificate")}
            if mounted - {"listener-certificate"} != {f"{one['args'][0]}-certificate"}:
                yield f"{called(workload)}: {one['name']} reads {mounted}"


def api_addr(objects):
    return next(
        settings(text)["api_addr"]
        for workload in workloads(objects)
        for file, text in configuration(objects, workload).items()
        if file == "router.hcl"
    )
