# SPDX-License-Identifier: BSD-2-Clause
"""An SMTP server that accepts everything and keeps each message as a file; sink.py runs it.

A file's first line is the envelope as JSON, the rest is the message as it came, without the
transparency dots of RFC 5321, section 4.5.2. Files appear complete, by rename, and are numbered in
order of arrival.
"""

import argparse
import asyncio
import json
import os
import pathlib
import signal

LINE_LIMIT = 1 << 20
EXTENSIONS = ("PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE 104857600")


class Store:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        # A sink that is started again goes on counting where it was.
        self.count = max((int(path.name) for path in self.folder.glob("[0-9]*")), default=0)

    def keep(self, envelope, data):
        self.count += 1
        part = self.folder / ".part"
        part.write_bytes(json.dumps(envelope).encode() + b"\n" + data)
        os.rename(part, self.folder / f"{self.count:08d}")


def path_of(argument):
    """The address between < and > of a MAIL or RCPT command."""
    return argument[argument.index("<") + 1 : argument.rindex(">")]


async def read_data(reader):
    lines = []
    while True:
        line = await reader.readuntil(b"\n")
        if line == b".\r\n":
            return b"".join(lines)
        lines.append(line[1:] if line.startswith(b".") else line)


class Session:
    def __init__(self, store, reader, writer):
        self.store, self.reader, self.writer = store, reader, writer
        self.sender, self.recipients = None, []

    def reply(self, text):
        self.writer.write(text.encode() + b"\r\n")

    async def command(self, line):
        """Carry out one command; False ends the session."""
        verb = line[:4].upper()
        if verb == "EHLO":
            lines = ["sink.invalid", *EXTENSIONS]
            self.reply(
                "\r\n".join(
                    f"250{'-' if at < len(lines) - 1 else ' '}{text}"
                    for at, text in enumerate(lines)
                )
            )
        elif verb == "MAIL":
            self.sender, self.recipients = path_of(line), []
            self.reply("250 2.1.0 ok")
        elif verb == "RCPT":
            self.recipients.append(path_of(line))
            self.reply("250 2.1.5 ok")
        elif verb == "DATA":
            self.reply("354 go on")
            await self.writer.drain()
            data = await read_data(self.reader)
            self.store.keep({"sender": self.sender, "recipients": self.recipients}, data)
            self.reply("250 2.0.0 kept")
        else:
            self.reply("221 2.0.0 bye" if verb == "QUIT" else "250 2.0.0 ok")
        return verb != "QUIT"

    async def run(self):
        self.reply("220 sink.invalid ESMTP")
        going = True
        while going:
            await self.writer.drain()
            line = await self.reader.readuntil(b"\n")
            going = await self.command(line.decode(errors="replace").rstrip("\r\n"))
        await self.writer.drain()


async def serve(port, folder):
    store = Store(folder)

    async def on_connection(reader, writer):
        try:
            await Session(store, reader, writer).run()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(
        on_connection, "127.0.0.1", port, limit=LINE_LIMIT, backlog=1024
    )
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    await stopped.wait()
    server.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("folder")
    options = parser.parse_args()
    asyncio.run(serve(options.port, options.folder))


if __name__ == "__main__":
    main()
