"""How the parts of a set of objects are found."""

import re

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


def matches(selector, labels):
    return all(labels.get(key) == value for key, value in selector.items())
