"""Schemas of what Kubernetes itself does not know, written after the documentation of cert-manager (v1) and of the
Prometheus operator (v1): only the fields that are used here, and nothing beside them."""

from jsonschema import Draft7Validator

TEXT = {"type": "string", "minLength": 1}
TEXTS = {"type": "array", "items": TEXT, "minItems": 1}
DURATION = {"type": "string", "pattern": r"^([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+$"}


def closed(required=(), **properties):
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def labels(one=TEXT):
    return {"type": "object", "additionalProperties": one}


def kind(version, name, spec):
    metadata = closed(["name"], name=TEXT, namespace=TEXT, labels=labels({"type": "string"}), annotations=labels())
    return closed(
        ["apiVersion", "kind", "metadata", "spec"],
        apiVersion={"const": version},
        kind={"const": name},
        metadata=metadata,
        spec=spec,
    )


USAGES = ["signing", "digital signature", "content commitment", "key encipherment", "key agreement", "data encipherment",
          "cert sign", "crl sign", "server auth", "client auth"]
KEY = closed(name=TEXT, key=TEXT, required=["name", "key"])

SCHEMAS = {
    "Issuer": kind(
        "cert-manager.io/v1",
        "Issuer",
        {**closed(selfSigned=closed(), ca=closed(["secretName"], secretName=TEXT)), "minProperties": 1, "maxProperties": 1},
    ),
    "Certificate": kind(
        "cert-manager.io/v1",
        "Certificate",
        {
            **closed(
                ["secretName", "issuerRef"],
                secretName=TEXT,
                commonName={"type": "string", "maxLength": 64},
                dnsNames=TEXTS,
                ipAddresses={"type": "array", "items": {"type": "string", "format": "ipv4"}},
                isCA={"type": "boolean"},
                duration=DURATION,
                renewBefore=DURATION,
                usages={"type": "array", "items": {"enum": USAGES}, "uniqueItems": True},
                privateKey=closed(
                    algorithm={"enum": ["RSA", "ECDSA", "Ed25519"]},
                    size={"enum": [256, 384, 521, 2048, 4096]},
                    rotationPolicy={"enum": ["Never", "Always"]},
                ),
                issuerRef=closed(["name"], name=TEXT, kind={"enum": ["Issuer", "ClusterIssuer"]}, group=TEXT),
            ),
            "anyOf": [{"required": ["commonName"]}, {"required": ["dnsNames"]}],
        },
    ),
    "ServiceMonitor": kind(
        "monitoring.coreos.com/v1",
        "ServiceMonitor",
        closed(
            ["selector", "endpoints"],
            jobLabel=TEXT,
            selector=closed(["matchLabels"], matchLabels=labels()),
            namespaceSelector=closed(["matchNames"], matchNames=TEXTS),
            endpoints={
                "type": "array",
                "minItems": 1,
                "items": closed(
                    ["port"],
                    port=TEXT,
                    scheme={"enum": ["http", "https"]},
                    path={"type": "string", "pattern": "^/"},
                    params=labels(TEXTS),
                    interval={"type": "string", "pattern": "^([0-9]+(ms|s|m|h))+$"},
                    tlsConfig=closed(serverName=TEXT, ca=closed(["secret"], secret=KEY)),
                    authorization=closed(["credentials"], type={"const": "Bearer"}, credentials=KEY),
                ),
            },
        ),
    ),
    "PrometheusRule": kind(
        "monitoring.coreos.com/v1",
        "PrometheusRule",
        closed(
            ["groups"],
            groups={
                "type": "array",
                "minItems": 1,
                "items": closed(
                    ["name", "rules"],
                    name=TEXT,
                    interval=DURATION,
                    rules={
                        "type": "array",
                        "minItems": 1,
                        "items": closed(
                            ["alert", "expr"],
                            alert=TEXT,
                            expr=TEXT,
                            **{"for": DURATION},
                            labels=labels(),
                            annotations=labels(),
                        ),
                    },
                ),
            },
        ),
    ),
}


def wrong(one):
    """What an object of these kinds has that it may not have, or lacks."""
    validator = Draft7Validator(SCHEMAS[one["kind"]], format_checker=Draft7Validator.FORMAT_CHECKER)
    return [f"{one['kind']} {one['metadata']['name']}: {error.message}" for error in validator.iter_errors(one)]
