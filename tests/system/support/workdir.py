# SPDX-License-Identifier: BSD-2-Clause
"""Private folders with names short enough for unix sockets, which other users may enter."""

import os
import pathlib
import shutil
import tempfile

# sun_path holds 108 octets; the servers below add a name of their own.
LONGEST = 60


def _default_base():
    """/run where we may write: Sendmail trusts no socket or key below a folder that all may write,
    as /tmp is.
    """
    chosen = os.environ.get("SLUICE_RUN_FOLDER")
    if chosen:
        return chosen
    return "/run" if os.access("/run", os.W_OK) else tempfile.gettempdir()


def create(label="t", base=None):
    """A new folder for one site; servers that drop root must be able to reach what is in it."""
    path = pathlib.Path(tempfile.mkdtemp(prefix=f"sluice-{label}-", dir=base or _default_base()))
    if len(str(path)) > LONGEST:
        path.rmdir()
        raise ValueError(
            f"{path} is too long for unix sockets; set SLUICE_RUN_FOLDER to a short folder"
        )
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
