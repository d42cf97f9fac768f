#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Messages that somebody could read in two ways: whatever our server takes, no other parser that takes it
reads other requests in it. So a message that two of them read differently is refused.

    http_framing.py TOOL    where TOOL is build/VARIANT/tests/tools/http_framing

The others: http.client (Python), llhttp (Node.js) strict and lenient, h11 (Python), nginx; those that are installed.
"""
import base64
import http.client
import io
import itertools
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: h\r\n\r\n"
LAST = b"GET /last HTTP/1.1\r\nHost: h\r\n\r\n"


def messages():
    """Each a POST with what is odd about it, a body in which a request hides, and a request after it."""
    chunk = b"%x\r\n" % len(HIDDEN) + HIDDEN + b"\r\n0\r\n\r\n"
    bodies = [b"", HIDDEN, chunk, b"0\r\n\r\n" + HIDDEN]
    lengths = [b"", b"Content-Length: %d\r\n" % len(HIDDEN), b"Content-Length: 0\r\n",
               b"Content-Length: %d\r\n" % len(chunk)]
    odd_lengths = [b"Content-Length: +%d\r\n", b"Content-Length: %d, %d\r\n", b"Content-Length : %d\r\n",
                   b"Content-Length:\t%d\r\n", b"Content-Length: 0%d\r\n", b"Content-Length: %d \r\n",
                   b"Content-Length: %d\r\nContent-Length: 0\r\n", b"Content-Length: 0\r\nContent-Length: %d\r\n",
                   b"Content-Length: 0x%d\r\n", b"Content-Length: %d;q=1\r\n", b"Content-Length: -%d\r\n",
                   b"Content_Length: %d\r\n", b"\r\n Content-Length: %d\r\n", b"X: y\r\n Content-Length: %d\r\n",
                   b"X: y\rContent-Length: %d\r\n", b"X: y\nContent-Length: %d\r\n", b"Content-Length: %d\n",
                   b"Content-Length: %d\r\r\n", b"\x00Content-Length: %d\r\n", b"Content-Length\x00: %d\r\n",
                   b"Content-Length: \x0b%d\r\n", b"Content-Length: %d\x00\r\n", b"Content-Length: %d_0\r\n",
                   b"Content-Length:\r\n %d\r\n", b"Content-Length: ,%d\r\n", b"Content-Length: %d,\r\n"]
    codings = [b"", b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding : chunked\r\n",
               b"Transfer-Encoding: xchunked\r\n", b"Transfer-Encoding: chunked, identity\r\n",
               b"Transfer-Encoding: identity, chunked\r\n", b"Transfer-Encoding: identity\r\n",
               b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n",
               b"Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n", b"Transfer-Encoding:\tchunked\r\n",
               b"Transfer-Encoding: \x0bchunked\r\n", b"Transfer-Encoding: \"chunked\"\r\n",
               b"Transfer-Encoding:\r\n chunked\r\n", b"X: y\r\n Transfer-Encoding: chunked\r\n",
               b"X: y\nTransfer-Encoding: chunked\r\n", b"X: y\rTransfer-Encoding: chunked\r\n",
               b"Transfer-Encoding: chunked;x=y\r\n", b"Transfer-Encoding: ,chunked\r\n",
               b"Transfer-Encoding: chunked,\r\n", b"Transfer-Encoding: chunked \r\n",
               b"Transfer-Encoding: CHUNKED\r\n", b"Transfer-encoding: chunked\n",
               b"Transfer-Encoding: chunked, chunked\r\n", b"Transfer-Encoding: \r\n",
               b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
               b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
               b"Transfer-Encoding: chunked\t\r\n", b"Transfer-Encoding: chunked\x00\r\n",
               b"Transfer-Encoding: chunked\x0c\r\n", b"Transfer-Encoding: chunk\r\n",
               b"Transfer-Encoding: chunked\r\n\tx\r\n", b"Transfer_Encoding: chunked\r\n",
               b"Transfer-Encoding: gzip, chunked\r\n", b"Transfer-Encoding\x00: chunked\r\n",
               b"Transfer-Encoding\xa0: chunked\r\n", b"Transfer\xadEncoding: chunked\r\n",
               b"Transfer-Encoding:chunked\r\nConnection: Transfer-Encoding\r\n",
               b"Connection: Content-Length\r\n", b"Upgrade: h2c\r\nConnection: upgrade\r\n",
               b"Expect: 100-continue\r\n", b"TE: chunked\r\n"]
    versions = [b"HTTP/1.1", b"HTTP/1.0"]
    for version, length, coding, body in itertools.product(versions, lengths, codings, bodies):
        yield b"POST /first " + version + b"\r\nHost: h\r\n" + length + coding + b"\r\n" + body + LAST
    for length in odd_lengths:
        number = length.count(b"%d")
        text = length % ((len(HIDDEN),) * number)
        for coding in codings[:2]:
            yield b"POST /first HTTP/1.1\r\nHost: h\r\n" + text + coding + b"\r\n" + HIDDEN + LAST
    head = b"POST /first HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    size = b"%x" % len(HIDDEN)
    for line in (size + b"\n", size + b"\r", b" " + size + b"\r\n", size + b" \r\n", b"0x" + size + b"\r\n",
                 b"+" + size + b"\r\n", b"-" + size + b"\r\n", size + b";a\nb\r\n", size + b";a=b\r\n",
                 size + b";a=\"\r\n\"\r\n", size + b"g\r\n", b"00000" + size + b"\r\n", b"1" + b"0" * 16 + size + b"\r\n",
                 size + b"\r\n\r\n", size + b";\r\n", size + b" ;x\r\n", size + b"\x00\r\n", size.upper() + b"\r\n",
                 size + b"_0\r\n", size + b",0\r\n", size + b";a=\"x;y\"\r\n", size + b";a=\"\\\"\"\r\n", size + b";a=\"\r\n",
                 size + b";a=\"\n\"\r\n", size + b";a\rb\r\n", size + b";a\x00b\r\n", size + b"\t;a\r\n", size + b";a;b;;\r\n",
                 size + b";\x80\r\n", size + b"\x0b\r\n", size + b"\r\r\n", size + b"; \n", b"\t" + size + b"\r\n"):
        for end in (b"\r\n", b"\n", b"\r", b"", b"x\r\n"):
            yield head + line + HIDDEN + end + b"0\r\n\r\n" + LAST
    for end in (b"0\r\n\r\n", b"0\n\n", b"0\r\n\n", b"0\r\nA: b\r\n\r\n", b"0\r\nA : b\r\n\r\n", b"0\r\nA\r\n\r\n",
                b"0\r\n A: b\r\n\r\n", b"0\r\nContent-Length: 9\r\n\r\n", b"0;x\r\n\r\n", b"\r\n0\r\n\r\n", b"0\r\n\r"):
        yield head + end + HIDDEN + LAST
    for target in (b"http://h/first", b"http://other/first", b"http://u:p@h/first", b"http:///first", b"http:/first", b"//other/first", b"h:80",
                   b"*", b"/first#x", b"/first\x7f", b"/first\x80", b"/fi\\rst", b"/first?a=http://x/ HTTP/1.1", b"?first", b"first"):
        for method in b"GET", b"CONNECT", b"OPTIONS", b"TRACE":
            yield method + b" " + target + b" HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % len(HIDDEN) + HIDDEN + LAST
    for host in (b"", b"Host: h\r\nHost: h\r\n", b"Host : h\r\n", b"Host: h\x00\r\n", b"Host: a b\r\n", b"Host: a/b\r\n", b"Host: u@h\r\n",
                 b"Host: h:99999\r\n", b"Host: h:8x\r\n", b"Host:\r\n", b"Host: h,i\r\n", b"Host: [::1\r\n", b" Host: h\r\n"):
        for version in versions:
            yield b"POST /first " + version + b"\r\n" + host + b"Content-Length: %d\r\n\r\n" % len(HIDDEN) + HIDDEN + LAST
    for start in (b"GET /first\r\n", b"GET /first\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\r\n\r\n", b"\r", b"\n", b"\x16\x03\x01\x02\x00"):
        yield start + HIDDEN + LAST
    # One octet more, anywhere in a head and in what frames a body.
    for field, body in ((b"Content-Length: %d\r\n" % len(HIDDEN), HIDDEN), (b"Transfer-Encoding: chunked\r\n", chunk)):
        plain = b"POST /first HTTP/1.1\r\nHost: h\r\nA: b\r\n" + field + b"\r\n"
        for at in range(len(plain) + 1):
            for octet in b"\r", b"\n", b"\x00", b"\x0b", b" ", b"\t", b":", b"\xff", b"\r\n":
                yield plain[:at] + octet + plain[at:] + body + LAST
    plain = head + chunk
    for at in itertools.chain(range(len(head), len(head) + 6), range(len(plain) - 8, len(plain) + 1)):
        for octet in b"\r", b"\n", b"\x00", b"\x0b", b" ", b"\t", b";", b"0", b"\r\n":
            yield plain[:at] + octet + plain[at:] + LAST
    for line in (b"GET  /first HTTP/1.1", b"GET /first  HTTP/1.1", b"GET /first HTTP/1.1 ", b" GET /first HTTP/1.1",
                 b"GET\t/first HTTP/1.1", b"GET /first HTTP/1.1\r", b"GET /first\rHTTP/1.1", b"GET /first http/1.1",
                 b"GET /first HTTP/1.2", b"GET /first HTTP/2.0", b"GET /first", b"GET /first x HTTP/1.1",
                 b"GET /first HTTP/01.1", b"G\x00T /first HTTP/1.1", b"GET /fi\x00rst HTTP/1.1", b"GET /first HTTP/1.1\x00",
                 b"\r\nGET /first HTTP/1.1", b"\nGET /first HTTP/1.1", b"GET /first HTTP/1.1\r\n\tA: b",
                 b"GET /first HTTP/1.1\r\nHost: i", b"GET /first HTTP/1.1\r\n: x", b"GET /first HTTP/1.1\r\nA"):
        yield line + b"\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % len(HIDDEN) + HIDDEN + LAST


def ours(tool, corpus):
    data = b"".join(b"%d\n" % len(m) + m for m in corpus)
    out = subprocess.run([tool], input=data, stdout=subprocess.PIPE, check=True).stdout.decode("latin1")
    for text in split(out):
        requests, refused = [], False
        for line in text:
            if line.startswith("refused "):
                refused = True
            else:
                method, target, octets = line.split(" ")
                requests.append((method, target, int(octets)))
        yield requests, refused


def split(out):
    lines = []
    for line in out.splitlines():
        if line == ".":
            yield lines
            lines = []
        else:
            lines.append(line)


def by_node(corpus, mode):
    data = b"".join(base64.b64encode(m) + b"\n" for m in corpus)
    done = subprocess.run(["node", os.path.join(os.path.dirname(__file__), "http_framing.js"), mode], input=data,
                          stdout=subprocess.PIPE, check=True)
    for line in done.stdout.decode().splitlines():
        requests, refused = json.loads(line)
        yield [tuple(r) for r in requests], refused


def by_python(corpus):
    """http.client's reading of fields, and bodies as programs on top of it read them."""
    for message in corpus:
        file = io.BytesIO(message)
        requests, refused = [], False
        try:
            while line := file.readline():
                if not line.strip():
                    continue
                words = line.decode("latin1").split()
                fields = http.client.parse_headers(file)
                body = b""
                if "chunked" in fields.get("Transfer-Encoding", "").lower():
                    while size := int(file.readline().split(b";")[0], 16):
                        body += file.read(size)
                        file.readline()
                    http.client.parse_headers(file)
                else:
                    body = file.read(max(0, int(fields.get("Content-Length", "0"))))
                requests.append((words[0], words[1], len(body)))
        except (ValueError, IndexError, OverflowError, http.client.HTTPException):
            refused = True
        yield requests, refused


def by_h11(corpus):
    try:
        import h11
    except ImportError:
        sys.path.append("/usr/lib/python3/dist-packages")  # Debian's, for a Python that is not
        import h11
    for message in corpus:
        connection = h11.Connection(h11.SERVER)
        requests, refused, now = [], False, None
        try:
            connection.receive_data(message)
            while True:
                event = connection.next_event()
                if isinstance(event, h11.Request):
                    now = [event.method.decode(), event.target.decode(), 0]
                elif isinstance(event, h11.Data):
                    now[2] += len(event.data)
                elif isinstance(event, h11.EndOfMessage):
                    requests.append(tuple(now))
                    connection.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
                    connection.send(h11.EndOfMessage())
                    if connection.our_state is h11.MUST_CLOSE:
                        break
                    connection.start_next_cycle()
                else:
                    break
        except h11.ProtocolError:
            refused = True
        yield requests, refused


NGINX = """daemon off; master_process off; error_log stderr crit; pid {folder}/pid;
events {{ }}
http {{ access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
uwsgi_temp_path {folder}; scgi_temp_path {folder};
server {{ listen 127.0.0.1:{port}; location / {{ return 200 "<$request_method $request_uri>"; }} }} }}
"""


def by_nginx(corpus):
    """What it reads is seen from its answers; how long the bodies were is not."""
    with tempfile.TemporaryDirectory() as folder:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        with open(f"{folder}/conf", "w", encoding="ascii") as file:
            file.write(NGINX.format(folder=folder, port=port))
        server = subprocess.Popen(["nginx", "-c", f"{folder}/conf", "-p", folder, "-e", "stderr"], stderr=subprocess.DEVNULL)
        try:
            for _ in range(100):
                try:
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                except OSError:
                    time.sleep(0.05)
            for message in corpus:
                yield ask(port, message)
        finally:
            server.terminate()
            server.wait()


def ask(port, message):
    answer = b""
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.sendall(message)
        s.shutdown(socket.SHUT_WR)
        s.settimeout(2)
        try:
            while data := s.recv(65536):
                answer += data
        except OSError:
            pass
    requests = []
    for part in answer.split(b"<")[1:]:
        words = part.split(b">")[0].split(b" ")
        if len(words) == 2:
            requests.append((words[0].decode(), words[1].decode("latin1"), None))
    return requests, b" 400 Bad" in answer or b" 501 Not" in answer or b" 505 " in answer or b" 405 " in answer


def same(a, b):
    """Do two readings agree, as far as both go? nginx does not tell the authority of a target."""
    for x, y in zip(a, b):
        if x[0] != y[0] or re.sub("^http://[^/]*", "", x[1]) != re.sub("^http://[^/]*", "", y[1]) or (x[2] is not None and y[2] is not None and x[2] != y[2]):
            return False
    return True


def main():
    tool = sys.argv[1]
    corpus = list(dict.fromkeys(messages()))
    others = {"http.client": list(by_python(corpus))}
    if shutil.which("node"):
        others["llhttp"] = list(by_node(corpus, "strict"))
        others["llhttp, lenient"] = list(by_node(corpus, "lenient"))
    try:
        others["h11"] = list(by_h11(corpus))
    except ImportError:
        pass
    if shutil.which("nginx"):
        others["nginx"] = list(by_nginx(corpus))
    if len(others) < 2:
        print("ok 1 - framing beside other parsers # SKIP fewer than two of node, python3-h11, nginx")
        return 0
    mine = list(ours(tool, corpus))
    wrong = ambiguous = taken = 0
    for i, message in enumerate(corpus):
        readings = {name: results[i][0] for name, results in others.items()}
        ambiguous += any(not same(a, b) for a, b in itertools.combinations(readings.values(), 2))
        requests, refused = mine[i]
        taken += not refused
        for name, reading in readings.items():
            if requests and not same(requests, reading):
                wrong += 1
                print(f"# {name} reads {reading}, we {requests} in {message!r}")
    print(f"# {len(corpus)} messages; {taken} taken by us, {ambiguous} read in two ways by others: {', '.join(others)}")
    print(f"{'not ' if wrong else ''}ok 1 - what we take nobody reads otherwise")
    print(f"{'' if ambiguous else 'not '}ok 2 - some messages are read in two ways")
    print(f"{'' if taken > 40 else 'not '}ok 3 - what is plain is taken")
    return 1 if wrong else 0


sys.exit(main())
