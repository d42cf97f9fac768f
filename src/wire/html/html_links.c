/* SPDX-License-Identifier: ISC */
/* html_links.c - tags and attributes (WHATWG HTML §13.2.5), and the links among them (§4). */
#include "wire/html/html_links.h"

#include "wire/html/css_links.h"

struct attribute {
    struct bytes name, value;
};

struct tag {
    struct bytes name;
    bool end; /* </x> */
    size_t count;
    struct attribute list[HTML_ATTRIBUTES_MAX];
};

struct scan {
    struct bytes in;
    size_t at;
    html_take_link *take;
    void *self;
};

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

static bool is_letter(uint8_t c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static bool is(struct bytes text, const char *name)
{
    return bytes_equal_nocase(text, bytes_of_text(name));
}

static bool begins(struct bytes text, const char *start)
{
    return is(bytes_first(text, strlen(start)), start);
}

/* ---- tags ---- */

static uint8_t peek(const struct scan *s)
{
    return s->at < s->in.len ? s->in.data[s->at] : 0;
}

static bool ended(const struct scan *s)
{
    return s->at >= s->in.len;
}

static struct bytes since(const struct scan *s, size_t start)
{
    return bytes_of(s->in.data + start, s->at - start);
}

static void skip_spaces(struct scan *s)
{
    while (!ended(s) && is_space(peek(s)))
        s->at++;
}

static struct bytes read_name(struct scan *s, bool attribute)
{
    size_t start = s->at;
    while (!ended(s) && !is_space(peek(s)) && peek(s) != '/' && peek(s) != '>' &&
           !(attribute && peek(s) == '=' && s->at > start))
        s->at++;
    return since(s, start);
}

static struct bytes read_value(struct scan *s)
{
    uint8_t quote = peek(s);
    if (quote == '"' || quote == '\'') {
        size_t start = ++s->at;
        while (!ended(s) && peek(s) != quote)
            s->at++;
        struct bytes value = since(s, start);
        s->at += !ended(s);
        return value;
    }
    size_t start = s->at;
    while (!ended(s) && !is_space(peek(s)) && peek(s) != '>')
        s->at++;
    return since(s, start);
}

static void add_attribute(struct tag *tag, struct bytes name, struct bytes value)
{
    for (size_t i = 0; i < tag->count; i++)
        if (bytes_equal_nocase(tag->list[i].name, name))
            return; /* the first counts */
    if (tag->count < HTML_ATTRIBUTES_MAX)
        tag->list[tag->count++] = (struct attribute){name, value};
}

/* Behind "<" or "</". False: the document ends in the midst of it, so that it is no tag. */
static bool read_tag(struct scan *s, struct tag *tag)
{
    tag->count = 0;
    tag->name = read_name(s, false);
    while (!ended(s)) {
        while (!ended(s) && (is_space(peek(s)) || peek(s) == '/'))
            s->at++;
        if (peek(s) == '>') {
            s->at++;
            return true;
        }
        struct bytes name = read_name(s, true);
        struct bytes value = bytes_empty();
        skip_spaces(s);
        if (peek(s) == '=') {
            s->at++;
            skip_spaces(s);
            value = read_value(s);
        }
        if (name.len > 0)
            add_attribute(tag, name, value);
    }
    return false;
}

static bool find(const struct tag *tag, const char *name, struct bytes *value)
{
    for (size_t i = 0; i < tag->count; i++)
        if (is(tag->list[i].name, name)) {
            *value = tag->list[i].value;
            return true;
        }
    return false;
}

/* ---- links of tags ---- */

static void tell(const struct scan *s, enum html_link_kind kind, struct bytes raw)
{
    struct html_link link = {kind, HTML_IN_ATTRIBUTE, raw};
    while (link.raw.len > 0 && is_space(link.raw.data[0]))
        link.raw = bytes_after(link.raw, 1);
    while (link.raw.len > 0 && is_space(link.raw.data[link.raw.len - 1]))
        link.raw = bytes_first(link.raw, link.raw.len - 1);
    s->take(s->self, &link);
}

/* §4.8.4.2.1: URLs with descriptors behind them, by commas. */
static void tell_srcset(const struct scan *s, struct bytes set)
{
    size_t at = 0;
    while (at < set.len) {
        while (at < set.len && (is_space(set.data[at]) || set.data[at] == ','))
            at++;
        size_t start = at;
        while (at < set.len && !is_space(set.data[at]))
            at++;
        struct bytes url = bytes_of(set.data + start, at - start);
        bool bare = url.len > 0 && url.data[url.len - 1] == ',';
        while (url.len > 0 && url.data[url.len - 1] == ',')
            url.len--;
        if (url.len > 0)
            tell(s, HTML_LINK_PART, url);
        unsigned depth = 0;
        for (; !bare && at < set.len && (depth > 0 || set.data[at] != ','); at++)
            depth += (set.data[at] == '(') - (set.data[at] == ')' && depth > 0);
    }
}

/* Is the word among those of the value? */
static bool has_word(struct bytes value, const char *word)
{
    size_t at = 0;
    while (at < value.len) {
        size_t start = at;
        while (at < value.len && !is_space(value.data[at]))
            at++;
        if (is(bytes_of(value.data + start, at - start), word))
            return true;
        at++;
    }
    return false;
}

static void tell_relation(const struct scan *s, const struct tag *tag, struct bytes href)
{
    static const char *const parts[] = {"stylesheet", "icon", "apple-touch-icon", "mask-icon",
                                        "preload", "modulepreload", "manifest"};
    static const char *const none[] = {"dns-prefetch", "preconnect"};
    struct bytes rel = bytes_empty();
    enum html_link_kind kind = HTML_LINK_PAGE;
    (void)find(tag, "rel", &rel);
    for (size_t i = 0; i < ARRAY_LEN(none); i++)
        if (has_word(rel, none[i]))
            return;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (has_word(rel, parts[i]))
            kind = HTML_LINK_PART;
    tell(s, kind, href);
}

/* "charset=x" within "text/html; charset=x". */
static void tell_charset(const struct scan *s, struct bytes content)
{
    for (size_t i = 0; i + 8 < content.len; i++)
        if (begins(bytes_after(content, i), "charset=")) {
            struct bytes name = bytes_after(content, i + 8);
            tell(s, HTML_LINK_CHARSET, bytes_first(name, bytes_find(name, ';')));
            return;
        }
}

/* "5; url=x" (§4.2.5.3) */
static void tell_refresh(const struct scan *s, struct bytes content)
{
    size_t at = bytes_find(content, ';');
    if (at == content.len)
        at = bytes_find(content, ',');
    content = text_trim(bytes_after(content, at + 1));
    if (!begins(content, "url"))
        return;
    content = text_trim(bytes_after(content, 3));
    if (content.len == 0 || content.data[0] != '=')
        return;
    content = text_trim(bytes_after(content, 1));
    if (content.len > 0 && (content.data[0] == '"' || content.data[0] == '\'')) {
        uint8_t quote = content.data[0];
        content = bytes_after(content, 1);
        content = bytes_first(content, bytes_find(content, (char)quote));
    }
    tell(s, HTML_LINK_PAGE, content);
}

static void tell_meta(const struct scan *s, const struct tag *tag)
{
    struct bytes value, content;
    if (find(tag, "charset", &value))
        tell(s, HTML_LINK_CHARSET, value);
    if (!find(tag, "http-equiv", &value) || !find(tag, "content", &content))
        return;
    if (is(value, "refresh"))
        tell_refresh(s, content);
    else if (is(value, "content-type"))
        tell_charset(s, content);
}

static const struct {
    const char *tag, *attribute;
    enum html_link_kind kind;
} plain[] = {
    {"a", "href", HTML_LINK_PAGE},       {"area", "href", HTML_LINK_PAGE},
    {"base", "href", HTML_LINK_BASE},    {"form", "action", HTML_LINK_FORM},
    {"img", "src", HTML_LINK_PART},      {"img", "longdesc", HTML_LINK_PAGE},
    {"script", "src", HTML_LINK_PART},   {"iframe", "src", HTML_LINK_PART},
    {"frame", "src", HTML_LINK_PART},    {"source", "src", HTML_LINK_PART},
    {"video", "src", HTML_LINK_PART},    {"video", "poster", HTML_LINK_PART},
    {"audio", "src", HTML_LINK_PART},    {"track", "src", HTML_LINK_PART},
    {"embed", "src", HTML_LINK_PART},    {"object", "data", HTML_LINK_PART},
    {"input", "src", HTML_LINK_PART},    {"input", "formaction", HTML_LINK_FORM},
    {"button", "formaction", HTML_LINK_FORM},
    {"body", "background", HTML_LINK_PART},  {"table", "background", HTML_LINK_PART},
    {"td", "background", HTML_LINK_PART},    {"th", "background", HTML_LINK_PART},
    {"image", "href", HTML_LINK_PART},       {"image", "xlink:href", HTML_LINK_PART},
};

static void tell_tag(const struct scan *s, const struct tag *tag)
{
    struct bytes value;
    for (size_t i = 0; i < ARRAY_LEN(plain); i++)
        if (is(tag->name, plain[i].tag) && find(tag, plain[i].attribute, &value))
            tell(s, plain[i].kind, value);
    if ((is(tag->name, "img") || is(tag->name, "source")) && find(tag, "srcset", &value))
        tell_srcset(s, value);
    if (is(tag->name, "link") && find(tag, "imagesrcset", &value))
        tell_srcset(s, value);
    if (is(tag->name, "link") && find(tag, "href", &value))
        tell_relation(s, tag, value);
    if (is(tag->name, "meta"))
        tell_meta(s, tag);
    if (find(tag, "style", &value))
        css_scan(value, HTML_IN_STYLE_ATTRIBUTE, s->take, s->self);
}

/* ---- the document ---- */

/* Behind the text of an element that has no tags inside: its end tag is found next. */
static struct bytes read_raw(struct scan *s, struct bytes name)
{
    size_t start = s->at;
    for (; !ended(s); s->at++) {
        struct bytes rest = bytes_after(s->in, s->at);
        if (rest.data[0] != '<' || rest.len < name.len + 2 || rest.data[1] != '/' ||
            !bytes_equal_nocase(bytes_first(bytes_after(rest, 2), name.len), name))
            continue;
        uint8_t after = rest.len > name.len + 2 ? rest.data[name.len + 2] : '>';
        if (is_space(after) || after == '/' || after == '>')
            break;
    }
    return since(s, start);
}

static void read_content(struct scan *s, const struct tag *tag)
{
    static const char *const raw[] = {"script", "style", "title", "textarea", "xmp", "iframe",
                                      "noembed", "noframes"};
    if (is(tag->name, "plaintext"))
        s->at = s->in.len;
    for (size_t i = 0; i < ARRAY_LEN(raw); i++) {
        if (!is(tag->name, raw[i]))
            continue;
        struct bytes content = read_raw(s, tag->name);
        if (is(tag->name, "style"))
            css_scan(content, HTML_IN_STYLE, s->take, s->self);
        return;
    }
}

/* Behind "<!--": "-->" and "--!>" end it, and so does ">" at once (§13.2.5.43). */
static void skip_comment(struct scan *s)
{
    struct bytes rest = bytes_after(s->in, s->at);
    if (begins(rest, ">") || begins(rest, "->")) {
        s->at += rest.data[0] == '>' ? 1 : 2;
        return;
    }
    for (; !ended(s); s->at++) {
        rest = bytes_after(s->in, s->at);
        size_t len = begins(rest, "-->") ? 3 : begins(rest, "--!>") ? 4 : 0;
        if (len > 0) {
            s->at += len;
            return;
        }
    }
}

static void skip_bogus(struct scan *s)
{
    while (!ended(s) && peek(s) != '>')
        s->at++;
    s->at += !ended(s);
}

static void read_markup(struct scan *s)
{
    struct tag tag;
    struct bytes rest = bytes_after(s->in, s->at);
    uint8_t first = rest.len > 1 ? rest.data[1] : 0;
    uint8_t second = rest.len > 2 ? rest.data[2] : 0;
    if (begins(rest, "<!--")) {
        s->at += 4;
        skip_comment(s);
    } else if (is_letter(first)) {
        s->at++;
        if (read_tag(s, &tag)) {
            tell_tag(s, &tag);
            read_content(s, &tag);
        }
    } else if (first == '/' && is_letter(second)) {
        s->at += 2;
        (void)read_tag(s, &tag);
    } else if (first == '!' || first == '?' || (first == '/' && rest.len > 2)) {
        s->at += 2;
        skip_bogus(s);
    } else {
        s->at++;
    }
}

void html_each_link(struct bytes document, html_take_link *take, void *self)
{
    struct scan s = {document, 0, take, self};
    while (!ended(&s)) {
        s.at += bytes_find(bytes_after(s.in, s.at), '<');
        if (!ended(&s))
            read_markup(&s);
    }
}
