/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/source/share.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

int share_maps(struct bpf_object *object, const struct bpf_object *other)
{
	struct bpf_map *map, *theirs;
	const void *config;
	size_t config_len;
	int error = 0;

	bpf_object__for_each_map(map, object)
	{
		const char *name = bpf_map__name(map);

		theirs = bpf_object__find_map_by_name(other, name);
		if (error || !theirs)
			continue;
		if (strcmp(name, ".rodata.config")) {
			error = bpf_map__reuse_fd(map, bpf_map__fd(theirs));
		} else {
			config = bpf_map__initial_value(theirs, &config_len);
			error = config ? bpf_map__set_initial_value(map, config, config_len)
				       : -EINVAL;
		}
	}
	return error;
}
