/* SPDX-License-Identifier: ISC */
/* commands.h - the commands of the program; main.c has them in one table. */
#ifndef WN_CLI_COMMANDS_H
#define WN_CLI_COMMANDS_H

#include "cli/options.h"

extern const struct cli_command command_run;
extern const struct cli_command command_serve;
extern const struct cli_command command_status;
extern const struct cli_command command_cache;
extern const struct cli_command command_check;
extern const struct cli_command command_ping;
extern const struct cli_command command_trace;
extern const struct cli_command command_lookup;
extern const struct cli_command command_update;
extern const struct cli_command command_get;
extern const struct cli_command command_script;
extern const struct cli_command command_trust;
extern const struct cli_command command_key;
extern const struct cli_command command_sign;

#endif
