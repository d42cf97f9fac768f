/* SPDX-License-Identifier: ISC */
/* drill_adapter.c - life and settings of a stack under the packetdrill tool. */
#include "api/drill/drill_adapter.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/internal.h"
#include "os/clock.h"
#include "os/entropy.h"
#include "os/memory.h"
#include "sim/script/script_settings.h"

enum {
    MTU = 1500,
    PREFIX_LEN = 16, /* the tool's network of the stack: 192.168.0.0/16 */
    GATEWAY_HOST = 0xfe01,
    DEFAULT_ADDRESS = (int)0xc0a80001, /* 192.168.0.1 */
};

static const char sysctls[] = "/proc/sys/net/ipv4";

/* ---- settings ---- */

static void read_sysctl(struct script_settings *settings, const char *name)
{
    char path[512], value[256], why[256];
    struct text error = text_of(why, sizeof why);
    (void)snprintf(path, sizeof path, "%s/%s", sysctls, name);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return;
    size_t len = fread(value, 1, sizeof value, file);
    (void)fclose(file);
    while (len > 0 && (value[len - 1] == '\n' || value[len - 1] == ' '))
        len--;
    /* What has no counterpart here changes nothing. */
    (void)!script_settings_sysctl(settings, text_in(name), bytes_of(value, len), &error);
}

void drill_read_sysctls(struct drill *drill)
{
    struct script_settings settings;
    DIR *folder = opendir(sysctls);
    if (drill->stack == NULL || folder == NULL)
        return;
    script_settings_init(&settings, &tcp_profile_linux);
    const struct dirent *entry;
    while ((entry = readdir(folder)) != NULL)
        if (strncmp(entry->d_name, "tcp_", 4) == 0)
            read_sysctl(&settings, entry->d_name);
    (void)closedir(folder);
    drill->stack->profile = settings.profile;
    tcp_set_profile(drill->stack->stack, &settings.profile);
    if (settings.has_fast_open_key)
        (void)!tcp_set_fast_open_keys(drill->stack->stack, settings.fast_open_key,
                                      sizeof settings.fast_open_key);
}

static void format_address(uint32_t value, const char *rest, char out[ADDRESS_TEXT_MAX])
{
    (void)snprintf(out, ADDRESS_TEXT_MAX, "%u.%u.%u.%u%s", value >> 24, value >> 16 & 255,
                   value >> 8 & 255, value & 255, rest);
}

void drill_add_address(struct drill *drill, uint32_t address)
{
    char own[ADDRESS_TEXT_MAX], gateway[ADDRESS_TEXT_MAX];
    for (size_t i = 0; i < drill->address_count; i++)
        if (drill->addresses[i] == address)
            return;
    if (drill->address_count == DRILL_ADDRESSES_MAX)
        return;
    uint32_t via = (address & prefix_mask_v4(PREFIX_LEN)) | GATEWAY_HOST;
    format_address(address, "/16", own);
    format_address(via != address ? via : via + 1, "", gateway);
    if (wn_stack_add_address(drill->stack, 0, own) == 0 &&
        wn_stack_add_neighbour(drill->stack, 0, gateway, DRILL_GATEWAY_MAC) == 0 &&
        (drill->address_count > 0 || wn_stack_add_route(drill->stack, "0.0.0.0/0", gateway, 0) == 0))
        drill->addresses[drill->address_count++] = address;
}

/* ---- life ---- */

/* The tool makes one, and calls of the system that it makes past us do not say whose they are. */
static struct drill *of_process;

struct drill *drill_of_process(void)
{
    return of_process;
}

static void draw(void *self, void *out, size_t len)
{
    (void)self;
    if (entropy_fill(out, len) < 0)
        memset(out, 1, len);
}

static void *resize(void *self, void *old, size_t old_size, size_t new_size)
{
    (void)self;
    struct heap heap = memory_heap();
    return heap.resize(heap.self, old, old_size, new_size);
}

static bool make_stack(struct drill *drill)
{
    struct wn_stack_options options = {
        .size = sizeof options, .host = {drill, resize, drill_clock, draw}, .profile = "linux"};
    struct wn_sockets_options sockets = {.size = sizeof sockets,
                                         .first = DRILL_DESCRIPTOR_FIRST,
                                         .pump = drill_pump,
                                         .pump_self = drill};
    if (wn_stack_new(&options, &drill->stack) < 0 ||
        wn_stack_add_interface(drill->stack, "tun0", DRILL_OWN_MAC, MTU,
                               WN_INTERFACE_CHECKSUM | WN_INTERFACE_TSO4) != 0)
        return false;
    drill->sockets = wn_sockets_new(drill->stack, &sockets);
    return drill->sockets != NULL;
}

static void destroy(void *self)
{
    struct drill *drill = self;
    of_process = NULL;
    for (; drill->packet_count > 0; drill->packet_count--) {
        wn_frame_release(drill->packets[drill->first_packet].frame);
        drill->first_packet = (drill->first_packet + 1) % DRILL_PACKETS_MAX;
    }
    wn_sockets_free(drill->sockets);
    wn_stack_free(drill->stack);
    (void)pthread_cond_destroy(&drill->changed);
    (void)pthread_mutex_destroy(&drill->lock);
    free(drill);
}

static void take_flags(struct drill *drill, const char *flags)
{
    static const char word[] = "local_ip=";
    struct ip_address address;
    drill->local = (uint32_t)DEFAULT_ADDRESS;
    if (flags == NULL || *flags == '\0')
        return;
    if (strncmp(flags, word, sizeof word - 1) == 0 &&
        address_parse(text_in(flags + sizeof word - 1), &address) && address_is_v4(&address))
        drill->local = address_v4_value(&address);
    else
        fprintf(stderr, "libwholenet-packetdrill: flags '%s' are not local_ip=A.B.C.D\n", flags);
}

void packetdrill_interface_init(const char *flags, struct drill_interface *out)
{
    struct drill *drill = calloc(1, sizeof *drill);
    pthread_condattr_t by_monotonic;
    if (drill == NULL)
        abort(); /* the tool has no way to be told */
    drill->now = clock_wall_usec();
    drill->time = drill->now;
    take_flags(drill, flags);
    (void)pthread_mutex_init(&drill->lock, NULL);
    (void)pthread_condattr_init(&by_monotonic);
    (void)pthread_condattr_setclock(&by_monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&drill->changed, &by_monotonic);
    (void)pthread_condattr_destroy(&by_monotonic);
    if (!make_stack(drill)) {
        fprintf(stderr, "libwholenet-packetdrill: no memory for a stack\n");
        abort();
    }
    *out = (struct drill_interface){
        .self = drill,
        .free = destroy,
    };
    drill_set_time(out);
    drill_set_packets(out);
    drill_set_calls(out);
    of_process = drill;
}
