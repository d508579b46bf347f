/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hash.h owns how uthash is used here: running out of memory is an error that the caller sees
 * (the element's hh.tbl is NULL afterwards), not the end of the process.
 */
#ifndef PORTLIFE_CORE_HASH_H
#define PORTLIFE_CORE_HASH_H

#include <stdint.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/*
 * Shorter chains than uthash's own 10: each link is a life that is not in the cache. The longest
 * one decides how many heads there are: at 100,000 lives 20 bytes for each (with 6 it were 40).
 */
#undef HASH_BKT_CAPACITY_THRESH
#define HASH_BKT_CAPACITY_THRESH 8U

/* Numbers are mixed here, more cheaply than uthash does with bytes of any length. */
static inline unsigned int hash_number(uint64_t number)
{
	number = (number ^ (number >> 32)) * UINT64_C(0x9e3779b97f4a7c15);
	return (unsigned int)(number >> 32);
}

#endif
