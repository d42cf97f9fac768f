/* SPDX-License-Identifier: ISC */
/* Links in HTML and CSS: which there are, where they stand, what is meant, and how another is written there. */
#include "tests/support/check.h"

#include <stdio.h>

#include "wire/html/html_links.h"

static char told[2048];

static void note(void *self UNUSED, const struct html_link *link)
{
    static const char kinds[] = {'g', 'p', 'f', 'b', 'c'};
    char text[1024];
    struct text t = text_of(text, sizeof text);
    assert_true(html_link_decode(link, &t));
    size_t len = strlen(told);
    snprintf(told + len, sizeof told - len, "%c %s;", kinds[link->kind], text);
}

static const struct {
    const char *name, *document, *links;
} documents[] = {
    {"an anchor", "<a href=\"x\">", "g x;"},
    {"in any case", "<A HREF='x'>", "g x;"},
    {"without quotes", "<a href=x/y>", "g x/y;"},
    {"with spaces around", "<a href = \" x \">", "g x;"},
    {"a greater-than sign in a value", "<a title='>' href=x>", "g x;"},
    {"the first of two", "<a href=x href=y>", "g x;"},
    {"an attribute without a value", "<a download href=x>", "g x;"},
    {"a slash between", "<a/href=x>", "g x;"},
    {"what is no tag", "a < b <a href=x> <3 <>", "g x;"},
    {"an end tag has no links", "</a href=x><a href=y>", "g y;"},
    {"a tag that is cut", "<a href=x", ""},
    {"a quote that is not closed", "<a href=\"x><a href=y>", ""},
    {"a comment", "<!-- <a href=x> --><a href=y>", "g y;"},
    {"an empty comment", "<!--><a href=y><!---><a href=z>", "g y;g z;"},
    {"a comment ended by --!>", "<!-- <a href=x> --!><a href=y>", "g y;"},
    {"a declaration", "<!doctype html><?xml <a href=x>?><a href=y>", "g y;"},
    {"a script", "<script src=s>'<a href=x>'</script ><a href=y>", "p s;g y;"},
    {"a text", "<title><a href=x></title><textarea><a href=x></TEXTAREA><a href=y>", "g y;"},
    {"a script that does not end", "<script><a href=x></scripty>", ""},
    {"references", "<a href='x?a=1&amp;b=&#50;&#x33;&c=4&copy=5'>", "g x?a=1&b=23&c=4&copy=5;"},
    {"a line end within", "<a href='x\ny\t'>", "g xy;"},
    {"images", "<img src=a srcset='b 1x, c 2x,d,e 3x'>", "p a;p b;p c;p d,e;"},
    {"an image set whose URLs have commas", "<img srcset='a,b 1x, c (x,y) , d'>", "p a,b;p c;p d;"},
    {"styles", "<link rel=stylesheet href=a><link rel='shortcut icon' href=b><link rel=next href=c>"
               "<link rel=preconnect href=d>",
     "p a;p b;g c;"},
    {"frames and media", "<iframe src=a></iframe><video src=b poster=c><source src=d><object data=e>",
     "p a;p b;p c;p d;p e;"},
    {"a base", "<base href=x><base target=y>", "b x;"},
    {"a form", "<form action=x><button formaction=y>", "f x;f y;"},
    {"a refresh", "<meta http-equiv=refresh content='5; url=x'><meta http-equiv=Refresh content=\"0;URL='y'\">",
     "g x;g y;"},
    {"a refresh of the page itself", "<meta http-equiv=refresh content=5>", ""},
    {"a charset", "<meta charset=latin1><meta http-equiv=content-type content='text/html; charset=utf-8'>",
     "c latin1;c utf-8;"},
    {"a style attribute", "<p style=\"a: url(x); b: url('y'); c: url(&quot;z&quot;)\">", "p x;p y;p z;"},
    {"a style element", "<style>@import 'a'; b { c: url( d ) } /* url(e) */ f { content: 'url(g)' }</style>",
     "p a;p d;"},
    {"nothing", "", ""},
};

static void links_of_documents(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
        told[0] = '\0';
        html_each_link(bytes_of_text(documents[i].document), note, NULL);
        if (strcmp(told, documents[i].links) != 0)
            fail_msg("%s: %s, not %s", documents[i].name, told, documents[i].links);
    }
}

static const struct {
    const char *sheet, *links;
} sheets[] = {
    {"a { b: url(x) }", "p x;"},
    {"a { b: URL( \"x y\" ) }", "p x y;"},
    {"@import url(x); @import \"y\" screen; @IMPORT'z';", "p x;p y;p z;"},
    {"a { b: url(x\\20y) url(x\\)y) }", "p x y;p x)y;"},
    {"a { b: curl(x) \\url(x) }", ""},
    {"/* url(x) */ a { b: \"url(y)\" }", ""},
    {"/* url(x)", ""},
    {"a { b: url(x", "p x;"},
    {"a { b: url() }", ""},
    {"a { b: url('x\ny') url(z) }", "p z;"},
};

static void links_of_sheets(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(sheets); i++) {
        told[0] = '\0';
        css_each_link(bytes_of_text(sheets[i].sheet), note, NULL);
        if (strcmp(told, sheets[i].links) != 0)
            fail_msg("%s: %s, not %s", sheets[i].sheet, told, sheets[i].links);
    }
}

/* What is written in a place is read there again. */
static const char *written;

static void replace(void *self, const struct html_link *link)
{
    html_link_encode(link, bytes_of_text(written), self);
}

static void what_is_written_is_read(void **state UNUSED)
{
    static const struct {
        const char *before, *after;
        bool css;
    } around[] = {
        {"<a href=\"", "\">", false},     {"<a href='", "'>", false},
        {"<a href=", ">", false},         {"<p style=\"a: url(", ")\">", false},
        {"<p style='a: url(\"", "\")'>", false}, {"<style>a { b: url('", "') }</style>", false},
        {"a { b: url(", ") }", true},     {"<img srcset='", " 1x'>", false},
    };
    static const char *const urls[] = {"x", "a/b?c=d&e=f", "x%27y", "../%3Fx#y&amp;z"};
    for (size_t i = 0; i < ARRAY_LEN(around); i++)
        for (size_t j = 0; j < ARRAY_LEN(urls); j++) {
            char document[256], text[128], want[128];
            struct text t = text_of(text, sizeof text);
            void (*each)(struct bytes, html_take_link *, void *) =
                around[i].css ? css_each_link : html_each_link;
            written = urls[j];
            snprintf(document, sizeof document, "%so%s", around[i].before, around[i].after);
            each(bytes_of_text(document), replace, &t);
            snprintf(document, sizeof document, "%s%s%s", around[i].before, text, around[i].after);
            told[0] = '\0';
            each(bytes_of_text(document), note, NULL);
            snprintf(want, sizeof want, " %s;", urls[j]);
            if (told[0] == '\0' || strcmp(told + 1, want) != 0)
                fail_msg("%s: %s", document, told);
        }
}

static void what_could_end_the_place_is_encoded(void **state UNUSED)
{
    struct html_link link = {HTML_LINK_PART, HTML_IN_STYLE, bytes_empty()};
    char text[128];
    struct text t = text_of(text, sizeof text);
    html_link_encode(&link, bytes_of_text("a)b'c\"d e"), &t);
    assert_string_equal(text, "a%29b%27c%22d%20e");
    link.place = HTML_IN_ATTRIBUTE;
    t = text_of(text, sizeof text);
    html_link_encode(&link, bytes_of_text("a'b\"c>d&e"), &t);
    assert_string_equal(text, "a&#39;b%22c%3Ed&amp;e");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_of_documents),
        cmocka_unit_test(links_of_sheets),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(what_could_end_the_place_is_encoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
