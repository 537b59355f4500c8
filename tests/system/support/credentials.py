# SPDX-License-Identifier: BSD-2-Clause
"""What servers and users prove themselves with: a self-signed certificate, SASL logins, DKIM keys.
"""

import base64
import shutil
import subprocess

from . import workdir

MECHANISMS = "PLAIN LOGIN"


def _run(argv, **options):
    done = subprocess.run([str(word) for word in argv], capture_output=True, check=False, **options)
    if done.returncode != 0:
        raise AssertionError(f"{argv[0]} failed: {done.stderr.decode(errors='replace')}")


class Certificate:
    """A self-signed certificate for one host name; key and certificate are PEM files."""

    def __init__(self, folder, hostname):
        self.folder = workdir.subfolder(folder, "tls")
        self.key = self.folder / "key.pem"
        self.cert = self.folder / "cert.pem"
        request = [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
        ]
        names = ["-subj", f"/CN={hostname}", "-addext", f"subjectAltName=DNS:{hostname}"]
        _run(request + names + ["-days", "2", "-keyout", self.key, "-out", self.cert])
        self.key.chmod(0o600)


class SaslUsers:
    """Logins in a Cyrus sasldb of our own; `service` is the name under which the MTA looks for its
    settings.
    """

    def __init__(self, folder, service, realm, users, group="postfix"):
        """users is {name: password}; a login is name@realm."""
        self.folder = workdir.subfolder(folder, "sasl")
        self.service = service
        self.realm = realm
        self.users = dict(users)
        self.database = self.folder / "sasldb2"
        (self.folder / f"{service}.conf").write_text(
            "pwcheck_method: auxprop\nauxprop_plugin: sasldb\n"
            f"sasldb_path: {self.database}\nmech_list: {MECHANISMS}\n"
        )
        for name, password in self.users.items():
            command = ["saslpasswd2", "-p", "-c", "-f", self.database, "-u", realm, name]
            _run(command, input=password.encode())
        if self.database.exists():
            shutil.chown(self.database, group=group)
            self.database.chmod(0o640)

    def login(self, name):
        """(login, password) as a client presents them."""
        return f"{name}@{self.realm}", self.users[name]


class DkimKey:
    """A key pair: the private half in a file, the public half as its TXT record's value."""

    def __init__(self, folder, name, algorithm="rsa", bits=2048):
        folder = workdir.subfolder(folder, "dkim", mode=0o755)
        self.private = folder / f"{name}.pem"
        public = folder / f"{name}.pub"
        make = ["-algorithm", "RSA", "-pkeyopt", f"rsa_keygen_bits:{bits}"]
        if algorithm == "ed25519":
            make = ["-algorithm", "ED25519"]
        _run(["openssl", "genpkey", *make, "-out", self.private])
        _run(["openssl", "pkey", "-in", self.private, "-pubout", "-outform", "DER", "-out", public])
        self.private.chmod(0o600)
        encoded = public.read_bytes()
        if algorithm == "ed25519":
            encoded = encoded[-32:]  # RFC 8463, section 4: the key alone, without the structure
        self.record = f"v=DKIM1; k={algorithm}; p={base64.b64encode(encoded).decode()}"
