# SPDX-License-Identifier: BSD-2-Clause
"""Writes small databases in MaxMind's format: write(path, "Test-Country", {"192.0.2.0/24": {...}}).

https://maxmind.github.io/MaxMind-DB/ describes it; records here have 32 bits, and the tree is one
of IPv6, in which IPv4 addresses lie in ::/96.
"""

import ipaddress
import pathlib
import struct

MARKER = b"\xab\xcd\xefMaxMind.com"
MAP, STRING, UINT16, UINT32, UINT64, ARRAY = 7, 2, 5, 6, 9, 11


def _control(kind, size):
    assert size < 285, "longer values are not needed here"
    first, more = (size, b"") if size < 29 else (29, bytes([size - 29]))
    if kind > 7:
        return bytes([first, kind - 7]) + more
    return bytes([kind << 5 | first]) + more


def _number(kind, value):
    octets = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return _control(kind, len(octets)) + octets


def _value(value):
    if isinstance(value, dict):
        pairs = b"".join(_value(name) + _value(each) for name, each in value.items())
        return _control(MAP, len(value)) + pairs
    if isinstance(value, list):
        return _control(ARRAY, len(value)) + b"".join(map(_value, value))
    if isinstance(value, int):
        return _number(UINT32, value)
    return _control(STRING, len(value.encode())) + value.encode()


def _bits(network):
    network = ipaddress.ip_network(network)
    if network.version == 6:
        number, length = int(network.network_address), network.prefixlen
    else:
        number, length = int(network.network_address), 96 + network.prefixlen
    return [number >> (127 - i) & 1 for i in range(length)]


def write(path, kind, networks):
    """Make the file; networks do not overlap."""
    nodes, data = [[None, None]], b""
    for network, value in networks.items():
        bits, node = _bits(network), 0
        for bit in bits[:-1]:
            if nodes[node][bit] is None:
                nodes.append([None, None])
                nodes[node][bit] = len(nodes) - 1
            node = nodes[node][bit]
        nodes[node][bits[-1]] = ("data", len(data))
        data += _value(value)

    def record(target):
        if target is None:
            return len(nodes)
        return len(nodes) + 16 + target[1] if isinstance(target, tuple) else target

    tree = b"".join(struct.pack(">II", record(left), record(right)) for left, right in nodes)
    metadata = {
        "node_count": (UINT32, len(nodes)),
        "record_size": (UINT16, 32),
        "ip_version": (UINT16, 6),
        "database_type": kind,
        "languages": ["en"],
        "binary_format_major_version": (UINT16, 2),
        "binary_format_minor_version": (UINT16, 0),
        "build_epoch": (UINT64, 1700000000),
        "description": {"en": "made by a test"},
    }
    encoded = _control(MAP, len(metadata))
    for name, value in metadata.items():
        encoded += _value(name)
        encoded += _number(*value) if isinstance(value, tuple) else _value(value)
    path = pathlib.Path(path)
    path.write_bytes(tree + bytes(16) + data + MARKER + encoded)
    return path


def countries(path, networks):
    """{"192.0.2.0/24": "NL"}"""
    values = {net: {"country": {"iso_code": code}} for net, code in networks.items()}
    return write(path, "Test-Country", values)


def systems(path, networks):
    """{"192.0.2.0/24": (64500, "Example Net")}"""
    values = {
        net: {"autonomous_system_number": number, "autonomous_system_organization": name}
        for net, (number, name) in networks.items()
    }
    return write(path, "Test-ASN", values)
