"""What has to be true of all pods, beyond their schemas. Each rule names what breaks it."""

from found import called, configuration, containers, file_of, of, pod, settings, stays, workloads

VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}


def restricted(objects):
    """The Pod Security Standard of that name, and a root file system that nobody writes to."""
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
            if kinds := set(volume) - {"name"} - VOLUMES:
                yield f"{name}: volume {volume['name']} is {kinds}"
        for one in containers(workload):
            own, who = one.get("securityContext", {}), f"{name}: {one['name']}"
            if own.get("allowPrivilegeEscalation") is not False:
                yield f"{who}: may gain privileges"
            if own.get("capabilities") != {"drop": ["ALL"]}:
                yield f"{who}: capabilities"
            if own.get("privileged") or own.get("runAsUser") == 0 or own.get("runAsNonRoot") is False:
                yield f"{who}: privileged, or root"
            unconfined = own.get("seccompProfile", {}).get("type") == "Unconfined"
            if unconfined or own.get("procMount", "Default") != "Default":
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
            stop = pod(workload)["containers"][0].get("lifecycle", {}).get("preStop", {})
            pause = stop.get("sleep", {}).get("seconds", 0)
            if not 0 < pause < grace - 6:
                yield f"{called(workload)}: pauses {pause} s of {grace} s before it ends"
