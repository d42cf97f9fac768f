#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Writes the files below a folder as C: the table web_pages[], declared in app/web/pages.h."""
import os
import sys


def main():
    top = sys.argv[1]
    files = []
    for folder, _, names in os.walk(top):
        files += [os.path.join(folder, name) for name in names]
    files.sort()
    print('/* Made by tools/embed.py from web/. */\n#include "app/web/pages.h"\n')
    for i, path in enumerate(files):
        data = open(path, "rb").read()
        print(f"static const uint8_t page_{i}[] = {{")
        for at in range(0, len(data), 24):
            print("    " + ",".join(str(b) for b in data[at : at + 24]) + ",")
        print("    0};")
    print("\nconst struct web_page web_pages[] = {")
    for i, path in enumerate(files):
        name = "/" + os.path.relpath(path, top)
        print(f'    {{"{name}", page_{i}, sizeof page_{i} - 1}},')
    print("    {0}};")
    print("const size_t web_page_count = sizeof web_pages / sizeof web_pages[0] - 1;")


main()
