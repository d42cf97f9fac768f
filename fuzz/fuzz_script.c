/* SPDX-License-Identifier: ISC */
/*
 * fuzz_script.c - scripts: parsed, their code and commands run, and played against a stack, as far as
 * they go. What is wrong has a line; what was read of a packet is written in the same words again.
 */
#include "fuzz/fuzz.h"
#include "os/memory.h"
#include "sim/script/script.h"
#include "sim/script/script_code.h"
#include "sim/script/script_packet.h"
#include "sim/script/script_settings.h"

static void check_packet(const struct script_packet *packet)
{
    char text[512], again[512];
    struct text out = text_of(text, sizeof text), out_again = text_of(again, sizeof again);
    uint8_t octets[2048];
    struct writer w = writer_of(octets, sizeof octets);
    struct endpoint a = {address_v4(1), 1}, b = {address_v4(2), 2};
    struct script_live_packet live;
    script_packet_format(packet, &out);
    script_packet_encode(packet, &a, &b, &w);
    if (w.failed || packet->kind == SCRIPT_ICMP || packet->window == SCRIPT_WINDOW_ANY)
        return;
    ASSERT(script_packet_decode(writer_bytes(&w), &live));
    live.packet.ip_check = packet->ip_check;
    live.packet.any_options = packet->any_options;
    script_packet_format(&live.packet, &out_again);
    ASSERT(strcmp(text, again) == 0);
}

static void check_script(const struct script *script)
{
    for (const struct script_event *event = script->events; event != NULL; event = event->next)
        if (event->kind == SCRIPT_EVENT_PACKET)
            check_packet(event->u.packet);
}

static void check_code(struct bytes in)
{
    char text[256];
    struct text error = text_of(text, sizeof text);
    struct script_code_result result = {.error = &error};
    struct heap heap = memory_heap();
    struct arena arena;
    static struct script_names names;
    names.count = 0;
    arena_init(&arena, &heap, 1 << 20);
    bool good = script_code_run(in, &names, &arena, &result);
    ASSERT(good || error.len > 0);
    arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct bytes in = bytes_of(data, len);
    struct heap heap = memory_heap();
    struct script_defines defines = {.count = 0};
    struct script script;
    struct script_error error;
    char text[256];
    struct text complaint = text_of(text, sizeof text);
    struct script_settings settings;
    static struct script_report report;

    check_code(in);
    script_settings_init(&settings, &tcp_profile_linux);
    bool good = script_settings_command(&settings, in, &complaint);
    ASSERT(good || complaint.len > 0);
    if (!script_parse(&script, &heap, in, &defines, &error)) {
        ASSERT(error.line > 0 && error.text[0] != '\0');
        return 0;
    }
    check_script(&script);
    script_done(&script);
    struct script_options options = {.heap = heap};
    script_run(in, &options, &report);
    ASSERT(report.outcome == SCRIPT_PASSED || report.text[0] != '\0');
    return 0;
}
