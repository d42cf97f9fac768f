#!/bin/sh
# SPDX-License-Identifier: ISC
# docs/protocols/ says what the tests show, no more and no less.
exec python3 tools/tcp_document.py --check "build/${VARIANT:-release}"
