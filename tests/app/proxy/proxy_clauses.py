#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Shows, clause by clause, what the proxy passes on: TAP with the labels of rfc911x.txt.

    proxy_clauses.py PROXY-PORT GUARDED-PORT     (the second has user ada, password lovelace)

An origin that answers what the test has told it to, octet for octet, and clients that do the same.
"""
import base64
import re
import socket
import sys
import time

sys.path.insert(0, "tests/support")
from clauses import Clauses, Server, beside, field  # noqa: E402

proxy, guarded = int(sys.argv[1]), int(sys.argv[2])
clauses = Clauses(beside(__file__, "rfc911x.txt"))
check = clauses.check
origin = Server()
at = f"http://127.0.0.1:{origin.port}"
host = f"127.0.0.1:{origin.port}"


def converse(text, port=proxy, until=None, wait=3.0):
    """Sends it and returns all that comes until the end, or until `until` is in it."""
    with socket.create_connection(("127.0.0.1", port), timeout=wait) as s:
        s.sendall(text if isinstance(text, bytes) else text.encode("latin-1"))
        got = b""
        try:
            while until is None or until not in got:
                part = s.recv(65536)
                if not part:
                    break
                got += part
        except TimeoutError:
            got += b"<nothing more came>"
        return got.decode("latin-1")


def ask(path, fields="", method="GET", body="", answer=None, port=proxy):
    """One request by way of the proxy: (what the origin was asked, what the client was answered)."""
    if answer is not None:
        origin.answer(path, answer, "close" in answer or "HTTP/1.0" in answer)
    before = len(origin.asked)
    said = converse(f"{method} {at}{path} HTTP/1.1\r\nHost: {host}\r\n{fields}Connection: close\r\n\r\n{body}", port)
    return (origin.asked[before] if len(origin.asked) > before else ""), said


def requests():
    asked, _ = ask("/fields", "X-New: a b\r\nX-Two: 1\r\nX-Two: 2\r\nX-Two: 3\r\nX-Hop: x\r\nTE: trailers\r\n"
                   "Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nConnection: X-Hop, TE\r\n"
                   "Authorization: Basic YTpi\r\n")
    check("9110/5.1-p1", "a field that nobody knows reaches the origin", field(asked, "X-New") == ["a b"], asked)
    check("9110/5.3-p1", "in their order", ", ".join(field(asked, "X-Two")).replace(" ", "") == "1,2,3", asked)
    check("9110/7.6.1-p1", "what Connection names does not", not field(asked, "X-Hop"), asked)
    check("9110/7.6.1-p1", "nor Connection as it was", "X-Hop" not in asked, asked)
    for name in "Keep-Alive", "Proxy-Connection", "TE":
        check("9110/7.6.1-p3", name, not field(asked, name), asked)
    check("9110/7.6.3-p1", "Via", len(field(asked, "Via")) == 1 and field(asked, "Via")[0].startswith("1.1 "), asked)
    check("9110/11.6.2-p1", "Authorization", field(asked, "Authorization") == ["Basic YTpi"], asked)
    asked, _ = ask("/a//b/%7Ec;d=1?x=%41&&y=a%20b+")
    check("9110/7.7-p1", "path and query", asked.startswith("GET /a//b/%7Ec;d=1?x=%41&&y=a%20b+ HTTP/1.1"), asked)
    said = converse(f"GET {at}/host HTTP/1.1\r\nHost: other.example\r\nConnection: close\r\n\r\n")
    check("9112/3.2.2-p1", "Host is the target's", field(origin.asked[-1], "Host") == [host], origin.asked[-1])
    said = converse(f"GET http://u:p@{host}/user HTTP/1.1\r\nHost: {host}\r\n\r\n")
    check("9110/4.2.4-p1", "user information", said.startswith("HTTP/1.1 400"), said)
    said = converse(f"GET {at}/ HTTP/1.1\r\n\r\n")
    check("9112/3.2-p1", "no Host", said.startswith("HTTP/1.1 400"), said)
    said = converse(f"POST {at}/ HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n")
    check("9112/6.1-p1", "both lengths", said.startswith("HTTP/1.1 400"), said)
    said = converse(f"GET {at}/old HTTP/1.0\r\nHost: {host}\r\nConnection: keep-alive\r\n\r\n")
    check("9112/2.3-p1", "a request of 1.0", origin.asked[-1].startswith("GET /old HTTP/1.1"), origin.asked[-1])
    check("9112/2.3-p1", "its response", said.startswith("HTTP/1.1 200"), said)
    check("9112/9.3-p1", "the connection ends", said.endswith("ok"), said)
    before = len(origin.asked)
    said = converse(f"GET {at}/last HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
                    f"GET {at}/after HTTP/1.1\r\nHost: {host}\r\n\r\n")
    check("9112/9.6-p1", "one answer", said.count("HTTP/1.1 ") == 1 and len(origin.asked) == before + 1, said)


def options():
    for method in "OPTIONS", "TRACE":
        asked, said = ask("/hops", "Max-Forwards: 0\r\n", method)
        check("9110/7.6.2-p1", method, asked == "" and said.startswith("HTTP/1.1 "), asked + said)
    asked, _ = ask("/hops", "Max-Forwards: 7\r\n", "OPTIONS")
    check("9110/7.6.2-p2", "7 becomes 6", field(asked, "Max-Forwards") == ["6"], asked)
    asked, _ = ask("/hops", "", "OPTIONS")
    check("9110/7.6.2-p3", "none", asked != "" and not field(asked, "Max-Forwards"), asked)
    said = converse("OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    check("9110/9.3.7-p1", "204", said.startswith("HTTP/1.1 204") and said.endswith("\r\n\r\n"), said)
    before = len(origin.asked)
    converse(f"OPTIONS {at} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
    asked = origin.asked[before] if len(origin.asked) > before else ""
    check("9112/3.2.4-p1", "OPTIONS *", asked.startswith("OPTIONS * HTTP/1.1"), asked)
    said = converse(f"GET http://127.0.0.1:{proxy}/loop HTTP/1.1\r\nHost: 127.0.0.1:{proxy}\r\nConnection: close\r\n\r\n", wait=10)
    check("9110/7.6-p1", "it is told so", re.match(r"HTTP/1.1 [45]\d\d", said) or "wholenet" in said, said[:200])


def responses():
    _, said = ask("/r1", answer="HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-New: a  b\r\nX-Hop: x\r\nX-Two: 1\r\nX-Two: 2\r\n"
                  "Connection: X-Hop\r\nKeep-Alive: timeout=5\r\nAllow: GET,  WIELD ,, PUT\r\n"
                  "WWW-Authenticate: Basic realm=\"a\\\"b\"\r\nWWW-Authenticate: New x=1,  y=2\r\n\r\nok")
    check("9110/5.1-p1", "a field that nobody knows reaches the client", field(said, "X-New") == ["a  b"], said)
    check("9110/5.3-p1", "responses, too", ",".join(field(said, "X-Two")).replace(" ", "") == "1,2", said)
    check("9110/7.6.1-p2", "what Connection names does not", not field(said, "X-Hop"), said)
    check("9110/7.6.1-p2", "nor Keep-Alive", not field(said, "Keep-Alive"), said)
    check("9110/6.6.1-p1", "Date", len(field(said, "Date")) == 1, said)
    check("9110/7.6.3-p2", "Via", len(field(said, "Via")) == 1 and field(said, "Via")[0].startswith("1.1 "), said)
    check("9110/10.2.1-p1", "Allow", field(said, "Allow") == ["GET,  WIELD ,, PUT"], said)
    check("9110/11.6.1-p1", "WWW-Authenticate",
          field(said, "WWW-Authenticate") == ['Basic realm="a\\"b"', "New x=1,  y=2"], said)
    text = "a" * 3000
    _, said = ask("/plain", "Accept-Encoding: gzip, br\r\n",
                  answer=f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3000\r\nCache-Control: no-transform\r\n\r\n{text}")
    check("9110/7.7-p2", "no-transform", said.endswith("\r\n\r\n" + text), said[:200])
    _, said = ask("/head", "", "HEAD", answer="HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n")
    check("9110/8.6-p1", "HEAD", field(said, "Content-Length") == ["77"] and said.endswith("\r\n\r\n"), said)
    _, said = ask("/hints", answer="HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    check("9110/15.2-p1", "103", said.startswith("HTTP/1.1 103 ") and "Link: </a>" in said and said.endswith("ok"), said)
    _, said = ask("/one-oh", answer="HTTP/1.0 200 OK\r\n\r\nuntil the end")
    check("9112/2.3-p1", "a response of 1.0", said.startswith("HTTP/1.1 200") and "until the end" in said, said)
    _, said = ask("/space", answer="HTTP/1.1 200 OK\r\nX-Space : 1\r\nContent-Length: 2\r\n\r\nok")
    check("9112/5.1-p1", "taken out, or 502", "X-Space :" not in said and re.match(r"HTTP/1.1 (200|502)", said), said)
    _, said = ask("/fold", answer="HTTP/1.1 200 OK\r\nX-Fold: a\r\n b\r\nContent-Length: 2\r\n\r\nok")
    check("9112/5.2-p1", "joined, or 502", "\r\n b" not in said and re.match(r"HTTP/1.1 (200|502)", said), said)
    _, said = ask("/both", answer="HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")
    check("9112/6.3-p1", "no Content-Length, or 502", field(said, "Content-Length") != ["3"] and
          re.match(r"HTTP/1.1 (200|502)", said), said)
    for value in "abc", "1, 2", "-1", "+2":
        _, said = ask("/length", answer=f"HTTP/1.1 200 OK\r\nContent-Length: {value}\r\n\r\nok")
        check("9112/6.3-p2", value, said.startswith("HTTP/1.1 502"), said)
    _, said = ask("/chunks", answer="HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "2;a=b;c=\"d;\\\"\"\r\nok\r\n0;x\r\n\r\n")
    check("9112/7.1.1-p1", "extensions", said.startswith("HTTP/1.1 200") and "ok" in said.split("\r\n\r\n", 1)[1] and ";a=b" not in said, said)
    origin.answer("/short", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\nonly this", True)
    said = converse(f"GET {at}/short HTTP/1.1\r\nHost: {host}\r\n\r\n")
    check("9112/8-p1", "Content-Length is not made up", not said.endswith("<nothing more came>") and
          (said.startswith("HTTP/1.1 502") or field(said, "Content-Length") == ["100"]), said)
    origin.answer("/short-chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nonly\r\n", True)
    said = converse(f"GET {at}/short-chunks HTTP/1.1\r\nHost: {host}\r\n\r\n")
    check("9112/8-p1", "nor a last chunk", "\r\n0\r\n\r\n" not in said and not said.endswith("<nothing more came>"), said)


def repeats():
    # A connection that is kept, and goes when the next request comes.
    ask("/kept")
    origin.answer("/gone", None, True)
    for method, most in ("POST", 1), ("PATCH", 1):
        before = len(origin.asked)
        body = "Content-Length: 1\r\n"
        converse(f"{method} {at}/gone HTTP/1.1\r\nHost: {host}\r\n{body}Connection: close\r\n\r\nx")
        count = len(origin.asked) - before
        check("9110/9.2.2-p1", method, count <= most, count)
    with socket.create_connection(("127.0.0.1", proxy), timeout=5) as s:
        s.sendall(f"PUT {at}/expect HTTP/1.1\r\nHost: {host}\r\nContent-Length: 3\r\nExpect: 100-continue\r\n"
                  "Connection: close\r\n\r\n".encode())
        first = s.recv(4096)
        check("9110/10.1.1-p1", "before the content", first.startswith((b"HTTP/1.1 100", b"HTTP/1.1 417", b"HTTP/1.1 200")), first)
        s.sendall(b"abc")
        rest = first
        while part := s.recv(4096):
            rest += part
        check("9110/10.1.1-p1", "and then the answer", b"HTTP/1.1 200" in rest, rest)


def tunnels():
    with socket.create_connection(("127.0.0.1", proxy), timeout=5) as s:
        s.sendall(f"CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        head = b""
        while b"\r\n\r\n" not in head:
            head += s.recv(4096)
        text = head.decode("latin-1")
        check("9110/9.3.6-p1", "no length", text.startswith("HTTP/1.1 200") and not field(text, "Content-Length") and
              not field(text, "Transfer-Encoding"), text)
        origin.answer("/tunnel", "HTTP/1.1 200 OK\r\nContent-Length: 300000\r\nConnection: close\r\n\r\n" + "z" * 300000, True)
        s.sendall(f"GET /tunnel HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        s.shutdown(socket.SHUT_WR)
        time.sleep(0.2)
        got = b""
        while part := s.recv(65536):
            got += part
        check("9110/9.3.6-p2", "all of it", got.count(b"z") == 300000, len(got))


def guards():
    before = len(origin.asked)
    said = converse(f"GET {at}/secret HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n", guarded)
    check("9110/11.7.1-p1", "407", said.startswith("HTTP/1.1 407") and field(said, "Proxy-Authenticate") and
          len(origin.asked) == before, said)
    word = base64.b64encode(b"ada:lovelace").decode()
    said = converse(f"GET {at}/secret HTTP/1.1\r\nHost: {host}\r\nProxy-Authorization: Basic {word}\r\nConnection: close\r\n\r\n", guarded)
    check("9110/11.7.2-p1", "is kept", said.startswith("HTTP/1.1 200") and not field(origin.asked[-1], "Proxy-Authorization"),
          origin.asked[-1])


for part in requests, options, responses, repeats, tunnels, guards:
    part()
clauses.finish()
