/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * families.h owns the probes of sockets beyond TCP, UDP and ping, which only --proto loads: raw,
 * MPTCP, SCTP, AF_UNIX, AF_VSOCK, AF_NETLINK. They stand beside a loaded backend, on its maps.
 */
#ifndef PORTLIFE_SOURCE_FAMILIES_H
#define PORTLIFE_SOURCE_FAMILIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/wire.h"

struct bpf_object;
struct families;
struct probes;

/* "unix", of one bit of enum wire_family. */
const char *family_word(uint32_t family);

/*
 * Loads the probes of these families beside a backend. Those in named have the kernel load their
 * module, if it has one (as any program does that opens such a socket). note is filled with one
 * line about those that this kernel or this backend does not have, else "". NULL if there is
 * nothing to attach, or with a reason for a person if the kernel refused.
 */
struct families *families_load(const struct probes *probes, uint32_t families, uint32_t named,
			       char *reason, size_t reason_len, char *note, size_t note_len);

/* An object that has the table of their sockets; NULL if none was loaded. */
const struct bpf_object *families_object(const struct families *f);

/* Some that were asked for are not there, since nobody has loaded their module yet. */
bool families_may_come(const struct families *f);
/* How many modules of those have been loaded since the last time: their sockets are not seen. */
size_t families_arrived(struct families *f);

/* For the doctor: which there are for this backend, which are not and why. Loads nothing. */
void families_describe(uint32_t backend, char *text, size_t len);

/* 0, or a negative errno with a reason. */
int families_attach(struct families *f, char *reason, size_t reason_len);
void families_free(struct families *f);

/* The hooks in use, each behind a comma, cut to len. */
void families_list(const struct families *f, char *list, size_t len);

/* Runs that the kernel skipped so far, as probes_missed(). */
uint64_t families_missed(const struct families *f);

/* Those of them that this backend (enum wire_backend) can see at all. */
uint32_t families_seen(uint32_t backend, uint32_t families);

#endif
