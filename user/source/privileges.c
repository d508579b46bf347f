// SPDX-License-Identifier: GPL-2.0-or-later
#include "user/source/privileges.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* linux/capability.h of systems older than 5.8 */
#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#define CAP_BPF	    39
#endif

static const uint64_t looking = UINT64_C(1) << CAP_SYS_ADMIN | UINT64_C(1) << CAP_SYS_PTRACE |
				UINT64_C(1) << CAP_DAC_READ_SEARCH | UINT64_C(1) << CAP_BPF |
				UINT64_C(1) << CAP_PERFMON;

/* Those of this process, cut down to these. */
static void keep(uint64_t effective, uint64_t permitted)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &head, data))
		return;
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		data[i].permitted &= (uint32_t)(permitted >> 32 * i);
		data[i].effective = data[i].permitted & (uint32_t)(effective >> 32 * i);
		data[i].inheritable = 0;
	}
	syscall(SYS_capset, &head, data);
}

static bool may_ask(int prog_fd)
{
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);

	return prog_fd < 0 || !bpf_obj_get_info_by_fd(prog_fd, &info, &len) || errno != EPERM;
}

void privileges_drop(bool looks, bool kills, int prog_fd)
{
	uint64_t kept = (looks ? looking : 0) | (kills ? UINT64_C(1) << CAP_KILL : 0);

	keep(kept, kept | UINT64_C(1) << CAP_BPF);
	if (!may_ask(prog_fd))
		kept |= UINT64_C(1) << CAP_BPF;
	keep(kept, kept);
}
