// SPDX-License-Identifier: GPL-2.0-or-later
#include "user/source/types.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>

static struct btf *kernel;

struct btf *types_of_kernel(void)
{
	if (!kernel)
		kernel = btf__load_vmlinux_btf();
	if (libbpf_get_error(kernel))
		kernel = NULL;
	return kernel;
}

void types_forget(void)
{
	btf__free(kernel);
	kernel = NULL;
}
