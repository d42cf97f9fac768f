#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Prints the functions that the public headers declare, or with --others every other name that they
bring into a program: tags, enumerators, typedefs, macros. With --plain only of what libwholenet has, and
libwholenet-http not alone. One a line."""
import glob
import os
import re
import sys


OF_HTTP = {"http.h", "http_server.h"}


def text_of(path):
    text = re.sub(r"/\*.*?\*/", " ", open(path).read(), flags=re.S)
    return text.replace("\\\n", " ")


def functions(text):
    text = re.sub(r"^\s*#.*$", "", text, flags=re.M)
    return re.findall(r"WN_API\b[^;{]*?\b(\w+)\s*\(", text)


def others(text):
    yield from re.findall(r"^\s*#\s*define\s+(\w+)", text, re.M)
    yield from re.findall(r"\b(?:struct|enum|union)\s+(\w+)\s*\{", text)
    yield from re.findall(r"\btypedef\b[^{};]*?\b(\w+)\s*;", text)
    yield from re.findall(r"\btypedef\b[^{;]*\{[^}]*\}\s*(\w+)\s*;", text)
    for body in re.findall(r"\benum\b[^{;()]*\{([^}]*)\}", text):
        yield from re.findall(r"(?:^|,)\s*(\w+)", body)


def main():
    names = set()
    for path in glob.glob("include/wholenet/*.h"):
        if "--plain" in sys.argv and os.path.basename(path) in OF_HTTP:
            continue
        text = text_of(path)
        names.update(others(text) if "--others" in sys.argv else functions(text))
    print("\n".join(sorted(names)))


main()
