"""What is in deploy/kubernetes and made from the chart: the base, a file for each kind and each configuration, and the
alerts of the overlay for production."""

import yaml

from manifests import KUSTOMIZE, helm, strip

ALERTS = "overlays/prod/alerts.yaml"
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


def written(one):
    return yaml.dump(without_namespace(strip(one)), Dumper=Plain, sort_keys=False, width=110)


def files():
    """Each file that is made, and its text."""
    made = {ALERTS: HEAD + written(one) for one in helm("prod") if one["kind"] == "PrometheusRule"}
    for one in helm():
        if one["kind"] == "ConfigMap":
            folder = one["metadata"]["name"].removeprefix("mortise-")
            made |= {f"base/configuration/{folder}/{name}": text for name, text in one["data"].items()}
            continue
        file = f"base/{FILES[one['kind']]}"
        made[file] = made.get(file, HEAD) + "---\n" + written(one)
    return made


if __name__ == "__main__":
    for file, text in files().items():
        path = KUSTOMIZE / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
