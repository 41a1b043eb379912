"""Tokens as hvac makes, looks up, renews and revokes them.

    hvac_token.py ADDRESS TOKEN
"""

import sys

import hvac
from hvac.exceptions import Forbidden, InvalidPath, InvalidRequest

POLICY = 'path "auth/token/create" { capabilities = ["update"] }'


def main():
    address, token = sys.argv[1:]
    client = hvac.Client(url=address, token=token)
    client.sys.create_or_update_policy("maker", POLICY)

    def holder(answer):
        return hvac.Client(url=address, token=answer["auth"]["client_token"])

    life(client, holder)
    family(client, holder)
    limits(client, holder)
    roles(client, holder)
    wrapped(client, address)


def life(client, holder):
    tokens = client.auth.token
    made = tokens.create(policies=["maker"], ttl="1h", meta={"team": "web"}, display_name="ci")["auth"]
    assert made["policies"] == ["default", "maker"] and made["lease_duration"] == 3600, made
    token, accessor = made["client_token"], made["accessor"]
    for looked in (tokens.lookup(token), tokens.lookup_accessor(accessor)):
        assert looked["data"]["meta"] == {"team": "web"} and looked["data"]["display_name"] == "token-ci", looked
    assert tokens.lookup_accessor(accessor)["data"]["id"] == ""
    assert accessor in tokens.list_accessors()["data"]["keys"]

    own = holder({"auth": made})
    assert own.is_authenticated() and own.lookup_token()["data"]["accessor"] == accessor
    assert tokens.renew(token, increment="2h")["auth"]["lease_duration"] == 7200
    assert tokens.renew_accessor(accessor, increment="3h")["auth"]["lease_duration"] == 10800
    assert own.auth.token.renew_self(increment="4h")["auth"]["lease_duration"] == 14400
    tokens.revoke(token)
    assert not own.is_authenticated()
    refused(Forbidden, lambda: tokens.lookup(token))
    refused(InvalidRequest, lambda: tokens.lookup_accessor(accessor))
    assert accessor not in tokens.list_accessors()["data"]["keys"]


def family(client, holder):
    tokens = client.auth.token
    for end, child_lives in (
        (lambda parent: parent.auth.token.revoke_self(), False),
        (lambda parent: tokens.revoke_accessor(parent.lookup_token()["data"]["accessor"]), False),
        (lambda parent: tokens.revoke_and_orphan_children(parent.token), True),
    ):
        parent = holder(tokens.create(policies=["maker"]))
        child = holder(parent.auth.token.create(policies=["maker"]))
        assert not child.lookup_token()["data"]["orphan"]
        end(parent)
        assert not parent.is_authenticated() and child.is_authenticated() == child_lives
        if child_lives:
            assert child.lookup_token()["data"]["orphan"]
            child.auth.token.revoke_self()


def limits(client, holder):
    tokens = client.auth.token
    twice = holder(tokens.create_orphan(policies=["maker"], num_uses=2))
    assert twice.lookup_token()["data"]["num_uses"] == 1
    twice.lookup_token()
    refused(Forbidden, twice.lookup_token)

    batch = tokens.create(policies=["maker"], type="batch", ttl="10m")["auth"]
    assert batch["client_token"].startswith("hvb.") and batch["accessor"] == "", batch
    assert holder({"auth": batch}).lookup_token()["data"]["type"] == "batch"
    refused(InvalidRequest, lambda: tokens.revoke(batch["client_token"]))

    periodic = tokens.create(policies=["maker"], period="30m")["auth"]
    assert periodic["lease_duration"] == 1800 and tokens.lookup(periodic["client_token"])["data"]["period"] == 1800
    modest = holder(tokens.create(policies=["maker"]))
    refused(InvalidRequest, lambda: modest.auth.token.create(policies=["root"]))


def roles(client, holder):
    tokens = client.auth.token
    tokens.create_or_update_role("ci", allowed_policies="maker", orphan=True, token_period="20m")
    assert tokens.list_roles()["data"]["keys"] == ["ci"]
    assert tokens.read_role("ci")["data"]["allowed_policies"] == ["maker"]
    made = holder(tokens.create(role_name="ci")).lookup_token()["data"]
    assert made["orphan"] and made["period"] == 1200 and made["role"] == "ci", made
    refused(InvalidRequest, lambda: tokens.create(role_name="ci", policies=["other"]))
    tokens.delete_role("ci")
    refused(InvalidPath, lambda: tokens.read_role("ci"))


def wrapped(client, address):
    info = client.auth.token.create(policies=["maker"], wrap_ttl="60s")["wrap_info"]
    assert info["creation_path"] == "auth/token/create" and info["ttl"] == 60, info
    bearer = hvac.Client(url=address, token=info["token"])
    auth = bearer.sys.unwrap()["auth"]
    assert auth["accessor"] == info["wrapped_accessor"], (auth, info)
    assert hvac.Client(url=address, token=auth["client_token"]).is_authenticated()
    refused(InvalidRequest, lambda: client.sys.unwrap(info["token"]))


def refused(error, call):
    try:
        answer = call()
    except error:
        return
    raise AssertionError(f"expected {error.__name__}, not {answer}")


main()
