"""The chart and the overlays: what they render is valid, means the same, and keeps the rules."""

import copy
import json
import re
import unittest
from concurrent.futures import ThreadPoolExecutor

import kubernetes_validate
import yaml

import base
import found
import network
import rules
import wiring
from extensions import SCHEMAS, wrong
from manifests import CASES, CHART, OVERLAYS, TOOLS, VERSIONS, by_name, helm, kustomize, run

# What is rendered, and the secrets that are there.
SETS = {f"helm {case}": given for case, (_, given) in CASES.items()}
SETS |= {f"overlay {name}": CASES[case][1] for name, case in OVERLAYS.items()}
RULES = [rules.restricted, rules.unprivileged, rules.probes, rules.ends]
RULES += [wiring.selectors, wiring.references, wiring.listens, wiring.no_secrets, wiring.certificates]
DATABASE = "{'namespaceSelector': {'matchLabels': {'kubernetes.io/metadata.name': 'postgresql'}}}"
PROMETHEUS = "{'namespaceSelector': {'matchLabels': {'kubernetes.io/metadata.name': 'monitoring'}}}"
CLIENTS = "{'namespaceSelector': {'matchLabels': {'mortise.example.com/client': 'true'}}}"


def render(name):
    tool, case = name.split()
    return helm(case) if tool == "helm" else kustomize(f"overlays/{case}")


def setUpModule():
    global RENDERED
    with ThreadPoolExecutor() as pool:
        RENDERED = dict(zip(SETS, pool.map(render, SETS)))


def rendered(name):
    return copy.deepcopy(RENDERED[name])


class Schemas(unittest.TestCase):
    def test_every_object_is_valid_for_three_versions_of_kubernetes(self):
        checked = 0
        for version in VERSIONS:
            for name in SETS:
                for one in RENDERED[name]:
                    if one["kind"] in SCHEMAS:
                        continue
                    with self.subTest(set=name, version=version, object=found.called(one)):
                        kubernetes_validate.validate(one, version, strict=True)
                        checked += 1
        print(f"{checked} objects are valid for Kubernetes {', '.join(VERSIONS)}")

    def test_the_chart_renders_the_same_for_each_version(self):
        for version in VERSIONS:
            self.assertEqual(helm("everything", version=version), RENDERED["helm everything"])

    def test_objects_of_other_projects_have_only_fields_that_those_document(self):
        for name in SETS:
            for one in RENDERED[name]:
                if one["kind"] in SCHEMAS:
                    self.assertEqual(wrong(one), [], name)

    def test_a_field_that_nobody_knows_is_found(self):
        odd = next(one for one in rendered("helm default") if one["kind"] == "StatefulSet")
        odd["spec"]["template"]["spec"]["containers"][0]["imagePolicy"] = "Always"
        with self.assertRaises(kubernetes_validate.ValidationError):
            kubernetes_validate.validate(odd, VERSIONS[0], strict=True)
        odd = next(one for one in rendered("helm default") if one["kind"] == "Certificate")
        odd["spec"]["dnsName"] = "a"
        self.assertNotEqual(wrong(odd), [])


class Chart(unittest.TestCase):
    def test_helm_finds_nothing_to_say_against_it(self):
        for case, (values, _) in CASES.items():
            more = [word for file in values for word in ("--values", file)]
            run(TOOLS / "helm", "lint", "--strict", "--quiet", "--kube-version", VERSIONS[1], CHART, *more)

    def test_a_value_that_nobody_knows_is_refused(self):
        for value in ("gateway.replica=2", "storage.type=mysql", "logLevel=loud", "user=0", "gateway.replicas=many"):
            with self.assertRaisesRegex(RuntimeError, "schema", msg=value):
                helm("default", "--set", value)

    def test_what_would_only_show_in_a_cluster_is_refused(self):
        for values, said in (
            ("tls.mode=secrets", "tls.secrets.catalog"),
            ("plugins.source=initContainers", "plugins.initContainers"),
            ("plugins.source=claim", "plugins.claim.name"),
            ("monitoring.serviceMonitor.enabled=true", "monitoring.tokenSecret.name"),
            ("tls.certManager.listenerIssuer.name=a", "listener.dnsNames"),
            ("fullnameOverride=router", "must not be that of a service"),
        ):
            with self.assertRaisesRegex(RuntimeError, said):
                helm("default", "--set", values)

    def test_every_value_has_a_schema_and_every_schema_a_value(self):
        def compare(values, schema, place):
            for key in values.keys() | schema.get("properties", {}).keys():
                if (place, key) not in (((), "global"), (("tls", "certManager", "listenerIssuer"), key)):
                    self.assertIn(key, values, place)
                    self.assertIn(key, schema["properties"], place)
                    below = schema["properties"][key]
                    if isinstance(values[key], dict) and "properties" in below and "requests" not in values[key]:
                        compare(values[key], below, (*place, key))

        schema = json.loads((CHART / "values.schema.json").read_text())
        compare(yaml.safe_load((CHART / "values.yaml").read_text()), schema, ())

    def test_a_changed_configuration_rolls_its_own_pods_only(self):
        def sums(*more):
            kept = {}
            for one in found.workloads(helm("default", *more)):
                kept[one["kind"]] = one["spec"]["template"]["metadata"]["annotations"]["checksum/configuration"]
            return kept

        before = sums()
        node = sums("--set", "maxLeaseTtl=1h")
        self.assertNotEqual(node["StatefulSet"], before["StatefulSet"])
        self.assertEqual(node["Deployment"], before["Deployment"])
        gateway = sums("--set", "listener.tlsMinVersion=tls13")
        self.assertEqual(gateway["StatefulSet"], before["StatefulSet"])
        self.assertNotEqual(gateway["Deployment"], before["Deployment"])

    def test_it_brings_the_version_of_this_tree(self):
        version = re.search(r'(?m)^version = "(.+)"', (CHART.parents[2] / "Cargo.toml").read_text()).group(1)
        self.assertEqual(yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"], version)
        for name in ("helm default", "overlay dev", "overlay prod"):
            images = {one["image"] for each in found.workloads(RENDERED[name]) for one in found.containers(each)}
            self.assertEqual(images, {f"mortise:{version}"})

    def test_two_releases_share_nothing(self):
        one, other = by_name(helm(release="one")), by_name(helm(release="other"))
        self.assertFalse(one.keys() & other.keys())
        for service in found.of(one.values(), "Service"):
            for workload in found.workloads(other.values()):
                labels = workload["spec"]["template"]["metadata"]["labels"]
                self.assertFalse(found.matches(service["spec"]["selector"], labels))


class Kustomize(unittest.TestCase):
    maxDiff = None

    def test_its_base_is_what_the_chart_makes(self):
        for file, text in base.files().items():
            self.assertEqual((base.KUSTOMIZE / file).read_text(), text, f"{file}: run tests/kubernetes/generate")

    def test_an_overlay_means_the_same_as_its_values(self):
        for name, case in OVERLAYS.items():
            ours, theirs = by_name(RENDERED[f"overlay {name}"]), by_name(RENDERED[f"helm {case}"])
            space = ours.pop(("Namespace", "mortise"))
            self.assertEqual(space["metadata"]["labels"]["pod-security.kubernetes.io/enforce"], "restricted")
            self.assertEqual(ours.keys(), theirs.keys())
            for key, one in ours.items():
                self.assertEqual(one, theirs[key], key)

    def test_a_changed_configuration_rolls_its_pods(self):
        for one in found.workloads(RENDERED["overlay prod"]):
            names = [volume["configMap"]["name"] for volume in found.pod(one)["volumes"] if "configMap" in volume]
            self.assertRegex(names[0], r"^mortise-(node|gateway)-[a-z0-9]{10}$")


class Rules(unittest.TestCase):
    def test_every_set_keeps_all_of_them(self):
        for name, given in SETS.items():
            for rule in RULES:
                broken = rule(RENDERED[name], given) if rule is wiring.references else rule(RENDERED[name])
                self.assertEqual(list(broken), [], f"{name}: {rule.__name__}")

    def test_network_policies_let_through_what_is_dialled_and_nothing_else(self):
        old_plugins = {("node", "gateway", 8200, "TCP")}
        for name, said in {
            "helm default": {"database": ("anybody", 5432)},
            "helm images": {"database": ("anybody", 5432)},
            "helm dev": {},
            "overlay dev": {},
            "helm prod": {"database": (DATABASE, 5432), "scraped": PROMETHEUS, "clients": CLIENTS},
            "overlay prod": {"database": (DATABASE, 5432), "scraped": PROMETHEUS, "clients": CLIENTS},
            "helm everything": {
                "database": ("{'ipBlock': {'cidr': '192.0.2.10/32'}}", 5433),
                "scraped": PROMETHEUS,
                "collector": "{'ipBlock': {'cidr': '192.0.2.50/32'}}",
                "clients": "{'podSelector': {'matchLabels': {'client': 'true'}}}",
                "more": (
                    old_plugins
                    | {("node", "{'ipBlock': {'cidr': '192.0.2.30/32'}}", 443, "TCP")}
                    | {("gateway", "{'ipBlock': {'cidr': '192.0.2.20/32'}}", 443, "TCP")},
                    old_plugins | {("{'podSelector': {'matchLabels': {'operator': 'true'}}}", "node", 8200, "TCP")},
                ),
            },
        }.items():
            self.assertEqual(list(network.policies(RENDERED[name], **said)), [], name)


def path(objects, kind, *keys):
    """What is at a place in the first object of a kind."""
    at = next(one for one in objects if one["kind"] == kind)
    for key in keys:
        at = at[key]
    return at


POD = ("spec", "template", "spec")
CATALOG = (*POD, "initContainers", 0)
GATEWAY = (*POD, "containers", 0)
SECURITY = (*CATALOG, "securityContext")

# A rule, the place of a value in an object, the key that is set there, and what it is set to.
MISTAKES = [
    (rules.restricted, "StatefulSet", (*POD, "securityContext"), "runAsNonRoot", False),
    (rules.restricted, "StatefulSet", (*POD, "securityContext"), "seccompProfile", {"type": "Unconfined"}),
    (rules.restricted, "StatefulSet", POD, "hostNetwork", True),
    (rules.restricted, "StatefulSet", SECURITY, "allowPrivilegeEscalation", True),
    (rules.restricted, "StatefulSet", SECURITY, "capabilities", {"drop": ["ALL"], "add": ["IPC_LOCK"]}),
    (rules.restricted, "StatefulSet", SECURITY, "readOnlyRootFilesystem", False),
    (rules.restricted, "StatefulSet", SECURITY, "runAsUser", 0),
    (rules.restricted, "StatefulSet", (*POD, "volumes", 0), "hostPath", {"path": "/"}),
    (rules.unprivileged, "Deployment", POD, "automountServiceAccountToken", True),
    (rules.unprivileged, "Deployment", GATEWAY, "resources", {}),
    (rules.unprivileged, "ServiceAccount", (), "automountServiceAccountToken", True),
    (rules.probes, "Deployment", GATEWAY, "livenessProbe", {"httpGet": {"path": "/v1/sys/health", "port": "https"}}),
    (rules.probes, "StatefulSet", CATALOG, "startupProbe", {}),
    (rules.probes, "StatefulSet", (*POD, "containers", 1, "readinessProbe", "httpGet"), "path", "/v1/sys/health?standbyok=true"),
    (rules.probes, "Deployment", (*GATEWAY, "readinessProbe", "httpGet"), "scheme", "HTTP"),
    (rules.ends, "StatefulSet", CATALOG, "restartPolicy", None),
    (rules.ends, "StatefulSet", ("spec",), "replicas", 2),
    (rules.ends, "StatefulSet", POD, "terminationGracePeriodSeconds", 10),
    (rules.ends, "Deployment", GATEWAY, "lifecycle", {}),
    (wiring.selectors, "Service", ("spec", "selector"), "app.kubernetes.io/component", "router"),
    (wiring.selectors, "PodDisruptionBudget", ("spec", "selector"), "matchLabels", {}),
    (wiring.selectors, "NetworkPolicy", ("spec", "podSelector", "matchLabels"), "app.kubernetes.io/instance", "other"),
    (wiring.selectors, "ServiceMonitor", ("spec", "endpoints", 0), "port", "metrics"),
    (wiring.references, "StatefulSet", (*POD, "volumes", 1, "secret"), "secretName", "none"),
    (wiring.references, "StatefulSet", (*CATALOG, "env", 0, "valueFrom", "secretKeyRef"), "name", "none"),
    (wiring.references, "StatefulSet", (*POD, "volumes", 0, "configMap"), "name", "none"),
    (wiring.references, "StatefulSet", POD, "serviceAccountName", "none"),
    (wiring.references, "StatefulSet", (*CATALOG, "volumeMounts", 0), "name", "none"),
    (wiring.references, "Service", ("spec", "ports", 0), "targetPort", "none"),
    (wiring.references, "Certificate", ("spec", "issuerRef"), "name", "none"),
    (wiring.references, "ServiceMonitor", ("spec", "endpoints", 0, "authorization", "credentials"), "name", "none"),
    (wiring.listens, "Deployment", (*GATEWAY, "ports", 0), "containerPort", 8201),
    (wiring.listens, "StatefulSet", CATALOG, "ports", [{"name": "catalog", "containerPort": 8300}]),
    (wiring.no_secrets, "ConfigMap", ("data",), "catalog.hcl", 'connection_url = "postgresql://a:b@c/d"'),
    (wiring.no_secrets, "Service", (), "kind", "Secret"),
    (wiring.certificates, "StatefulSet", (*CATALOG, "volumeMounts", 1), "name", "router-certificate"),
    (network.policies, "NetworkPolicy", ("spec",), "egress", [{}]),
    (network.policies, "Deployment", (*POD, "containers", 0), "args", ["gateway", "-config=/etc/mortise/none.hcl"]),
]


class Mistakes(unittest.TestCase):
    """The rules can be broken: else they would say nothing."""

    def broken(self, rule, objects):
        if rule is network.policies:
            return list(rule(objects, (DATABASE, 5432), PROMETHEUS, CLIENTS))
        return list(rule(objects, SETS["helm prod"]) if rule is wiring.references else rule(objects))

    def test_each_is_found(self):
        for rule, kind, place, key, value in MISTAKES:
            objects = rendered("helm prod")
            path(objects, kind, *place)[key] = value
            with self.subTest(rule=rule.__name__, place=place, key=key):
                self.assertNotEqual(self.broken(rule, objects), [])

    def test_a_certificate_that_names_another_service_is_found(self):
        objects = rendered("helm prod")
        router = next(one for one in objects if one["metadata"]["name"] == "mortise-router" and one["kind"] == "Certificate")
        router["spec"]["dnsNames"].append("catalog")
        self.assertNotEqual(list(wiring.certificates(objects)), [])

    def test_an_open_port_and_a_closed_way_are_found(self):
        for kind, change in (("ingress", []), ("egress", []), ("ingress", [{}])):
            objects = rendered("helm prod")
            node = next(one for one in objects if one["metadata"]["name"] == "mortise-node" and one["kind"] == "NetworkPolicy")
            node["spec"][kind] = change
            self.assertNotEqual(self.broken(network.policies, objects), [])

    def test_a_base_that_differs_from_the_chart_is_found(self):
        ours, theirs = by_name(rendered("overlay prod")), by_name(rendered("helm prod"))
        path(ours.values(), "Deployment", "spec")["replicas"] = 4
        self.assertNotEqual(ours[("Deployment", "mortise-gateway")], theirs[("Deployment", "mortise-gateway")])


if __name__ == "__main__":
    unittest.main()
