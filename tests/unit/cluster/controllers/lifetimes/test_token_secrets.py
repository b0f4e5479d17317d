"""Secrets that hold the token of a ServiceAccount."""

from __future__ import annotations

import base64

from pilotfish.cluster.kinds import SECRETS, SERVICE_ACCOUNTS
from unit.cluster.controllers.world import World

NAME = "kubernetes.io/service-account.name"


def ask(world: World, name: str, account: str) -> None:
    metadata = {"name": name, "annotations": {NAME: account}}
    world.create(SECRETS, {"metadata": metadata, "type": "kubernetes.io/service-account-token"})


def test_secret_is_filled_with_a_token_that_proves_its_account() -> None:
    world = World()
    world.create(SERVICE_ACCOUNTS, {"metadata": {"name": "bot"}})
    ask(world, "token", "bot")
    world.settle()
    secret = world.get(SECRETS, "token")
    data = {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}
    assert (data["namespace"], data["ca.crt"]) == ("default", "the CA")
    account = world.get(SERVICE_ACCOUNTS, "bot")["metadata"]["uid"]
    assert secret["metadata"]["annotations"]["kubernetes.io/service-account.uid"] == account
    user = world.cluster.authenticator.authenticate(f"Bearer {data['token']}", world.now + 1e9)
    assert user.name == "system:serviceaccount:default:bot"


def test_secret_of_no_account_is_deleted_as_is_that_of_one_that_goes() -> None:
    world = World()
    ask(world, "early", "bot")
    world.settle()
    assert world.names(SECRETS) == []
    world.create(SERVICE_ACCOUNTS, {"metadata": {"name": "bot"}})
    ask(world, "token", "bot")
    world.settle()
    world.delete(SERVICE_ACCOUNTS, "bot")
    world.settle()
    assert world.names(SECRETS) == []


def test_token_that_someone_empties_is_made_again_and_others_are_left_alone() -> None:
    world = World()
    ask(world, "token", "default")
    world.create(SECRETS, {"metadata": {"name": "mine", "annotations": {NAME: "nobody"}}})
    world.settle()
    world.change(SECRETS, "token", lambda secret: secret["data"].pop("token"))
    world.settle()
    assert world.get(SECRETS, "token")["data"]["token"]
    assert world.names(SECRETS) == ["mine", "token"]
