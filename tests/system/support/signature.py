# SPDX-License-Identifier: BSD-2-Clause
"""Judging DKIM signatures by two verifiers that are not ours: dkimpy and opendkim-testmsg."""

import os
import pathlib
import subprocess
import tempfile

import dkim

PRELOAD_SOURCE = pathlib.Path(__file__).with_name("signature_preload.c")


def _dkimpy(data, dns):
    try:
        verified = dkim.DKIM(data).verify(dnsfunc=lambda name, timeout=5: dns.txt(name))
    except dkim.DKIMException as problem:
        return str(problem)
    return None if verified else "does not verify"


def _opendkim(data, dns):
    with tempfile.TemporaryDirectory(prefix="sluice-verify-") as folder:
        library = pathlib.Path(folder) / "preload.so"
        compile_it = ["cc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", library, PRELOAD_SOURCE]
        subprocess.run([str(word) for word in compile_it], check=True)
        env = {**os.environ, "LD_PRELOAD": str(library), "SITE_DNS_PORT": str(dns.port)}
        done = subprocess.run(
            ["opendkim-testmsg", "-t", folder],
            input=data,
            capture_output=True,
            check=False,
            env=env,
        )
    printed = (done.stdout + done.stderr).decode(errors="replace").strip()
    return None if done.returncode == 0 and not printed else printed or f"exit {done.returncode}"


def check(delivered, dns):
    """Fail unless both verifiers accept the signature of a message as it was delivered."""
    assert b"dkim-signature:" in delivered.data.lower(), f"not signed:\n{delivered.data!r}"
    for name, verify in (("dkimpy", _dkimpy), ("opendkim-testmsg", _opendkim)):
        problem = verify(delivered.data, dns)
        assert problem is None, f"{name}: {problem}\n{delivered.data.decode(errors='replace')}"


def tags(delivered):
    """The first signature's tags as a dict, without white space; None without a signature."""
    field = delivered.message["DKIM-Signature"]
    if field is None:
        return None
    pairs = (part.partition("=") for part in str(field).split(";"))
    return {name.strip(): "".join(value.split()) for name, _, value in pairs}
