// SPDX-License-Identifier: GPL-2.0-or-later
#include "user/source/live.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "user/core/record.h"
#include "user/source/child.h"
#include "user/source/closing.h"
#include "user/source/existing.h"
#include "user/source/families.h"
#include "user/source/families_existing.h"
#include "user/source/lookup.h"
#include "user/source/losses.h"
#include "user/source/make.h"
#include "user/source/naming.h"
#include "user/source/passes.h"
#include "user/source/privileges.h"
#include "user/source/probes.h"
#include "user/source/stop.h"
#include "user/source/sysctls.h"
#include "user/source/types.h"

#define BEAT_NS	      50000000ULL   /* the reader comes by itself this often */
#define TICK_NS	      1000000000ULL /* WIRE_TICK */
#define BATCH_RECORDS 4096	    /* then signals and timers are looked at */
#define SETTLE_NS     250000000ULL  /* longest wait for sockets that COMMAND left closing */
#define FINISH_NS     1000000000ULL /* longest wait for the passes at the stop */
#define DISORDER_NS   10000000ULL   /* records of two CPUs are never further out of order */
#define KERNEL_STACK  16384	    /* THREAD_SIZE of x86-64 and arm64, 4 KiB pages */
#define BATCH_OVER    (-ECANCELED)  /* record(): enough for this batch */

struct live {
	const struct live_options *options;
	const struct live_handler *handler;
	struct live_result *result;
	struct probes probes;
	struct families *families;		     /* NULL: none beyond TCP, UDP and ping */
	struct families_existing *families_existing; /* NULL: none, or walked through */
	struct existing *existing; /* NULL: this kernel cannot walk through its sockets */
	struct lookup *lookup;	   /* NULL: nor look for who has a port */
	struct passes passes;
	struct ring_buffer *ring;
	struct naming *naming;
	struct sysctls *sysctls;
	struct child child;
	struct losses losses;
	int epoll_fd, timer_fd;
	uint64_t start_ns, tick_ns;
	uint64_t cut_ns; /* records of later moments are not taken; 0: no limit */
	uint64_t records;
	size_t batch_left;
	int outcome; /* of feed(): 0, LIVE_ENOUGH or a negative errno */
	bool stopping;
	bool emptied;	/* all that the probes wrote has been taken */
	bool drained;	/* all that came before cut_ns has been taken */
	char note[480]; /* what the walks through existing sockets lack, what --proto does */
	bool passed_on; /* the signal that asked to end, to COMMAND */
};

static int fail(struct live *live, int error, const char *text)
{
	snprintf(live->result->reason, sizeof(live->result->reason), "%s", text);
	return error;
}

static int give(void *arg, const void *record, size_t len)
{
	struct live *live = arg;

	if (!live->outcome)
		live->outcome = live->handler->feed(live->handler->arg, record, len);
	return live->outcome;
}

/* A record that ends the stream: given also after enough. */
static void give_last(struct live *live, const void *record, size_t len)
{
	if (live->outcome == LIVE_ENOUGH)
		live->outcome = 0;
	give(live, record, len);
}

static int look_settings(struct live *live, const void *record)
{
	int error = sysctls_look(live->sysctls, record, give, live);

	if (error && !live->outcome)
		live->outcome = error;
	return error;
}

/* Only such a record may need others ahead of it: names, settings, who is in the way. */
static bool names_somebody(uint8_t kind)
{
	return record_is_call(kind) || kind == WIRE_OWNER || kind == WIRE_HOLDER ||
	       kind == WIRE_HOLDERS;
}

/* libbpf's callback: a negative return leaves the rest in the buffer. */
static int record(void *arg, void *data, size_t len)
{
	const struct wire_head *head = data;
	struct live *live = arg;

	if (live->cut_ns && len >= sizeof(*head) && head->ts_ns > live->cut_ns) {
		/* of another moment; CPUs may be a little out of order, but not this much */
		live->drained = head->ts_ns > live->cut_ns + DISORDER_NS;
		return live->drained ? BATCH_OVER : 0;
	}
	if (names_somebody(head->kind) &&
	    (lookup_look(live->lookup, data, give, live) ||
	     naming_look(live->naming, data, give, live) || look_settings(live, data)))
		return BATCH_OVER;
	if (give(live, data, len))
		return BATCH_OVER;
	live->records++;
	passes_saw(&live->passes, head);
	return --live->batch_left ? 0 : BATCH_OVER;
}

/* Tells of what the kernel counted as lost since last time. */
static void tell_losses(struct live *live)
{
	if (losses_tell(&live->losses, give, live))
		passes_lost(&live->passes);
}

/* The same of programs that it did not run, for which it is asked less often. */
static void tell_misses(struct live *live)
{
	uint64_t missed = probes_missed(&live->probes) + families_missed(live->families);

	if (losses_tell_missed(&live->losses, missed, give, live))
		passes_lost(&live->passes);
}

/* Modules whose sockets are asked for, and that came when the probes were attached already. */
static void tell_late_families(struct live *live)
{
	size_t count = families_arrived(live->families);
	struct made made;

	if (count)
		give(live, made.bytes, make_lost(&made, count, WIRE_LOST_LATE, 0));
}

/* Takes what waits, at most a batch. True if there may be more. */
static bool take_batch(struct live *live)
{
	uint64_t now;
	int taken;

	live->batch_left = BATCH_RECORDS;
	taken = ring_buffer__consume(live->ring);
	live->emptied = taken != BATCH_OVER && passes_busy(&live->passes) &&
			losses_written(&live->losses) == live->records;
	tell_losses(live);
	now = clock_boot_ns();
	if (now - live->tick_ns >= TICK_NS) {
		struct made made;

		live->tick_ns = now;
		tell_misses(live);
		tell_late_families(live);
		give(live, made.bytes, make_tick(&made));
	}
	if (!live->outcome)
		live->outcome = live->handler->batch(live->handler->arg);
	return taken == BATCH_OVER && !live->outcome && !live->drained;
}

/* --- setting up -------------------------------------------------------------------------- */

/* Whose sockets the probes tell of: enum wire_filter. */
static uint32_t filter_of(const struct live_options *o)
{
	return (o->pids_len || o->command ? WIRE_FILTER_PIDS : 0) |
	       (o->has_uid ? WIRE_FILTER_UID : 0) | (o->comm ? WIRE_FILTER_COMM : 0);
}

static int load_backend(struct live *live, const struct backend *backend)
{
	const struct live_options *o = live->options;
	struct probes_config config = { .buffer_bytes = o->buffer_bytes };
	struct wire_config *wire = &config.wire;
	int error;

	wire->start_ns = live->start_ns;
	wire->wake_bytes = o->buffer_bytes / 8;
	wire->tick_ns = clock_tick_ns();
	wire->thread_size = KERNEL_STACK;
	wire->families = families_seen(backend->id, o->families);
	wire->filter = filter_of(o);
	wire->uid = o->uid;
	if (o->comm)
		snprintf(wire->comm, sizeof(wire->comm), "%s", o->comm);
	wire->pidns_inum = pid_namespace_nested();
	error = probes_load(&live->probes, backend, &config);
	if (error)
		snprintf(live->result->reason, sizeof(live->result->reason), "%s: %s",
			 backend->name, live->probes.reason);
	return error;
}

static bool no_privilege(void)
{
	/* CAP_BPF or CAP_SYS_ADMIN, with CAP_PERFMON: ask the kernel, not the user id */
	int fd = bpf_map_create(BPF_MAP_TYPE_HASH, "privilege", 8, 8, 1, NULL);

	if (fd >= 0)
		close(fd);
	return fd == -EPERM;
}

/* The first backend that loads, or the one asked for. */
static int choose_backend(struct live *live)
{
	size_t len;
	const struct backend *backends = backends_all(&len);
	char first[sizeof(live->result->reason)] = "";
	int error = -ENOTSUP;

	if (no_privilege())
		return fail(
			live, -EPERM,
			geteuid() ? "not allowed to load BPF programs: run it as root, or with "
				    "CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN"
				  : "not allowed to load BPF programs: root needs CAP_BPF, "
				    "CAP_PERFMON and CAP_NET_ADMIN (a container takes them away)");
	if (!probes_have_btf())
		return fail(live, -ENOENT, probes_no_btf);
	for (size_t i = 0; i < len; i++) {
		if (live->options->backend && live->options->backend != backends[i].id)
			continue;
		error = load_backend(live, &backends[i]);
		if (!error)
			return 0;
		if (first[0])
			strncat(first, "; ", sizeof(first) - strlen(first) - 1);
		strncat(first, live->result->reason, sizeof(first) - strlen(first) - 1);
	}
	return first[0] ? fail(live, error, first)
			: fail(live, -ENOTSUP, "this version has no such backend");
}

/* The probes look into `pids` only for what is marked (bpf/maps.h). */
static int add_pid(struct live *live, uint32_t pid, uint32_t value)
{
	const struct bpf_map *marks =
		bpf_object__find_map_by_name(live->probes.object, "pid_marks");
	uint32_t index = pid & (bpf_map__max_entries(marks) - 1), mark;
	int error = bpf_map_lookup_elem(bpf_map__fd(marks), &index, &mark);

	mark++;
	if (!error)
		error = bpf_map_update_elem(bpf_map__fd(marks), &index, &mark, BPF_ANY);
	return error ? error
		     : bpf_map_update_elem(probes_map(&live->probes, "pids"), &pid, &value,
					   BPF_ANY);
}

static int fill_pids(struct live *live)
{
	int error = 0;

	for (size_t i = 0; i < live->options->pids_len && !error; i++)
		error = add_pid(live, live->options->pids[i], WIRE_PID_GIVEN);
	if (live->options->command && !error)
		error = add_pid(live, (uint32_t)live->child.pid, WIRE_PID_FOLLOW);
	return error;
}

/* Without iterators a run goes on, and says so. */
static void load_existing(struct live *live)
{
	char reason[128], note[192];

	live->existing = existing_load(&live->probes, live->options->buffer_bytes, reason,
				       sizeof(reason), note, sizeof(note));
	if (!live->existing)
		snprintf(live->note, sizeof(live->note),
			 "missing: existing sockets, and making good of losses (%s)", reason);
	else
		snprintf(live->note, sizeof(live->note), "%s", note);
	live->lookup = lookup_new(existing_loaded(live->existing), live->naming, live->start_ns);
	passes_init(&live->passes, live->existing, live->probes.backend->id,
		    !live->options->no_resync);
}

/* What --proto asks for beyond what every run watches. */
static int load_families(struct live *live)
{
	char reason[200], note[200];
	size_t used = strlen(live->note);

	if (!live->options->families)
		return 0;
	live->families =
		families_load(&live->probes, live->options->families, live->options->families_named,
			      reason, sizeof(reason), note, sizeof(note));
	if (reason[0])
		return fail(live, -ENOTSUP, reason);
	if (live->probes.backend->id == WIRE_TRACEPOINT || families_may_come(live->families))
		live->probes.blind |= WIRE_B_FAMILIES;
	if (note[0])
		used += (size_t)snprintf(live->note + used, sizeof(live->note) - used, "%s%s",
					 used ? "; " : "", note);
	if (!families_object(live->families))
		return 0;
	live->families_existing = families_existing_load(
		live->probes.object, families_object(live->families), live->options->buffer_bytes);
	if (!live->families_existing && used < sizeof(live->note))
		snprintf(live->note + used, sizeof(live->note) - used,
			 "%smissing: existing sockets of other families (%s)", used ? "; " : "",
			 strerror(errno));
	return 0;
}

static int watch_fd(struct live *live, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(live->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static int open_events(struct live *live)
{
	struct itimerspec beat = { .it_interval.tv_nsec = BEAT_NS, .it_value.tv_nsec = BEAT_NS };
	int error;

	live->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	live->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (live->epoll_fd < 0 || live->timer_fd < 0 ||
	    timerfd_settime(live->timer_fd, 0, &beat, NULL))
		return -errno;
	error = watch_fd(live, live->timer_fd);
	if (!error)
		error = watch_fd(live, ring_buffer__epoll_fd(live->ring));
	return error;
}

/* --- the loop ---------------------------------------------------------------------------- */

/* A signal asks to end; with COMMAND it is passed on, and COMMAND's end is the end. */
static void handle_stop(struct live *live)
{
	if (live->child.pid <= 0) {
		live->stopping = true;
	} else if (!live->passed_on && !live->child.exited) {
		live->passed_on = true;
		kill(live->child.pid, stop_asked());
	}
}

/* Waits for data, a beat, or a signal. */
static void await(struct live *live, int timeout_ms)
{
	struct epoll_event events[2];
	uint64_t beats;
	int n = epoll_wait(live->epoll_fd, events, 2, timeout_ms);

	for (int i = 0; i < n; i++)
		if (events[i].data.fd == live->timer_fd &&
		    read(live->timer_fd, &beats, sizeof(beats)) < 0 && errno != EAGAIN)
			live->outcome = -errno;
	if (n < 0 && errno != EINTR)
		live->outcome = -errno;
	if (stop_asked())
		handle_stop(live);
	if (live->child.pid > 0 && child_reap(&live->child))
		live->stopping = true;
}

static void watch(struct live *live)
{
	uint64_t duration = live->options->duration_ns, begin = clock_boot_ns();
	bool more = false;

	while (!live->stopping && !live->outcome) {
		await(live, more ? 0 : -1);
		more = take_batch(live);
		more = passes_step(&live->passes, live->emptied, give, live) || more;
		if (duration && clock_boot_ns() - begin >= duration)
			live->stopping = true;
	}
}

/* The pass under way to its end, with nothing in between but the reader. */
static void walk_through(struct live *live)
{
	do {
		if (!passes_step(&live->passes, live->emptied, give, live))
			usleep(1000);
		take_batch(live);
	} while (passes_busy(&live->passes) && !live->outcome && !stop_asked());
}

/*
 * The same for families beyond TCP, UDP and ping. What goes wrong is told where nothing is lost by
 * it: what was there before is told of when it does something.
 */
static void walk_families(struct live *live)
{
	int more = live->families_existing && !live->outcome;

	while (more > 0 && !live->outcome && !stop_asked()) {
		more = families_existing_step(live->families_existing);
		take_batch(live);
	}
	families_existing_free(live->families_existing);
	live->families_existing = NULL;
}

/* What has to be looked at before the end. A second signal ends the process. */
static void walk_last(struct live *live)
{
	uint64_t begin = clock_boot_ns();

	passes_finish(&live->passes);
	while ((passes_busy(&live->passes) || passes_due(&live->passes)) && !live->outcome &&
	       clock_boot_ns() - begin < FINISH_NS) {
		if (!passes_step(&live->passes, live->emptied, give, live))
			usleep(1000);
		take_batch(live);
	}
	passes_abort(&live->passes, give, live);
}

static void drain(struct live *live)
{
	uint64_t begin = clock_boot_ns();

	while (live->child.pid > 0 && sockets_closing(&live->probes) &&
	       clock_boot_ns() - begin < SETTLE_NS) {
		take_batch(live);
		usleep(2000);
	}
	walk_last(live);
	/* nothing of later moments is taken */
	live->cut_ns = clock_boot_ns();
	while (take_batch(live))
		;
	tell_misses(live);
}

static int start_command(struct live *live)
{
	int error = live->child.pid > 0 ? child_start(&live->child) : 0;

	if (error) {
		live->result->exec_error = error;
		snprintf(live->result->reason, sizeof(live->result->reason), "%s: %s",
			 live->options->command[0], strerror(error));
		return -error;
	}
	live->result->started = live->child.pid > 0;
	return 0;
}

static int set_up(struct live *live)
{
	int error = choose_backend(live);

	if (error)
		return error;
	error = losses_open(&live->losses, probes_map(&live->probes, "counters"));
	if (error)
		return fail(live, error, "cannot map the probes' counters");
	live->ring = ring_buffer__new(probes_map(&live->probes, "records"), record, live, NULL);
	live->naming = naming_new(namespace_inum("net"));
	live->sysctls = sysctls_new(live->options->exact_settings);
	if (!live->ring || !live->naming || !live->sysctls || open_events(live))
		return fail(live, -ENOMEM, "cannot set up the reader");
	if (live->options->command) {
		error = child_prepare(&live->child, live->options, live->result->reason,
				      sizeof(live->result->reason));
		if (error)
			return error;
	}
	error = fill_pids(live);
	if (error)
		return fail(live, error, "cannot tell the probes which processes to follow");
	load_existing(live);
	error = load_families(live);
	if (error)
		return error;
	error = probes_attach(&live->probes);
	if (error)
		return fail(live, error, live->probes.reason);
	return families_attach(live->families, live->result->reason, sizeof(live->result->reason));
}

static void tear_down(struct live *live)
{
	child_free(&live->child);
	lookup_free(live->lookup);
	families_existing_free(live->families_existing);
	families_free(live->families);
	existing_free(live->existing);
	probes_free(&live->probes);
	ring_buffer__free(live->ring);
	naming_free(live->naming);
	sysctls_free(live->sysctls);
	losses_close(&live->losses);
	if (live->epoll_fd >= 0)
		close(live->epoll_fd);
	if (live->timer_fd >= 0)
		close(live->timer_fd);
	stop_unwatch();
}

/* Records from the first to the last. */
static int stream(struct live *live)
{
	char list[4096], note[sizeof(live->note) + sizeof(live->probes.note) + 4];
	const struct start start = {
		.backend = live->probes.backend->id,
		.blind = live->probes.blind,
		.filter = (uint16_t)filter_of(live->options),
	};
	struct made made;
	int error;

	probes_list(&live->probes, list, sizeof(list));
	families_list(live->families, list + strlen(list), sizeof(list) - strlen(list));
	snprintf(note, sizeof(note), "%s%s%s", live->probes.note,
		 live->probes.note[0] && live->note[0] ? "; " : "", live->note);
	live->handler->ready(live->handler->arg, live->probes.backend->id, note[0] ? note : NULL,
			     list);
	give(live, made.bytes, make_start(&made, &start, live->options->command));
	error = sysctls_start(live->sysctls, give, live);
	if (error && !live->outcome)
		live->outcome = error;
	if (!live->outcome)
		live->outcome = live->handler->batch(live->handler->arg);
	if (live->existing && !live->outcome)
		walk_through(live);
	walk_families(live);
	error = start_command(live);
	privileges_drop(!live->options->no_resync, live->child.pid > 0,
			bpf_program__fd(bpf_object__next_program(live->probes.object, NULL)));
	if (!error && !live->outcome)
		watch(live);
	if (!live->outcome)
		drain(live);
	if (live->child.pid > 0) {
		child_reap(&live->child);
		live->result->command_exit = live->child.exit;
		live->result->command_signal = live->child.signal;
	}
	if (live->result->started)
		give_last(live, made.bytes,
			  make_command(&made, live->child.exit, live->child.signal));
	give_last(live, made.bytes, make_stop(&made, live->records));
	if (live->outcome == LIVE_ENOUGH)
		live->outcome = 0;
	if (!live->outcome)
		live->outcome = live->handler->batch(live->handler->arg);
	if (live->outcome == LIVE_ENOUGH)
		live->outcome = 0;
	return error ? error : live->outcome;
}

int live_run(const struct live_options *options, const struct live_handler *handler,
	     struct live_result *result)
{
	struct live live = { .options = options, .handler = handler, .result = result };
	int error;

	memset(result, 0, sizeof(*result));
	result->command_exit = -1;
	live.epoll_fd = live.timer_fd = -1;
	live.child.go = live.child.exec_result = -1;
	live.start_ns = live.tick_ns = clock_boot_ns();
	stop_watch(options->command != NULL);
	error = set_up(&live);
	types_forget();
	malloc_trim(0); /* what libbpf needed to load would stay, several times what a run needs */
	if (!error)
		error = stream(&live);
	tear_down(&live);
	return error;
}
