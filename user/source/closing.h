/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * closing.h owns one question to the probes' table of live sockets: is one of them closed and not
 * yet destroyed? It knows where bpf/maps.h has the answer.
 */
#ifndef PORTLIFE_SOURCE_CLOSING_H
#define PORTLIFE_SOURCE_CLOSING_H

#include <stdbool.h>

struct probes;

/*
 * A handshake of FINs that COMMAND's end began, for one. On loopback it is over in no time; a peer
 * far away is not waited for.
 */
bool sockets_closing(const struct probes *probes);

#endif
