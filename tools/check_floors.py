#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Holds the architecture: which folder may include which, and that the pure band is pure.

Given a build folder (build/release), also looks into the pure objects: no symbol from outside but
a handful of memory and string functions, and nothing in .data or .bss. Not into those of sanitizers,
which add symbols and data of their own. Prints TAP.
"""
import os
import re
import subprocess
import sys

ALLOWED = {  # floor -> floors it may use; its own always
    "base": "",
    "wire": "base",
    "stack": "base wire",
    "proto": "base wire",
    "sim": "base wire stack",
    "os": "base",
    "store": "base os",
    "io": "base wire stack sim os",
    "api": "base wire stack proto sim os io",
    "app": "base wire proto store io",
    "site": "base wire stack proto sim os store io app",
    "cli": "base wire stack proto sim os store io app site",
}
PURE = ["base", "wire", "stack", "proto", "sim"]
# Folders that may use more than their floor: the library's HTTP is built on the engine of `wholenet get`.
ALSO_ALLOWED = {"api/http": ["app/fetch"]}
HOSTED = {"api_socket.o", "api_names.o", "api_names_query.o", "api_loop.o"}  # the rest of api/ serves hosts without a system, too
ISO_HEADERS = set("limits stdarg stdbool stddef stdint stdio string inttypes stdalign stdatomic".split())
ISO_HEADERS |= {"immintrin"}  # SIMD intrinsics are the compiler's, not the system's
ISO_HEADERS |= {"errno"}  # for its constants; `errno` itself would show up in nm
ISO_HEADERS |= {"wholenet/socket_types"}  # the constants of BSD sockets: ISO C, and ours
PURE_SYMBOLS = set(
    "memcpy memset memcmp memmove memchr memrchr strlen strcmp strncmp strchr vsnprintf snprintf "
    "assert_failed __stack_chk_fail _GLOBAL_OFFSET_TABLE_ __cpu_model __cpu_indicator_init "
    "__memcpy_chk __memset_chk __snprintf_chk __vsnprintf_chk".split()
)
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def sources():
    for folder, _, names in sorted(os.walk("src")):
        for name in sorted(names):
            if name.endswith((".c", ".h")):
                yield os.path.join(folder, name)


def wrong_includes():
    for path in sources():
        floor = path.split("/")[1]
        allowed = set(ALLOWED.get(floor, "").split()) | {floor}
        protocol = path.split("/")[2] if floor == "proto" else None
        for kind, target in INCLUDE.findall(open(path).read()):
            if kind == '"':
                folder = "/".join(path.split("/")[1:3])
                if any(target.startswith(also + "/") for also in ALSO_ALLOWED.get(folder, [])):
                    continue
                if "/" not in target or target.split("/")[0] not in allowed:
                    yield f"{path} includes {target}: {floor} may use {' '.join(sorted(allowed))}"
                elif protocol and target.startswith("proto/") and target.split("/")[1] != protocol:
                    yield f"{path} includes {target}: a protocol never includes another"
            elif floor in PURE and target.rsplit(".h", 1)[0] not in ISO_HEADERS:
                yield f"{path} includes <{target}>: the pure band is ISO C without system headers"


def wrong_names():
    seen = {}
    for path in sources():
        name = os.path.basename(path)
        if name in ("internal.h",):
            continue
        if name in seen and os.path.splitext(path)[0] != os.path.splitext(seen[name])[0]:
            yield f"{path} and {seen[name]} have the same name"
        seen[name] = path


def impure_objects(build):
    defined, wanted, sections = set(), {}, []
    for floor in PURE + ["api"]:
        for folder, _, names in os.walk(os.path.join(build, "src", floor)):
            for name in sorted(names):
                hosted = name in HOSTED or (floor == "api" and folder.endswith(("/drill", "/http")))
                if not name.endswith(".o") or hosted:
                    continue
                path = os.path.join(folder, name)
                out = subprocess.run(["nm", "-P", path], capture_output=True, text=True).stdout
                for line in out.splitlines():
                    symbol, kind = line.split()[:2]
                    if kind == "U":
                        wanted.setdefault(symbol, path)
                    if kind in "bBdDcC":
                        sections.append(f"{path}: {symbol} can change (nm type {kind})")
                    if kind != "U" and (kind.isupper() or kind in "vw"):
                        defined.add(symbol)
    for symbol, path in sorted(wanted.items()):
        if symbol not in defined and symbol not in PURE_SYMBOLS:
            yield f"{path} needs {symbol}, which is outside the pure band"
    # Tables of pointers are constant, but relocated: they lie in .data.rel.ro, nm type d.
    for line in sections:
        path, symbol = line.split(": ")[0], line.split(": ")[1].split()[0]
        out = subprocess.run(["objdump", "-t", path], capture_output=True, text=True).stdout
        where = [l for l in out.splitlines() if l.endswith(" " + symbol)]
        if not any(".data.rel.ro" in l for l in where):
            yield line


def report(number, name, problems):
    problems = list(problems)
    for problem in problems:
        print(f"# {problem}")
    print(f"{'not ok' if problems else 'ok'} {number} - {name}")
    return not problems


def main():
    good = report(1, "includes stay within the floors", wrong_includes())
    good &= report(2, "file names are unique", wrong_names())
    if len(sys.argv) > 1 and os.path.basename(os.path.normpath(sys.argv[1])) == "asan":
        print("ok 3 - the pure band is pure # SKIP sanitizers add symbols of their own")
    elif len(sys.argv) > 1:
        good &= report(3, "the pure band is pure", impure_objects(sys.argv[1]))
    sys.exit(0 if good else 1)


main()
