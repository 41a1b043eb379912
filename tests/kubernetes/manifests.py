"""What helm and kustomize make of deploy/, as objects."""

import os
import re
import subprocess
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
DEPLOY = HERE.parent.parent / "deploy"
CHART = DEPLOY / "helm" / "mortise"
KUSTOMIZE = DEPLOY / "kubernetes"
TOOLS = Path(os.environ["MORTISE_TEST_TOOLS"]) / "bin"

# The oldest that the chart is for, one in between, and the newest.
VERSIONS = ["1.30", "1.34", "1.37"]

# Sets of values, and the secrets that they say are there: the chart makes none.
CASES = {
    "default": ([], {"mortise-postgresql"}),
    "dev": ([DEPLOY / "helm/values-dev.yaml"], set()),
    "prod": ([DEPLOY / "helm/values-prod.yaml"], {"mortise-postgresql", "mortise-postgresql-ca", "mortise-metrics"}),
    "secrets": (
        [HERE / "values/secrets.yaml"],
        {"mortise-postgresql", "given-catalog", "given-launcher", "given-router", "given-gateway", "given-listener"},
    ),
    "issuer": ([HERE / "values/issuer.yaml"], {"mortise-postgresql"}),
    "images": ([HERE / "values/images.yaml"], {"mortise-postgresql"}),
    "downloads": ([HERE / "values/downloads.yaml"], {"mortise-postgresql"}),
    "mesh": ([HERE / "values/mesh.yaml"], set()),
    "everything": (
        [HERE / "values/everything.yaml"],
        {"given-database", "given-database-ca", "given-registry", "given-logins"},
    ),
}

# Overlays, and the sets of values that mean the same.
OVERLAYS = {"dev": "dev", "prod": "prod"}


def run(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise RuntimeError(f"{command[0].name}: {done.stderr or done.stdout}")
    return done.stdout


def objects(text):
    return [one for one in yaml.safe_load_all(text) if one]


def helm(case="default", *more, version=VERSIONS[1], release="mortise", namespace="mortise"):
    """The objects of the chart, with the values of a case."""
    values = [word for file in CASES[case][0] for word in ("--values", file)]
    kept = ["--namespace", namespace, "--kube-version", version, *values, *more]
    return objects(run(TOOLS / "helm", "template", release, CHART, *kept))


def kustomize(folder):
    """The objects of a base or an overlay."""
    return objects(run(TOOLS / "kustomize", "build", KUSTOMIZE / folder))


# What only one of both sets: who made an object, and what rolls pods when a configuration changed.
OWN = {"app.kubernetes.io/managed-by", "helm.sh/chart", "checksum/configuration"}
# Lists whose order says nothing, and by what they are put in order.
UNORDERED = {"volumes": "name", "volumeMounts": "mountPath"}


def strip(one):
    """An object without what only one of both sets; names of configurations are without their hash."""
    if isinstance(one, list):
        return [strip(each) for each in one]
    if not isinstance(one, dict):
        return one
    kept = {key: strip(value) for key, value in one.items() if key not in OWN}
    kept = {key: value for key, value in kept.items() if value or key not in ("annotations", "env")}
    if isinstance(kept.get("name"), str):
        kept["name"] = re.sub(r"^(mortise-(?:node|gateway))-[a-z0-9]{10}$", r"\1", kept["name"])
    for key in UNORDERED.keys() & kept.keys():
        kept[key].sort(key=lambda each: each[UNORDERED[key]])
    return kept


def by_name(all_objects):
    return {(one["kind"], one["metadata"]["name"]): one for one in map(strip, all_objects)}
