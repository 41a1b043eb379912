"""Rendered pods as plain processes: their containers in their order, with their own arguments, configurations,
certificates and environments; only paths, ports and names of hosts are those of this machine. And their probes."""

import os
import re
import shutil
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import found

HERE = Path(__file__).resolve().parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", HERE.parent.parent / "target"))
PROGRAM = Path(os.environ.get("MORTISE_TEST_PROGRAM", TARGET / "debug" / "mortise"))

UNVERIFIED = ssl.create_default_context()
UNVERIFIED.check_hostname = False
UNVERIFIED.verify_mode = ssl.CERT_NONE
LOOPBACK = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=UNVERIFIED))


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def eventually(what, holds, patience=60):
    """Waits for a state."""
    until = time.monotonic() + patience
    while not holds():
        if time.monotonic() > until:
            raise AssertionError(f"{patience} s were not enough: {what}")
        time.sleep(0.1)


class Machine:
    """Where all pods of a set of objects run: it knows which port and folder here is meant by one in a pod."""

    def __init__(self, folder, objects):
        self.folder, self.objects = folder, objects
        self.shared = {8300: free_port(), 8301: free_port(), 8302: free_port()}
        made = self.made("made")
        for service in found.SERVICES:
            self.give(made, service, folder / f"{service}-certificate")
        self.give(made, "gateway", folder / "listener-certificate")

    def made(self, name):
        """New certificates of all services."""
        subprocess.run([PROGRAM, "dev-certs", self.folder / name], check=True, capture_output=True, timeout=60)
        return self.folder / name

    def give(self, made, service, place):
        """Puts a certificate where a secret would be, in place of the one that is there."""
        place.mkdir(exist_ok=True)
        for file, name in ((f"{service}.pem", "tls.crt"), (f"{service}-key.pem", "tls.key"), ("ca.pem", "ca.crt")):
            shutil.copy(made / file, place / name)

    def renew_listener(self):
        """Gives gateways another certificate for clients, and returns it."""
        made = self.made("renewed")
        self.give(made, "gateway", self.folder / "listener-certificate")
        return (made / "gateway.pem").read_text()

    def volume(self, pod, name):
        """The folder of a volume: certificates are there, others are made as a new volume is."""
        if name.endswith("-certificate"):
            return self.folder / name
        place = pod.folder / name
        place.mkdir(exist_ok=True)
        # As a cluster makes them for a pod with a group of its own.
        place.chmod(0o2777)
        return place


class Container:
    def __init__(self, machine, pod, spec, text=""):
        self.spec, self.pod, self.name = spec, pod, spec["name"]
        self.folder = pod.folder / f"container-{self.name}"
        self.folder.mkdir()
        paths = {mount["mountPath"]: machine.volume(pod, mount["name"]) for mount in spec["volumeMounts"]}
        paths |= {"/usr/local/lib/mortise/plugins": pod.plugins, "/plugins": pod.plugins, "/etc/mortise": self.folder}
        # The longest first: one may lie in another.
        known = r"(?<![\w.-])(?:%s)" % "|".join(map(re.escape, sorted(paths, key=len, reverse=True)))
        self.place = lambda words: re.sub(known, lambda match: str(paths[match.group()]), self.ports(machine, words))
        if text:
            (self.folder / found.file_of(spec)).write_text(self.place(text))
        self.env = {"PATH": os.environ["PATH"], "HOME": str(self.folder)}
        self.env |= {one["name"]: self.place(one["value"]) for one in spec.get("env", []) if "value" in one}
        self.process = None

    def ports(self, machine, words):
        words = re.sub(r"[a-z-]+\.mortise\.svc:8302", "127.0.0.1:8302", words)
        words = re.sub(r'"(0\.0\.0\.0|\[::\]):', '"127.0.0.1:', words)
        known = machine.shared | {8200: self.pod.port}
        return re.sub(r"127\.0\.0\.1:(\d+)", lambda match: f"127.0.0.1:{known[int(match.group(1))]}", words)

    def start(self):
        command = [PROGRAM, *map(self.place, self.spec["args"])]
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(command, env=self.env, cwd=self.folder, stdout=log, stderr=log)

    def exec(self, *words, **more):
        """What `kubectl exec` does in it."""
        command = [PROGRAM if word == "mortise" else self.place(word) for word in words]
        return subprocess.run(command, env=self.env, cwd=self.folder, capture_output=True, text=True, timeout=60, **more)

    def asked(self, kind):
        """Whether a probe says that all is well, in the time that it has."""
        probe = self.spec[kind]
        seconds = probe["timeoutSeconds"]
        if "exec" in probe:
            command = [PROGRAM, *map(self.place, probe["exec"]["command"][1:])]
            try:
                done = subprocess.run(command, env=self.env, cwd=self.folder, capture_output=True, timeout=seconds)
            except subprocess.TimeoutExpired:
                return False
            return done.returncode == 0
        get = probe["httpGet"]
        url = f"{get['scheme'].lower()}://127.0.0.1:{self.pod.port}{get['path']}"
        try:
            with LOOPBACK.open(url, timeout=seconds) as answer:
                return 200 <= answer.status < 400
        except (urllib.error.URLError, OSError):
            return False

    def end(self, patience):
        """Asks it to end, and returns how it ended."""
        self.process.terminate()
        return self.process.wait(patience)

    def text(self):
        return (self.folder / "log").read_text()


class Pod:
    def __init__(self, machine, kind, name):
        workload = next(one for one in found.workloads(machine.objects) if one["kind"] == kind)
        self.folder, self.port = machine.folder / name, free_port()
        self.plugins = self.folder / "image-plugins"
        self.plugins.mkdir(parents=True)
        texts = found.configuration(machine.objects, workload)
        self.containers = {
            spec["name"]: Container(machine, self, spec, texts[found.file_of(spec)]) for spec in found.stays(workload)
        }
        first = found.pod(workload).get("initContainers", [])
        self.before = [Container(machine, self, spec) for spec in first if spec["name"] not in self.containers]
        self.sidecars = [spec["name"] for spec in first if spec["name"] in self.containers]
        self.grace = found.pod(workload)["terminationGracePeriodSeconds"]

    def __getitem__(self, name):
        return self.containers[name]

    def start(self):
        """One that ends has ended, and one that is always restarted has started, before the next begins to."""
        for one in self.before:
            done = one.exec(*one.spec["command"])
            assert done.returncode == 0, done.stderr
        for name, one in self.containers.items():
            one.start()
            if name in self.sidecars:
                eventually(f"{name} has started", lambda: one.asked("startupProbe"))

    def alive(self):
        # A cluster asks more than once as well before it starts a container again.
        lives = lambda one: any(one.asked("livenessProbe") for _ in range(2))
        with ThreadPoolExecutor() as pool:
            said = pool.map(lives, self.containers.values())
            return dict(zip(self.containers, said))

    def shown(self):
        """The certificate that clients see."""
        return ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", self.port)))

    def ready(self):
        return all(one.asked("readinessProbe") for one in self.containers.values() if "readinessProbe" in one.spec)

    def end(self):
        """As a cluster ends it: the containers, then those that are always restarted, the last first."""
        until = time.monotonic() + self.grace
        others = [one for name, one in self.containers.items() if name not in self.sidecars]
        for one in others:
            one.process.terminate()
        codes = {one.name: one.process.wait(until - time.monotonic()) for one in others}
        for name in reversed(self.sidecars):
            codes[name] = self[name].end(until - time.monotonic())
        return codes

    def kill(self):
        for one in self.containers.values():
            if one.process and one.process.poll() is None:
                one.process.kill()
                one.process.wait()
