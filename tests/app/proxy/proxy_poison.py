#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""An attacker asks for one thing so that others get it for another: TAP.

    proxy_poison.py REVERSE-PORT ORIGIN-PORT FORWARD-PORT WEB-PORT

The origin (test_proxy_poison.sh) answers with what it was asked, and all may be stored.
"""
import re
import socket
import sys

reverse, origin, forward, web = map(int, sys.argv[1:5])
number = failures = 0


def check(name, good, seen=""):
    global number, failures
    number += 1
    failures += not good
    if not good:
        print("# seen: " + repr(seen))
    print(f"{'' if good else 'not '}ok {number} - {name}", flush=True)


def converse(text, port):
    with socket.create_connection(("127.0.0.1", port), timeout=5) as s:
        s.sendall(text.encode("latin-1"))
        got = b""
        try:
            while part := s.recv(65536):
                got += part
        except TimeoutError:
            got += b"<nothing more came>"
        return got.decode("latin-1")


def ask(target, fields="", host="h", method="GET", port=reverse, body=""):
    """(status, fields, what the origin was asked)"""
    said = converse(f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n{fields}Connection: close\r\n\r\n{body}", port)
    head, _, content = said.partition("\r\n\r\n")
    return int(head[9:12] or 0), head, content


# What is asked for second must not be answered with what came for the first.
APART = [
    ("%70oison", "poison"), ("a?x=%41", "a?x=A"), ("zz/../b", "b"), ("zz/%2e%2e/c", "c"), ("./d", "d"), ("/e", "e"),
    ("f%2Fa", "f/a"), ("g%3fx", "g?x"), ("h?", "h"), ("i;x", "i"), ("i;jsessionid=1.css", "i"), ("k/..;/l", "l"),
    ("m%2f..%2fn", "n"), ("O", "o"), ("p%5cq", "p/q"), ("r%20", "r"), ("s.", "s"), ("t%00", "t"), ("u%0d%0aX:1", "u"),
    ("v%23w", "v"), ("%c3%a9", "%C3%A9"), ("w?a=1&b=2", "w?b=2&a=1"), ("x/y.css", "x"), ("x%2fy.css", "x"),
]


def paths():
    for port, name in (reverse, "proxy"), (web, "web"):
        for first, second in APART:
            one, two = f"/1/{first}", f"/1/{second}"
            ask(one, port=port)
            status, _, seen = ask(two, port=port)
            asked = seen.split(" ")[1] if status == 200 else two
            # The web server asks in normal form, by which it stores, too (RFC 3986 §6.2.2).
            check(f"{name}: {one} does not answer {two}", asked == two or (port == web and asked.upper() == two.upper()), seen)


# Fields that servers look at and no cache has in its keys: they must not reach the server as the client wrote them, or what
# comes must not be stored.
HEARSAY = ["X-Forwarded-Host: evil", "X-Forwarded-Proto: https", "X-Forwarded-Port: 6666", "X-Forwarded-Server: evil",
           "X-Forwarded-Prefix: /evil", "X-Forwarded-Scheme: https", "X-Forwarded-Ssl: on",
           "Forwarded: for=1;host=evil;proto=https", "HTTP2-Settings: evil", "Keep-Alive: evil"]


def unkeyed_fields():
    for port, name in (reverse, "proxy"), (web, "web"):
        for i, line in enumerate(HEARSAY):
            status, _, seen = ask(f"/2/{i}", line + "\r\n", port=port)
            field = line.split(":")[0]
            said = re.findall(rf"(?mi)^{field}: *(.*?)\r?$", seen)
            check(f"{name}: {line} is not passed on", status == 200 and line.split(": ")[1] not in seen and len(said) <= 1, seen)
        _, _, seen = ask("/2/host", host="Example.ORG:80", port=port)
        check(f"{name}: a server is told which host was asked for", "\nX-Forwarded-Host: example.org\r" in seen and
              ';host="example.org";proto=http\r' in seen, seen)
        ask("/2/hosts", host="a.example", port=port)
        _, _, seen = ask("/2/hosts", host="b.example", port=port)
        check(f"{name}: another host's answer is another's", "b.example" in seen, seen)


def statuses():
    ask("/3/range?s=206&h=Content-Range: bytes 0-1/9999".replace(" ", "%20"))
    status, head, _ = ask("/3/range?s=206&h=Content-Range: bytes 0-1/9999".replace(" ", "%20"))
    check("a part that nobody asked for is not stored", "hit" not in head, head)
    ask("/3/304?s=304", 'If-None-Match: "x"\r\n')
    _, head, _ = ask("/3/304?s=304")
    check("nor a 304", "; hit" not in head, head)
    ask("/3/head", method="HEAD")
    _, _, seen = ask("/3/head")
    check("HEAD does not answer GET", seen.startswith("GET "), seen)
    ask("/3/post", "Content-Length: 4\r\n", method="POST", body="evil")
    _, _, seen = ask("/3/post")
    check("nor POST", seen.startswith("GET "), seen)
    ask("/3/fat", "Content-Length: 4\r\n", body="evil")
    _, _, seen = ask("/3/fat")
    check("nor GET with content", "Content-Length" not in seen, seen)
    ask("/3/vary?h=Vary:%20*", "X-Attack: 1\r\n")
    _, _, seen = ask("/3/vary?h=Vary:%20*")
    check("what varies by anything is not stored", "X-Attack" not in seen, seen)
    ask("/3/cookie", "Authorization: Basic eDp5\r\n")
    _, _, seen = ask("/3/cookie")
    check("what is for a user is not for others", "Authorization" not in seen, seen)
    for status in 413, 414, 431, 400, 408, 501:
        ask(f"/3/oops?h=Cache-Control:%20max-age=0&s={status}")
        _, head, _ = ask(f"/3/oops?h=Cache-Control:%20max-age=0&s={status}")
        check(f"{status} is not said again without being asked", "; hit" not in head, head)


def protocols():
    for port, name in (reverse, "proxy"), (web, "web"):
        for protocol in "h2c", "H2C", "websocket, h2c", "HTTP/2.0", "TLS/1.0", "h2c/1":
            said = converse("GET /4/up HTTP/1.1\r\nHost: h\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"
                            f"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: {protocol}\r\n\r\n"
                            "GET /4/next HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", port)
            check(f"{name}: {protocol} is not passed on", "101 " not in said and said.count("HTTP/1.1 200") == 2, said)
        said = converse("GET /4/up HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", port)
        check(f"{name}: another is", said.startswith("HTTP/1.1 101") and said.endswith("smuggled"), said)


def places():
    at = f"127.0.0.1:{origin}"
    for text, want in [
            (f"GET http://user:word@{at}/5/a HTTP/1.1\r\nHost: {at}\r\n\r\n", 400),
            (f"GET http://{at}@evil/5/a HTTP/1.1\r\nHost: {at}\r\n\r\n", 400),
            (f"GET http://{at}\\@evil/ HTTP/1.1\r\nHost: {at}\r\n\r\n", 400),
            (f"GET http://{at}#@evil/ HTTP/1.1\r\nHost: {at}\r\n\r\n", 400),
            (f"GET http:///5/a HTTP/1.1\r\nHost: {at}\r\n\r\n", 400),
            (f"GET file:///etc/passwd HTTP/1.1\r\nHost: {at}\r\n\r\n", 400),
            (f"GET ftp://{at}/ HTTP/1.1\r\nHost: {at}\r\n\r\n", 501),
            ("CONNECT 127.0.0.1:25 HTTP/1.1\r\nHost: x\r\n\r\n", 403),
            (f"CONNECT {at} HTTP/1.1\r\nHost: x\r\n\r\n", 403),
            ("CONNECT 127.0.0.1 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
            ("CONNECT 127.0.0.1:0443/x HTTP/1.1\r\nHost: x\r\n\r\n", 400),
            ("TRACE http://x/ HTTP/1.1\r\nHost: x\r\nCookie: a\r\n\r\n", 405)]:
        said = converse(text.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1), forward)
        check(f"forward: {text.splitlines()[0]} is {want}", said.startswith(f"HTTP/1.1 {want}"), said[:200])
    said = converse(f"GET http://{at}/5/b HTTP/1.1\r\nHost: evil\r\nConnection: close\r\n\r\n", forward)
    check("forward: the target goes before Host", f"\nHost: {at}\r" in said and "evil" not in said, said)


for part in paths, unkeyed_fields, statuses, protocols, places:
    part()
print(f"1..{number}")
sys.exit(failures > 0)
