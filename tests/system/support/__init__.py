# SPDX-License-Identifier: BSD-2-Clause
"""Private, real servers for the system tests: each starts in a folder of its own and is stopped by
pid.
"""
