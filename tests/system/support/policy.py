# SPDX-License-Identifier: BSD-2-Clause
"""A client of the policy protocol that can also do what Postfix never would."""

from . import ports

# What Postfix sends at RCPT; a test changes what it is about.
ATTRIBUTES = {
    "request": "smtpd_access_policy",
    "protocol_state": "RCPT",
    "protocol_name": "ESMTP",
    "client_address": "192.0.2.10",
    "client_name": "unknown",
    "client_port": "40000",
    "reverse_client_name": "unknown",
    "server_address": "127.0.0.1",
    "server_port": "587",
    "helo_name": "client.example.net",
    "sender": "alice@example.test",
    "recipient": "bob@example.net",
    "recipient_count": "0",
    "queue_id": "",
    "instance": "1.1.1.0",
    "size": "0",
    "etrn_domain": "",
    "stress": "",
    "sasl_method": "plain",
    "sasl_username": "alice@example.test",
    "sasl_sender": "",
    "ccert_subject": "",
    "ccert_issuer": "",
    "ccert_fingerprint": "",
    "ccert_pubkey_fingerprint": "",
    "encryption_protocol": "TLSv1.3",
    "encryption_cipher": "TLS_AES_256_GCM_SHA384",
    "encryption_keysize": "256",
    "policy_context": "",
}


def request(**attributes):
    """A request as octets: Postfix' attributes with these in their place."""
    lines = {**ATTRIBUTES, **{name: str(value) for name, value in attributes.items()}}
    return "".join(f"{name}={value}\n" for name, value in lines.items()).encode() + b"\n"


class Client:
    """One connection; endpoint is a unix path or a port on 127.0.0.1."""

    def __init__(self, endpoint, timeout=60.0):
        self.socket = ports.connect(endpoint, timeout)
        self._received = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, octets):
        self.socket.sendall(octets)

    def answer(self):
        """The next answer's action; None when the connection ends instead."""
        while b"\n\n" not in self._received:
            try:
                more = self.socket.recv(65536)
            except ConnectionResetError:
                more = b""
            if not more:
                assert (
                    not self._received
                ), f"the connection ended within an answer: {self._received}"
                return None
            self._received += more
        answer, _, self._received = self._received.partition(b"\n\n")
        assert answer.startswith(b"action=") and b"\n" not in answer, answer
        return answer[len(b"action=") :].decode("ascii")

    def ask(self, **attributes):
        self.send(request(**attributes))
        return self.answer()

    def message(self, queue_id, recipients=("bob@example.net",), **attributes):
        """All stages of one message as Postfix asks about them, until one is refused; the actions."""
        common = {"instance": f"i.{queue_id}", **attributes}
        actions = [self.ask(protocol_state="RCPT", recipient=each, **common) for each in recipients]
        if any(action[0] in "45" for action in actions):
            return actions
        one = recipients[0] if len(recipients) == 1 else ""
        common = {
            "recipient": one,
            "recipient_count": len(recipients),
            "queue_id": queue_id,
            **common,
        }
        return [*actions, self.ask(protocol_state="END-OF-MESSAGE", **common)]
