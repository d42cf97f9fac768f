#!/bin/sh
# SPDX-License-Identifier: ISC
# RFC 9112 §11.2: what we take, no other parser reads otherwise.
exec python3 tests/app/web/http_framing.py "build/${VARIANT:-release}/tests/tools/http_framing"
