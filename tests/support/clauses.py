# SPDX-License-Identifier: ISC
"""For tests that show clauses: a server that answers octet for octet, and TAP whose lines begin with labels."""
import os
import re
import socket
import sys
import threading

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Server:
    """Answers a request with what `answer()` has set for its path, and keeps what it was asked: head, empty
    line, content."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.asked, self.answers, self.connections = [], {}, 0
        threading.Thread(target=self.serve, daemon=True).start()

    def answer(self, path, text, end):
        """`text` None: nothing is said; `end`: then the connection ends."""
        self.answers[path] = (None if text is None else text.encode("latin-1"), end)

    def serve(self):
        while True:
            connection, _ = self.listener.accept()
            self.connections += 1
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection):
        try:
            with connection:
                connection.settimeout(10)
                self.converse(connection)
        except (ConnectionError, TimeoutError):
            pass  # what the other side does with an answer that is none

    def converse(self, connection):
        data = b""
        while True:
            while b"\r\n\r\n" not in data:
                got = connection.recv(65536)
                if not got:
                    return
                data += got
            head, data = data.split(b"\r\n\r\n", 1)
            if re.search(rb"(?mi)^expect: *100-continue", head):
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            length = re.search(rb"(?mi)^content-length: *(\d+)", head)
            size = int(length[1]) if length else 0
            while len(data) < size:
                data += connection.recv(65536)
            text = head.decode("latin-1")
            self.asked.append(text + "\r\n\r\n" + data[:size].decode("latin-1"))
            data = data[size:]
            path = re.sub(r"^http://[^/]*", "", text.split(" ")[1]).split("?")[0]
            answer, end = self.answers.get(path, (OK, False))
            if answer is not None:
                connection.sendall(answer)
            if end:
                return


def field(text, name):
    return re.findall(rf"(?mi)^{name}: *(.*?)\r?$", text.split("\r\n\r\n")[0])


class Clauses:
    def __init__(self, path):
        with open(path, encoding="utf-8") as lines:
            self.wanted = {line.split(" ")[0] for line in lines if line[0] not in "#\n "}
        self.number = self.failures = 0
        self.shown = set()

    def check(self, label, what, good, seen=""):
        self.number += 1
        self.shown.add(label)
        self.failures += not good
        if not good:
            print("# seen: " + repr(seen))
        print(f"{'' if good else 'not '}ok {self.number} - {label} {what}", flush=True)

    def finish(self):
        self.check("every", "clause is shown", self.shown == self.wanted, sorted(self.wanted ^ self.shown))
        print(f"1..{self.number}")
        sys.exit(self.failures > 0)


def beside(script, name):
    return os.path.join(os.path.dirname(os.path.abspath(script)), name)
