#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Shows, clause by clause, what `wholenet get` says and understands: TAP with the labels of rfc911x.txt.

    get_clauses.py WHOLENET

A server that answers what the test has told it to, octet for octet, and keeps what it was asked.
"""
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, "tests/support")
from clauses import Clauses, Server, beside, field  # noqa: E402

wholenet = sys.argv[1]
clauses = Clauses(beside(__file__, "rfc911x.txt"))
check = clauses.check
folder = tempfile.TemporaryDirectory()
server, other = Server(), Server()
at = f"http://127.0.0.1:{server.port}"


def answer(path, text, end=True):
    server.answer(path, text, end)


def get(*arguments, seconds=15):
    """(exit status, what came out, what was asked)"""
    before = len(server.asked)
    done = subprocess.run([wholenet, "get", "-q", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=seconds, check=False)
    return done.returncode, done.stdout.decode("latin-1"), "".join(server.asked[before:])


def requests():
    status, out, asked = get(f"http://u:secret@127.0.0.1:{server.port}/a/b?x=1#part")
    lines = asked.split("\r\n")
    check("9112/3.2.1-c1", "path and query", lines[0] == "GET /a/b?x=1 HTTP/1.1", asked)
    check("9110/7.1-c1", "no fragment", "part" not in asked, asked)
    check("9110/7.2-c1", "Host first", lines[1] == f"Host: 127.0.0.1:{server.port}", asked)
    check("9110/4.2.4-c1", "as credentials alone", "secret" not in asked and "u:" not in asked, asked)
    _, _, asked = get(at)
    check("9112/3.2.1-c1", "an empty path", asked.startswith("GET / HTTP/1.1"), asked)
    _, _, asked = get("-x", at, "http://elsewhere.example/p?q")
    check("9112/3.2.2-c1", "by a proxy", asked.startswith("GET http://elsewhere.example/p?q HTTP/1.1"), asked)
    check("9110/7.2-c1", "by a proxy, too", "\r\nHost: elsewhere.example\r\n" in asked, asked)
    answer("elsewhere.example:443", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
    _, _, asked = get("-x", at, "https://elsewhere.example/")
    check("9112/3.2.3-c1", "by a tunnel", asked.startswith("CONNECT elsewhere.example:443 HTTP/1.1"), asked)
    _, _, asked = get("-e", "http://u:p@there.example/x#y", at + "/referred")
    referer = field(asked, "Referer")
    check("9110/10.1.3-c1", "Referer", not referer or ("u:p" not in referer[0] and "#" not in referer[0]), asked)
    with open(folder.name + "/large", "w") as file:
        file.write("x=" + "y" * 2000000)
    _, out, asked = get("-d", "@" + folder.name + "/large", "-H", "Expect: 100-continue", at + "/slow")
    check("9110/10.1.1-c1", "the content comes", out == "ok" and "yyyy" in asked, (out, asked[:300]))
    _, _, asked = get(at + "/plain")
    check("9110/10.1.1-c2", "GET", "Expect" not in asked, asked)


def responses():
    answer("/101", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nraw")
    status, out, _ = get(at + "/101")
    check("9110/7.8-c1", "an error", status != 0 and "raw" not in out, (status, out))
    answer("/299", "HTTP/1.1 299 What\r\nContent-Length: 2\r\n\r\nok")
    check("9110/15-c1", "299", get(at + "/299")[:2] == (0, "ok"))
    answer("/499", "HTTP/1.1 499 What\r\nContent-Length: 2\r\n\r\nno")
    check("9110/15-c1", "499", get(at + "/499")[0] != 0)
    answer("/1xx", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 199 X\r\n\r\n"
           "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    check("9110/15.2-c1", "three of them", get(at + "/1xx")[:2] == (0, "ok"))
    for text in "garbage\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTQ/1.1 200 OK\r\n\r\n", "\r\n\r\nHTTP/9.1 200 OK\r\n\r\n":
        answer("/none", text + "body")
        status, out, _ = get(at + "/none")
        check("9112/2.2-c1", repr(text[:8]), status != 0, (status, out))
    answer("/space", "HTTP/1.1 200 OK\r\nX : y\r\nContent-Length: 2\r\n\r\nok")
    check("9112/5.1-c1", "an error", get(at + "/space")[0] != 0)
    answer("/fold", "HTTP/1.1 200 OK\r\nX: y\r\n z\r\nContent-Length: 2\r\n\r\nok")
    status, out, _ = get("-i", at + "/fold")
    check("9112/5.2-c1", "not passed on", status != 0 or "\r\n z" not in out, (status, out))
    answer("/both", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")
    status, out, _ = get(at + "/both")
    check("9112/6.1-c1", "both", status != 0 or out == "ok", (status, out))
    for value in "x", "1, 2", "-1", "+2", "2 2", "18446744073709551616":
        answer("/length", f"HTTP/1.1 200 OK\r\nContent-Length: {value}\r\n\r\nok")
        check("9112/6.3-c2", value, get(at + "/length")[0] != 0)
    answer("/end", "HTTP/1.1 200 OK\r\n\r\nuntil the end")
    check("9112/6.3-c3", "all of it", get(at + "/end")[:2] == (0, "until the end"))
    answer("/204", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", False)
    check("9112/6.3-c1", "204", get(at + "/204")[:2] == (0, ""))
    answer("/head", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", False)
    check("9112/6.3-c1", "HEAD", get("-I", at + "/head")[0] == 0)
    answer("/304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", False)
    check("9112/6.3-c1", "304", get("-H", 'If-None-Match: "a"', at + "/304")[:2] == (0, ""))
    answer("/chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n002;x=\"y\"\r\nok\r\n0\r\nT: x\r\n\r\n")
    check("9112/7.1-c1", "decoded", get(at + "/chunks")[:2] == (0, "ok"))
    for size in "", "0x2", "-2", "g", "2 ok", "fffffffffffffffff2":
        answer("/size", f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{size}\r\nok\r\n0\r\n\r\n")
        check("9112/7.1-c1", repr(size), get(at + "/size")[0] != 0)
    for head, body in ("Content-Length: 9", "ok"), ("Transfer-Encoding: chunked", "2\r\nok\r\n"), ("Content-Length: 9", ""):
        answer("/short", f"HTTP/1.1 200 OK\r\n{head}\r\n\r\n{body}")
        check("9112/8-c1", head, get(at + "/short")[0] != 0)


def sequences():
    answer("/303", f"HTTP/1.1 303 See Other\r\nLocation: {at}/then\r\nContent-Length: 0\r\n\r\n", False)
    _, _, asked = get("-d", "a=b", at + "/303")
    check("9110/15.4.4-c1", "GET", "\r\n\r\na=bGET /then HTTP/1.1" in asked, asked)
    for code in 307, 308:
        answer(f"/{code}", f"HTTP/1.1 {code} There\r\nLocation: /then\r\nContent-Length: 0\r\n\r\n", False)
        _, _, asked = get("-d", "a=b", f"{at}/{code}")
        check("9110/15.4.8-c1", str(code), asked.count("POST /") == 2 and asked.count("a=b") == 2, asked)
    answer("/away", f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{other.port}/there\r\nContent-Length: 0\r\n\r\n", False)
    other.asked.clear()
    _, _, asked = get("--basic", "-u", "ada:lovelace", "-H", "Cookie: a=b", at + "/away")
    check("9110/11.6.2-c1", "Authorization", "Authorization: Basic" in asked and len(other.asked) == 1 and
          "Authorization" not in other.asked[0], (asked, other.asked))
    path = folder.name + "/part"
    with open(path, "w") as file:
        file.write("0123")
    answer("/part", "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 7-9/10\r\nContent-Length: 3\r\n\r\n789")
    status, _, asked = get("-C", "-o", path, at + "/part")
    with open(path) as file:
        kept = file.read()
    check("9110/14.4-c1", "bytes 7-9 for 4-", "Range: bytes=4-" in asked and status != 0 and kept == "0123", (status, kept, asked))
    before = server.connections
    get(at + "/one", at + "/two")
    check("9112/9.3-c1", "one connection for two", server.connections == before + 1, server.connections - before)
    answer("/more", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", False)
    before = server.connections
    status, out, _ = get(at + "/more", at + "/two")
    check("9112/9.3-c1", "octets that nobody asked for", "evil" not in out and server.connections == before + 2, out)
    answer("/close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", False)
    before = server.connections
    get(at + "/close", at + "/two")
    check("9112/9.6-c1", "another connection", server.connections == before + 2, server.connections - before)


def tunnels():
    # What follows the head is the TLS of the other side: an alert, which a client that skipped 7 octets would not see.
    answer("tunnel.example:443", "HTTP/1.1 200 OK\r\nContent-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n\x15\x03\x01\x00\x02\x02\x28")
    done = subprocess.run([wholenet, "get", "-x", at, "https://tunnel.example/"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=15, check=False)
    said = done.stderr.decode("latin-1")
    check("9110/9.3.6-c1", "TLS begins at once", done.returncode != 0 and "handshake failure" in said.lower(), said)


for part in requests, responses, sequences, tunnels:
    part()
clauses.finish()
