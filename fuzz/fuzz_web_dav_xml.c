/* SPDX-License-Identifier: ISC */
/*
 * fuzz_web_dav_xml.c - bodies of PROPFIND, PROPPATCH and LOCK. What was taken of a value is XML that is taken again, and
 * then is the same.
 */
#include <stdio.h>
#include <stdlib.h>

#include "app/web/web_dav.h"
#include "fuzz/fuzz.h"

static void check_again(const struct dav_prop *prop)
{
    static struct dav_body again;
    struct page_text text = {0};
    page_add(&text, "<D:propertyupdate xmlns:D=\"DAV:\"><D:set><D:prop><p xmlns=\"");
    page_add_text(&text, prop->space);
    page_add(&text, "\">");
    page_add(&text, prop->value);
    page_add(&text, "</p></D:prop></D:set></D:propertyupdate>");
    ASSERT(!text.failed);
    unsigned status = dav_body_parse(page_bytes(&text), DAV_BODY_PATCH, &again);
    ASSERT(status == 0 && again.count == 1);
    ASSERT(strcmp(again.props[0].value, prop->value) == 0);
    ASSERT(strcmp(again.props[0].space, prop->space) == 0);
    dav_body_done(&again);
    page_done(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct dav_body body;
    if (len > DAV_BODY_MAX)
        return 0;
    static const enum dav_body_kind kinds[] = {DAV_BODY_FIND, DAV_BODY_PATCH, DAV_BODY_LOCK};
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        if (dav_body_parse(bytes_of(data, len), kinds[k], &body) == 0) {
            ASSERT(body.count <= DAV_PROPS_MAX);
            for (size_t i = 0; i < body.count; i++) {
                ASSERT(body.props[i].name[0] != '\0' && strchr(body.props[i].name, '\n') == NULL);
                if (kinds[k] != DAV_BODY_FIND)
                    check_again(&body.props[i]);
            }
        }
        dav_body_done(&body);
    }
    return 0;
}
