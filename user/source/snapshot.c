// SPDX-License-Identifier: GPL-2.0-or-later
#include "user/source/snapshot.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "user/source/diag.h"
#include "user/source/existing.h"
#include "user/source/make.h"
#include "user/source/namespaces.h"
#include "user/source/naming.h"
#include "user/source/probes.h"

#define BUFFER_BYTES (4U << 20)
#define TAKE_EVERY   2048 /* records read from the iterator before the ring buffer is emptied */
#define HELPING	     1024
#define SOCKETS_MAX  (1U << 20)

struct snapshot {
	struct bpf_object *object;
	struct ring_buffer *ring;
	volatile struct wire_walk *walk; /* mapped: the program reads it at every file */
	size_t walk_bytes;
	int own_netns_fd;
	struct namespaces namespaces;
	uint32_t last_netns;
	struct naming *naming;
	const struct snapshot_handler *handler;
	uint32_t time_wait_netns; /* where the last TIME_WAIT entry was met */
	uint32_t visited_netns;
	int outcome; /* what give() returned */
};

static int set_size(struct snapshot *s, const char *map, uint32_t entries)
{
	return bpf_map__set_max_entries(bpf_object__find_map_by_name(s->object, map), entries);
}

/* Maps as large as they have to be; those of the backends' own are not used. */
static int size_maps(struct snapshot *s)
{
	int error = set_size(s, "records", BUFFER_BYTES);

	if (!error)
		error = set_size(s, "sockets", SOCKETS_MAX);
	if (!error)
		error = set_size(s, "socket_slots", 1);
	if (!error)
		error = set_size(s, "thread_slots", 1);
	if (!error)
		error = set_size(s, "threads", 1);
	return error ? error : set_size(s, "pids", 1);
}

/* The probes' configuration: which numbers processes and sockets get. */
static int configure(struct snapshot *s)
{
	struct wire_config config = {
		.start_ns = clock_boot_ns(),
		.wake_bytes = BUFFER_BYTES,
		.pidns_inum = pid_namespace_nested(),
	};
	struct bpf_map *map = bpf_object__find_map_by_name(s->object, ".rodata.config");

	return map ? bpf_map__set_initial_value(map, &config, sizeof(config)) : -ENOENT;
}

static int map_walk(struct snapshot *s)
{
	struct bpf_map *map = bpf_object__find_map_by_name(s->object, ".data.walk");
	long page = sysconf(_SC_PAGESIZE);
	void *mapped;

	if (!map)
		return -ENOENT;
	s->walk_bytes = (bpf_map__value_size(map) + (size_t)page - 1) & ~((size_t)page - 1);
	mapped = mmap(NULL, s->walk_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
	if (mapped == MAP_FAILED)
		return -errno;
	s->walk = mapped;
	return 0;
}

static int put(void *arg, const void *record, size_t len_bytes)
{
	struct snapshot *s = arg;

	return s->handler->give(s->handler->arg, record, len_bytes);
}

/* A namespace that every process has left may live on in its sockets. */
static void note_namespace(struct snapshot *s, const struct wire_call *found)
{
	if (found->fd < 0 || !found->who.pid || found->sock.netns == s->last_netns)
		return;
	s->last_netns = found->sock.netns;
	namespaces_add_socket(&s->namespaces, found->sock.netns, (pid_t)found->who.pid, found->fd);
}

static int taken(void *arg, void *data, size_t len_bytes)
{
	const struct wire_head *head = data;
	const struct wire_call *found = data;
	struct snapshot *s = arg;

	if (s->outcome || head->kind != WIRE_FOUND || len_bytes < sizeof(struct wire_call))
		return 0;
	note_namespace(s, found);
	if (found->sock.state == TCP_TIME_WAIT)
		s->time_wait_netns = found->sock.netns;
	s->outcome = naming_look(s->naming, data, put, s);
	if (!s->outcome)
		s->outcome = put(s, data, sizeof(struct wire_call));
	return 0;
}

static int load(struct snapshot *s)
{
	int error;

	s->object = existing_open(false);
	if (!s->object)
		return -EINVAL;
	bpf_program__set_autoload(bpf_object__find_program_by_name(s->object, "find_files"), false);
	error = size_maps(s);
	if (!error)
		error = configure(s);
	if (!error)
		error = bpf_object__load(s->object);
	if (!error)
		error = map_walk(s);
	if (error)
		return error;
	s->ring = ring_buffer__new(bpf_object__find_map_fd_by_name(s->object, "records"), taken, s,
				   NULL);
	s->naming = naming_new(namespace_inum("net"));
	return s->ring && s->naming ? 0 : -ENOMEM;
}

/* An iterator of a program, or a negative errno. */
static int make_iterator(const struct snapshot *s, const char *program)
{
	struct bpf_link *link = bpf_program__attach_iter(
		bpf_object__find_program_by_name(s->object, program), NULL);
	int fd;

	if (libbpf_get_error(link))
		return -errno;
	fd = bpf_iter_create(bpf_link__fd(link));
	if (fd < 0)
		fd = -errno;
	bpf_link__destroy(link);
	return fd;
}

/* Reads an iterator to its end; closes it. */
static int read_through(struct snapshot *s, int fd)
{
	char tokens[HELPING];
	size_t waiting = 0;
	ssize_t len;

	s->walk->number = (uint16_t)(s->walk->number % UINT16_MAX + 1);
	do {
		len = read(fd, tokens, sizeof(tokens));
		if (len < 0 && (errno == EAGAIN || errno == EINTR))
			continue; /* many things without a token */
		waiting += len > 0 ? (size_t)len : 0;
		if (len <= 0 || waiting >= TAKE_EVERY) {
			ring_buffer__consume(s->ring);
			waiting = 0;
		}
	} while (len && !s->outcome && (len > 0 || errno == EAGAIN || errno == EINTR));
	if (len < 0 && !s->outcome)
		s->outcome = -errno;
	close(fd);
	return s->outcome;
}

/* Whoever has a descriptor: all the processes that have the socket. */
static int walk_files(struct snapshot *s)
{
	int fd = make_iterator(s, "walk_files");

	if (fd < 0)
		return fd;
	s->walk->flags = WIRE_P_FULL;
	s->walk->each = 1;
	return read_through(s, fd);
}

static int take_time_wait(void *arg, const struct diag_sock *found)
{
	struct snapshot *s = arg;
	struct wire_sock sock = found->sock;

	if (!found->is_entry)
		return 0;
	sock.netns = s->visited_netns;
	s->handler->time_wait(s->handler->arg, &sock, found->time_wait_left_ms);
	return 0;
}

/* In a network namespace: what no descriptor leads to. Sockets told of already are passed over. */
static int walk_namespace(void *arg)
{
	static const char *const programs[] = { "walk_tcp", "walk_udp" };
	struct snapshot *s = arg;
	int error = 0;

	s->walk->flags = WIRE_P_FULL | WIRE_P_START;
	s->walk->each = 0;
	for (size_t i = 0; i < 2 && !error; i++) {
		int fd = make_iterator(s, programs[i]);

		error = fd < 0 ? fd : read_through(s, fd);
	}
	/* the iterator shows the entries, not their timers; without them a row says less */
	if (!error && s->time_wait_netns == s->visited_netns)
		diag_dump(IPPROTO_TCP, DIAG_TIME_WAIT | DIAG_FIN_WAIT2, take_time_wait, s);
	return error;
}

static int walk_all(struct snapshot *s, char *note, size_t note_len)
{
	int error = namespaces_list(&s->namespaces);
	size_t closed = 0;

	if (!error)
		error = walk_files(s);
	for (size_t i = 0; i < s->namespaces.len && !error; i++) {
		int visit;

		s->visited_netns = s->namespaces.list[i].inum;
		visit = netns_visit(&s->namespaces.list[i], s->own_netns_fd, walk_namespace, s);
		if (visit == -ENOTRECOVERABLE || s->outcome)
			error = visit;
		else
			closed += visit && visit != -ENOENT;
	}
	if (closed)
		snprintf(note, note_len,
			 "%zu of %zu network namespaces cannot be entered: sockets there that no "
			 "process has open are not found",
			 closed, s->namespaces.len);
	return error;
}

static void explain(int error, char *reason, size_t reason_len)
{
	if (error == -EPERM)
		snprintf(reason, reason_len,
			 "not allowed to load BPF programs: %s CAP_BPF, CAP_PERFMON and "
			 "CAP_SYS_PTRACE%s",
			 geteuid() ? "run it as root, or with" : "root needs",
			 geteuid() ? "" : ", and a kernel that does not lock them down");
	else if (!probes_have_btf())
		snprintf(reason, reason_len, "%s", probes_no_btf);
	else
		snprintf(reason, reason_len, "the kernel refused the iterators: %s",
			 strerror(-error));
}

int snapshot_take(const struct snapshot_handler *handler, struct snapshot_result *result)
{
	struct snapshot s = { .handler = handler };
	int error;

	*result = (struct snapshot_result){ .reason = "" };
	s.own_netns_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	libbpf_set_print(NULL);
	error = load(&s);
	if (!error)
		error = walk_all(&s, result->note, sizeof(result->note));
	if (error && !s.outcome)
		explain(error, result->reason, sizeof(result->reason));
	if (s.walk)
		munmap((void *)s.walk, s.walk_bytes);
	ring_buffer__free(s.ring);
	naming_free(s.naming);
	bpf_object__close(s.object);
	namespaces_free(&s.namespaces);
	if (s.own_netns_fd >= 0)
		close(s.own_netns_fd);
	return error ? error : s.outcome;
}
