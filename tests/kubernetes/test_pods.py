"""The rendered configurations run, and the rendered probes know a sealed node from a broken one."""

import hashlib
import json
import shutil
import signal
import socket
import ssl
import tempfile
import unittest
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import found
from manifests import CASES, helm
from pods import PROGRAM, Machine, Pod, eventually

ALL_ALIVE = dict.fromkeys(found.SERVICES, True)


class Story(unittest.TestCase):
    case = "default"

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="mk"))
        self.addCleanup(shutil.rmtree, self.folder)

    def machine(self, *more):
        return Machine(self.folder, helm(self.case, *more))

    def pod(self, machine, kind, name):
        one = Pod(machine, kind, name)
        self.addCleanup(one.kill)
        return one


class Configurations(Story):
    def test_the_program_accepts_those_of_every_set(self):
        machines = [Machine(self.place(case), helm(case)) for case in CASES]
        pods = [Pod(machine, kind, kind) for machine in machines for kind in ("StatefulSet", "Deployment")]
        with ThreadPoolExecutor(32) as pool:
            said = pool.map(self.missed, containers := [one for pod in pods for one in pod.containers.values()])
        for one, said in zip(containers, said):
            text = (one.folder / found.file_of(one.spec)).read_text()
            # Nothing runs: it accepted the configuration if it missed the service where that says.
            self.assertIn(f" at {found.settings(text)['address']}: ", said, text)

    def place(self, name):
        (self.folder / name).mkdir()
        return self.folder / name

    def missed(self, container):
        container.env["VAULT_PG_CONNECTION_URL"] = "postgresql://a:b@127.0.0.1:1/c"
        return container.exec(*container.spec["livenessProbe"]["exec"]["command"]).stderr

    def test_one_that_is_wrong_is_refused_with_its_line(self):
        machine = self.machine("--set", "node.router.extraConfig=max_lease_ttl = true")
        router = Pod(machine, "StatefulSet", "node")["router"]
        said = router.exec("mortise", "health", "router", "-config=/etc/mortise/router.hcl")
        self.assertEqual(said.returncode, 1)
        self.assertRegex(said.stderr, r"router\.hcl:\d+")


class Probes(Story):
    case = "dev"

    def test_a_sealed_node_is_not_broken_and_a_broken_one_is_not_sealed(self):
        machine = self.machine("--set", "gateway.readyWhenSealed=false")
        node = self.pod(machine, "StatefulSet", "node")
        gateway = self.pod(machine, "Deployment", "gateway")
        gateway.start()
        eventually("the gateway answers", lambda: gateway["gateway"].asked("livenessProbe"))
        renewed = machine.renew_listener()
        # There is no node yet: that is no reason to start a gateway again.
        self.assertEqual((gateway.alive(), gateway.ready()), ({"gateway": True}, False))
        node.start()
        eventually("an uninitialised node is ready to be initialised", node.ready)
        self.assertEqual(node.alive(), ALL_ALIVE)
        self.assertEqual((gateway.alive(), gateway.ready()), ({"gateway": True}, False))

        # As NOTES.txt says it, with the environment of the container.
        init = node["gateway"].exec("mortise", "operator", "init", "-key-shares=1", "-key-threshold=1", "-format=json")
        self.assertEqual(init.returncode, 0, init.stderr)
        self.key = json.loads(init.stdout)["unseal_keys_b64"][0]
        self.sealed(node, gateway)
        self.unseal(node, gateway)

        # The catalog crashed: only it is started again, and comes back sealed.
        node["catalog"].process.kill()
        node["catalog"].process.wait()
        eventually("the node is not ready", lambda: not node.ready())
        self.assertEqual(node.alive(), ALL_ALIVE | {"catalog": False})
        self.assertEqual((gateway.alive(), gateway.ready()), ({"gateway": True}, False))
        node["catalog"].start()
        eventually("the catalog is back", lambda: node["catalog"].asked("startupProbe"))
        eventually("the node can be unsealed", node.ready)
        self.sealed(node, gateway)
        self.unseal(node, gateway)

        # The router hangs: it does not answer its probe, and nobody else is blamed.
        node["router"].process.send_signal(signal.SIGSTOP)
        self.assertFalse(node["router"].asked("livenessProbe"))
        self.assertTrue(node["catalog"].asked("livenessProbe"))
        self.assertTrue(gateway["gateway"].asked("livenessProbe"))
        node["router"].process.send_signal(signal.SIGCONT)
        eventually("it goes on", lambda: node["router"].asked("livenessProbe") and gateway.ready())

        # A gateway that hangs does not answer, though its socket takes connections.
        gateway["gateway"].process.send_signal(signal.SIGSTOP)
        self.assertFalse(gateway["gateway"].asked("livenessProbe"))
        gateway["gateway"].process.send_signal(signal.SIGCONT)
        eventually("it goes on", gateway.ready)

        # Its certificate was renewed when all this began: nobody had to tell it.
        eventually("the renewed certificate is shown", lambda: gateway.shown() == ssl.PEM_cert_to_DER_cert(renewed))

        # Everything ends by itself, within the time that the cluster gives.
        self.assertEqual(gateway.end(), {"gateway": 0})
        self.assertEqual(node.end(), dict.fromkeys(found.SERVICES, 0))
        for one in (*node.containers.values(), *gateway.containers.values()):
            # What the program does not know, or does not do, would be a warning with its line.
            self.assertNotRegex(one.text(), r"\.hcl:\d+", one.name)

    def sealed(self, node, gateway):
        self.assertEqual((node.alive(), node.ready()), (ALL_ALIVE, True))
        self.assertEqual((gateway.alive(), gateway.ready()), ({"gateway": True}, False))

    def unseal(self, node, gateway):
        done = node["gateway"].exec("mortise", "operator", "unseal", "-", input=self.key)
        self.assertEqual(done.returncode, 0, done.stderr)
        eventually("clients are served", gateway.ready)
        self.assertEqual((node.alive(), node.ready()), (ALL_ALIVE, True))

    def test_a_gateway_can_be_ready_while_its_node_is_sealed(self):
        machine = self.machine()
        node, gateway = self.pod(machine, "StatefulSet", "node"), self.pod(machine, "Deployment", "gateway")
        gateway.start()
        eventually("the gateway answers", lambda: gateway["gateway"].asked("livenessProbe"))
        self.assertFalse(gateway.ready())
        node.start()
        eventually("clients are told that it is not initialised", gateway.ready)

    def test_plugins_that_came_with_an_image_run_and_prometheus_is_told_of_them(self):
        image = ["plugins.source=initContainers", "plugins.initContainers[0].name=a", "plugins.initContainers[0].image=b"]
        image += ["monitoring.open=true", "monitoring.serviceMonitor.enabled=true"]
        machine = self.machine("--set", ",".join(image))
        node = self.pod(machine, "StatefulSet", "node")
        program = shutil.copy(PROGRAM.parent / "mortise-plugin-kv", node.plugins)
        node.start()
        eventually("the node answers", node.ready)

        def mortise(*words, **more):
            done = node["gateway"].exec("mortise", *words, **more)
            self.assertEqual(done.returncode, 0, f"{words}: {done.stderr}")
            return done.stdout

        made = json.loads(mortise("operator", "init", "-key-shares=1", "-key-threshold=1", "-format=json"))
        mortise("operator", "unseal", "-", input=made["unseal_keys_b64"][0])
        node["gateway"].env["VAULT_TOKEN"] = made["root_token"]
        digest = hashlib.sha256(Path(program).read_bytes()).hexdigest()
        mortise("plugin", "register", f"-sha256={digest}", "-command=mortise-plugin-kv", "secret", "my-kv")
        mortise("secrets", "enable", "-path=mine", "my-kv")
        mortise("write", "mine/a", "value=1")
        self.assertEqual(mortise("read", "-field=value", "mine/a").strip(), "1")
        told = self.scrape(machine, node)
        self.assertIn("\nvault_core_unsealed 1", told)
        self.assertIn('plugin="my-kv"', told)
        self.assertEqual(node.end(), dict.fromkeys(found.SERVICES, 0))

    def scrape(self, machine, node):
        """What Prometheus is answered when it asks as the ServiceMonitor says."""
        endpoint = found.of(machine.objects, "ServiceMonitor")[0]["spec"]["endpoints"][0]
        key = endpoint["tlsConfig"]["ca"]["secret"]["key"]
        trusted = ssl.create_default_context(cafile=self.folder / "gateway-certificate" / key)
        path = f"{endpoint['path']}?{urllib.parse.urlencode(endpoint['params'], doseq=True)}"
        with (
            socket.create_connection(("127.0.0.1", node.port), 30) as plain,
            trusted.wrap_socket(plain, server_hostname=endpoint["tlsConfig"]["serverName"]) as stream,
        ):
            stream.sendall(f"GET {path} HTTP/1.0\r\nHost: gateway\r\n\r\n".encode())
            answer = b"".join(iter(lambda: stream.recv(65536), b"")).decode()
        self.assertRegex(answer, r"^HTTP/1\.[01] 200 ")
        return answer


if __name__ == "__main__":
    unittest.main()
