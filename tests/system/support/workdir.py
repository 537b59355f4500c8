# SPDX-License-Identifier: BSD-2-Clause
"""Private folders with names short enough for unix sockets, which other users may enter."""

import os
import pathlib
import shutil
import tempfile

# sun_path holds 108 octets; the servers below add a name of their own.
LONGEST = 60


def create(label="t", base=None):
    """A new folder for one site; servers that drop root must be able to reach what is in it."""
    if base is None:
        base = tempfile.gettempdir()
        if len(base) + len(label) + 20 > LONGEST:
            base = "/tmp"
    path = pathlib.Path(tempfile.mkdtemp(prefix=f"sluice-{label}-", dir=base))
    path.chmod(0o755)
    return path


def subfolder(parent, name, owner=None, mode=0o755):
    """A folder below a private one, created if missing; owner is a user name."""
    path = pathlib.Path(parent) / name
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(mode)
    if owner is not None:
        shutil.chown(path, user=owner)
    return path


def remove(path):
    """Remove a folder; SLUICE_KEEP_FOLDERS=1 leaves it for a look."""
    if os.environ.get("SLUICE_KEEP_FOLDERS") != "1":
        shutil.rmtree(path, ignore_errors=True)
