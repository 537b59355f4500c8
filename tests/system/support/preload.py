# SPDX-License-Identifier: BSD-2-Clause
"""Libraries of our own that the dynamic linker puts before all others in a daemon under test."""

import os
import pathlib
import subprocess


def environment(folder, name):
    """Compile NAME_preload.c into the folder; returns the environment of a daemon that loads it."""
    source = pathlib.Path(__file__).with_name(f"{name}_preload.c")
    library = pathlib.Path(folder) / f"{name}.so"
    command = ["cc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", library, source, "-ldl"]
    subprocess.run([str(word) for word in command], check=True)
    return {
        "LD_PRELOAD": library,
        "ASAN_OPTIONS": f"{os.environ.get('ASAN_OPTIONS', '')}:verify_asan_link_order=0",
    }
