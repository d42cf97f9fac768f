#!/bin/sh
# SPDX-License-Identifier: ISC
# RFC 9112 §6.3, §11.2: of what our client takes, no other parser reads another response.
exec python3 tests/proto/http/http_responses.py "build/${VARIANT:-release}/tests/tools/http_responses"
