/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pressure_taken.h owns the counting of a range from the table of ports that are taken. It must not
 * know how the table came to be.
 */
#ifndef PORTLIFE_CORE_PRESSURE_TAKEN_H
#define PORTLIFE_CORE_PRESSURE_TAKEN_H

#include "user/core/pressure_count.h"
#include "user/core/taken.h"

/* protocol: IPPROTO_TCP or IPPROTO_UDP. settings must outlive *pressure. 0 or -ENOMEM. */
int pressure_of_taken(struct pressure *pressure, const struct taken *taken,
		      const struct settings *settings, uint16_t protocol);

/* The same for one destination of TCP: pressure_towards(). */
int pressure_of_taken_towards(struct pressure *pressure, struct pressure_destination *d,
			      const struct taken *taken, const struct settings *settings,
			      const struct endpoint *from, const struct endpoint *to);

#endif
