#!/bin/sh
# A CGI program: fields, an empty line, and the answer.
printf 'Content-Type: text/plain; charset=utf-8\n\n'
printf 'Hello%s, you have asked by %s from %s.\n' "${PATH_INFO+ ${PATH_INFO#/}}" "$REQUEST_METHOD" "$REMOTE_ADDR"
