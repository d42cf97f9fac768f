/* SPDX-License-Identifier: ISC */
/* test_hpack.c - HPACK: the examples of RFC 7541, Appendix C; blocks that are wrong; and beside libnghttp2, which
 * decodes what we encode and encodes what we decode. */
#include "wire/http/hpack.h"

#include <nghttp2/nghttp2.h>

#include "base/prng.h"
#include "tests/support/check.h"
#include "wire/http/hpack_huffman.h"

static uint8_t scratch[32768];

static size_t from_hex(const char *hex, uint8_t *out)
{
    size_t len = 0;
    for (; *hex != '\0'; hex += 2) {
        while (*hex == ' ')
            hex++;
        unsigned octet;
        assert_int_equal(sscanf(hex, "%2x", &octet), 1);
        out[len++] = (uint8_t)octet;
    }
    return len;
}

/* The fields as lines; "!" at the end of a block that is malformed. */
static void decode(struct hpack_decoder *d, struct bytes block, char *out)
{
    uint8_t *copy = exact_copy(block.data, block.len);
    struct reader r = reader_of(bytes_of(copy, block.len));
    struct writer text = writer_of(scratch, sizeof scratch);
    struct hpack_field f;
    enum hpack_step step;
    out[0] = '\0';
    hpack_decode_begin(d);
    while ((step = hpack_decode(d, &r, &text, &f)) == HPACK_FIELD)
        sprintf(out + strlen(out), "%.*s: %.*s%s%s%s%s\n", (int)f.name.len, (const char *)f.name.data,
                (int)f.value.len, (const char *)f.value.data, f.never_indexed ? " (never)" : "",
                f.flaws & HPACK_BAD_NAME ? " (name)" : "", f.flaws & HPACK_BAD_VALUE ? " (value)" : "",
                f.flaws & HPACK_TOO_LONG ? " (long)" : "");
    if (step == HPACK_MALFORMED)
        strcat(out, "!");
    free(copy);
}

#define RESPONSE_1 \
    ":status: 302\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:21 GMT\n" \
    "location: https://www.example.com\n"
#define RESPONSE_2 \
    ":status: 307\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:21 GMT\n" \
    "location: https://www.example.com\n"
#define RESPONSE_3 \
    ":status: 200\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:22 GMT\n" \
    "location: https://www.example.com\ncontent-encoding: gzip\n" \
    "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1\n"
#define REQUEST ":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com\n"
#define REQUEST_3 \
    ":method: GET\n:scheme: https\n:path: /index.html\n:authority: www.example.com\n" \
    "custom-key: custom-value\n"

static const struct {
    const char *name;
    struct {
        const char *hex;
        const char *fields;
        size_t size; /* of the table afterwards */
    } blocks[4];
} examples[] = {
    {"C.2.1 literal with indexing",
     {{"400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572",
       "custom-key: custom-header\n", 55}}},
    {"C.2.2 literal without indexing", {{"040c 2f73 616d 706c 652f 7061 7468", ":path: /sample/path\n", 0}}},
    {"C.2.3 literal never indexed",
     {{"1008 7061 7373 776f 7264 0673 6563 7265 74", "password: secret (never)\n", 0}}},
    {"C.2.4 indexed", {{"82", ":method: GET\n", 0}}},
    {"C.3 requests without Huffman code",
     {{"8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d", REQUEST, 57},
      {"8286 84be 5808 6e6f 2d63 6163 6865", REQUEST "cache-control: no-cache\n", 110},
      {"8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65", REQUEST_3, 164}}},
    {"C.4 requests with Huffman code",
     {{"8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff", REQUEST, 57},
      {"8286 84be 5886 a8eb 1064 9cbf", REQUEST "cache-control: no-cache\n", 110},
      {"8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf", REQUEST_3, 164}}},
    {"C.5 responses without Huffman code, in a table of 256",
     {{"3fe101 4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 "
       "303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
       RESPONSE_1, 222},
      {"4803 3330 37c1 c0bf", RESPONSE_2, 222},
      {"88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 "
       "677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 "
       "553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31",
       RESPONSE_3, 215}}},
    {"C.6 responses with Huffman code, in a table of 256",
     {{"3fe101 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b "
       "ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
       RESPONSE_1, 222},
      {"4883 640e ffc1 c0bf", RESPONSE_2, 222},
      {"88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 "
       "821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed "
       "4ee5 b106 3d50 07",
       RESPONSE_3, 215}}},
};

static void the_examples_of_appendix_c(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
        struct hpack_decoder d;
        hpack_decoder_init(&d);
        for (size_t k = 0; k < 4 && examples[i].blocks[k].hex != NULL; k++) {
            uint8_t block[256];
            char text[1024];
            decode(&d, bytes_of(block, from_hex(examples[i].blocks[k].hex, block)), text);
            if (strcmp(text, examples[i].blocks[k].fields) != 0)
                fail_msg("%s, block %zu: %s", examples[i].name, k, text);
            CHECK_EQUAL(examples[i].name, d.table.size, examples[i].blocks[k].size);
        }
    }
}

static const struct {
    const char *name;
    const char *hex;
    const char *text;
} odd[] = {
    {"nothing", "", ""},
    {"index 0 (§6.1)", "80", "!"},
    {"an index behind both tables (§2.3.3)", "be", "!"},
    {"the last of the static table", "bd", "www-authenticate: \n"},
    {"a name's index behind both tables", "7f00 0161", "!"},
    {"an integer in two octets (C.1.2's form)", "ff00", "!"},
    {"an integer without an end", "ffffffffffffffffff", "!"},
    {"an integer of zeros without an end (§5.1)", "ff8080808080", "!"},
    {"an integer that would wrap", "7fffffffff0f 0161", "!"},
    {"an integer that is cut", "ff80", "!"},
    {"a literal without its value", "4001 61", "!"},
    {"a string longer than the block", "4001 61 0261", "!"},
    {"a string of no octets", "4001 61 00", "a: \n"},
    {"Huffman: padding of eight bits (§5.2)", "4001 61 82 1fff", "!"},
    {"Huffman: padding of zeros", "4001 61 81 18", "!"},
    {"Huffman: padding with ones", "4001 61 81 1f", "a: a\n"},
    {"Huffman: nothing but padding", "4001 61 81 ff", "!"},
    {"Huffman: EOS itself", "4001 61 84 ffffffff", "!"},
    {"Huffman: no octets", "4001 61 80", "a: \n"},
    {"the size at the beginning (§4.2)", "20 3fe11f 82", ":method: GET\n"},
    {"the size behind a field", "82 20", ":method: GET\n!"},
    {"a size beyond what was offered (§6.3)", "3fe21f", "!"},
    {"capitals in a name", "0001 41 01 62", "A: b (name)\n"},
    {"a name with a blank", "0002 6120 01 62", "a : b (name)\n"},
    {"a colon inside of a name", "0003 613a62 01 62", "a:b: b (name)\n"},
    {"an unknown pseudo field", "0002 3a78 01 62", ":x: b\n"},
    {"no name", "0000 01 62", ": b (name)\n"},
    {"a colon alone", "0001 3a 01 62", ":: b (name)\n"},
    {"a line feed in a value", "0001 61 03 620a62", "a: b\nb (value)\n"},
    {"a blank before a value (RFC 9113 §8.2.1)", "0001 61 02 2062", "a:  b (value)\n"},
    {"a tab behind a value", "0001 61 02 6209", "a: b\t (value)\n"},
    {"flaws are remembered", "4001 41 02 2062 be", "A:  b (name) (value)\nA:  b (name) (value)\n"},
    {"a value of an entry does not stain another", "4001 61 02 2062 7e01 63", "a:  b (value)\na: c\n"},
};

static void blocks_that_are_odd(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        struct hpack_decoder d;
        uint8_t block[64];
        char text[1024];
        hpack_decoder_init(&d);
        decode(&d, bytes_of(block, from_hex(odd[i].hex, block)), text);
        if (strcmp(text, odd[i].text) != 0)
            fail_msg("%s: %s", odd[i].name, text);
    }
}

/* RFC 7541 §4.4: what is larger than the table empties it, and is no error. */
static void what_is_larger_than_the_table_empties_it(void **state UNUSED)
{
    static uint8_t block[20000];
    struct writer w = writer_of(block, sizeof block);
    struct hpack_decoder d;
    static char text[20000];
    hpack_decoder_init(&d);
    write_copy(&w, "\x40\x01" "a\x01" "b\x40\x01" "c\x7f\xe0\x1e", 11); /* 4,063 octets and "c": exactly the table */
    for (int i = 0; i < 4063; i++)
        write_u8(&w, 'v');
    decode(&d, writer_bytes(&w), text);
    assert_int_equal(d.table.count, 1);
    assert_int_equal(d.table.size, 4096);
    w = writer_of(block, sizeof block);
    write_copy(&w, "\x40\x01" "c\x7f\xe1\x1e", 6);
    for (int i = 0; i < 4064; i++)
        write_u8(&w, 'v');
    decode(&d, writer_bytes(&w), text);
    assert_int_equal(d.table.count, 0);
    assert_null(strchr(text, '!'));
}

/* A name that stands in an entry which goes to make room for the new one. */
static void a_name_may_be_of_the_entry_that_goes(void **state UNUSED)
{
    struct hpack_decoder d;
    static uint8_t block[8000];
    static char text[20000];
    struct writer w = writer_of(block, sizeof block);
    hpack_decoder_init(&d);
    write_copy(&w, "\x40\x03" "old\x01" "x", 7);
    write_copy(&w, "\x7e\x7f\xd3\x1e", 4); /* the first one's name, and 4,050 octets: no room for both */
    for (int i = 0; i < 4050; i++)
        write_u8(&w, 'v');
    write_u8(&w, 0xbe);
    decode(&d, writer_bytes(&w), text);
    assert_null(strchr(text, '!'));
    assert_int_equal(d.table.count, 1);
    assert_true(strncmp(strrchr(text, 'o'), "old: v", 6) == 0);
}

/* Every octet, alone and among others: the tables of the decoder are those of the encoder. */
static void the_huffman_code_is_its_own_inverse(void **state UNUSED)
{
    struct prng prng;
    prng_init_number(&prng, 3);
    for (int round = 0; round < 20000; round++) {
        uint8_t text[64], code[256], back[64];
        size_t len = round < 256 ? 1 : prng_below(&prng, sizeof text);
        for (size_t i = 0; i < len; i++)
            text[i] = (uint8_t)(round < 256 ? (uint32_t)round : prng_below(&prng, round % 2 ? 256 : 128));
        struct writer w = writer_of(code, sizeof code);
        hpack_huffman_write(&w, bytes_of(text, len));
        assert_int_equal(writer_len(&w), hpack_huffman_len(bytes_of(text, len)));
        struct writer out = writer_of(back, len);
        uint8_t *copy = exact_copy(code, writer_len(&w));
        assert_int_equal(hpack_huffman_read(bytes_of(copy, writer_len(&w)), &out), WIRE_OK);
        assert_int_equal(writer_len(&out), len);
        assert_memory_equal(back, text, len);
        if (len > 0) {
            out = writer_of(back, len - 1);
            assert_int_equal(hpack_huffman_read(bytes_of(copy, writer_len(&w)), &out), WIRE_NO_ROOM);
        }
        free(copy);
    }
}

static void what_repeats_becomes_short(void **state UNUSED)
{
    struct hpack_encoder e;
    uint8_t block[256];
    size_t lens[4];
    hpack_encoder_init(&e);
    for (size_t i = 0; i < 4; i++) {
        struct writer w = writer_of(block, sizeof block);
        hpack_encode_begin(&e, &w);
        hpack_encode_known(&e, &w, HPACK_STATUS, bytes_of_text("200"));
        hpack_encode_known(&e, &w, HPACK_SERVER, bytes_of_text("wholenet"));
        hpack_encode(&e, &w, bytes_of_text("x-own"), bytes_of_text("value"));
        lens[i] = writer_len(&w);
    }
    assert_int_equal(lens[0], 1 + 3 + 8 + 2 + 5 + 1 + 5);
    assert_int_equal(lens[2], 3); /* an octet each */
    assert_int_equal(lens[3], 3);
    assert_int_equal(e.table.count, 2);
}

static void secrets_are_never_indexed(void **state UNUSED)
{
    static const struct {
        enum hpack_name name;
        const char *value;
        bool never;
    } cases[] = {
        {HPACK_AUTHORIZATION, "Basic eHg6eXk=", true},
        {HPACK_PROXY_AUTHORIZATION, "Basic eHg6eXk=", true},
        {HPACK_SET_COOKIE, "session=0123456789012345678901234567890123456789", true},
        {HPACK_COOKIE, "s=1", true},
        {HPACK_COOKIE, "session=0123456789012345678901234567890123456789", false},
        {HPACK_CONTENT_TYPE, "text/plain", false},
    };
    struct hpack_encoder e;
    hpack_encoder_init(&e);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (int k = 0; k < 3; k++) {
            uint8_t block[256];
            struct writer w = writer_of(block, sizeof block);
            hpack_encode_known(&e, &w, cases[i].name, bytes_of_text(cases[i].value));
            CHECK_EQUAL(cases[i].value, (block[0] & 0xf0) == 0x10, cases[i].never);
        }
    }
    assert_int_equal(e.table.count, 2);
}

/* ---- beside libnghttp2 ---- */

enum { NAMES = 14, FIELDS = 12, BLOCKS = 4000 };

static const char *const names[NAMES] = {
    ":method", ":path", ":status", "accept", "cookie", "x-a", "x-b", "content-length", "date",
    "server", "set-cookie", "x-longer-name-than-the-others", "te", "www-authenticate"};

static size_t make_value(struct prng *prng, char *out)
{
    size_t len = prng_below(prng, prng_below(prng, 8) == 0 ? 3000 : 30);
    unsigned kind = prng_below(prng, 6);
    if (kind < 3)
        return (size_t)sprintf(out, "%u", prng_below(prng, 4));
    for (size_t i = 0; i < len; i++)
        out[i] = (char)('a' + (kind == 3 ? i % 26 : prng_below(prng, 26)));
    return len;
}

static void nghttp2_understands_what_we_encode(void **state UNUSED)
{
    static uint8_t block[FIELDS * 3100];
    static char values[FIELDS][3001];
    struct prng prng;
    struct hpack_encoder e;
    nghttp2_hd_inflater *inflater;
    prng_init_number(&prng, 1);
    hpack_encoder_init(&e);
    assert_int_equal(nghttp2_hd_inflate_new(&inflater), 0);
    for (int i = 0; i < BLOCKS; i++) {
        size_t lens[FIELDS], of[FIELDS], count = prng_below(&prng, FIELDS);
        if (prng_below(&prng, 20) == 0) {
            for (uint32_t k = prng_below(&prng, 3); k < 3; k++) {
                uint32_t size = prng_below(&prng, 6000);
                hpack_encoder_resize(&e, size);
                assert_int_equal(nghttp2_hd_inflate_change_table_size(inflater, size), 0);
            }
        }
        struct writer w = writer_of(block, sizeof block);
        hpack_encode_begin(&e, &w);
        for (size_t k = 0; k < count; k++) {
            of[k] = prng_below(&prng, NAMES);
            lens[k] = make_value(&prng, values[k]);
            hpack_encode(&e, &w, bytes_of_text(names[of[k]]), bytes_of(values[k], lens[k]));
        }
        assert_false(w.failed);
        const uint8_t *next = block;
        for (size_t k = 0;;) {
            nghttp2_nv nv;
            int flags;
            ssize_t used = nghttp2_hd_inflate_hd2(inflater, &nv, &flags, next, (size_t)(w.next - next), 1);
            if (used < 0)
                fail_msg("block %d: %s", i, nghttp2_strerror((int)used));
            next += used;
            if (flags & NGHTTP2_HD_INFLATE_EMIT) {
                assert_true(k < count);
                assert_true(bytes_equal(bytes_of(nv.name, nv.namelen), bytes_of_text(names[of[k]])));
                assert_true(bytes_equal(bytes_of(nv.value, nv.valuelen), bytes_of(values[k], lens[k])));
                k++;
            }
            if (flags & NGHTTP2_HD_INFLATE_FINAL) {
                assert_int_equal(k, count);
                break;
            }
        }
        nghttp2_hd_inflate_end_headers(inflater);
        assert_int_equal(nghttp2_hd_inflate_get_dynamic_table_size(inflater), e.table.size);
    }
    nghttp2_hd_inflate_del(inflater);
}

static void we_understand_what_nghttp2_encodes(void **state UNUSED)
{
    static char values[FIELDS][3001];
    struct prng prng;
    static struct hpack_decoder d;
    nghttp2_hd_deflater *deflater;
    prng_init_number(&prng, 2);
    hpack_decoder_init(&d);
    assert_int_equal(nghttp2_hd_deflate_new(&deflater, 4096), 0);
    for (int i = 0; i < BLOCKS; i++) {
        nghttp2_nv nv[FIELDS];
        size_t count = prng_below(&prng, FIELDS);
        if (prng_below(&prng, 20) == 0)
            assert_int_equal(nghttp2_hd_deflate_change_table_size(deflater, prng_below(&prng, 4097)), 0);
        for (size_t k = 0; k < count; k++) {
            const char *name = names[prng_below(&prng, NAMES)];
            nv[k] = (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)values[k], strlen(name),
                                 make_value(&prng, values[k]), NGHTTP2_NV_FLAG_NONE};
        }
        size_t bound = nghttp2_hd_deflate_bound(deflater, nv, count);
        uint8_t *block = malloc(bound);
        ssize_t len = nghttp2_hd_deflate_hd(deflater, block, bound, nv, count);
        assert_true(len >= 0);
        struct reader r = reader_of(bytes_of(block, (size_t)len));
        struct hpack_field f;
        hpack_decode_begin(&d);
        for (size_t k = 0; k <= count; k++) {
            struct writer text = writer_of(scratch, sizeof scratch);
            assert_int_equal(hpack_decode(&d, &r, &text, &f), k < count ? HPACK_FIELD : HPACK_END);
            if (k == count)
                break;
            assert_true(bytes_equal(f.name, bytes_of(nv[k].name, nv[k].namelen)));
            assert_true(bytes_equal(f.value, bytes_of(nv[k].value, nv[k].valuelen)));
        }
        free(block);
        assert_int_equal(nghttp2_hd_deflate_get_dynamic_table_size(deflater), d.table.size);
    }
    nghttp2_hd_deflate_del(deflater);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_appendix_c),
        cmocka_unit_test(blocks_that_are_odd),
        cmocka_unit_test(what_is_larger_than_the_table_empties_it),
        cmocka_unit_test(a_name_may_be_of_the_entry_that_goes),
        cmocka_unit_test(the_huffman_code_is_its_own_inverse),
        cmocka_unit_test(what_repeats_becomes_short),
        cmocka_unit_test(secrets_are_never_indexed),
        cmocka_unit_test(nghttp2_understands_what_we_encode),
        cmocka_unit_test(we_understand_what_nghttp2_encodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
