"""Wrapping as hvac does it.

    hvac_wrapping.py ADDRESS TOKEN
"""

import sys

import hvac
from hvac.exceptions import InvalidRequest


def main():
    address, token = sys.argv[1:]
    client = hvac.Client(url=address, token=token)

    wrapped = client.sys.wrap(payload={"user": "u", "n": 1}, ttl=120)["wrap_info"]
    assert wrapped["ttl"] == 120 and wrapped["creation_path"] == "sys/wrapping/wrap", wrapped
    looked = client.write("sys/wrapping/lookup", token=wrapped["token"])["data"]
    assert looked["creation_ttl"] == 120, looked
    assert client.sys.unwrap(wrapped["token"])["data"] == {"user": "u", "n": 1}
    refused(lambda: client.sys.unwrap(wrapped["token"]))

    # Whoever has nothing but the wrapping token takes the answer out with it.
    wrapped = client.read("sys/mounts", wrap_ttl="60s")["wrap_info"]
    bearer = hvac.Client(url=address, token=wrapped["token"])
    assert "cubbyhole/" in bearer.sys.unwrap()["data"]
    refused(lambda: bearer.sys.unwrap())

    wrapped = client.read("sys/mounts", wrap_ttl="60s")["wrap_info"]
    again = client.write("sys/wrapping/rewrap", token=wrapped["token"])["wrap_info"]
    assert again["creation_path"] == "sys/mounts" and again["token"] != wrapped["token"], again
    refused(lambda: client.sys.unwrap(wrapped["token"]))
    assert "sys/" in client.sys.unwrap(again["token"])["data"]

    client.write("cubbyhole/mine", a="b")
    assert client.read("cubbyhole/mine")["data"] == {"a": "b"}
    assert client.list("cubbyhole")["data"]["keys"] == ["mine"]
    client.delete("cubbyhole/mine")
    assert client.read("cubbyhole/mine") is None


def refused(call):
    try:
        answer = call()
    except InvalidRequest as error:
        assert "wrapping token is not valid or does not exist" in str(error), error
        return
    raise AssertionError(f"expected a refusal, not {answer}")


main()
