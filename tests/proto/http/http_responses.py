#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Responses that somebody could read in two ways: whatever our client takes, no other parser that takes it finds
another status or another body in it (RFC 9112 §6.3, §8, §11.2).

    http_responses.py TOOL    where TOOL is build/VARIANT/tests/tools/http_responses

The others: http.client (Python), h11 (Python), llhttp (Node.js) strict and lenient; those that are installed.
"""
import base64
import http.client
import io
import itertools
import json
import os
import shutil
import subprocess
import sys

HIDDEN = b"HTTP/1.1 418 T\r\nContent-Length: 0\r\n\r\n"
LAST = b"HTTP/1.1 203 L\r\nContent-Length: 0\r\n\r\n"


def messages():
    """Each a response with what is odd about it, a body in which another hides, and one after it."""
    size = len(HIDDEN)
    chunk = b"%x\r\n" % size + HIDDEN + b"\r\n0\r\n\r\n"
    lengths = [b"", b"Content-Length: %d\r\n" % size, b"Content-Length: 0\r\n"]
    odd = [b"Content-Length: +%d\r\n", b"Content-Length: %d, %d\r\n", b"Content-Length : %d\r\n",
           b"Content-Length:\t%d\r\n", b"Content-Length: 0%d\r\n", b"Content-Length: %d \r\n",
           b"Content-Length: %d\r\nContent-Length: 0\r\n", b"Content-Length: 0\r\nContent-Length: %d\r\n",
           b"Content-Length: %d\r\nContent-Length: %d\r\n", b"Content-Length: 0x%d\r\n", b"Content-Length: -%d\r\n",
           b"X: y\r\n Content-Length: %d\r\n", b"X: y\rContent-Length: %d\r\n", b"X: y\nContent-Length: %d\r\n",
           b"Content-Length: %d\n", b"Content-Length: %d\r\r\n", b"Content-Length\x00: %d\r\n",
           b"Content-Length: \x0b%d\r\n", b"Content-Length: %d_0\r\n", b"Content-Length:\r\n %d\r\n",
           b"Content-Length: ,%d\r\n", b"Content-Length: 18446744073709551616%d\r\n", b"Content-Length: %d;x\r\n",
           b"Content-Length:\r\n", b"\r\n Content-Length: %d\r\n", b": x\r\nContent-Length: %d\r\n"]
    codings = [b"", b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding : chunked\r\n",
               b"Transfer-Encoding: xchunked\r\n", b"Transfer-Encoding: chunked, identity\r\n",
               b"Transfer-Encoding: identity, chunked\r\n", b"Transfer-Encoding: identity\r\n",
               b"Transfer-Encoding: gzip, chunked\r\n", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n",
               b"Transfer-Encoding: \"chunked\"\r\n", b"Transfer-Encoding:\r\n chunked\r\n",
               b"X: y\nTransfer-Encoding: chunked\r\n", b"Transfer-Encoding: chunked;x=y\r\n",
               b"Transfer-Encoding: ,chunked\r\n", b"Transfer-Encoding: CHUNKED\r\n",
               b"Transfer-Encoding: chunked, chunked\r\n", b"Transfer-Encoding: \r\n"]
    starts = [b"HTTP/1.1 200 OK", b"HTTP/1.0 200 OK", b"HTTP/1.1 204 N", b"HTTP/1.1 304 N"]
    for start, length, coding, body in itertools.product(starts, lengths, codings, [b"", HIDDEN, chunk]):
        yield start + b"\r\n" + length + coding + b"\r\n" + body + LAST
    for length, coding in itertools.product(odd, codings[:2]):
        text = length % ((size,) * length.count(b"%d"))
        yield b"HTTP/1.1 200 OK\r\n" + text + coding + b"\r\n" + HIDDEN + LAST
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    hexed = b"%x" % size
    for line in (hexed + b"\n", b" " + hexed + b"\r\n", hexed + b" \r\n", b"0x" + hexed + b"\r\n", b"+" + hexed + b"\r\n",
                 b"-" + hexed + b"\r\n", hexed + b";a\nb\r\n", hexed + b";a=b\r\n", hexed + b";a=\"\r\n\"\r\n",
                 hexed + b"g\r\n", b"00000" + hexed + b"\r\n", b"1" + b"0" * 16 + hexed + b"\r\n", hexed + b";\r\n",
                 hexed + b" ;x\r\n", hexed + b"\x00\r\n", hexed + b"_0\r\n", hexed + b"\r"):
        for end in (b"\r\n", b"\n", b"\r", b"", b"x\r\n"):
            yield head + line + HIDDEN + end + b"0\r\n\r\n" + LAST
    for end in (b"0\r\n\r\n", b"0\n\n", b"0\r\n\n", b"0\r\nA: b\r\n\r\n", b"0\r\nA : b\r\n\r\n", b"0\r\nA\r\n\r\n",
                b"0\r\nContent-Length: 9\r\n\r\n", b"0;x\r\n\r\n", b"\r\n0\r\n\r\n", b"0\r\n", b""):
        yield head + end + HIDDEN + LAST
    for line in (b"HTTP/1.1  200 OK", b"HTTP/1.1 200", b"HTTP/1.1 200 ", b" HTTP/1.1 200 OK", b"HTTP/1.1\t200 OK",
                 b"http/1.1 200 OK", b"HTTP/1.2 200 OK", b"HTTP/2.0 200 OK", b"HTTP/1.1 20 OK", b"HTTP/1.1 2000 OK",
                 b"HTTP/1.1 +20 OK", b"HTTP/1.1 200\rOK", b"HTTP/1.1 200 O\x00K", b"HTTP/1.1 099 OK", b"HTTP/1.1 600 OK",
                 b"\r\nHTTP/1.1 200 OK", b"HTTP/1.1 200 OK\r\n\tA: b", b"HTTP/1.1 200 OK\r\nA", b"HTTP/01.1 200 OK",
                 b"HTTP/1.1 100 C\r\n\r\nHTTP/1.1 200 OK", b"HTTP/1.1 103 E\r\nContent-Length: 5\r\n\r\nHTTP/1.1 200 OK",
                 b"HTTP/1.1 101 S\r\nUpgrade: x\r\nConnection: upgrade", b"ICY 200 OK", b"x\r\nHTTP/1.1 200 OK"):
        yield line + b"\r\nContent-Length: %d\r\n\r\n" % size + HIDDEN + LAST


def ours(tool, corpus):
    data = b"".join(b"%d\n" % len(m) + m for m in corpus)
    out = subprocess.run([tool], input=data, stdout=subprocess.PIPE, check=True).stdout.decode()
    for part in out.split(".\n")[:-1]:
        lines = part.splitlines()
        refused = "refused" in lines
        yield [tuple(map(int, line.split())) for line in lines if line != "refused"], refused


class Socket:
    """What http.client reads from, response after response."""

    def __init__(self, octets):
        self.file = io.BytesIO(octets)
        self.file.close = lambda: None

    def makefile(self, *_):
        return self.file


def by_python(corpus):
    for message in corpus:
        socket = Socket(message)
        responses, refused = [], False
        try:
            while socket.file.tell() < len(message):
                response = http.client.HTTPResponse(socket, method="GET")
                response.begin()
                body = response.read()
                responses.append((response.status, len(body)))
                if response.will_close:
                    break
        except (ValueError, OverflowError, http.client.HTTPException):
            refused = True
        yield responses, refused


def by_h11(corpus):
    try:
        import h11
    except ImportError:
        sys.path.append("/usr/lib/python3/dist-packages")  # Debian's, for a Python that is not
        import h11
    for message in corpus:
        connection = h11.Connection(h11.CLIENT)
        responses, refused, now, rest = [], False, None, message
        try:
            connection.receive_data(message)
            connection.receive_data(b"")
            while not responses or connection.our_state is not h11.MUST_CLOSE:
                connection.send(h11.Request(method="GET", target="/", headers=[("Host", "h")]))
                connection.send(h11.EndOfMessage())
                event = None
                while not isinstance(event, (h11.EndOfMessage, h11.ConnectionClosed)) and event is not h11.PAUSED:
                    event = connection.next_event()
                    if isinstance(event, h11.Response):
                        now = [event.status_code, 0]
                    elif isinstance(event, h11.Data):
                        now[1] += len(event.data)
                    elif isinstance(event, h11.EndOfMessage):
                        responses.append(tuple(now))
                if not isinstance(event, h11.EndOfMessage) or connection.our_state is not h11.DONE or \
                        connection.their_state is not h11.DONE:
                    break
                connection.start_next_cycle()
        except h11.ProtocolError:
            refused = True
        yield responses, refused


def by_node(corpus, mode):
    data = b"".join(base64.b64encode(m) + b"\n" for m in corpus)
    done = subprocess.run(["node", os.path.join(os.path.dirname(__file__), "http_responses.js"), mode], input=data,
                          stdout=subprocess.PIPE, check=True)
    for line in done.stdout.decode().splitlines():
        response, refused = json.loads(line)
        yield [tuple(response)] if response else [], refused


def excused(name, message):
    """Where http.client does not do what RFC 9112 says, and nobody else reads it so."""
    return name == "http.client" and (
        message.startswith((b"HTTP/1.1 204", b"HTTP/1.1 304")) or  # §6.3, 1: they have no body, chunked or not
        b"Content-Length: %d, %d\r\n" % (len(HIDDEN), len(HIDDEN)) in message or  # §6.3, 5: one length, twice
        message.startswith(b"HTTP/1.1 103"))  # RFC 9110 §15.2: another follows


def same(a, b):
    """Do two readings agree, as far as both go?"""
    return all(x == y for x, y in zip(a, b))


def main():
    tool = sys.argv[1]
    corpus = list(dict.fromkeys(messages()))
    others = {"http.client": list(by_python(corpus))}
    try:
        others["h11"] = list(by_h11(corpus))
    except ImportError:
        pass
    if shutil.which("node"):
        others["llhttp"] = list(by_node(corpus, "strict"))
        others["llhttp, lenient"] = list(by_node(corpus, "lenient"))
    if len(others) < 2:
        print("ok 1 - responses beside other parsers # SKIP fewer than two of node, python3-h11")
        return 0
    mine = list(ours(tool, corpus))
    wrong = ambiguous = taken = 0
    for i, message in enumerate(corpus):
        readings = {name: results[i][0] for name, results in others.items()}
        ambiguous += any(not same(a, b) for a, b in itertools.combinations(readings.values(), 2))
        responses, refused = mine[i]
        taken += not refused
        for name, reading in readings.items():
            if not same(responses, reading) and not excused(name, message):
                wrong += 1
                print(f"# {name} reads {reading}, we {responses} in {message!r}")
    print(f"# {len(corpus)} responses; {taken} taken by us, {ambiguous} read in two ways by others: {', '.join(others)}")
    print(f"{'not ' if wrong else ''}ok 1 - what we take nobody reads otherwise")
    print(f"{'' if ambiguous else 'not '}ok 2 - some responses are read in two ways")
    print(f"{'' if taken > 40 else 'not '}ok 3 - what is plain is taken")
    return 1 if wrong else 0


sys.exit(main())
