# SPDX-License-Identifier: BSD-2-Clause
"""Debian's Sendmail in a folder of our own: its package conflicts with Postfix, so it is unpacked,
never installed.
"""

import contextlib
import fcntl
import os
import pathlib
import shutil
import subprocess
import tempfile

PACKAGES = ("sendmail-bin", "sendmail-base", "sendmail-cf")
# Libraries that the program wants and a machine without Sendmail may lack; looked for in ldd's
# answer.
LIBRARIES = {
    "libwrap.so": "libwrap0",
    "libnsl.so": "libnsl2",
    "liblockfile.so": "liblockfile1",
    "libldap-2.5.so": "libldap-2.5-0",
    "liblber-2.5.so": "libldap-2.5-0",
    "libdb-5.3.so": "libdb5.3",
    "libtirpc.so": "libtirpc3",
}
PRELOAD_SOURCE = pathlib.Path(__file__).with_name("sendmail_preload.c")
PROGRAM = "usr/libexec/sendmail/sendmail"
MACROS = "usr/share/sendmail/cf/"


def cache_folder():
    """SLUICE_CACHE, or build/cache beside the sources; kept from run to run."""
    default = pathlib.Path(__file__).resolve().parents[3] / "build" / "cache"
    return pathlib.Path(os.environ.get("SLUICE_CACHE", default))


def _run(argv, **options):
    done = subprocess.run(
        [str(word) for word in argv], capture_output=True, text=True, check=False, **options
    )
    if done.returncode != 0:
        raise AssertionError(
            f"{' '.join(map(str, argv))}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        )
    return done.stdout


def _unpack(packages, root):
    with tempfile.TemporaryDirectory(prefix="sluice-deb-") as folder:
        # apt's sandbox user has to write here.
        os.chmod(folder, 0o777)
        _run(["apt-get", "-qq", "download", *packages], cwd=folder)
        for package in sorted(pathlib.Path(folder).glob("*.deb")):
            _run(["dpkg", "-x", package, root])


def library_path(root):
    """The folders below root that hold shared libraries, for LD_LIBRARY_PATH."""
    folders = {path.parent for path in pathlib.Path(root).glob("**/*.so.*")}
    return ":".join(str(path) for path in sorted(folders))


def _missing_packages(root):
    listing = _run(
        ["ldd", root / PROGRAM], env={**os.environ, "LD_LIBRARY_PATH": library_path(root)}
    )
    missing = [line.split()[0] for line in listing.splitlines() if "not found" in line]
    unknown = [name for name in missing if not name.startswith(tuple(LIBRARIES))]
    if unknown:
        raise AssertionError(
            f"sendmail needs libraries that no known package has: {' '.join(unknown)}"
        )
    return sorted(
        {package for name, package in LIBRARIES.items() for lib in missing if lib.startswith(name)}
    )


@contextlib.contextmanager
def _locked_cache():
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / "sendmail.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield cache


def preload_library():
    """The compiled sendmail_preload.c; in the cache, because a site's folder may forbid execution.
    """
    with _locked_cache() as cache:
        library = cache / "sendmail_preload.so"
        if not library.exists() or library.stat().st_mtime < PRELOAD_SOURCE.stat().st_mtime:
            part = cache / "sendmail_preload.part"
            _run(["cc", "-O1", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", part, PRELOAD_SOURCE])
            part.rename(library)
    return library


def unpacked():
    """The root of the unpacked packages; downloads them the first time. Safe when several runs ask
    at once.
    """
    with _locked_cache() as cache:
        root = cache / "sendmail"
        if not root.exists():
            part = cache / "sendmail.part"
            shutil.rmtree(part, ignore_errors=True)
            _unpack(PACKAGES, part)
            # Without its setgid bit the program may be told by LD_LIBRARY_PATH where the libraries
            # are.
            (part / PROGRAM).chmod(0o755)
            missing = _missing_packages(part)
            if missing:
                _unpack(missing, part)
            part.rename(root)
    return root
