#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Paths that would lead out of the root, past a location or to another host: TAP.

    web_escape.py PORT FOLDER     (of test_web_escape.sh: SECRET is what nobody may see)
"""
import os
import re
import socket
import sys

port, folder = int(sys.argv[1]), sys.argv[2]
number = failures = 0


def check(name, good, seen=""):
    global number, failures
    number += 1
    failures += not good
    if not good:
        print("# seen: " + repr(seen))
    name = name if len(name) < 120 else name[:117] + "..."
    print(f"{'' if good else 'not '}ok {number} - " + name.encode("unicode_escape").decode().replace("#", "\\#"), flush=True)


def ask(target, method="GET", fields="", body="", host="h"):
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as s:
        s.sendall(f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n{fields}{length}Connection: close\r\n\r\n{body}".encode("latin-1"))
        got = b""
        while part := s.recv(65536):
            got += part
    return got.decode("latin-1")


UP = ["../", "..%2f", "%2e%2e/", "%2E%2E%2F", ".%2e/", "..\\", "..%5c", "%2e%2e%5c", "..;/", "..;x/", ".../", "..%00/", "..%252f", "%252e%252e/",
      "..%c0%af", "%c0%ae%c0%ae/", "..%ef%bc%8f", "%uff0e%uff0e/", "..//", ".//../", "./../", "..%0d/", "..%20/", "..\t/", "..#/", "..?/", "../;/"]


def out_of_the_root():
    for up in UP:
        for before in "/", "//", "/sub/", "/sub/within/", "/index.html/", "/link/", "/cgi/", "/cgi/env.sh/", "/way/", "/put/", "/dav/", "http://h/", "http://h/sub/":
            for times in 1, 2, 3, 8:
                seen = ask(f"{before}{up * times}secret/key")
                if "SECRET" in seen:
                    check(f"{before}{up * times}", False, seen)
        check(f"nothing comes of {up}", True)
    for target in ("/link/key", "/link", "/link/", "/sub/link", "/sub/within/../link", "/.hidden", "/%2ehidden", "/sub/../.hidden", "//.hidden", "/./.hidden",
                   "/.hidden/", "/.hidden/..", "/" + "../" * 2000 + "secret/key", "/" + "a/../" * 1000 + ".hidden", folder + "/secret/key",
                   "/" + folder + "/secret/key", "file://" + folder + "/secret/key"):
        seen = ask(target)
        check(f"{target} is not there", "SECRET" not in seen, seen)
    for target, status in (("/sub/within/text", 200), ("/sub//text", 200), ("/./sub/./text", 200), ("/x/../sub/text", 200), ("/%73ub/text", 200),
                           ("/sub/text/", 404), ("/sub/text/.", 404), ("/sub/text.", 404), ("/sub/text%20", 404), ("/sub/text%00", 400),
                           ("/sub/text%00.png", 400), ("/SUB/text", 404), ("/sub%2ftext", 400), ("/%", 400), ("/%2", 400), ("/%zz", 400),
                           ("/" + "a/" * 1500, 404), ("/" + "x" * 300, 404), ("/" + "x" * 5000, 414)):
        seen = ask(target)
        check(f"{target} is {status}", seen.startswith(f"HTTP/1.1 {status} "), seen[:100])


def past_a_location():
    for target in ("/guarded/key", "//guarded/key", "/./guarded/key", "/sub/../guarded/key", "/%67uarded/key", "/guarded//key", "/guarded/./key",
                   "/guarded/../guarded/key", "/guarded/key/", "/guarded/key?", "http://h/guarded/key", "http://x//guarded/key", "/GUARDED/key",
                   "/guarded;/key", "/guarded%2fkey", "/guarded%5ckey", "/way/../guarded/key", "/way/%2e%2e/guarded/key", "/way//../../guarded/key",
                   "/cgi/../guarded/key", "/dav/../guarded/key", "/old/../guarded/key", "/guarded/%2e/key", "/guarded%00/key", "/guarded/key%00"):
        seen = ask(target)
        check(f"{target} stays guarded", "SECRET" not in seen and re.match(r"HTTP/1.1 (400|403|404) ", seen), seen[:100])
    for method, target, fields in (
            ("PUT", "/put/../index.html", ""), ("PUT", "/put/%2e%2e/index.html", ""), ("PUT", "/put/..%2findex.html", ""), ("PUT", "/put/../../new", ""),
            ("DELETE", "/put/../index.html", ""), ("DELETE", "/put/", ""), ("DELETE", "/put", ""), ("PUT", "/dav/../index.html", ""), ("DELETE", "/dav/../index.html", ""),
            ("DELETE", "/dav/", ""), ("DELETE", "/dav/sub/..", ""), ("MKCOL", "/dav/../made", ""), ("PUT", "/put/.hidden", ""), ("PUT", "/put/%00", "")):
        ask(target, method, fields, "new\n" if method == "PUT" else "")
        with open(folder + "/www/index.html", encoding="ascii") as file:
            check(f"{method} {target} changes nothing", file.read() == "home\n" and os.path.isdir(folder + "/www/put") and
                  os.path.isdir(folder + "/www/dav") and not os.path.exists(folder + "/new") and not os.path.exists(folder + "/www/made") and
                  os.listdir(folder + "/www/put") == [])
    check("a file", ask("/dav/file", "PUT", "", "SECRET").startswith("HTTP/1.1 201"))
    for to in ("/index.html", "/dav/../index.html", "/dav/%2e%2e/index.html", "/dav/..%2findex.html", "http://evil/dav/x", "//evil/dav/x", "/put/x", "/cgi/x.sh",
               "/guarded/x", "/dav", "/dav/", "/dav/.hidden", "/dav/x%00", "file:///tmp/x", "/dav/file", "", "*", "/../x", "https:///x"):
        for method in "COPY", "MOVE":
            seen = ask("/dav/file", method, f"Destination: {to}\r\n")
            check(f"{method} to {to} is refused", re.match(r"HTTP/1.1 (400|403|409|502) ", seen) and os.listdir(folder + "/www/dav") == ["file"], seen[:100])


def to_another_host():
    for target in ("/old//evil.example", "/old///evil.example", "/old/\\evil.example", "/old/%5cevil.example", "/old/%2f%2fevil.example", "/old/x/..//evil.example",
                   "/x/../old//evil.example", "/old/%0d%0aX:y", "/old/%09/evil.example", "/..//old//evil.example/../x", "/old/.evil.example",
                   "//evil.example/../sub", "//evil.example/%2e%2e/sub", "/\\evil.example/../sub", "/%5cevil.example/../sub", "/sub", "//sub",
                   "/older", "/older/", "/older/x", "/older.evil.example", "/older@evil.example", "/older:1@evil.example", "/x/.@evil.example/../../older",
                   "/x/..@evil.example/../../older", "/.evil.example/../older", "/x.x/..evil.example/../../older", "/%6flder/.x"):
        seen = ask(target)
        location = re.findall(r"(?mi)^location: *(.*?)\r$", seen)
        good = not location or re.match(r"/(?![/\\])|https://other\.example(/|$)", location[0])
        check(f"{target} does not lead to another", len(location) < 2 and good and "X:" not in seen, location)
    for target, want in (("/old/a/b?c=d", "/new/a/b?c=d"), ("/./old/x", "/new/x"), ("/%6fld/x", "/new/x"), ("/old/a%20b%c3%a9", "/new/a%20b%C3%A9"),
                         ("/older/x?y", "https://other.example/x?y"), ("/older", "https://other.example"), ("/a/../older/../older/x", "https://other.example/x")):
        seen = ask(target)
        check(f"{target} leads to {want}", f"\nLocation: {want}\r" in seen, seen[:200])


def to_a_program():
    """What a program is told is what the client has asked for, and nobody else's word (RFC 3875 §4.1.18, §9.2)."""
    seen = ask("/cgi/env.sh/a/../b", fields="Proxy: evil\r\nX_Real: evil\r\nX-Real: good\r\nContent_Length: evil\r\nRemote-User: x\r\nX.Y: evil\r\n")
    check("a field whose name could be another's is not told", "evil" not in seen and "\nHTTP_X_REAL=good\n" in seen and "\nREMOTE_USER=" not in seen, seen)
    check("nor is a path with dots", "\nPATH_INFO=/b\n" in seen, seen)
    seen = ask("http://good.example/cgi/env.sh", host="evil.example")
    check("the target goes before Host", "\nHTTP_HOST=good.example\n" in seen and "\nSERVER_NAME=good.example\n" in seen and "evil" not in seen, seen)
    seen = ask("/cgi/env.sh?-d+x")
    check("a query is no argument", "\nQUERY_STRING=-d+x\n" in seen, seen)
    for target in "/cgi/", "/cgi/../index.html/env.sh", "/cgi/env.sh%00", "/cgi/.env.sh", "/cgi/../secret/key":
        seen = ask(target)
        check(f"{target} starts nothing", "QUERY_STRING" not in seen, seen)


for part in out_of_the_root, past_a_location, to_another_host, to_a_program:
    part()
print(f"1..{number}")
sys.exit(failures > 0)
