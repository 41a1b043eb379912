"""Logins as hvac does them, by the methods that are built in.

    hvac_auth.py ADDRESS TOKEN
"""

import sys

import hvac
from hvac.exceptions import Forbidden, InvalidRequest


def main():
    address, token = sys.argv[1:]
    client = hvac.Client(url=address, token=token)
    policy = 'path "cubbyhole/*" { capabilities = ["create", "read", "update"] }'
    client.sys.create_or_update_policy("mine", policy)
    users(client, hvac.Client(url=address))
    roles(client, hvac.Client(url=address))


def users(client, user):
    client.sys.enable_auth_method("userpass")
    userpass = client.auth.userpass
    userpass.create_or_update_user("ann", password="horse", policies="mine", token_ttl="10m")
    assert userpass.list_user()["data"]["keys"] == ["ann"]
    assert userpass.read_user("ann")["data"]["token_ttl"] == 600

    refused(InvalidRequest, lambda: user.auth.userpass.login("ann", "cow"))
    auth = user.auth.userpass.login("ann", "horse")["auth"]
    check(user, auth)
    assert auth["metadata"] == {"username": "ann"}, auth

    userpass.update_password_on_user("ann", "cow")
    user.auth.userpass.login("ann", "cow")
    userpass.delete_user("ann")
    refused(InvalidRequest, lambda: user.auth.userpass.login("ann", "cow"))

    client.sys.tune_auth_method("userpass", description="people")
    assert client.sys.read_auth_method_tuning("userpass")["data"]["description"] == "people"


def roles(client, machine):
    client.sys.enable_auth_method("approle")
    approle = client.auth.approle
    approle.create_or_update_approle("web", token_policies=["mine"], token_ttl="10m", secret_id_num_uses=1)
    assert approle.list_roles()["data"]["keys"] == ["web"]
    role_id = approle.read_role_id("web")["data"]["role_id"]
    made = approle.generate_secret_id("web", metadata={"host": "h1"})["data"]
    found = approle.read_secret_id_accessor("web", made["secret_id_accessor"])["data"]
    assert found["secret_id_num_uses"] == 1 and found["metadata"] == {"host": "h1"}, found

    auth = machine.auth.approle.login(role_id, made["secret_id"])["auth"]
    check(machine, auth)
    assert auth["metadata"] == {"role_name": "web", "host": "h1"}, auth
    refused(InvalidRequest, lambda: machine.auth.approle.login(role_id, made["secret_id"]))
    approle.delete_role("web")


def check(holder, auth):
    """The token that a login gave: what it may do, that it is renewed, and that it ends."""
    assert auth["policies"] == ["default", "mine"] and auth["lease_duration"] == 600, auth
    assert holder.token == auth["client_token"]
    assert holder.lookup_token()["data"]["entity_id"] == auth["entity_id"]
    holder.write("cubbyhole/a", b="c")
    refused(Forbidden, lambda: holder.sys.list_auth_methods())
    assert holder.auth.token.renew_self(increment=600)["auth"]["lease_duration"] == 600
    holder.auth.token.revoke_self()
    refused(Forbidden, lambda: holder.read("cubbyhole/a"))


def refused(error, call):
    try:
        answer = call()
    except error:
        return
    raise AssertionError(f"expected {error.__name__}, not {answer}")


main()
