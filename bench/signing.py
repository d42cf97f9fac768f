#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Signing a zone, beside dnssec-signzone, ldns-signzone and kzonesign.

Each signs the same zone of a hundred thousand names (--names) by a KSK and a ZSK of its own, ECDSA P-256, with NSEC and
with NSEC3, on one thread, in turns; the median of the rounds counts. Seconds of the processor's time are
the figure, since other work on the machine disturbs them less; those of the clock are beside them.
"""
import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HEAD = "$ORIGIN example.\n$TTL 300\n@ SOA ns h 1 3600 600 86400 60\n@ NS ns\nns A 192.0.2.1\n"


def run(command, folder):
    """Seconds of the processor and of the clock."""
    begin = time.monotonic()
    with open(os.path.join(folder, "log"), "w") as log:
        child = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(child.pid, 0)
    if status != 0:
        sys.exit(f"{' '.join(command)}: {open(os.path.join(folder, 'log')).read()[-400:]}")
    return usage.ru_utime + usage.ru_stime, time.monotonic() - begin, usage.ru_maxrss


def output(command, folder):
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.split()


def ours(program, folder, nsec3):
    if not os.path.isdir(os.path.join(folder, "keys")):
        output([program, "key", "-k", "keys", "make", "--separate", "example"], folder)
    return [program, "sign", "-q", "-k", "keys", "-o", "ours"] + (["-3"] if nsec3 else []) + ["example.zone"]


def bind(folder, nsec3):
    if not os.path.isdir(os.path.join(folder, "bind")):
        os.mkdir(os.path.join(folder, "bind"))
        for flags in (["-f", "KSK"], []):
            output(["dnssec-keygen", "-q", "-a", "13", "-K", "bind"] + flags + ["example"], folder)
    return (["dnssec-signzone", "-n", "1", "-S", "-P", "-K", "bind", "-o", "example", "-f", "of-bind"]
            + (["-3", "-", "-H", "0"] if nsec3 else []) + ["example.zone"])


def ldns(folder, nsec3, keys=[]):
    if not keys:
        for flags in (["-k"], []):
            keys += output(["ldns-keygen", "-a", "ECDSAP256SHA256"] + flags + ["example"], folder)
    return ["ldns-signzone", "-o", "example", "-f", "of-ldns"] + (["-n", "-t", "0"] if nsec3 else []) + ["example.zone"] + keys


def knot(folder, nsec3):
    name = "nsec3" if nsec3 else "nsec"
    with open(os.path.join(folder, f"{name}.conf"), "w") as out:
        out.write(f"database:\n    storage: {folder}/knot\npolicy:\n  - id: p\n    algorithm: ecdsap256sha256\n"
                  f"    signing-threads: 1\n    nsec3: {'on' if nsec3 else 'off'}\n"
                  f"zone:\n  - domain: example\n    storage: {folder}\n    file: example.zone\n"
                  f"    dnssec-signing: on\n    dnssec-policy: p\n")
    os.makedirs(os.path.join(folder, "knot", "out"), exist_ok=True)
    return ["kzonesign", "-c", f"{name}.conf", "-o", "knot/out", "example"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default="build/release/wholenet")
    parser.add_argument("--names", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    program = os.path.abspath(arguments.program)
    folder = tempfile.mkdtemp()
    with open(os.path.join(folder, "example.zone"), "w") as out:
        out.write(HEAD)
        for i in range(arguments.names):
            out.write(f"host{i} A 10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}\n")
    signers = {"wholenet sign": lambda nsec3: ours(program, folder, nsec3)}
    for name, tool, command in (("dnssec-signzone", "dnssec-signzone", bind), ("ldns-signzone", "ldns-signzone", ldns),
                                ("kzonesign", "kzonesign", knot)):
        if shutil.which(tool):
            signers[name] = lambda nsec3, command=command: command(folder, nsec3)
    signatures = 2 * (arguments.names + 2) + 3
    try:
        for nsec3 in (False, True):
            taken = {name: [] for name in signers}
            for _ in range(arguments.rounds):
                for name, command in signers.items():
                    taken[name].append(run(command(nsec3), folder))
            print(f"{arguments.names} names, {'NSEC3' if nsec3 else 'NSEC'}, about {signatures} signatures "
                  f"(load {os.getloadavg()[0]:.1f})")
            for name, results in taken.items():
                cpu = statistics.median(r[0] for r in results)
                wall = statistics.median(r[1] for r in results)
                memory = max(r[2] for r in results) / 1024
                print(f"  {name:16} {cpu:7.2f} s of CPU, {wall:7.2f} s, {signatures / cpu:8.0f} signatures a CPU second, "
                      f"{memory:5.0f} MiB")
    finally:
        shutil.rmtree(folder)


main()
