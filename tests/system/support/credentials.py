# SPDX-License-Identifier: BSD-2-Clause
"""What servers and users prove themselves with: a self-signed certificate, SASL logins, DKIM keys.
"""

import base64
import datetime
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


CA_CONFIG = """[ca]
default_ca = own
[own]
dir = .
database = ./index
serial = ./serial
new_certs_dir = .
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
"""
EC_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


class Authority:
    """A certificate authority of our own; cert is what its users have to trust."""

    def __init__(self, folder, name="Test Authority"):
        self.folder = workdir.subfolder(folder, "ca")
        self.key, self.cert = self.folder / "ca.key", self.folder / "ca.pem"
        self._made = 0
        (self.folder / "index").write_text("")
        (self.folder / "serial").write_text("01\n")
        request = ["openssl", "req", "-x509", *EC_KEY, "-subj", f"/CN={name}", "-days", "3000"]
        _run([*request, "-keyout", self.key, "-out", self.cert])

    def issue(self, name, days=(-1, 90)):
        """(certificate, key) for a host name, valid from and until so many days from now."""
        self._made += 1
        key, request, cert, config = (
            self.folder / f"{self._made}.{ending}" for ending in ("key", "csr", "pem", "conf")
        )
        now = datetime.datetime.now(datetime.timezone.utc)
        begin, end = (f"{now + datetime.timedelta(days=each):%Y%m%d%H%M%SZ}" for each in days)
        config.write_text(f"{CA_CONFIG}[names]\nsubjectAltName = DNS:{name}\n")
        subject = ["-subj", f"/CN={name}"]
        _run(["openssl", "req", *EC_KEY, *subject, "-keyout", key, "-out", request])
        sign = ["openssl", "ca", "-batch", "-config", config, "-cert", self.cert]
        sign += ["-keyfile", self.key, "-startdate", begin, "-enddate", end, "-notext"]
        _run([*sign, "-extensions", "names", "-in", request, "-out", cert], cwd=self.folder)
        return cert, key


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
