// SPDX-License-Identifier: GPL-2.0-or-later
#include "user/source/families_existing.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "bpf/wire.h"
#include "user/source/share.h"

extern const unsigned char families_existing_object[], families_existing_object_end[];

#define HELPING_MAX 256 /* tokens read at once; each may be a socket's records */

struct families_existing {
	struct bpf_object *object;
	struct bpf_link *link;
	int iterator;
	size_t helping;
};

static int load(struct families_existing *e, const struct bpf_object *backend,
		const struct bpf_object *families)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "families_found");
	LIBBPF_OPTS(bpf_iter_attach_opts, nothing);
	size_t len = (uintptr_t)families_existing_object_end - (uintptr_t)families_existing_object;
	int error;

	e->object = bpf_object__open_mem(families_existing_object, len, &opts);
	error = (int)libbpf_get_error(e->object);
	if (error) {
		e->object = NULL;
		return error;
	}
	error = share_maps(e->object, backend);
	if (!error)
		error = share_maps(e->object, families);
	if (!error)
		error = bpf_object__load(e->object);
	if (error)
		return error;
	e->link = bpf_program__attach_iter(bpf_object__next_program(e->object, NULL), &nothing);
	error = (int)libbpf_get_error(e->link);
	if (error) {
		e->link = NULL;
		return error;
	}
	e->iterator = bpf_iter_create(bpf_link__fd(e->link));
	return e->iterator < 0 ? -errno : 0;
}

struct families_existing *families_existing_load(const struct bpf_object *backend,
						 const struct bpf_object *families,
						 size_t buffer_bytes)
{
	struct families_existing *e = calloc(1, sizeof(*e));
	int error;

	if (!e)
		return NULL;
	e->iterator = -1;
	e->helping = buffer_bytes / 8 /
		     (sizeof(struct wire_call) + 2 * sizeof(struct wire_address) + 24);
	if (e->helping > HELPING_MAX)
		e->helping = HELPING_MAX;
	if (!e->helping)
		e->helping = 1;
	error = load(e, backend, families);
	if (!error)
		return e;
	families_existing_free(e);
	errno = -error;
	return NULL;
}

void families_existing_free(struct families_existing *e)
{
	if (!e)
		return;
	if (e->iterator >= 0)
		close(e->iterator);
	bpf_link__destroy(e->link);
	bpf_object__close(e->object);
	free(e);
}

int families_existing_step(struct families_existing *e)
{
	char tokens[HELPING_MAX];
	ssize_t len = read(e->iterator, tokens, e->helping);

	if (len < 0 && errno != EAGAIN && errno != EINTR) /* EAGAIN: many things without a token */
		return -errno;
	return len != 0;
}
