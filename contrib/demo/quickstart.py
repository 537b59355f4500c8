# SPDX-License-Identifier: BSD-2-Clause
"""The second half of contrib/quickstart: starts the servers, sends the mail, shows the log, stops
or keeps them.
"""

import argparse
import contextlib
import json
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "system"))

import dkim  # noqa: E402

from support import process, sluice, wait  # noqa: E402
from support import site as site_module  # noqa: E402

DOMAIN = site_module.DOMAIN
ALICE, BOB = f"alice@{DOMAIN}", f"bob@{DOMAIN}"
PASSWORDS = {"alice": "alice-secret", "bob": "bob-secret"}
FRIEND = "friend@example.net"
NOWHERE = "friend@no-such-domain.test"
BURST = 5
SECTIONS = f"""
limit burst {{ subject = user  count = messages  max = {BURST}  per = 1m }}
limit daily {{ subject = user  count = messages  max = 2000  per = 24h }}
limit fanout {{ count = recipients  max = 500  per = message }}
"""
STATE = "running.json"


def step(text, action):
    """Print a line, do it, print how it went; a failure is told by main()."""
    print(f"  {text:<44} ", end="", flush=True)
    begun = time.monotonic()
    try:
        result = action()
    except Exception:
        print("failed")
        raise
    print(f"ok  {time.monotonic() - begun:4.1f} s")
    return result


def swaks(site, sender, recipient, subject, mail_from=None):
    """Send one message with swaks as alice; returns the server's last word on it."""
    command = ["swaks", "--server", "127.0.0.1", "--port", str(site.mta.submission_port), "--tls"]
    command += ["--auth", "PLAIN", "--auth-user", ALICE, "--auth-password", PASSWORDS["alice"]]
    command += [
        "--from",
        mail_from or sender,
        "--to",
        recipient,
        "--h-From",
        sender,
        "--h-Subject",
        subject,
    ]
    command += ["--body", f"A message from contrib/quickstart: {subject}."]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    # swaks shows a reply behind <- or <~ (under TLS), and with stars when it is a refusal.
    replies = re.findall(r"^<(?:[-~]|\*\*|~\*) +(\d{3} .*)$", done.stdout, re.MULTILINE)
    refused = [reply for reply in replies if reply[0] in "45"]
    accepted = [reply for reply in replies if "queued as" in reply]
    if not refused and not accepted:
        raise AssertionError(f"{shlex.join(command)}\n{done.stdout}{done.stderr}")
    return (refused or accepted)[0]


def expect(reply, code):
    if not reply.startswith(code):
        raise AssertionError(f"expected a reply {code}, but the server said: {reply}")


class Scenario:
    """One kind of message: the server's replies, and the log lines that it made.

    Only lines that contain `only` are shown.
    """

    def __init__(self, site, title):
        self._logs = (site.policyd.log, site.milter.log)
        self.title = title
        self.replies = []
        self.only = ""
        for log in self._logs:
            log.mark()

    def finish(self, **wanted):
        """Wait for the line that tells the outcome in one of the logs, and show all of them."""
        wait.poll(
            lambda: any(log.events(**wanted) for log in self._logs),
            what=f"{wanted} in the log",
            on_timeout=lambda: "\n".join(log.describe() for log in self._logs),
        )
        print(f"\n{self.title}")
        for reply in self.replies:
            print(f"  Postfix: {reply}")
        for line in self._lines():
            print(f"  {line}")

    def _lines(self):
        lines = [line for log in self._logs for line in log.lines()]
        # In order of time; the time and the host's name, which begin each line, are left out.
        return [line.split(" ", 2)[2] for line in sorted(lines) if self.only in line]


def ordinary(site):
    scenario = Scenario(site, "1. An ordinary message from alice: accepted, counted and signed")
    scenario.replies.append(swaks(site, ALICE, FRIEND, "ordinary"))
    expect(scenario.replies[0], "250")
    mail = site.sink.wait_subject("ordinary")
    if not dkim.verify(mail.data, dnsfunc=lambda name, timeout=5: site.dns.txt(name)):
        raise AssertionError(
            f"the signature does not verify:\n{mail.data.decode(errors='replace')}"
        )
    scenario.finish(event="message", verdict="accept")
    signed = mail.message["DKIM-Signature"]
    selector = re.search(r"\bs=([^;]+)", signed)[1]
    print(f"  dkimpy: the signature with selector {selector} verifies against the zone of {DOMAIN}")


def forged(site):
    scenario = Scenario(site, "2. A From that is not the login's, but bob's: refused")
    scenario.replies.append(swaks(site, BOB, FRIEND, "forged", mail_from=ALICE))
    expect(scenario.replies[0], "5")
    scenario.finish(event="cause", cause="account.sender-mismatch")


def nowhere(site):
    scenario = Scenario(site, "3. A recipient's domain that does not exist: refused")
    scenario.replies.append(swaks(site, ALICE, NOWHERE, "nowhere"))
    expect(scenario.replies[0], "5")
    scenario.finish(event="cause", cause="dns.recipient-domain")


def burst(site):
    scenario = Scenario(
        site, f"4. More than {BURST} messages in a minute: put off until there is room again"
    )
    scenario.only = "limit."
    # The ordinary message counts too; the two that were refused do not.
    for number in range(1, BURST + 1):
        scenario.replies.append(swaks(site, ALICE, FRIEND, f"burst {number}"))
        expect(scenario.replies[-1], "250" if number < BURST else "450")
    scenario.finish(event="cause", cause="limit.messages")


def start(folder, keep):
    folder.mkdir(mode=0o755)
    # The daemons have logs of their own; log is for what sluicectl changes, and "sluicectl why" reads all.
    logs = ["postfix/mail.log", "sluice-policyd/log", "sluice-milter/log"]
    options = {
        "contact": f'"postmaster@{DOMAIN}"',
        "log": f'"file:{folder}/sluicectl.log"',
        "mail-log": "{" + ", ".join(f'"{folder}/{log}"' for log in logs) + "}",
    }
    site = step(
        f"make keys, logins and {folder}",
        lambda: site_module.Site(
            folder, options=options, sections=SECTIONS, users=PASSWORDS, durable=True, outlive=keep
        ),
    )
    names = {
        site.redis: "Redis",
        site.dns: f"name server (NSD) for {DOMAIN}",
        site.sink: "sink, where all mail ends",
        site.policyd: "sluice-policyd",
        site.milter: "sluice-milter",
        site.mta: "Postfix, with a submission port",
    }
    try:
        for server in site.servers:
            step(f"start {names[server]}", server.start)
    except BaseException:
        abandon(site)
        raise
    return site


def abandon(site):
    """Stop everything because of a trouble that is told already; what stops badly is no news."""
    with contextlib.suppress(AssertionError):
        site.stop()


def remember(site, folder):
    """Write down what runs, so that --stop can stop these processes and no others."""
    running = [
        {"name": one.name, "pid": one.pid, "started": process.start_time(one.pid)}
        for one in site.processes()
    ]
    (folder / STATE).write_text(json.dumps(running, indent=1) + "\n")


def stop(folder):
    for one in reversed(json.loads((folder / STATE).read_text())):
        stopped = process.stop_identified(one["pid"], one["started"])
        print(f"  {one['name']:<20} {'stopped' if stopped else 'was not running'}")
    (folder / STATE).unlink()


def show_limits(site):
    print(f"\nsluicectl limits user:{ALICE}")
    print(
        "".join(
            f"  {line}\n" for line in site.ctl.run("limits", f"user:{ALICE}").stdout.splitlines()
        ),
        end="",
    )


def stop_command(folder):
    usual = folder.parent == pathlib.Path("/run")
    return ("" if usual else f"SLUICE_RUN_FOLDER={folder.parent} ") + "contrib/quickstart --stop"


def show_places(site, folder, keep):
    command = f"{sluice.program('sluicectl')} -c {site.config.path}"
    places = [
        ("configuration", site.config.path),
        ("Sluice's logs", site.policyd.log.path),
        ("", site.milter.log.path),
        ("Postfix' log", site.mta.log),
        ("Postfix' main.cf", site.mta.config / "main.cf"),
        ("mail that left", site.sink.folder / "mail"),
        ("name server's zones", site.dns.folder),
    ]
    if keep:
        places += [
            (
                "submission port",
                f"{site.mta.submission_port}, login {ALICE}, password {PASSWORDS['alice']}",
            ),
            ("commands", f"{command} limits user:{ALICE}"),
            ("", f"{command} why {ALICE}"),
            ("stop it with", stop_command(folder)),
        ]
    print("\nWhere things are")
    for name, place in places:
        print(f"  {name:<20} {place}")


# The signals that asked us to stop. A library that catches everything may make something else of the exception.
interruptions = []


def interrupt(number, _frame):
    interruptions.append(number)
    raise KeyboardInterrupt


def run(folder, keep):
    print("Starting")
    site = start(folder, keep)
    try:
        if keep:
            remember(site, folder)
        for scenario in (ordinary, forged, nowhere, burst):
            scenario(site)
            if interruptions:
                raise KeyboardInterrupt
        show_limits(site)
        show_places(site, folder, keep)
    except BaseException:
        abandon(site)
        (folder / STATE).unlink(missing_ok=True)
        raise
    if keep:
        print("\nEverything goes on running.")
        return
    site.stop()
    print("\nEverything is stopped again; --keep leaves it running.")


def clear(folder):
    """Remove what an earlier run left, unless it still runs."""
    if (folder / STATE).exists():
        alive = [
            one
            for one in json.loads((folder / STATE).read_text())
            if process.start_time(one["pid"]) == one["started"]
        ]
        if alive:
            raise AssertionError(
                f"An earlier run is still up; stop it with {stop_command(folder)}."
            )
    if folder.exists():
        shutil.rmtree(folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--stop", action="store_true")
    parser.add_argument("folder", type=pathlib.Path)
    options = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)
    try:
        if options.stop:
            stop(options.folder)
        else:
            clear(options.folder)
            run(options.folder, options.keep)
    except (Exception, KeyboardInterrupt) as problem:
        if interruptions:
            print("\nInterrupted; everything is stopped.", file=sys.stderr)
            return 130
        if not isinstance(problem, (AssertionError, OSError, subprocess.SubprocessError)):
            raise
        print(f"\n{problem}", file=sys.stderr)
        if options.folder.exists():
            print(f"\nThe logs are in {options.folder}.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
