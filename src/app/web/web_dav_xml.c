/* SPDX-License-Identifier: ISC */
/*
 * web_dav_xml.c - bodies of PROPFIND, PROPPATCH and LOCK (RFC 4918 §14.20, §14.19, §14.11), by expat. A document type is
 * refused, and with it every entity of one's own (§20.6).
 *
 * SKIPS RFC 4918 §4.3 (xml:lang of a property): no client that we know of sets it.
 */
#include <expat.h>
#include <stdlib.h>

#include "app/web/web_dav.h"

enum { DEPTH_MAX = 64, SEPARATOR = '\n' };

struct parse {
    struct dav_body *body;
    XML_Parser parser;
    enum dav_body_kind kind;
    bool removing;
    bool in_prop;      /* within DAV:prop; of LOCK, DAV:owner is like a property */
    bool failed;
    unsigned depth;
    size_t offsets[DAV_PROPS_MAX][3]; /* of namespace, name and value in the text: it moves as it grows */
};

static void fail(struct parse *p)
{
    p->failed = true;
    (void)XML_StopParser(p->parser, XML_FALSE);
}

/* As it will be read again: also where line ends and tabs would become something else. */
static void put_escaped(struct page_text *text, struct bytes in)
{
    for (size_t i = 0; i < in.len; i++) {
        uint8_t c = in.data[i];
        if (c < 0x20 || c == 0x7f || c == '&' || c == '<' || c == '>' || c == '"')
            page_add_format(text, "&#%u;", c);
        else
            page_add_bytes(text, bytes_of(&in.data[i], 1));
    }
}

/* "namespace\nname", or "name". */
static struct bytes split(const char *name, struct bytes *local)
{
    struct bytes all = bytes_of_text(name);
    size_t end = bytes_find(all, SEPARATOR);
    *local = end < all.len ? bytes_after(all, end + 1) : all;
    return end < all.len ? bytes_first(all, end) : bytes_empty();
}

static bool is_dav(const char *name, const char *local)
{
    struct bytes rest;
    struct bytes space = split(name, &rest);
    return bytes_equal(space, bytes_of_text("DAV:")) && bytes_equal(rest, bytes_of_text(local));
}

static size_t put_text(struct parse *p, struct bytes text)
{
    size_t at = p->body->text.len;
    page_add_bytes(&p->body->text, text);
    page_add_bytes(&p->body->text, bytes_of("", 1));
    return at;
}

static void begin_prop(struct parse *p, const char *name)
{
    struct bytes local;
    struct bytes space = split(name, &local);
    size_t i = p->body->count;
    bool good = i < DAV_PROPS_MAX && local.len > 0;
    for (size_t k = 0; k < space.len; k++)
        good &= space.data[k] > 0x20 && space.data[k] != 0x7f; /* no URI has such, and a line of ours is to be one */
    for (size_t k = 0; k < local.len; k++)
        good &= local.data[k] > 0x20 && local.data[k] != 0x7f;
    if (!good) {
        fail(p);
        return;
    }
    p->body->props[i] = (struct dav_prop){.removed = p->removing};
    p->offsets[i][0] = put_text(p, space);
    p->offsets[i][1] = put_text(p, local);
    p->offsets[i][2] = p->body->text.len;
    p->body->count++;
}

static void put_attribute(struct page_text *text, const char *name, const char *value, unsigned number)
{
    struct bytes local;
    struct bytes space = split(name, &local);
    page_add(text, " ");
    if (space.len > 0) {
        page_add_format(text, "xmlns:a%u=\"", number);
        put_escaped(text, space);
        page_add_format(text, "\" a%u:", number);
    }
    page_add_bytes(text, local);
    page_add(text, "=\"");
    put_escaped(text, bytes_of_text(value));
    page_add(text, "\"");
}

/* An element within a value: each says its namespace, so that it means the same wherever it stands. */
static void put_element(struct parse *p, const char *name, const char **attributes)
{
    struct page_text *text = &p->body->text;
    struct bytes local;
    struct bytes space = split(name, &local);
    page_add(text, "<");
    page_add_bytes(text, local);
    page_add(text, " xmlns=\"");
    put_escaped(text, space);
    page_add(text, "\"");
    for (unsigned i = 0; attributes[i] != NULL; i += 2)
        if (strncmp(attributes[i], "http://www.w3.org/XML/1998/namespace", 36) != 0)
            put_attribute(text, attributes[i], attributes[i + 1], i);
    page_add(text, ">");
}

/* The depth at which properties stand, and owners of locks. */
static unsigned prop_depth(const struct parse *p)
{
    static const unsigned depths[] = {
        [DAV_BODY_FIND] = 3, [DAV_BODY_PATCH] = 4, [DAV_BODY_LOCK] = 2};
    return depths[p->kind];
}

static bool has_values(const struct parse *p)
{
    return p->kind != DAV_BODY_FIND;
}

static void on_outer(struct parse *p, const char *name)
{
    static const char *const roots[] = {[DAV_BODY_FIND] = "propfind",
                                        [DAV_BODY_PATCH] = "propertyupdate",
                                        [DAV_BODY_LOCK] = "lockinfo"};
    struct dav_body *body = p->body;
    if (p->depth == 1) {
        if (!is_dav(name, roots[p->kind]))
            fail(p);
    } else if (p->kind == DAV_BODY_PATCH && p->depth == 2) {
        p->removing = is_dav(name, "remove");
        p->in_prop = false;
    } else if (p->depth == prop_depth(p) - 1) {
        p->in_prop = is_dav(name, "prop");
        if (p->kind == DAV_BODY_PATCH)
            return;
        if (p->in_prop)
            body->find = DAV_FIND_THESE;
        else if (is_dav(name, "propname"))
            body->find = DAV_FIND_NAMES;
    }
}

/* §14.11: lockscope, locktype and owner. */
static void on_lock(struct parse *p, const char *name, const char **attributes)
{
    struct dav_body *body = p->body;
    if (p->depth == 2) {
        p->in_prop = is_dav(name, "owner");
        if (p->in_prop)
            begin_prop(p, name);
    } else if (p->in_prop) {
        put_element(p, name, attributes);
    } else if (p->depth == 3) {
        body->exclusive |= is_dav(name, "exclusive");
        body->shared |= is_dav(name, "shared");
        body->write |= is_dav(name, "write");
    }
}

static void on_start(void *self, const char *name, const char **attributes)
{
    struct parse *p = self;
    if (++p->depth > DEPTH_MAX)
        fail(p);
    else if (p->depth < prop_depth(p))
        on_outer(p, name);
    else if (p->kind == DAV_BODY_LOCK)
        on_lock(p, name, attributes);
    else if (p->in_prop && p->depth == prop_depth(p))
        begin_prop(p, name);
    else if (p->in_prop && has_values(p))
        put_element(p, name, attributes);
}

static void on_end(void *self, const char *name)
{
    struct parse *p = self;
    struct bytes local;
    (void)split(name, &local);
    if (p->in_prop && p->depth == prop_depth(p)) {
        page_add_bytes(&p->body->text, bytes_of("", 1));
        p->in_prop = p->kind != DAV_BODY_LOCK;
    } else if (p->in_prop && has_values(p) && p->depth > prop_depth(p)) {
        page_add(&p->body->text, "</");
        page_add_bytes(&p->body->text, local);
        page_add(&p->body->text, ">");
    }
    p->depth--;
}

static void on_text(void *self, const char *data, int len)
{
    struct parse *p = self;
    if (p->in_prop && has_values(p) && p->depth >= prop_depth(p))
        put_escaped(&p->body->text, bytes_of(data, (size_t)len));
}

static void on_doctype(void *self, const char *name UNUSED, const char *system UNUSED,
                       const char *public UNUSED, int internal UNUSED)
{
    fail(self);
}

unsigned dav_body_parse(struct bytes in, enum dav_body_kind kind, struct dav_body *out)
{
    *out = (struct dav_body){.find = DAV_FIND_ALL};
    if (in.len == 0)
        return kind == DAV_BODY_FIND ? 0 : 400; /* §9.1: no body is allprop */
    struct parse *p = calloc(1, sizeof *p);
    XML_Parser parser = XML_ParserCreateNS(NULL, SEPARATOR);
    unsigned status = 503;
    if (p != NULL && parser != NULL) {
        p->body = out;
        p->parser = parser;
        p->kind = kind;
        XML_SetUserData(parser, p);
        XML_SetElementHandler(parser, on_start, on_end);
        XML_SetCharacterDataHandler(parser, on_text);
        XML_SetStartDoctypeDeclHandler(parser, on_doctype);
        bool good = XML_Parse(parser, (const char *)in.data, (int)in.len, XML_TRUE) == XML_STATUS_OK;
        status = !good || p->failed ? 400 : out->text.failed ? 503 : 0;
        for (size_t i = 0; i < out->count && status == 0; i++) {
            out->props[i].space = out->text.data + p->offsets[i][0];
            out->props[i].name = out->text.data + p->offsets[i][1];
            out->props[i].value = out->text.data + p->offsets[i][2];
        }
    }
    if (parser != NULL)
        XML_ParserFree(parser);
    free(p);
    return status;
}

void dav_body_done(struct dav_body *body)
{
    page_done(&body->text);
}
