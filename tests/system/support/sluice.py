# SPDX-License-Identifier: BSD-2-Clause
"""The programs under test: found in a build folder, started with a configuration of their own."""

import os
import pathlib
import resource
import signal
import subprocess

from . import logfile, ports, process, wait, workdir

TOP = pathlib.Path(__file__).resolve().parents[3]
DAEMONS = ("sluice-policyd", "sluice-milter")
PROGRAMS = (*DAEMONS, "sluicectl")
# Where in a build folder a program may be.
SUBFOLDERS = (".", "policy", "milter", "ctl")
# What a sanitizer prints when it has found something.
COMPLAINTS = ("Sanitizer:", "runtime error:")


def _find(folder, program):
    candidates = (pathlib.Path(folder) / sub / program for sub in SUBFOLDERS)
    return next((path for path in candidates if path.is_file() and os.access(path, os.X_OK)), None)


def build_folder():
    """SLUICE_BUILD, or the folder below build/ whose programs are the newest."""
    chosen = os.environ.get("SLUICE_BUILD")
    if chosen:
        return pathlib.Path(chosen).resolve()
    folders = [TOP, TOP / "build", *(TOP / "build").glob("*"), *(TOP / "build").glob("*/*")]
    complete = [folder for folder in folders if all(_find(folder, name) for name in PROGRAMS)]
    if not complete:
        raise AssertionError(
            "no built programs; set SLUICE_BUILD to the folder in which `make` was run"
        )
    return max(complete, key=lambda folder: _find(folder, DAEMONS[0]).stat().st_mtime)


def program(name):
    """The path of one of the programs."""
    folder = build_folder()
    path = _find(folder, name)
    if path is None:
        raise AssertionError(f"{name} is not in {folder}: run make there")
    return path


def is_sanitized():
    """Whether the daemons carry a sanitizer, whose memory is not theirs."""
    code = program(DAEMONS[0]).read_bytes()
    return b"__asan_init" in code or b"__tsan_init" in code


class Config:
    """A sluice.conf. options: {name: value in the file's own syntax}; sections: text put after
    them.
    """

    def __init__(self, folder, options, sections=""):
        self.path = pathlib.Path(folder) / "sluice.conf"
        self.options = dict(options)
        self.sections = sections

    def write(self):
        """Write the file in one step, so that a daemon that reloads never sees half of it."""
        text = "".join(f"{name} = {value}\n" for name, value in self.options.items())
        part = self.path.with_suffix(".part")
        part.write_text(f"{text}\n{self.sections}\n")
        part.rename(self.path)
        return self.path


class Daemon(process.Server):
    """sluice-policyd or sluice-milter in the foreground, with a log file of its own."""

    def __init__(self, name, folder, config, endpoints, overrides=None, outlive=False, env=None):
        """endpoints: the unix paths and ports that must take connections before it counts as
        started. That it catches SIGTERM says that the paths have their rights, too.
        """
        self.name = name
        self.folder = workdir.subfolder(folder, name)
        self.log = logfile.LogFile(self.folder / "log")
        self._config = config
        self._endpoints = list(endpoints)
        self._overrides = {"log": f"file:{self.log.path}", **(overrides or {})}
        self._outlive = outlive
        self._env = env

    def command(self):
        options = [
            word for name, value in self._overrides.items() for word in ("-o", f"{name}={value}")
        ]
        return [program(self.name), "-c", self._config.path, *options]

    def start(self):
        self._config.write()
        self._process = process.Process(
            self.name, self.command(), self.folder, env=self._env, outlive=self._outlive
        )
        self._process.start().wait_ready(
            lambda: all(map(ports.listens, self._endpoints)) and self._process.catches(signal.SIGTERM)
        )
        return self

    def run(self, seconds=wait.SECONDS):
        """Start it where it is expected to end by itself; returns (exit code, what it printed)."""
        self._config.write()
        self._process = process.Process(
            self.name, self.command(), self.folder, env=self._env
        ).start()
        code = self._process.wait_exit(seconds)
        return code, self._process.output.read_text()

    def limit_files(self, octets):
        """As a disk that is full: no file of its grows beyond this; None: no limit."""
        _, hard = resource.prlimit(self.pid, resource.RLIMIT_FSIZE)
        soft = hard if octets is None else octets
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (soft, hard))

    def is_alive(self):
        return self._process is not None and self._process.is_alive()

    def stop(self):
        """SIGTERM; anything but a clean end, or a word from a sanitizer, is a failure."""
        if self._process is None:
            return
        code = self._process.stop(seconds=wait.SECONDS)
        self._process, stopped = None, self._process
        printed = stopped.output.read_text(errors="replace")
        if code != 0 or any(complaint in printed for complaint in COMPLAINTS):
            raise AssertionError(f"{self.name} ended with {code}\n{printed}\n{self.log.describe()}")

    def kill(self):
        """SIGKILL, as a crash or the kernel's memory killer would."""
        self._process.kill()
        self._process = None

    def signal(self, number):
        self._process.signal(number)

    def reload(self):
        """Write the configuration anew and send SIGHUP; the caller waits for what it wants to see.
        """
        self._config.write()
        self.signal(signal.SIGHUP)

    def describe(self):
        return f"{super().describe()}\n{self.log.describe()}"


class Ctl:
    """sluicectl with the site's configuration."""

    def __init__(self, config):
        self._config = config

    def words(self, *words):
        """The whole command, for a test that runs it itself."""
        self._config.write()
        return [str(program("sluicectl")), "-c", str(self._config.path), *map(str, words)]

    def run(self, *words, check=True, text=None):
        """The finished command; check: a failure of the command fails the test."""
        argv = self.words(*words)
        done = subprocess.run(
            argv, input=text, capture_output=True, text=True, check=False, timeout=120
        )
        complaint = any(word in done.stderr for word in COMPLAINTS)
        if complaint or (check and done.returncode != 0):
            raise AssertionError(
                f"{' '.join(argv)}: exit {done.returncode}\n{done.stdout}{done.stderr}"
            )
        return done
