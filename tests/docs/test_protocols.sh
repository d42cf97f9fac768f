#!/bin/sh
# SPDX-License-Identifier: ISC
# docs/protocols/ says what the tests show, no more and no less.
status=0
for page in tcp http; do
    python3 "tools/${page}_document.py" --check "build/${VARIANT:-release}" || status=1
done
exit $status
