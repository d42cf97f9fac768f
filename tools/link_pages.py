#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Makes, in a folder of section 3, a page for each function that a page of ours names: one line
that leads to that page. Usage: link_pages.py FOLDER PAGE..."""
import os
import re
import sys


def names(page):
    """The names of its NAME section, its own first."""
    text = open(page).read()
    section = re.search(r"^\.Sh NAME\n(.*?)^\.Sh ", text, re.M | re.S).group(1)
    return re.findall(r"^\.Nm (\w+)", section, re.M)


def main():
    folder, pages = sys.argv[1], sys.argv[2:]
    os.makedirs(folder, exist_ok=True)
    for page in pages:
        target = os.path.basename(page)
        for name in names(page):
            if name + ".3" != target:
                with open(os.path.join(folder, name + ".3"), "w") as out:
                    out.write(f".so man3/{target}\n")


main()
