"""The base of deploy/kubernetes, made from the chart: a file for each kind, and the configurations as files."""

import yaml

from manifests import KUSTOMIZE, helm, strip

BASE = KUSTOMIZE / "base"
HEAD = "# Made from deploy/helm/mortise by tests/kubernetes/generate: change it there, or in an overlay.\n"
FILES = {
    "ServiceAccount": "accounts.yaml",
    "Certificate": "certificates.yaml",
    "Issuer": "certificates.yaml",
    "Deployment": "gateway.yaml",
    "NetworkPolicy": "network.yaml",
    "PodDisruptionBudget": "disruption.yaml",
    "Service": "services.yaml",
    "StatefulSet": "node.yaml",
}


class Plain(yaml.SafeDumper):
    """Writes everything out."""

    def ignore_aliases(self, data):
        return True


def without_namespace(one):
    """Overlays say which it is."""
    metadata = {key: value for key, value in one["metadata"].items() if key != "namespace"}
    return {**one, "metadata": metadata}


def files():
    """Each file of the base that is made, and its text."""
    made = {}
    for one in helm():
        if one["kind"] == "ConfigMap":
            folder = one["metadata"]["name"].removeprefix("mortise-")
            made |= {f"configuration/{folder}/{name}": text for name, text in one["data"].items()}
            continue
        text = yaml.dump(without_namespace(strip(one)), Dumper=Plain, sort_keys=False, width=110)
        file = FILES[one["kind"]]
        made[file] = made.get(file, HEAD) + "---\n" + text
    return made


if __name__ == "__main__":
    for file, text in files().items():
        path = BASE / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
