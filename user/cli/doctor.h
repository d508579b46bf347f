/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor.h owns how the findings of the live source about this machine are shown. It must not try
 * anything itself.
 */
#ifndef PORTLIFE_CLI_DOCTOR_H
#define PORTLIFE_CLI_DOCTOR_H

#include "user/cli/options.h"

/* Returns an exit status: STATUS_DONE if some backend works, else STATUS_CANNOT. */
int doctor_run(const struct options *o);

#endif
