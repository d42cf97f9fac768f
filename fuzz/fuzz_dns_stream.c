/* SPDX-License-Identifier: ISC */
/* fuzz_dns_stream.c - any octets over a stream: how they are cut does not change what comes out. */
#include "base/compiler.h"
#include "fuzz/fuzz.h"
#include "proto/dns/dns_stream.h"

/* A number that stands for all events, their order and their messages. */
static uint64_t replay(struct bytes in, size_t chunk)
{
    uint8_t buffer[600];
    struct dns_stream s;
    uint64_t sum = 1;
    dns_stream_init(&s, buffer, sizeof buffer, DNS_STREAM_IDLE_TIMEOUT, 0);
    for (size_t at = 0; at < in.len; at += chunk) {
        struct bytes part = bytes_first(bytes_after(in, at), chunk);
        while (part.len > 0) {
            enum dns_stream_event event;
            struct bytes message;
            size_t used = dns_stream_input(&s, part, 0, &event, &message);
            ASSERT(used <= part.len && (used == part.len || event != DNS_STREAM_NOTHING));
            part = bytes_after(part, used);
            if (event != DNS_STREAM_NOTHING)
                sum = sum * 31 + (uint64_t)event;
            if (event == DNS_STREAM_TOO_LONG)
                return sum;
            if (event == DNS_STREAM_MESSAGE)
                for (size_t i = 0; i < message.len; i++)
                    sum = sum * 31 + message.data[i];
        }
    }
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len < 2)
        return 0;
    struct bytes in = bytes_of(data + 1, len - 1);
    ASSERT(replay(in, (size_t)data[0] + 1) == replay(in, in.len));
    return 0;
}
