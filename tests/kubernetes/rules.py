"""What has to be true of a set of objects, beyond their schemas. Each rule names what breaks it."""

import re

import yaml

SERVICES = ("catalog", "launcher", "router", "gateway")


def of(objects, *kinds):
    return [one for one in objects if one["kind"] in kinds]


def called(one):
    return f"{one['kind']} {one['metadata']['name']}"


def workloads(objects):
    return of(objects, "StatefulSet", "Deployment")


def pod(workload):
    return workload["spec"]["template"]["spec"]


def containers(workload):
    return pod(workload).get("initContainers", []) + pod(workload)["containers"]


def stays(workload):
    """The containers that run for as long as the pod does."""
    kept = [one for one in pod(workload).get("initContainers", []) if one.get("restartPolicy") == "Always"]
    return kept + pod(workload)["containers"]


def configuration(objects, workload):
    """The text of each file of a workload's configuration."""
    names = [volume["configMap"]["name"] for volume in pod(workload)["volumes"] if "configMap" in volume]
    return {
        file: text
        for one in of(objects, "ConfigMap")
        if one["metadata"]["name"] in names
        for file, text in one["data"].items()
    }


def file_of(container):
    """The file that a service is told to read."""
    return next(word for word in container["args"] if word.startswith("-config=")).rsplit("/", 1)[1]


def settings(text):
    """The settings of a configuration, whichever block they are in."""
    return dict(re.findall(r'^\s*(\w+)\s*=\s*"?([^"\n]*?)"?\s*$', text, re.MULTILINE))


def restricted(objects):
    """The Pod Security Standard of that name, and a root file system that nobody writes to."""
    allowed_volumes = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
    for workload in workloads(objects):
        spec, name = pod(workload), called(workload)
        whole = spec.get("securityContext", {})
        for key in ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"):
            if spec.get(key):
                yield f"{name}: {key}"
        if whole.get("runAsNonRoot") is not True or not whole.get("runAsUser"):
            yield f"{name}: may run as root"
        if whole.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
            yield f"{name}: no seccomp profile"
        if whole.get("sysctls"):
            yield f"{name}: sysctls"
        for volume in spec.get("volumes", []):
            if kinds := set(volume) - {"name"} - allowed_volumes:
                yield f"{name}: volume {volume['name']} is {kinds}"
        for one in containers(workload):
            own, who = one.get("securityContext", {}), f"{name}: {one['name']}"
            if own.get("allowPrivilegeEscalation") is not False:
                yield f"{who}: may gain privileges"
            if own.get("capabilities") != {"drop": ["ALL"]}:
                yield f"{who}: capabilities"
            if own.get("privileged") or own.get("runAsUser") == 0 or own.get("runAsNonRoot") is False:
                yield f"{who}: privileged, or root"
            if own.get("seccompProfile", {}).get("type") == "Unconfined" or own.get("procMount", "Default") != "Default":
                yield f"{who}: unconfined"
            if own.get("readOnlyRootFilesystem") is not True:
                yield f"{who}: writes to its root"
            if any("hostPort" in port for port in one.get("ports", [])):
                yield f"{who}: a port of the machine"


def unprivileged(objects):
    """No pod gets a token, and each container says what it needs."""
    for workload in workloads(objects):
        if pod(workload).get("automountServiceAccountToken") is not False:
            yield f"{called(workload)}: gets a token"
        for one in containers(workload):
            resources = one.get("resources", {})
            if not resources.get("requests", {}).get("cpu") or not resources.get("limits", {}).get("memory"):
                yield f"{called(workload)}: {one['name']} has no requests or limits"
    for one in of(objects, "ServiceAccount"):
        if one.get("automountServiceAccountToken") is not False:
            yield f"{called(one)}: gives tokens"


def probes(objects):
    """A container is started again when it does not answer; never because the node is sealed, or a neighbour away."""
    for workload in workloads(objects):
        ready = 0
        for one in stays(workload):
            who = f"{called(workload)}: {one['name']}"
            own = [word for word in one["args"] if word.startswith("-config=")]
            for kind in ("startupProbe", "livenessProbe"):
                command = one.get(kind, {}).get("exec", {}).get("command")
                if command != ["mortise", "health", one["args"][0], *own]:
                    yield f"{who}: {kind} is {command}"
            readiness = one.get("readinessProbe")
            ready += readiness is not None
            if readiness and not readiness["httpGet"]["path"].startswith("/v1/sys/health?standbyok=true"):
                yield f"{who}: readiness does not ask how the node is"
            sealed = readiness and "sealedcode=204&uninitcode=204" in readiness["httpGet"]["path"]
            if workload["kind"] == "StatefulSet" and readiness and not sealed:
                yield f"{who}: a sealed node is not found by those who unseal it"
            if readiness and readiness["httpGet"]["scheme"] != scheme(objects, workload, one):
                yield f"{who}: readiness speaks another scheme than the listener"
        if not ready:
            yield f"{called(workload)}: nothing says when it is ready"


def scheme(objects, workload, container):
    plain = settings(configuration(objects, workload).get(file_of(container), "")).get("tls_disable") == "true"
    return "HTTP" if plain else "HTTPS"


def ends(objects):
    """What the router needs ends after it; a gateway is out of its services before it stops to listen."""
    for workload in workloads(objects):
        grace = pod(workload).get("terminationGracePeriodSeconds", 0)
        if workload["kind"] == "StatefulSet":
            always = [one["name"] for one in pod(workload)["initContainers"] if one.get("restartPolicy") == "Always"]
            if always != ["catalog", "launcher"]:
                yield f"{called(workload)}: {always} start and end in this order"
            if grace < 8 + 10 + 8:
                yield f"{called(workload)}: {grace} s are too short for three services, one after the other"
            if workload["spec"]["replicas"] != 1:
                yield f"{called(workload)}: more than one node on one storage"
        else:
            pause = pod(workload)["containers"][0].get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
            if not 0 < pause < grace - 6:
                yield f"{called(workload)}: pauses {pause} s of {grace} s before it ends"


def matches(selector, labels):
    return all(labels.get(key) == value for key, value in selector.items())


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


ALL = [restricted, unprivileged, probes, ends, selectors, references, listens, no_secrets, certificates]
