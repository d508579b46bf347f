// SPDX-License-Identifier: GPL-2.0-or-later
#include "user/source/closing.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/mman.h>

#include "user/source/probes.h"

/* As bpf/maps.h has it, in words: struct slot, struct socket_state. TIME_WAIT entries have none. */
#define STATE_CLOSE_NS 4
#define SLOT_KEY       0
#define SLOT_STATE     3

static bool map_closing(int fd)
{
	uint64_t key, next, state[16], *previous = NULL;

	while (!bpf_map_get_next_key(fd, previous, &next)) {
		if (!bpf_map_lookup_elem(fd, &next, state) && state[STATE_CLOSE_NS])
			return true;
		key = next;
		previous = &key;
	}
	return false;
}

static bool slots_closing(const struct bpf_map *map)
{
	size_t words = bpf_map__value_size(map) / sizeof(uint64_t);
	size_t slots = bpf_map__max_entries(map), len = slots * words * sizeof(uint64_t);
	uint64_t *mapped = mmap(NULL, len, PROT_READ, MAP_SHARED, bpf_map__fd(map), 0);
	bool found = false;

	if (mapped == MAP_FAILED)
		return false;
	for (const uint64_t *slot = mapped; slot < mapped + slots * words && !found; slot += words)
		found = slot[SLOT_KEY] && slot[SLOT_STATE + STATE_CLOSE_NS];
	munmap(mapped, len);
	return found;
}

bool sockets_closing(const struct probes *probes)
{
	const struct bpf_map *slots = bpf_object__find_map_by_name(probes->object, "socket_slots");

	return map_closing(probes_map(probes, "sockets")) || (slots && slots_closing(slots));
}
