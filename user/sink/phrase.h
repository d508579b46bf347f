/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * phrase.h owns what several sinks say alike: words for a loss, what counts as a port given, what
 * an end point of an event is. It must not know where it is written.
 */
#ifndef PORTLIFE_SINK_PHRASE_H
#define PORTLIFE_SINK_PHRASE_H

#include "user/core/sink.h"

/* "buffer": the cause as JSON has it. */
const char *phrase_lost_cause(enum wire_lost_cause cause);

/* "records not written, ...": a colon and the number go behind it. */
const char *phrase_lost(enum wire_lost_cause cause);

/* What was done about a loss. */
const char *phrase_lost_action(enum wire_lost_cause cause);

/* Ports given to sockets while watched. An accepted child shares its listener's: not counted. */
uint64_t phrase_ports_given(const struct run_summary *s);

/* The errno of a count in the summary; core counts under 0 those of which there are too many. */
const char *phrase_errno(int error);

/* The local port that the socket itself has; a failed bind() names another one. */
uint16_t phrase_local_port(const struct event *e);

/* Is there an address of a family that can be shown? */
bool phrase_has_address(const struct endpoint *end);

/* ... and is it one that something was sent to? */
bool phrase_has_peer(const struct endpoint *peer);

/* The same of a socket of whatever family: those of raw IP have no port, others no IP address. */
bool phrase_is_connected(const struct life *life);

/* Does the socket have something that can be shown where others have a local address? */
bool phrase_has_local(const struct life *life, uint16_t port);

/* The interface's name, or "if7" put into room, of at least 16 bytes. */
const char *phrase_device(const struct names *names, uint32_t ifindex, uint32_t netns, char *room);

#endif
