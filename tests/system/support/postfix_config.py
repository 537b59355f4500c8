# SPDX-License-Identifier: BSD-2-Clause
"""main.cf and master.cf of the private Postfix, and the folders that its queue needs."""

import os
import pathlib
import shutil

# name, owner, group, mode: what `postfix check` would create in an empty queue_directory.
QUEUE_FOLDERS = (
    *(
        (name, "postfix", "root", 0o700)
        for name in ("active", "bounce", "corrupt", "defer", "deferred", "flush")
    ),
    *(
        (name, "postfix", "root", 0o700)
        for name in ("hold", "incoming", "private", "saved", "trace")
    ),
    ("maildrop", "postfix", "postdrop", 0o730),
    ("public", "postfix", "postdrop", 0o710),
    ("pid", "root", "root", 0o755),
)

# service, type, private, unprivileged, chroot, wakeup, limit, command
SERVICES = """\
pickup unix n - n 1 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 5 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


def base_settings(server):
    """What every test wants: nothing looked up, nothing slowed down, everything delivered to one
    place.
    """
    return {
        "compatibility_level": "3.6",
        "queue_directory": server.queue,
        "data_directory": server.data,
        "maillog_file": server.log,
        "maillog_file_prefixes": server.folder,
        "myhostname": server.hostname,
        "mydestination": "",
        "alias_maps": "",
        "alias_database": "",
        "local_recipient_maps": "",
        "inet_interfaces": "127.0.0.1",
        "inet_protocols": "ipv4",
        "mynetworks": "127.0.0.0/8",
        "relay_domains": " ".join(server.local_domains),
        "relayhost": f"[127.0.0.1]:{server.relay_port}",
        "smtp_host_lookup": "native",
        "smtp_dns_support_level": "disabled",
        "smtpd_peername_lookup": "no",
        # Everybody, as a connection that poses as an outside client may want to pose as the next
        # one.
        "smtpd_authorized_xclient_hosts": "static:all",
        "smtpd_client_connection_count_limit": "0",
        "smtpd_client_connection_rate_limit": "0",
        "smtpd_error_sleep_time": "0",
        "smtpd_soft_error_limit": "1000",
        "smtpd_hard_error_limit": "1000",
        "in_flow_delay": "0",
        "notify_classes": "",
        "enable_long_queue_ids": "yes" if server.long_queue_ids else "no",
    }


def login_settings(certificate, users):
    """TLS, and SASL logins from a private Cyrus sasldb; a password is taken under TLS only."""
    return {
        "smtpd_tls_security_level": "may",
        "smtpd_tls_chain_files": f"{certificate.key}, {certificate.cert}",
        "smtpd_tls_auth_only": "yes",
        "smtpd_sasl_path": users.service,
        "cyrus_sasl_config_path": users.folder,
        "smtpd_sasl_local_domain": users.realm,
    }


def main_cf(settings):
    return "".join(f"{name} = {value}\n" for name, value in settings.items())


def master_cf(smtp_port, submission_port, submission_options):
    options = "".join(
        f"  -o {{ {name} = {value} }}\n" for name, value in submission_options.items()
    )
    return (
        f"127.0.0.1:{smtp_port} inet n - n - - smtpd\n"
        f"127.0.0.1:{submission_port} inet n - n - - smtpd\n{options}{SERVICES}"
    )


def create_queue(path):
    pathlib.Path(path).mkdir(exist_ok=True)
    for name, owner, group, mode in QUEUE_FOLDERS:
        folder = pathlib.Path(path) / name
        folder.mkdir(exist_ok=True)
        shutil.chown(folder, owner, group)
        os.chmod(folder, mode)
