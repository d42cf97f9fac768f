#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Drives Chromium through the pages of a site, by its DevTools protocol over a pipe, and says what it saw.

    browser.py BASE-URL LIST-PATH     lines "WHAT: SEEN"

No window, no profile that stays. Certificates are checked as Chromium does it, with NSS's database in $HOME.
"""
import json
import os
import subprocess
import sys
import tempfile
import time


class Browser:
    def __init__(self, home):
        their_in, our_out = os.pipe()
        our_in, their_out = os.pipe()

        def pipes():
            os.dup2(their_in, 63)
            os.dup2(their_out, 64)
            os.dup2(63, 3)
            os.dup2(64, 4)

        command = [os.environ.get("CHROMIUM", "chromium"), "--headless=new", "--no-sandbox", "--disable-gpu",
                   "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
                   "--disable-component-update", "--disable-sync", "--no-default-browser-check",
                   "--user-data-dir=" + home + "/profile", "--remote-debugging-pipe", "about:blank"]
        self.process = subprocess.Popen(command, preexec_fn=pipes, close_fds=False,
                                        env=dict(os.environ, HOME=home),
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(their_in)
        os.close(their_out)
        self.out, self.inp, self.buffer, self.number = our_out, our_in, b"", 0
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(t["targetId"] for t in targets if t["type"] == "page")
        self.session = None
        self.session = self.call("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        self.call("Page.enable")
        self.call("Network.enable")

    def receive(self):
        while b"\0" not in self.buffer:
            got = os.read(self.inp, 1 << 16)
            if not got:
                raise SystemExit("the browser is gone")
            self.buffer += got
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if getattr(self, "session", None):
            message["sessionId"] = self.session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        while True:
            reply = self.receive()
            if reply.get("id") == self.number:
                if "error" in reply:
                    raise SystemExit(method + ": " + reply["error"]["message"])
                return reply["result"]

    def script(self, text):
        result = self.call("Runtime.evaluate", expression=text, returnByValue=True)
        return result["result"].get("value")

    def go(self, url):
        error = self.call("Page.navigate", url=url).get("errorText")
        if error:
            return error
        self.settle(url)
        return None

    def settle(self, what):
        """Until the page stands."""
        until = time.monotonic() + 20
        while time.monotonic() < until:
            if self.script("document.readyState") == "complete" and self.script("location.href") != "about:blank":
                return
            time.sleep(0.05)
        raise SystemExit("the page does not come: " + what)

    def submit(self, script):
        """Runs what leaves the page, and waits for the next one."""
        self.script("window.old = true")
        self.script(script)
        until = time.monotonic() + 20
        while time.monotonic() < until:
            if self.script("window.old") is None and self.script("document.readyState") == "complete":
                return
            time.sleep(0.05)
        raise SystemExit("nothing follows " + script)

    def close(self):
        self.process.terminate()
        self.process.wait()


def main():
    base, listing = sys.argv[1:3]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        authority = os.environ.get("SSL_CERT_FILE")
        if authority and base.startswith("https:"):
            trust(home, authority)
        browser = Browser(home)
        try:
            visit(browser, base, listing)
        finally:
            browser.close()


def trust(home, bundle):
    """Chromium reads NSS's database; the first of the bundle is the site's root."""
    folder = home + "/.pki/nssdb"
    os.makedirs(folder)
    with open(bundle) as lines:
        first = lines.read().split("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n"
    with open(home + "/root.pem", "w") as out:
        out.write(first)
    for command in (["certutil", "-N", "-d", "sql:" + folder, "--empty-password"],
                    ["certutil", "-A", "-d", "sql:" + folder, "-n", "site", "-t", "C,,", "-i", home + "/root.pem"]):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def visit(browser, base, listing):
    error = browser.go(base + listing)
    if error:
        print("error:", error)
        return
    print("secure:", browser.script("isSecureContext"))
    print("protocol:", browser.script("performance.getEntriesByType('navigation')[0].nextHopProtocol"))
    print("list:", browser.script("[...document.querySelectorAll('main a')].map(a => a.textContent).join(' ')"))
    if listing != "/":
        browser.submit("[...document.querySelectorAll('main a')].find(a => a.textContent == 'a.txt').click()")
        print("file:", browser.script("document.body.innerText").strip())
    form = base + os.environ.get("FORM", "/form")
    browser.go(form)
    print("form:", browser.script("document.querySelector('#said').innerText"))
    browser.submit("document.querySelector('[name=note]').value = 'hello <i>'; document.querySelector('button').click()")
    print("said:", browser.script("document.querySelector('#said').innerText"))
    print("where:", browser.script("location.pathname"))
    print("cookie for scripts:", repr(browser.script("document.cookie")))
    kept = browser.call("Network.getCookies")["cookies"]
    for cookie in kept:
        print("cookie:", cookie["name"], "httpOnly" if cookie["httpOnly"] else "", "secure" if cookie["secure"] else "",
              cookie.get("sameSite", ""))
    browser.submit("document.querySelector('[name=token]').value = 'AAAA'; document.querySelector('button').click()")
    print("forged:", browser.script("performance.getEntriesByType('navigation')[0].responseStatus"))
    browser.go(form)
    print("still:", browser.script("document.querySelector('#said').innerText"))


if __name__ == "__main__":
    main()
