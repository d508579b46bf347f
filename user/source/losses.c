// SPDX-License-Identifier: GPL-2.0-or-later
#include "user/source/losses.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "user/source/make.h"

int losses_open(struct losses *losses, int counters_fd)
{
	long page = sysconf(_SC_PAGESIZE);

	losses->cpus = libbpf_num_possible_cpus();
	if (counters_fd < 0 || losses->cpus < 1)
		return -EINVAL;
	losses->counters_bytes = (size_t)losses->cpus * sizeof(struct wire_counters);
	losses->counters_bytes = (losses->counters_bytes + (size_t)page - 1) & ~((size_t)page - 1);
	losses->counters =
		mmap(NULL, losses->counters_bytes, PROT_READ, MAP_SHARED, counters_fd, 0);
	if (losses->counters == MAP_FAILED) {
		losses->counters = NULL;
		return -errno;
	}
	losses->told = calloc((size_t)losses->cpus, sizeof(*losses->told));
	return losses->told ? 0 : -ENOMEM;
}

void losses_close(struct losses *losses)
{
	if (losses->counters)
		munmap(losses->counters, losses->counters_bytes);
	losses->counters = NULL;
	free(losses->told);
	losses->told = NULL;
}

static bool tell_cpu(struct losses *losses, int cpu, losses_give *give, void *arg)
{
	const struct wire_counters *now = &losses->counters[cpu];
	struct wire_counters *told = &losses->told[cpu];
	const struct {
		enum wire_lost_cause cause;
		const __u64 *now;
		__u64 *told;
	} causes[] = {
		{ WIRE_LOST_BUFFER, &now->lost_buffer, &told->lost_buffer },
		{ WIRE_LOST_SOCKETS, &now->lost_sockets, &told->lost_sockets },
		{ WIRE_LOST_CALLS, &now->lost_calls, &told->lost_calls },
	};
	bool any = false;
	struct made made;

	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
		uint64_t count = __atomic_load_n(causes[i].now, __ATOMIC_RELAXED) - *causes[i].told;

		if (!count)
			continue;
		*causes[i].told += count;
		any = true;
		give(arg, made.bytes, make_lost(&made, count, causes[i].cause, (uint32_t)cpu));
	}
	return any;
}

bool losses_tell(struct losses *losses, losses_give *give, void *arg)
{
	bool any = false;

	for (int cpu = 0; cpu < losses->cpus; cpu++)
		any |= tell_cpu(losses, cpu, give, arg);
	return any;
}

bool losses_tell_missed(struct losses *losses, uint64_t missed, losses_give *give, void *arg)
{
	uint64_t count = missed - losses->missed;
	struct made made;

	losses->missed = missed;
	if (count)
		give(arg, made.bytes, make_lost(&made, count, WIRE_LOST_MISSED, 0));
	return count != 0;
}

uint64_t losses_written(const struct losses *losses)
{
	uint64_t written = 0;

	for (int cpu = 0; cpu < losses->cpus; cpu++)
		written += __atomic_load_n(&losses->counters[cpu].written, __ATOMIC_RELAXED);
	return written;
}
