// SPDX-License-Identifier: GPL-2.0-or-later
#include "user/source/existing.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/source/namespaces.h"
#include "user/source/probes.h"
#include "user/source/share.h"

extern const unsigned char existing_object[], existing_object_end[];

#define HELPING_MAX 256 /* tokens read at once; each may be a record */

/*
 * In the order in which they are walked: TCP and UDP once for every namespace; then the table, by
 * one program that goes through it or, before Linux 5.13, by two iterators.
 */
enum walk { WALK_FILES, WALK_TCP, WALK_UDP, WALK_MAP, WALK_SLOTS, WALK_TABLE, WALKS };

static const struct {
	const char *program, *name;
	const char *map; /* whose entries it goes through */
} walks[WALKS] = {
	[WALK_FILES] = { "walk_files", "iter task_file", NULL },
	[WALK_TCP] = { "walk_tcp", "iter tcp", NULL },
	[WALK_UDP] = { "walk_udp", "iter udp", NULL },
	[WALK_MAP] = { "walk_map", "iter bpf_map_elem", "sockets" },
	[WALK_SLOTS] = { "walk_slots", "iter bpf_map_elem", "socket_slots" },
	[WALK_TABLE] = { "walk_table", "for_each_map_elem", NULL },
};

struct existing {
	struct bpf_object *object;
	struct bpf_link *links[WALKS];
	int iterators[WALKS]; /* descriptors of the walk under way, -1: not made or read through */
	int walk_fd;	      /* map .data.walk */
	int helping_fd;	      /* map .data.helping */
	int table_fd;	      /* program walk_table, -1: there are iterators instead */
	int own_netns_fd;
	size_t helping;	   /* tokens */
	uint32_t room_max; /* records of one go through the table */
	struct namespaces namespaces;
	size_t next_namespace;
	bool files_done, table_done, undecided;
};

/* Some machines refuse the iterators over maps and no other: they are taken only where they must.
 */
uint32_t existing_used(void)
{
	bool whole = libbpf_probe_bpf_helper(BPF_PROG_TYPE_RAW_TRACEPOINT,
					     BPF_FUNC_for_each_map_elem, NULL) != 0;

	return 1U << WALK_FILES | 1U << WALK_TCP | 1U << WALK_UDP |
	       (whole ? 1U << WALK_TABLE : 1U << WALK_MAP | 1U << WALK_SLOTS);
}

const char *existing_name(size_t index)
{
	return index < WALKS ? walks[index].name : NULL;
}

static struct bpf_program *program_of(struct bpf_object *object, enum walk walk)
{
	return bpf_object__find_program_by_name(object, walks[walk].program);
}

struct bpf_object *existing_open(bool with_table)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "existing");
	size_t len = (uintptr_t)existing_object_end - (uintptr_t)existing_object;
	struct bpf_object *object = bpf_object__open_mem(existing_object, len, &opts);
	uint32_t used = with_table ? existing_used() : 0;

	if (libbpf_get_error(object))
		return NULL;
	for (enum walk w = WALK_MAP; w <= WALK_TABLE; w++)
		bpf_program__set_autoload(program_of(object, w), used & 1U << w);
	return object;
}

/* A link that iterators are made from; it holds on to nothing but the program. */
static struct bpf_link *attach(struct bpf_object *object, enum walk walk)
{
	LIBBPF_OPTS(bpf_iter_attach_opts, opts);
	union bpf_iter_link_info info = { 0 };
	struct bpf_link *link;

	if (walks[walk].map) {
		info.map.map_fd = (__u32)bpf_object__find_map_fd_by_name(object, walks[walk].map);
		opts.link_info = &info;
		opts.link_info_len = sizeof(info);
	}
	link = bpf_program__attach_iter(program_of(object, walk), &opts);
	return libbpf_get_error(link) ? NULL : link;
}

static int load(struct existing *e, const struct probes *probes)
{
	int error;

	e->object = existing_open(true);
	if (!e->object)
		return -EINVAL;
	error = share_maps(e->object, probes->object);
	if (!error)
		error = bpf_object__load(e->object);
	for (enum walk w = 0; w < WALK_TABLE && !error; w++) {
		if (!bpf_program__autoload(program_of(e->object, w)))
			continue;
		e->links[w] = attach(e->object, w);
		if (!e->links[w])
			error = -errno;
	}
	e->walk_fd = bpf_object__find_map_fd_by_name(e->object, ".data.walk");
	e->helping_fd = bpf_object__find_map_fd_by_name(e->object, ".data.helping");
	e->table_fd = bpf_program__fd(program_of(e->object, WALK_TABLE));
	return error ? error : e->walk_fd < 0 || e->helping_fd < 0 ? -EINVAL : 0;
}

static int nothing(void *arg)
{
	(void)arg;
	return 0;
}

/* Says beforehand what will be missing. */
static void try_namespaces(struct existing *e, char *note, size_t note_len)
{
	size_t closed = 0;
	bool blind;

	if (namespaces_list(&e->namespaces))
		return;
	/* a process or two may always be hidden; most of them are where a privilege is missing */
	blind = e->namespaces.hidden > e->namespaces.seen;
	for (size_t i = 0; i < e->namespaces.len; i++) {
		int error = netns_visit(&e->namespaces.list[i], e->own_netns_fd, nothing, NULL);

		closed += error && error != -ENOENT;
	}
	if (closed || blind)
		snprintf(note, note_len,
			 "missing: existing sockets that no process has open, in network "
			 "namespaces that cannot be entered%s",
			 blind ? " (those of most processes cannot even be listed)" : "");
}

struct existing *existing_load(const struct probes *probes, size_t buffer_bytes, char *reason,
			       size_t reason_len, char *note, size_t note_len)
{
	struct existing *e = calloc(1, sizeof(*e));
	int error;

	note[0] = '\0';
	if (!e) {
		snprintf(reason, reason_len, "%s", strerror(ENOMEM));
		return NULL;
	}
	for (enum walk w = 0; w < WALKS; w++)
		e->iterators[w] = -1;
	e->room_max = (uint32_t)(buffer_bytes / 8 / (sizeof(struct wire_call) + 8));
	if (!e->room_max)
		e->room_max = 1;
	e->helping = e->room_max < HELPING_MAX ? e->room_max : HELPING_MAX;
	e->own_netns_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	error = load(e, probes);
	if (error) {
		snprintf(reason, reason_len, "the kernel refused the iterators: %s",
			 strerror(-error));
		existing_free(e);
		return NULL;
	}
	try_namespaces(e, note, note_len);
	return e;
}

static void close_iterator(struct existing *e, enum walk walk)
{
	if (e->iterators[walk] >= 0)
		close(e->iterators[walk]);
	e->iterators[walk] = -1;
}

void existing_free(struct existing *e)
{
	if (!e)
		return;
	for (enum walk w = 0; w < WALKS; w++) {
		close_iterator(e, w);
		bpf_link__destroy(e->links[w]);
	}
	bpf_object__close(e->object);
	namespaces_free(&e->namespaces);
	if (e->own_netns_fd >= 0)
		close(e->own_netns_fd);
	free(e);
}

struct bpf_object *existing_loaded(const struct existing *e)
{
	return e ? e->object : NULL;
}

static int make_iterator(struct existing *e, enum walk walk)
{
	e->iterators[walk] = bpf_iter_create(bpf_link__fd(e->links[walk]));
	return e->iterators[walk] < 0 ? -errno : 0;
}

/* In a network namespace: the iterators are of the namespace that they are made in. */
static int make_both(void *arg)
{
	struct existing *e = arg;
	int error = make_iterator(e, WALK_TCP);

	return error ? error : make_iterator(e, WALK_UDP);
}

int existing_begin(struct existing *e, const struct wire_walk *walk)
{
	struct wire_walk settings = *walk;
	uint32_t zero = 0;

	for (enum walk w = 0; w < WALKS; w++)
		close_iterator(e, w);
	namespaces_free(&e->namespaces);
	e->next_namespace = 0;
	e->files_done = e->table_done = e->undecided = false;
	if (bpf_map_update_elem(e->walk_fd, &zero, &settings, BPF_ANY))
		return -errno;
	return namespaces_list(&e->namespaces);
}

/* The next namespace that can be entered. 0 also if there is none left. */
static int enter_next(struct existing *e)
{
	while (e->next_namespace < e->namespaces.len && e->iterators[WALK_TCP] < 0) {
		int error = netns_visit(&e->namespaces.list[e->next_namespace++], e->own_netns_fd,
					make_both, e);

		if (error == -ENOTRECOVERABLE)
			return error;
	}
	return 0;
}

/* The iterator to read from, WALK_TABLE if there is none for what comes, WALKS after the last. */
static int next_iterator(struct existing *e, enum walk *walk)
{
	int error = 0;

	for (*walk = 0; *walk < WALKS; (*walk)++)
		if (e->iterators[*walk] >= 0)
			return 0;
	if (!e->files_done) {
		e->files_done = true;
		*walk = WALK_FILES;
		return make_iterator(e, WALK_FILES);
	}
	error = enter_next(e);
	*walk = WALK_TCP;
	if (error || e->iterators[WALK_TCP] >= 0)
		return error;
	if (e->table_done) {
		*walk = WALKS;
		return 0;
	}
	*walk = WALK_TABLE;
	if (e->table_fd >= 0)
		return 0;
	e->table_done = true;
	*walk = WALK_MAP;
	error = make_iterator(e, WALK_MAP);
	return error ? error : make_iterator(e, WALK_SLOTS);
}

/* 1: there is more. */
static int step_table(struct existing *e)
{
	struct wire_helping helping = { .room = e->room_max };
	LIBBPF_OPTS(bpf_test_run_opts, run);
	uint32_t zero = 0;

	if (bpf_map_update_elem(e->helping_fd, &zero, &helping, BPF_ANY) ||
	    bpf_prog_test_run_opts(e->table_fd, &run) ||
	    bpf_map_lookup_elem(e->helping_fd, &zero, &helping))
		return -errno;
	e->undecided = e->undecided || helping.undecided;
	e->table_done = !run.retval;
	return 1;
}

int existing_step(struct existing *e)
{
	char tokens[HELPING_MAX];
	enum walk walk;
	ssize_t len;
	int error = next_iterator(e, &walk);

	if (error)
		return error;
	if (walk == WALKS)
		return 0;
	if (walk == WALK_TABLE)
		return step_table(e);
	len = read(e->iterators[walk], tokens, e->helping);
	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return 1; /* many things without a token */
	error = len < 0 ? -errno : 0;
	if (len <= 0)
		close_iterator(e, walk);
	if (len > 0 && memchr(tokens, WIRE_TOKEN_UNDECIDED, (size_t)len))
		e->undecided = true;
	return error ? error : 1;
}

void existing_met(struct existing *e, const struct wire_call *found)
{
	if (found->fd >= 0 && found->who.pid)
		namespaces_add_socket(&e->namespaces, found->sock.netns, (pid_t)found->who.pid,
				      found->fd);
}

bool existing_undecided(const struct existing *e)
{
	return e->undecided;
}

/* As a backend would have made them, but small. */
static int shrink_maps(struct bpf_object *object)
{
	static const struct {
		const char *name;
		uint32_t entries;
	} sizes[] = { { "records", 65536 }, { "sockets", 1024 }, { "threads", 1024 } };
	int error = 0;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]) && !error; i++)
		error = bpf_map__set_max_entries(
			bpf_object__find_map_by_name(object, sizes[i].name), sizes[i].entries);
	return error;
}

int existing_try(size_t index)
{
	struct bpf_object *object = existing_open(false);
	struct bpf_program *program;
	struct bpf_link *link = NULL;
	int error;

	if (!object)
		return -EINVAL;
	bpf_object__for_each_program(program, object)
		bpf_program__set_autoload(program, program == program_of(object, (enum walk)index));
	error = shrink_maps(object);
	if (!error)
		error = bpf_object__load(object);
	if (!error && index != WALK_TABLE) {
		link = attach(object, (enum walk)index);
		error = link ? 0 : -errno;
	}
	bpf_link__destroy(link);
	bpf_object__close(object);
	return error;
}
