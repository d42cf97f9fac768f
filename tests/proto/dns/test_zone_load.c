/* SPDX-License-Identifier: ISC */
/* test_zone_load.c - zones from master files, and what is said of those that do not hold together. */
#include "proto/dns/zone_load.h"

#include "proto/dns/zone_check.h"
#include "tests/support/check.h"
#include "tests/support/dns_text.h"

/* Files by name; "deep" includes itself. */
static const struct {
    const char *path;
    const char *text;
} files[] = {
    {"dir/part", "in A 192.0.2.77\n$INCLUDE more\n"},
    {"dir/more", "more A 192.0.2.78\n"},
    {"dir/wrong", "x A 192.0.2.1\ny A 192.0.2.256\n"},
    {"dir/deep", "$INCLUDE deep\n"},
};

static size_t open_files;

static const char *open_file(void *self, const char *path, struct bytes *out)
{
    const char *text = strcmp(path, "dir/example.zone") == 0 ? self : NULL;
    for (size_t i = 0; i < ARRAY_LEN(files) && text == NULL; i++)
        if (strcmp(path, files[i].path) == 0)
            text = files[i].text;
    if (text == NULL)
        return "No such file or directory";
    size_t len = strlen(text);
    *out = (struct bytes){exact_copy(text, len), len};
    open_files++;
    return NULL;
}

static void close_file(void *self UNUSED, struct bytes text)
{
    free((void *)(uintptr_t)text.data);
    open_files--;
}

static char said[4000];

static void note(void *self UNUSED, const char *text)
{
    size_t len = strlen(said);
    struct text t = text_of(said + len, sizeof said - len);
    text_add_format(&t, "%s\n", text);
}

#define HEAD "$TTL 60\n@ SOA ns h 7 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n"

/* The zone, or NULL with the error in `said`. */
static struct zone *load(const struct heap *heap, const char *text, size_t slice)
{
    struct dns_name name = dns_text_name("example");
    union {
        const char *in;
        void *out;
    } self = {text};
    const struct zone_load_options options = {
        .heap = *heap,
        .files = {open_file, close_file, self.out},
        .path = "dir/example.zone",
        .name = &name,
        .records_max = 100,
        .on_warning = note,
    };
    said[0] = '\0';
    struct zone_load *zone_load = zone_load_new(&options);
    if (zone_load == NULL)
        return NULL;
    enum zone_load_status status;
    while ((status = zone_load_step(zone_load, slice)) == ZONE_LOAD_MORE)
        continue;
    struct zone *zone = status == ZONE_LOAD_DONE ? zone_load_take(zone_load) : NULL;
    if (zone == NULL)
        note(NULL, zone_load_error(zone_load));
    assert_int_equal(zone_load_step(zone_load, 0), zone == NULL ? ZONE_LOAD_FAILED : ZONE_LOAD_MORE);
    zone_load_free(zone_load);
    assert_int_equal(open_files, 0);
    return zone;
}

static void loads_in_slices_of_any_size(void **state UNUSED)
{
    static const char text[] = HEAD "$INCLUDE part sub\nlast A 192.0.2.9\n";
    for (size_t slice = 1; slice < 12; slice++) {
        struct counting_heap counts = {0};
        struct heap heap = counting_heap(&counts);
        struct zone *zone = load(&heap, text, slice);
        if (zone == NULL)
            fail_msg("%s", said);
        assert_string_equal(said, "");
        assert_int_equal(zone->record_count, 6);
        assert_int_equal(zone_serial(zone), 7);
        static const char *const names[] = {"in.sub.example", "more.sub.example", "last.example"};
        for (size_t i = 0; i < ARRAY_LEN(names); i++) {
            struct dns_name name = dns_text_name(names[i]);
            struct zone_match match;
            zone_find_in(zone, &name, &match);
            CHECK(names[i], match.node != NULL);
        }
        zone_free(zone);
        assert_int_equal(counts.blocks, 0);
    }
}

/* Each of them is also an error to named-checkzone, if it says "no". */
static const struct {
    const char *name;
    const char *text;
    bool good;
    const char *want; /* is in what is said */
} cases[] = {
    {"nothing at all", "", false, "dir/example.zone: example.: the zone has no SOA record"},
    {"no SOA", "$TTL 60\n@ NS ns\nns A 192.0.2.1\n", false, "the zone has no SOA record"},
    {"no NS", "$TTL 60\n@ SOA ns h 1 2 3 4 5\n", false, "the zone has no NS record"},
    {"no address of its own server", "$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns\n", false,
     "example. NS ns.example.: that name has no address"},
    {"a server elsewhere", "$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns.other.\n", true, NULL},
    {"a server that is an alias", "$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns\nns CNAME a\na A 192.0.2.1\n",
     false, "example. NS ns.example.: that name is an alias"},
    {"a server below a DNAME", HEAD "@ DNAME other.\n", false, "that name is below a DNAME"},
    {"a syntax error", HEAD "a A 300.1.1.1\n", false,
     "dir/example.zone:5:5: not an IPv4 address: \"300.1.1.1\""},
    {"an error in an included file", HEAD "$INCLUDE wrong\n", false,
     "dir/wrong:2:5: not an IPv4 address: \"192.0.2.256\""},
    {"a file that is not there", HEAD "$INCLUDE nowhere\n", false,
     "dir/example.zone:5: $INCLUDE nowhere: No such file or directory"},
    {"files that include each other", HEAD "$INCLUDE deep\n", false,
     "files include each other too deeply"},
    {"a CNAME and other data", HEAD "a CNAME b\na A 192.0.2.1\n", false,
     "dir/example.zone:6: a.example. A: a CNAME must be the only record of its name"},
    {"two CNAMEs", HEAD "a CNAME b\na CNAME c\n", false, "dir/example.zone:6:"},
    {"a CNAME at the apex", HEAD "@ CNAME b\n", false, "dir/example.zone:5:"},
    {"two SOAs", HEAD "@ SOA ns h 8 2 3 4 5\n", false, "dir/example.zone:5:"},
    {"a SOA below the apex", HEAD "a SOA ns h 8 2 3 4 5\n", false, "dir/example.zone:5:"},
    {"two DNAMEs", HEAD "a DNAME b.\na DNAME c.\n", false, "dir/example.zone:6:"},
    {"another class", HEAD "a CH A 192.0.2.1\n", false, "expected class IN"},
    {"a delegated wildcard", HEAD "*.w NS ns\n", false, "*.w.example. NS: a wildcard cannot be"},
    {"a DS digest of the wrong length", HEAD "d NS ns\nd DS 1 8 2 aabb\n", false, "the digest has not"},
    {"a third record twice", HEAD "ns A 192.0.2.1\n", true, NULL},
    /* warnings */
    {"what is not of the zone", HEAD "other. A 192.0.2.1\n", true,
     "dir/example.zone:5: other.: not in this zone; ignored"},
    {"another TTL in a set", HEAD "a 60 A 192.0.2.1\na 61 A 192.0.2.2\na 60 TXT x\n", true,
     "dir/example.zone:6: a.example.: its TTL is not that of the records before it"},
    {"another TTL of another type", HEAD "a 60 A 192.0.2.1\na 61 TXT x\n", true, NULL},
    {"no glue", HEAD "d NS ns.d\n", true, "d.example. NS ns.d.example.: that name needs an address"},
    {"glue that is not needed here", HEAD "d NS ns.e\ne NS ns\n", true, NULL},
    {"a delegation to an alias", HEAD "e NS al\nal CNAME ns\n", true, "that name is an alias"},
    {"a delegation to nobody", HEAD "f NS nope\n", true, "f.example. NS nope.example.: that name has no"},
    {"a server that looks like an address", HEAD "x NS 192.0.2.1.\n", true, "an address where a name"},
    {"mail to an alias", HEAD "a MX 1 al\nal CNAME ns\n", true, "a.example. MX al.example.: that name is an"},
    {"mail to nobody", HEAD "a MX 1 nope\n", true, "that name has no address"},
    {"mail to a wildcard", HEAD "a MX 1 x.w\n*.w A 192.0.2.1\n", true, NULL},
    {"no mail", HEAD "a MX 0 .\n", true, NULL},
    {"a service at nobody's", HEAD "_s._tcp SRV 1 1 1 nope\n", true, "that name has no address"},
    {"a host with an underscore", HEAD "a_b A 192.0.2.1\n", true, "a_b.example. A: not the name of a host"},
    {"a wildcard host", HEAD "*.w A 192.0.2.1\n", true, NULL},
    {"a wildcard in the middle", HEAD "x.*.y TXT a\n", true, "is no wildcard"},
    {"data below a delegation", HEAD "d NS ns\nx.d TXT a\n", true, "x.d.example. TXT: nobody will see that"},
    {"data below a DNAME", HEAD "d DNAME other.\nx.d A 192.0.2.1\n", true, "it is below a DNAME"},
    {"a DS without a delegation", HEAD "d DS 1 8 1 aabbccddaabbccddaabbccddaabbccddaabbccdd\n", true,
     "there is no delegation here"},
    {"SPF alone", HEAD "a SPF \"v=spf1\"\n", true, "it is a TXT record now"},
    {"too many iterations", HEAD "@ NSEC3PARAM 1 0 151 aabb\n", false, "more than 150 iterations"},
};

static void says_what_is_wrong(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct counting_heap counts = {0};
        struct heap heap = counting_heap(&counts);
        struct zone *zone = load(&heap, cases[i].text, 1000);
        if ((zone != NULL) != cases[i].good)
            fail_msg("%s: %s: %s", cases[i].name, zone != NULL ? "taken" : "refused", said);
        if (cases[i].want == NULL && said[0] != '\0')
            fail_msg("%s: nothing was to be said: %s", cases[i].name, said);
        if (cases[i].want != NULL && strstr(said, cases[i].want) == NULL)
            fail_msg("%s: \"%s\" is not in: %s", cases[i].name, cases[i].want, said);
        zone_free(zone);
        assert_int_equal(counts.blocks, 0);
    }
}

static void is_bounded(void **state UNUSED)
{
    struct counting_heap counts = {0};
    struct heap heap = counting_heap(&counts);
    assert_null(load(&heap, HEAD "$GENERATE 1-98 h$ A 192.0.2.1\n", 7));
    assert_non_null(strstr(said, "too many records"));
    /* Warnings too. */
    struct zone *zone = load(&heap, HEAD "$GENERATE 1-50 h$.other. A 192.0.2.1\n", 7);
    assert_non_null(zone);
    size_t lines = 0;
    for (const char *c = said; *c != '\0'; c++)
        lines += *c == '\n';
    assert_int_equal(lines, ZONE_LOAD_WARNINGS_MAX);
    zone_free(zone);
    assert_int_equal(counts.blocks, 0);
}

static void survives_without_memory(void **state UNUSED)
{
    for (size_t fail_at = 1; fail_at < 40; fail_at++) {
        struct counting_heap counts = {.fail_at = fail_at};
        struct heap heap = counting_heap(&counts);
        zone_free(load(&heap, HEAD "a.b.c A 192.0.2.1\n", 1000));
        assert_int_equal(counts.blocks, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loads_in_slices_of_any_size),
        cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(is_bounded),
        cmocka_unit_test(survives_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
