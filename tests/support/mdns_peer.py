#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Another program's multicast DNS (python3-zeroconf), for tests.

    mdns_peer.py ADDRESS announce HOST INSTANCE PORT    says "ready NAME", and goodbye at the end of its input
    mdns_peer.py ADDRESS browse TYPE SECONDS            prints the instances that it finds, and where they are
"""
import socket
import sys
import time

from zeroconf import IPVersion, ServiceBrowser, ServiceInfo, Zeroconf


def announce(zc, address, host, instance, port):
    info = ServiceInfo("_http._tcp.local.", f"{instance}._http._tcp.local.", addresses=[socket.inet_aton(address)],
                       port=int(port), properties={"path": "/"}, server=f"{host}.local.")
    zc.register_service(info, allow_name_change=True)
    print("ready", info.name, flush=True)
    sys.stdin.read()
    zc.unregister_service(info)


class Listener:
    def __init__(self):
        self.names = {}

    def add_service(self, zc, kind, name):
        self.names[name] = True
        print("+", name, flush=True)

    def update_service(self, zc, kind, name):
        pass

    def remove_service(self, zc, kind, name):
        self.names[name] = False
        print("-", name, flush=True)


def browse(zc, kind, seconds):
    listener = Listener()
    ServiceBrowser(zc, kind, listener)
    time.sleep(float(seconds))
    for name in sorted(n for n, there in listener.names.items() if there):
        info = zc.get_service_info(kind, name)
        if info is None:
            print(name, "cannot be resolved")
        else:
            text = b" ".join(k + b"=" + (v or b"") for k, v in sorted(info.properties.items())).decode()
            print(name, info.server, info.port, " ".join(sorted(info.parsed_addresses(IPVersion.V4Only))), text)


def main():
    address, what = sys.argv[1:3]
    zc = Zeroconf(interfaces=[address], ip_version=IPVersion.V4Only)
    if what == "announce":
        announce(zc, address, *sys.argv[3:])
    else:
        browse(zc, *sys.argv[3:])
    zc.close()


main()
