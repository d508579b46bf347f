/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * options_values.h owns what follows an option: it reads one value into struct options and says
 * in one line what is wrong with it. It must not know letters or the order of options. name is
 * the option as the user knows it. All return 0, -EINVAL (said) or -ENOMEM.
 */
#ifndef PORTLIFE_CLI_OPTIONS_VALUES_H
#define PORTLIFE_CLI_OPTIONS_VALUES_H

#include "user/cli/options.h"

int options_add_pids(struct options *o, const char *name, const char *list);
/* Is each of them a process now? Not asked of a recording. */
int options_check_pids(const struct options *o);
/* Is there such a user? Asked of /etc/passwd, as when COMMAND is started. */
int options_check_user(const struct options *o);
int options_add_ports(const char *name, const char *list, struct port_range **ranges, size_t *len);
/* Ports of 16 bits? Asked where all sockets shown have such. */
int options_check_ports(const char *name, const struct port_range *ranges, size_t len);
int options_add_protocols(struct options *o, const char *name, const char *list);
bool options_has_wide_ports(const struct options *o);
/* `why` about a port, of protocols that have none of that kind. */
bool options_asks_no_port(const struct options *o);
int options_set_address(struct options *o, const char *name, const char *text);
int options_set_comm(struct options *o, const char *name, const char *text);
int options_set_uid(struct options *o, const char *name, const char *text);
int options_set_cgroup(struct options *o, const char *name, const char *text);
/* Says on stderr if --cgroup names none: it may come, but a slip must not wait in silence. */
void options_note_cgroup(const struct options *o);
int options_set_netns(struct options *o, const char *name, const char *text);
int options_set_device(struct options *o, const char *name, const char *text);
int options_add_fail_on(struct options *o, const char *name, const char *list);
int options_set_count(struct options *o, const char *name, const char *text);
int options_set_duration(struct options *o, const char *name, const char *text);
int options_set_buffer(struct options *o, const char *name, const char *text);
int options_set_backend(struct options *o, const char *name, const char *text);
int options_set_time(struct options *o, const char *name, const char *text);
int options_set_color(struct options *o, const char *name, const char *text);

/* [ADDR[%DEV]:]PORT, into asked and device. */
int options_set_asked(struct options *o, const char *name, const char *text);
/* NAME|N of a lesson */
int options_take_lesson(struct options *o, const char *word);
int options_check_lesson(const struct options *o);
/* A path or @NAME of AF_UNIX, into asked and asked_path. */
int options_set_asked_path(struct options *o, const char *name, const char *text);
/* ADDR:PORT, ADDR */
int options_set_connect(struct options *o, const char *name, const char *text);
int options_set_from(struct options *o, const char *name, const char *text);

#endif
