"""Tokens and the name of the first server's node, from run to run."""

import pytest
from scheduler_k3s.operations import server_identity
from unit.dokku_host import Host


def test_new_tokens_and_a_new_node(dokku: Host, capsys: pytest.CaptureFixture[str]) -> None:
    made = server_identity.stored_or_new("10.0.0.5", is_resumed=False)
    stored = {name: (dokku.config / "--global" / name) for name in ("token", "agent-token", "node-name")}
    assert {path.stat().st_mode & 0o777 for path in stored.values()} == {0o600}
    assert stored["node-name"].read_text() == made.node
    assert made.node.startswith("ip-10-0-0-5-")
    tokens = [stored["token"].read_text(), stored["agent-token"].read_text()]
    assert tokens == [made.token.reveal(), made.agent_token.reveal()]
    assert len(set(tokens)) == 2
    assert all(len(bytes.fromhex(token)) >= 16 for token in tokens)
    assert capsys.readouterr().out == ""


def test_a_run_that_goes_on_keeps_all_and_a_new_cluster_the_tokens(dokku: Host) -> None:
    first = server_identity.stored_or_new("10.0.0.5", is_resumed=False)
    assert server_identity.stored_or_new("10.0.0.6", is_resumed=True) == first
    again = server_identity.stored_or_new("10.0.0.5", is_resumed=False)
    assert (again.token, again.agent_token) == (first.token, first.agent_token)
    assert again.node != first.node


@pytest.mark.parametrize(("token", "is_short"), [("9f3a1c07be", True), ("a" * 32, False)])
def test_a_token_that_is_set_is_spoken_of_and_not_shown(
    dokku: Host, capsys: pytest.CaptureFixture[str], token: str, is_short: bool
) -> None:
    dokku.store("--global", "token", token)
    server_identity.tell_of_token()
    said = capsys.readouterr()
    assert said.out == "       Using the token that is set: hosts that knew it before can join\n"
    assert ("The token has 10 characters, which can be guessed" in said.err) == is_short
    assert token not in said.out + said.err


def test_no_token_is_not_spoken_of(dokku: Host, capsys: pytest.CaptureFixture[str]) -> None:
    server_identity.tell_of_token()
    assert capsys.readouterr() == ("", "")
