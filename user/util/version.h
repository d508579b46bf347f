/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * version.h owns the version's number. It must not know how it is shown.
 */
#ifndef PORTLIFE_UTIL_VERSION_H
#define PORTLIFE_UTIL_VERSION_H

#ifndef PORTLIFE_VERSION
#define PORTLIFE_VERSION "0.1.0"
#endif

#endif
