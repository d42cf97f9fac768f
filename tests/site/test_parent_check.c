/* SPDX-License-Identifier: ISC */
/* test_parent_check.c - servers of a parent that have the DS, have another, have none, or are not there. */
#include "site/parent_check.h"

#include "io/net_kernel.h"
#include "tests/support/check.h"
#include "tests/support/dns_text.h"

static struct loop *loop;
static struct net *net;

static const uint8_t wanted[][36] = {{0, 1, 13, 2, 7}, {0, 2, 13, 2, 8}};

/* What a server answers with. */
struct server {
    struct dgram *dgram;
    bool has[2];
    unsigned rcode;
    bool other_name;
    unsigned asked;
};

static void on_query(void *self, struct dgram *dgram, const struct dgram_message *message)
{
    struct server *server = self;
    struct dns_summary summary;
    uint8_t buffer[1232];
    struct dns_builder b;
    assert_int_equal(dns_summarise(message->payload, &summary), WIRE_OK);
    assert_int_equal(summary.question.type, DNS_DS);
    server->asked++;
    struct dns_name owner = server->other_name ? dns_text_name("other.example.") : summary.question.name;
    dns_build_start(&b, buffer, sizeof buffer);
    assert_true(dns_build_question(&b, &summary.question));
    dns_build_section(&b, DNS_ANSWER);
    for (size_t i = 0; i < 2; i++)
        if (server->has[i])
            assert_true(dns_build_record(&b, &(struct dns_build_record){&owner, DNS_DS, DNS_IN, 60,
                                                                       bytes_of(wanted[i], 36)}));
    struct dgram_message out = {.to = message->from};
    out.payload = dns_build_finish(&b, summary.header.id, (uint16_t)(DNS_QR | DNS_AA | server->rcode));
    assert_int_equal(dgram_send(dgram, &out), 0);
}

static void on_end(void *self, bool has_all)
{
    *(int *)self = has_all;
    loop_stop(loop);
}

static int check(struct server *servers, size_t count, size_t ds_count, bool shut_last)
{
    static const struct dgram_handler handler = {on_query, NULL};
    int result = -1;
    struct parent_check *check;
    struct parent_check_options options = {
        .loop = loop, .net = net, .server_count = count, .on_end = on_end, .self = &result};
    options.zone = dns_text_name("Signed.example.");
    for (size_t i = 0; i < count; i++) {
        struct dgram_options local = {.local = {address_v4(0x7f000001), 0}};
        assert_int_equal(net_bind(net, &local, &handler, &servers[i], &servers[i].dgram), 0);
        options.servers[i] = dgram_local(servers[i].dgram);
    }
    if (shut_last)
        dgram_close(servers[count - 1].dgram);
    options.ds_count = ds_count;
    for (size_t i = 0; i < ds_count; i++) {
        options.ds[i].len = 36;
        memcpy(options.ds[i].octets, wanted[i], 36);
    }
    assert_int_equal(parent_check_new(&options, &check), 0);
    assert_int_equal(loop_run_until(loop, loop_look(loop) + 20 * USEC_PER_SEC), 0);
    for (size_t i = 0; i < count - shut_last; i++)
        dgram_close(servers[i].dgram);
    return result;
}

static const struct {
    const char *name;
    struct server servers[2];
    size_t server_count, ds_count;
    bool shut_last;
    int want;
    unsigned asked_last;
} cases[] = {
    {"the only one has it", {{.has = {true}}}, 1, 1, false, 1, 1},
    {"it has another", {{.has = {false, true}}}, 1, 1, false, 0, 1},
    {"it has none", {{.has = {false}}}, 1, 1, false, 0, 1},
    {"it has one of two", {{.has = {true}}}, 1, 2, false, 0, 1},
    {"it has both", {{.has = {true, true}}}, 1, 2, false, 1, 1},
    {"it has it, of another name", {{.has = {true}, .other_name = true}}, 1, 1, false, 0, 1},
    {"it does not serve the zone", {{.has = {true}, .rcode = DNS_REFUSED}}, 1, 1, false, 0, 1},
    {"both servers have it", {{.has = {true}}, {.has = {true}}}, 2, 1, false, 1, 1},
    {"the second lacks it", {{.has = {true}}, {.has = {false}}}, 2, 1, false, 0, 1},
    {"the first lacks it, and that is enough", {{.has = {false}}, {.has = {true}}}, 2, 1, false, 0, 0},
    {"the second is not there", {{.has = {true}}, {.has = {true}}}, 2, 1, true, 0, 0},
};

static void each_server_must_have_all(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct server servers[2] = {cases[i].servers[0], cases[i].servers[1]};
        CHECK_EQUAL(cases[i].name, check(servers, cases[i].server_count, cases[i].ds_count, cases[i].shut_last),
                    cases[i].want);
        CHECK_EQUAL(cases[i].name, servers[cases[i].server_count - 1].asked > 0, cases[i].asked_last);
    }
}

static void it_can_be_ended_without_a_word(void **state UNUSED)
{
    int result = -1;
    struct parent_check *check;
    struct parent_check_options options = {.loop = loop, .net = net, .server_count = 1, .on_end = on_end,
                                           .self = &result, .ds_count = 1};
    options.zone = dns_text_name("example.");
    options.servers[0] = (struct endpoint){address_v4(0x7f000001), 9};
    assert_int_equal(parent_check_new(&options, &check), 0);
    parent_check_free(check);
    parent_check_free(NULL);
    assert_int_equal(loop_run_until(loop, loop_look(loop) + 10 * USEC_PER_MSEC), 0);
    assert_int_equal(result, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_server_must_have_all),
                                       cmocka_unit_test(it_can_be_ended_without_a_word)};
    loop = loop_new();
    net = net_kernel_new(loop);
    assert_non_null(net);
    int result = cmocka_run_group_tests(tests, NULL, NULL);
    net_free(net);
    loop_free(loop);
    return result;
}
