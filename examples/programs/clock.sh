#!/bin/sh
# Server-sent events: one a second, until the client goes.
printf 'Content-Type: text/event-stream\nCache-Control: no-store\n\n'
while date '+data: %H:%M:%S%n'; do
    sleep 1
done
