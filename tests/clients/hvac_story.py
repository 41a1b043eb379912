"""The story of the Go kv plugin as hvac tells it, in two parts with a restart of the server between them.

    hvac_story.py ADDRESS begin COMMAND SHA256    prints the keys, as JSON
    hvac_story.py ADDRESS resume KEYS             takes what `begin` printed
"""

import json
import sys
import time

import hvac
from hvac.exceptions import InvalidPath, InvalidRequest


def begin(client, command, sha256):
    assert not client.sys.is_initialized()
    keys = client.sys.initialize(secret_shares=3, secret_threshold=2)
    client.token = keys["root_token"]
    unseal(client, keys)

    entry = {"command": command, "sha256": sha256}
    client.write_data("sys/plugins/catalog/secret/kv", data=entry)
    read = client.read("sys/plugins/catalog/secret/kv")["data"]
    assert read["sha256"] == sha256 and not read["builtin"], read

    for path, version in (("one", "1"), ("two", "2")):
        client.sys.enable_secrets_engine("kv", path=path, options={"version": version})
    mounts = client.sys.list_mounted_secrets_engines()["data"]
    assert {"one/", "two/"} <= mounts.keys(), mounts
    version_1(client)
    version_2(client)
    print(json.dumps(keys))


def resume(client, keys):
    assert client.sys.is_sealed()
    client.token = keys["root_token"]
    unseal(client, keys)
    assert client.secrets.kv.v1.read_secret("kept", mount_point="one")["data"] == {"v": "one"}
    kept = client.secrets.kv.v2.read_secret_version("kept", mount_point="two", raise_on_deleted_version=True)
    assert kept["data"]["data"] == {"v": "two"}, kept
    client.sys.disable_secrets_engine("one")
    client.sys.disable_secrets_engine("two")


def unseal(client, keys):
    client.sys.submit_unseal_keys(keys["keys"][:2])
    assert not client.sys.is_sealed()
    assert client.is_authenticated()


def version_1(client):
    kv = client.secrets.kv.v1
    kv.create_or_update_secret("app/db", {"user": "u", "pw": "p"}, mount_point="one")
    kv.create_or_update_secret("kept", {"v": "one"}, mount_point="one")
    assert kv.read_secret("app/db", mount_point="one")["data"] == {"user": "u", "pw": "p"}
    assert kv.list_secrets("", mount_point="one")["data"]["keys"] == ["app/", "kept"]
    kv.delete_secret("app/db", mount_point="one")
    refused(InvalidPath, lambda: kv.read_secret("app/db", mount_point="one"))


def version_2(client):
    kv = client.secrets.kv.v2
    first = patiently(lambda: kv.create_or_update_secret("app/db", {"user": "u", "pw": "1"}, mount_point="two"))
    assert first["data"]["version"] == 1, first
    second = kv.patch("app/db", {"pw": "2"}, mount_point="two")
    assert second["data"]["version"] == 2, second
    refused(InvalidRequest, lambda: kv.create_or_update_secret("app/db", {}, cas=1, mount_point="two"))

    def read(version=None):
        answer = kv.read_secret_version("app/db", version, mount_point="two", raise_on_deleted_version=True)
        return answer["data"]["data"]

    assert read() == {"user": "u", "pw": "2"}
    assert read(1) == {"user": "u", "pw": "1"}
    kv.delete_latest_version_of_secret("app/db", mount_point="two")
    refused(InvalidPath, read)
    kv.undelete_secret_versions("app/db", [2], mount_point="two")
    assert read() == {"user": "u", "pw": "2"}
    kv.destroy_secret_versions("app/db", [1], mount_point="two")
    refused(InvalidPath, lambda: read(1))

    kv.update_metadata("app/db", max_versions=5, custom_metadata={"owner": "me"}, mount_point="two")
    metadata = kv.read_secret_metadata("app/db", mount_point="two")["data"]
    assert metadata["custom_metadata"] == {"owner": "me"}, metadata
    assert metadata["versions"]["1"]["destroyed"], metadata
    assert kv.list_secrets("app", mount_point="two")["data"]["keys"] == ["db"]
    kv.delete_metadata_and_all_versions("app/db", mount_point="two")
    refused(InvalidPath, lambda: kv.list_secrets("app", mount_point="two"))
    kv.create_or_update_secret("kept", {"v": "two"}, mount_point="two")


def refused(error, call):
    try:
        answer = call()
    except error:
        return
    raise AssertionError(f"expected {error.__name__}, not {answer}")


def patiently(call):
    """A kv engine of version 2 asks its clients to wait while it prepares its storage."""
    for _ in range(200):
        try:
            return call()
        except InvalidRequest as error:
            if "Upgrading from non-versioned" not in str(error):
                raise
            time.sleep(0.05)
    raise AssertionError("the engine never became ready")


def main():
    address, part, *rest = sys.argv[1:]
    client = hvac.Client(url=address)
    if part == "begin":
        begin(client, *rest)
    else:
        resume(client, json.loads(rest[0]))


main()
