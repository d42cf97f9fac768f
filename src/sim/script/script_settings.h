/* SPDX-License-Identifier: ISC */
/*
 * script_settings.h - the shell commands of scripts, in so far as they set something that a stack
 * has: sysctls become fields of the TCP profile, `ethtool` and `ip route` those of the link.
 *
 * Nothing is executed. A command that sets what we do not have is passed over when the answer of a
 * stack cannot depend on it (the lists are in script_settings.c); any other is an error, lest a
 * script pass that has not tested what it says.
 */
#ifndef WN_SIM_SCRIPT_SCRIPT_SETTINGS_H
#define WN_SIM_SCRIPT_SCRIPT_SETTINGS_H

#include "base/text.h"
#include "stack/tcp/tcp_profile.h"

struct script_settings {
    struct tcp_profile profile;
    bool tso;             /* the device takes super-segments */
    bool device_drops;    /* a queue of length 0: whatever is sent is lost before it is seen */
    uint16_t route_mtu;   /* 0: the link's */
    bool forget_metrics;  /* what was learnt of destinations is to be dropped; the caller clears it */
    bool has_fast_open_key;
    uint8_t fast_open_key[16];
};

/* What a fresh machine has: the profile as it is, and TSO. */
void script_settings_init(struct script_settings *settings, const struct tcp_profile *profile);

/* What the public scripts begin with (their common/defaults.sh). */
void script_settings_defaults(struct script_settings *settings);

/* Carries out one text of commands. False: *error says which one is not understood, and why. */
MUST_USE bool script_settings_command(struct script_settings *settings, struct bytes commands,
                                      struct text *error);

/* One setting: "net.ipv4.tcp_sack", "net/ipv4/tcp_sack" or "tcp_sack". */
MUST_USE bool script_settings_sysctl(struct script_settings *settings, struct bytes name,
                                     struct bytes value, struct text *error);

#endif
