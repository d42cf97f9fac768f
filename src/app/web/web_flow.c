/* SPDX-License-Identifier: ISC */
/* web_flow.c - a queue of octets in one block, which goes when it is empty. */
#include "app/web/web_flow.h"

#include <stdlib.h>

enum { SIZE_MIN = 4 * 1024 };

void web_flow_done(struct web_flow *flow)
{
    free(flow->octets);
    flow->octets = NULL;
    flow->at = flow->len = flow->size = 0;
}

static bool make_room(struct web_flow *flow, size_t len)
{
    if (flow->at > 0)
        memmove(flow->octets, flow->octets + flow->at, flow->len);
    flow->at = 0;
    if (flow->len + len <= flow->size)
        return true;
    size_t size = flow->size > 0 ? flow->size : SIZE_MIN;
    while (size < flow->len + len)
        size *= 2;
    uint8_t *octets = realloc(flow->octets, size);
    if (octets == NULL)
        return false;
    flow->octets = octets;
    flow->size = size;
    return true;
}

bool web_flow_add(struct web_flow *flow, struct bytes in)
{
    if (in.len == 0)
        return true;
    if (flow->at + flow->len + in.len > flow->size && !make_room(flow, in.len))
        return false;
    memcpy(flow->octets + flow->at + flow->len, in.data, in.len);
    flow->len += in.len;
    return true;
}

struct bytes web_flow_bytes(const struct web_flow *flow)
{
    return flow->len == 0 ? bytes_empty() : bytes_of(flow->octets + flow->at, flow->len);
}

void web_flow_drop(struct web_flow *flow, size_t len)
{
    ASSERT(len <= flow->len);
    flow->at += len;
    flow->len -= len;
    if (flow->len == 0)
        web_flow_done(flow);
    if (flow->stopped && flow->len <= WEB_FLOW_LOW) {
        flow->stopped = false;
        if (flow->on_low != NULL)
            flow->on_low(flow);
    }
}

bool web_flow_full(struct web_flow *flow)
{
    flow->stopped |= flow->len >= WEB_FLOW_FULL;
    return flow->stopped;
}
