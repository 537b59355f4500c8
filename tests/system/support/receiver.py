# SPDX-License-Identifier: BSD-2-Clause
"""Mail servers of the world, as a postmaster meets them: each answers as its script says."""

import socket
import socketserver
import ssl
import threading

from . import ports


def after(count, reply):
    """For the first so many recipients a yes, then the reply."""
    left = iter(range(count))
    return lambda _: "250 2.1.5 ok" if next(left, None) is not None else reply


class _Session(socketserver.StreamRequestHandler):
    def reply(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def handle(self):
        try:
            self.converse()
        except (OSError, ValueError):
            pass

    def converse(self):
        receiver = self.server.receiver
        if receiver.wrapped:
            self.secure(receiver)
        if receiver.banner is None:
            return
        self.reply(receiver.banner)
        if receiver.banner.startswith("5") or receiver.closes:
            return
        while True:
            line = self.rfile.readline(4096).decode(errors="replace").strip()
            if not line or not receiver.command(self, line):
                return

    def command(self, receiver, line):
        verb = line[:4].upper()
        if verb == "EHLO":
            self.reply("250-mx.example.net")
            if receiver.tls is not None and not self.is_secure():
                self.reply("250-STARTTLS")
            if receiver.auth and self.is_secure():
                self.reply(f"250-AUTH {receiver.auth}")
            self.reply("250 SIZE 1000000")
        elif verb == "STAR":
            return self.start_tls(receiver)
        elif verb == "RCPT":
            self.reply(receiver.answer(line[line.index("<") + 1 : line.index(">")]))
        elif verb == "DATA":
            self.reply("354 go on")
            while self.rfile.readline(1 << 20) not in (b".\r\n", b""):
                pass
            self.reply(receiver.at_end or "250 2.0.0 ok")
        elif verb == "QUIT":
            self.reply("221 bye")
            return False
        else:
            self.reply("250 2.0.0 ok")
        return True

    def start_tls(self, receiver):
        if receiver.tls == "broken":
            self.reply("454 4.7.0 TLS not available due to local problem")
            return True
        self.reply("220 go on")
        self.secure(receiver)
        return True

    def is_secure(self):
        return isinstance(self.connection, ssl.SSLSocket)

    def secure(self, receiver):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*receiver.tls)
        self.connection = context.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", buffering=0)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


class Receiver:
    """One server. rcpt: the reply to RCPT, or a function of the address; banner None: closes at
    once; tls: None, "broken", or (certificate, key), with wrapped from the start; auth: the login
    mechanisms that are offered with TLS. Attributes may be changed while it runs.
    """

    def __init__(
        self,
        rcpt="250 2.1.5 ok",
        banner="220 mx ESMTP",
        at_end=None,
        closes=False,
        tls=None,
        wrapped=False,
        auth=None,
    ):
        self.rcpt, self.banner, self.at_end = rcpt, banner, at_end
        self.closes, self.tls, self.wrapped, self.auth = closes, tls, wrapped, auth
        self.port = ports.free_port()
        self._server = None

    def command(self, session, line):
        """False: it was the last one."""
        return session.command(self, line)

    def answer(self, address):
        return self.rcpt(address) if callable(self.rcpt) else self.rcpt

    def start(self):
        self._server = _Server((ports.LOOPBACK, self.port), _Session)
        self._server.receiver = self
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self):
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def describe(self):
        """For the report of a test that failed."""
        tls = "no TLS" if self.tls is None else f"TLS {self.tls}"
        return f"port {self.port}, banner {self.banner}, {tls}, wrapped {self.wrapped}"

    def recover(self):
        """From now on it takes all mail."""
        self.rcpt, self.banner, self.at_end = "250 2.1.5 ok", "220 mx ESMTP", None
        self.closes, self.tls = False, None
        if self._server is None:
            self.start()


class Imap(Receiver):
    """The beginning of an IMAP session: what it can do, and STARTTLS."""

    def __init__(self, capabilities="IMAP4rev1 STARTTLS", **options):
        super().__init__(banner="* OK ready", **options)
        self.capabilities = capabilities

    def command(self, session, line):
        tag, _, verb = line.partition(" ")
        if verb.upper() == "CAPABILITY":
            session.reply(f"* CAPABILITY {self.capabilities}")
        session.reply(f"{tag} OK done")
        if verb.upper() == "STARTTLS":
            session.secure(self)
        return verb.upper() != "LOGOUT"


class Tarpit(Receiver):
    """Takes connections, and says nothing until it recovers."""

    def start(self):
        if self.banner is not None and self._server is None and not hasattr(self, "_silent"):
            self._silent = socket.create_server((ports.LOOPBACK, self.port))
            return self
        return super().start()

    def stop(self):
        if getattr(self, "_silent", None) is not None:
            self._silent.close()
            self._silent = None
        super().stop()

    def recover(self):
        self.stop()
        super().recover()
