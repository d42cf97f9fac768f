/* SPDX-License-Identifier: ISC */
/* test_dns_master.c - zones as text: what comes out, and where it says that something is wrong. */
#include "wire/dns/dns_master.h"
#include "tests/support/check.h"

/* All that the file says, a line each: records, "include FILE ORIGIN", "LINE:COLUMN: error". */
static void read_all(const char *file, char *out, size_t size)
{
    static uint8_t buffer[DNS_RDATA_MAX];
    static struct dns_master_item item;
    struct dns_name origin;
    char name[DNS_NAME_TEXT_MAX];
    struct text t = text_of(out, size);
    assert_true(dns_name_parse(bytes_of_text("home.arpa"), NULL, &origin));
    size_t len = strlen(file);
    uint8_t *copy = exact_copy(file, len);
    struct dns_master m;
    dns_master_start(&m, bytes_of(copy, len), &origin);
    for (;;) {
        struct writer w = writer_of(buffer, sizeof buffer);
        enum dns_master_kind kind = dns_master_next(&m, &w, &item);
        if (kind == DNS_MASTER_RECORD)
            dns_record_format(&item.record, &t);
        else if (kind == DNS_MASTER_INCLUDE)
            text_add_format(&t, "include %s %s", item.file, dns_name_format(&item.origin, name));
        else if (kind == DNS_MASTER_ERROR)
            text_add_format(&t, "%u:%u: %s", item.line, item.column, item.error);
        if (kind == DNS_MASTER_END)
            break;
        text_add(&t, "\n");
        if (kind == DNS_MASTER_ERROR)
            break;
    }
    assert_false(t.failed);
    free(copy);
}

static const struct {
    const char *name;
    const char *in;
    const char *want;
} cases[] = {
    {"nothing", "", ""},
    {"blank lines and comments", "\n  \n; $TTL \"(\n\t; x\n", ""},
    {"the example of RFC 1035 §5.3",
     "@   IN  SOA     VENERA      Action\\.domains (\n"
     "                                 20     ; SERIAL\n"
     "                                 7200   ; REFRESH\n"
     "                                 600    ; RETRY\n"
     "                                 3600000; EXPIRE\n"
     "                                 60)    ; MINIMUM\n\n"
     "        NS      A.ISI.EDU.\n"
     "        MX      10      VENERA\n"
     "VENERA  A       10.1.0.52\n",
     "home.arpa. 60 IN SOA VENERA.home.arpa. Action\\.domains.home.arpa. 20 7200 600 3600000 60\n"
     "home.arpa. 60 IN NS A.ISI.EDU.\n"
     "home.arpa. 60 IN MX 10 VENERA.home.arpa.\n"
     "VENERA.home.arpa. 60 IN A 10.1.0.52\n"},
    {"$TTL rules over what was stated before", "a 5 A 1.2.3.4\nb A 1.2.3.4\n$TTL 1h\nc A 1.2.3.4\n"
     "d 7 A 1.2.3.4\ne A 1.2.3.4",
     "a.home.arpa. 5 IN A 1.2.3.4\nb.home.arpa. 5 IN A 1.2.3.4\nc.home.arpa. 3600 IN A 1.2.3.4\n"
     "d.home.arpa. 7 IN A 1.2.3.4\ne.home.arpa. 3600 IN A 1.2.3.4\n"},
    {"without $TTL the last stated one goes on", "a 5 A 1.2.3.4\nb 6 A 1.2.3.4\nc A 1.2.3.4",
     "a.home.arpa. 5 IN A 1.2.3.4\nb.home.arpa. 6 IN A 1.2.3.4\nc.home.arpa. 6 IN A 1.2.3.4\n"},
    {"the class goes on", "$TTL 1\na CH TXT x\nb TXT x\nc IN TXT x\nd TXT x",
     "a.home.arpa. 1 CH TXT \"x\"\nb.home.arpa. 1 CH TXT \"x\"\nc.home.arpa. 1 IN TXT \"x\"\n"
     "d.home.arpa. 1 IN TXT \"x\"\n"},
    {"$ORIGIN, relative too", "$TTL 1\n$ORIGIN sub\na A 1.2.3.4\n$origin example. ; x\na A 1.2.3.4",
     "a.sub.home.arpa. 1 IN A 1.2.3.4\na.example. 1 IN A 1.2.3.4\n"},
    {"quotes hold semicolons and parentheses", "$TTL 1\na TXT \"a;b(\" (\n \"c\" ; d )\n)\nb TXT \\;\\(",
     "a.home.arpa. 1 IN TXT \"a;b(\" \"c\"\nb.home.arpa. 1 IN TXT \";(\"\n"},
    {"ends of lines from elsewhere", "\xef\xbb\xbf$TTL 1\r\na A 1.2.3.4\r\n",
     "a.home.arpa. 1 IN A 1.2.3.4\n"},
    {"an owner in parentheses' second line is none", "$TTL 1\na TXT (\nb\n)\n A 1.2.3.4",
     "a.home.arpa. 1 IN TXT \"b\"\na.home.arpa. 1 IN A 1.2.3.4\n"},
    {"$INCLUDE", "$INCLUDE sub/zone\n$include \"a b\" sub ; x\n",
     "include sub/zone home.arpa.\ninclude a b sub.home.arpa.\n"},
    {"$GENERATE", "$TTL 1\n$GENERATE 1-3 $ CNAME $.0 ; x\n$GENERATE 0-20/10 h${2,3,d} A 10.0.0.${1}\n",
     "1.home.arpa. 1 IN CNAME 1.0.home.arpa.\n2.home.arpa. 1 IN CNAME 2.0.home.arpa.\n"
     "3.home.arpa. 1 IN CNAME 3.0.home.arpa.\nh002.home.arpa. 1 IN A 10.0.0.1\n"
     "h012.home.arpa. 1 IN A 10.0.0.11\nh022.home.arpa. 1 IN A 10.0.0.21\n"},
    {"$GENERATE's radices and dollars",
     "$TTL 1\n$GENERATE 254-254 ${0,4,x}-${0,0,X}-${-250,0,o}.${0,7,n} TXT \"\\$ $$ $\"",
     "00fe-FE-4.e.f.0.0.home.arpa. 1 IN TXT \"$ $ 254\"\n"},
    {"the last line may lack its end", "$TTL 1\na A 1.2.3.4 ; x", "a.home.arpa. 1 IN A 1.2.3.4\n"},

    {"no TTL anywhere", "\na A 1.2.3.4\n",
     "2:0: no TTL: neither $TTL nor an earlier record says one, and neither does this\n"},
    {"no owner", "$TTL 1\n A 1.2.3.4", "2:0: no owner name\n"},
    {"the place of a word", "$TTL 1\n\na A 1.2.3.4\nb  A  1.2.3.456 ; x\n",
     "a.home.arpa. 1 IN A 1.2.3.4\n4:7: not an IPv4 address: \"1.2.3.456\"\n"},
    {"the place of a word in a later line", "@ SOA ns host (\n 1 2 ; x\n 3 x4 5 )\n",
     "3:4: not a time in seconds: \"x4\"\n"},
    {"a parenthesis left open", "a 1 A 1.2.3.4\nb TXT ( x\n\ny\n",
     "a.home.arpa. 1 IN A 1.2.3.4\n2:7: a \"(\" without a \")\"\n"},
    {"a parenthesis never opened", "a TXT x ) y", "1:9: a \")\" without a \"(\"\n"},
    {"a quote left open", "a TXT \"x\nb\"", "1:9: the quote that was opened does not end in its line\n"},
    {"an unknown directive", "$TTL 1\n$TTLS 1\n",
     "2:1: not a directive: there are $ORIGIN, $TTL, $INCLUDE and $GENERATE\n"},
    {"$TTL of nothing", "$TTL", "1:1: $TTL needs a time as \"3600\" or \"1h\", and no more\n"},
    {"$TTL too large", "$TTL 2147483648", "1:1: $TTL needs a time as \"3600\" or \"1h\", and no more\n"},
    {"$ORIGIN with two", "$ORIGIN a b", "1:1: $ORIGIN needs a domain name, and no more\n"},
    {"$GENERATE backwards", "$GENERATE 3-1 $ A 1.2.3.4",
     "1:1: $GENERATE needs a range as \"1-254\" or \"0-100/2\", and a record\n"},
    {"$GENERATE without end", "$GENERATE 0-4294967295 $ A 1.2.3.4",
     "1:1: $GENERATE needs a range as \"1-254\" or \"0-100/2\", and a record\n"},
    {"$GENERATE with a wrong radix", "$GENERATE 1-2 ${0,1,q} A 1.2.3.4",
     "1:0: $GENERATE: a \"$\" must be followed by nothing, or by \"{offset,width,radix}\" with "
     "radix d, o, x, X, n or N\n"},
    {"$GENERATE of what is no record", "$TTL 1\n$GENERATE 255-256 $ A 1.2.3.$",
     "255.home.arpa. 1 IN A 1.2.3.255\n2:0: not an IPv4 address: \"1.2.3.256\"\n"},
    {"$INCLUDE of nothing", "$INCLUDE ; x",
     "1:1: $INCLUDE needs a file's name, perhaps an origin, and no more\n"},
};

static void reads_master_files(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char got[2000];
        read_all(cases[i].in, got, sizeof got);
        if (strcmp(got, cases[i].want) != 0)
            fail_msg("%s:\ngot  %s\nwant %s", cases[i].name, got, cases[i].want);
    }
}

static void an_included_file_goes_on_from_where_it_is(void **state UNUSED)
{
    static uint8_t buffer[DNS_RDATA_MAX];
    static struct dns_master_item item;
    struct dns_name origin;
    struct dns_master outer;
    struct dns_master inner;
    assert_true(dns_name_parse(bytes_of_text("home.arpa"), NULL, &origin));
    dns_master_start(&outer, bytes_of_text("$TTL 9\na A 1.2.3.4\n$INCLUDE x sub\n A 1.2.3.5"),
                     &origin);
    struct writer w = writer_of(buffer, sizeof buffer);
    assert_int_equal(dns_master_next(&outer, &w, &item), DNS_MASTER_RECORD);
    assert_int_equal(dns_master_next(&outer, &w, &item), DNS_MASTER_INCLUDE);
    dns_master_include(&inner, bytes_of_text(" A 1.2.3.6\nb A 1.2.3.7\n"), &item.origin, &outer);
    assert_int_equal(dns_master_next(&inner, &w, &item), DNS_MASTER_RECORD);
    char name[DNS_NAME_TEXT_MAX];
    assert_string_equal(dns_name_format(&item.record.owner, name), "a.home.arpa.");
    assert_int_equal(item.record.ttl, 9);
    assert_int_equal(dns_master_next(&inner, &w, &item), DNS_MASTER_RECORD);
    assert_string_equal(dns_name_format(&item.record.owner, name), "b.sub.home.arpa.");
    assert_int_equal(dns_master_next(&inner, &w, &item), DNS_MASTER_END);
    /* RFC 1035 §5.1: the origin and the owner outside are as they were. */
    assert_int_equal(dns_master_next(&outer, &w, &item), DNS_MASTER_RECORD);
    assert_string_equal(dns_name_format(&item.record.owner, name), "a.home.arpa.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_master_files),
        cmocka_unit_test(an_included_file_goes_on_from_where_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
