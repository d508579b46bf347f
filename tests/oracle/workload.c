// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * workload SEED PROCESSES THREADS PROTOCOLS OPERATIONS DIRECTORY: random socket operations in
 * namespaces of its own, in rounds. A line "round N" on stdin makes N operations; then all stop,
 * the kernel's picture comes to rest, a bind() to a reserved port marks the moment, and the
 * workload prints what the kernel has, what it has itself, and "end". The operations are logged in
 * DIRECTORY.
 *
 * PROTOCOLS: any of tcp, udp, udplite, fastopen, with commas.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/oracle/oracle.h"

#define MARKER_PORT_FIRST 62000 /* beyond the range and the ports that are named */
#define MARKER_PORTS	  2000
#define REST_NS		  10000000
#define REST_TRIES	  1000
#define NARROW_RANGE	  "40000 40149" /* of the second namespace: ports run out there */

struct space {
	int fd;
	int diag;
	uint32_t inum;
};

struct plan {
	struct shared *shared;
	uint64_t seed;
	unsigned int processes;
	unsigned int threads; /* of each process */
	unsigned int protocols;
	const char *directory;
	struct space spaces[NAMESPACES];
	int mail[MAX_THREADS][2];
	unsigned int markers;
};

uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* --- namespaces ---------------------------------------------------------------------------- */

static void raise_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request))
		err(1, "lo");
	close(fd);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		err(1, "%s", path);
	close(fd);
}

static struct space make_space(bool narrow)
{
	struct space space;
	struct stat status;

	if (unshare(CLONE_NEWNET))
		err(1, "a network namespace");
	raise_loopback();
	if (narrow)
		write_file("/proc/sys/net/ipv4/ip_local_port_range", NARROW_RANGE);
	space.fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (space.fd < 0 || fstat(space.fd, &status))
		err(1, "/proc/self/ns/net");
	space.inum = (uint32_t)status.st_ino;
	space.diag = kernel_open();
	return space;
}

static void enter(const struct space *space)
{
	if (setns(space->fd, CLONE_NEWNET))
		err(1, "setns");
}

/* --- processes and threads ----------------------------------------------------------------- */

static void *thread_main(void *arg)
{
	struct thread *t = arg;

	t->tid = gettid();
	for (;;) {
		pthread_barrier_wait(&t->shared->begin);
		switch (t->shared->command) {
		case RUN:
			for (unsigned int i = 0; i < t->shared->quota; i++)
				sockets_operate(t);
			break;
		case DRAIN:
			sockets_drain(t);
			break;
		case REPORT:
			sockets_report(t);
			break;
		case END:
			return NULL;
		}
		pthread_barrier_wait(&t->shared->done);
	}
}

static FILE *open_log(const struct plan *plan, unsigned int number)
{
	char path[4096];
	FILE *log;

	snprintf(path, sizeof(path), "%s/operations.%u", plan->directory, number);
	log = fopen(path, "we");
	if (!log)
		err(1, "%s", path);
	return log;
}

static void init_thread(struct thread *t, const struct plan *plan, unsigned int process,
			unsigned int index)
{
	unsigned int all = plan->processes * plan->threads;
	unsigned int number = process * plan->threads + index;

	*t = (struct thread){
		.shared = plan->shared,
		.number = number,
		.threads = all,
		.protocols = plan->protocols,
		.ns = (int)(process % NAMESPACES),
		.pid = getpid(),
		.random = plan->seed * UINT64_C(0x9e3779b97f4a7c15) +
			  (number + 1) * UINT64_C(0xbf58476d1ce4e5b9),
		.mail_out = plan->mail[(number + plan->threads) % all][0],
		.mail_in = plan->mail[number][1],
		.log = open_log(plan, number),
	};
}

static void process_main(const struct plan *plan, unsigned int process)
{
	struct thread *threads = calloc(plan->threads, sizeof(*threads));
	pthread_t *ids = calloc(plan->threads, sizeof(*ids));

	if (!threads || !ids)
		err(1, "memory");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (unsigned int i = 0; i < plan->threads; i++) {
		init_thread(&threads[i], plan, process, i);
		if (pthread_create(&ids[i], NULL, thread_main, &threads[i]))
			errx(1, "a thread");
	}
	for (unsigned int i = 0; i < plan->threads; i++) {
		pthread_join(ids[i], NULL);
		fclose(threads[i].log);
	}
	exit(0);
}

static void start_processes(struct plan *plan)
{
	unsigned int all = plan->processes * plan->threads;
	pthread_barrierattr_t attr;

	pthread_barrierattr_init(&attr);
	pthread_barrierattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&plan->shared->begin, &attr, all + 1);
	pthread_barrier_init(&plan->shared->done, &attr, all + 1);
	for (unsigned int i = 0; i < all; i++) {
		if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, plan->mail[i]))
			err(1, "socketpair");
	}
	fflush(stdout);
	for (unsigned int i = 0; i < plan->processes; i++) {
		enter(&plan->spaces[i % NAMESPACES]);
		switch (fork()) {
		case -1:
			err(1, "fork");
		case 0:
			process_main(plan, i);
		}
	}
	enter(&plan->spaces[0]);
}

static void order(struct shared *shared, enum command command)
{
	shared->command = command;
	pthread_barrier_wait(&shared->begin);
	if (command != END)
		pthread_barrier_wait(&shared->done);
}

/* --- checkpoints --------------------------------------------------------------------------- */

static bool dump_protocol(const struct plan *plan, int protocol, struct kernel_table *table)
{
	for (int i = 0; i < NAMESPACES; i++) {
		if (kernel_dump(plan->spaces[i].diag, plan->spaces[i].inum, protocol, table))
			return false;
	}
	return true;
}

static bool dump(const struct plan *plan, struct kernel_table *table)
{
	table->len = 0;
	if (!dump_protocol(plan, IPPROTO_TCP, table) || !dump_protocol(plan, IPPROTO_UDP, table))
		return false;
	if ((plan->protocols & WITH_UDPLITE) && !dump_protocol(plan, IPPROTO_UDPLITE, table))
		return false;
	kernel_sort(table);
	return true;
}

/* A socket of its own, bound to a port that nothing else uses; gone at once. */
static uint16_t mark(struct plan *plan)
{
	uint16_t port = (uint16_t)(MARKER_PORT_FIRST + plan->markers++ % MARKER_PORTS);
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)))
		err(1, "the marker");
	close(fd);
	return port;
}

/*
 * Two equal pictures, the marker, and the same picture again: then it is that of the marker. What
 * the kernel does by itself (retransmissions, ends of TIME_WAIT) may come between.
 */
static uint16_t await_rest(struct plan *plan, struct kernel_table *table)
{
	static struct kernel_table other;
	struct timespec pause = { .tv_nsec = REST_NS };

	for (int i = 0; i < REST_TRIES; i++) {
		uint16_t port;

		if (!dump(plan, table))
			continue;
		nanosleep(&pause, NULL);
		if (!dump(plan, &other) || !kernel_equal(table, &other))
			continue;
		order(plan->shared, REPORT);
		port = mark(plan);
		if (dump(plan, &other) && kernel_equal(table, &other))
			return port;
	}
	errx(1, "the kernel's sockets do not come to rest");
}

/* --- the cookies of all sockets that the workload has had, sorted --------------------------- */

static uint64_t *cookies;
static size_t cookies_len;

static int compare_cookies(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void learn_cookies(const struct shared *shared)
{
	size_t len = shared->objects_len;

	if (!cookies)
		cookies = calloc(shared->objects_max, sizeof(*cookies));
	if (!cookies)
		err(1, "memory");
	for (size_t i = cookies_len; i < len; i++)
		cookies[i] = shared->objects[i].cookie;
	cookies_len = len;
	qsort(cookies, len, sizeof(*cookies), compare_cookies);
}

static bool is_known(uint64_t cookie)
{
	return bsearch(&cookie, cookies, cookies_len, sizeof(cookie), compare_cookies) != NULL;
}

/* --- what is printed ----------------------------------------------------------------------- */

/* Is a TCP socket in state CLOSE still the owner of a port? */
static bool is_bound_closed(const struct held *h)
{
	return h->object->protocol == IPPROTO_TCP && h->state == 7 &&
	       (h->object->port_named || h->object->port_idle);
}

static void print_held(const struct plan *plan, const struct held *h)
{
	char local[INET6_ADDRSTRLEN];
	const struct object *o = h->object;
	bool four = h->local.any.sa_family == AF_INET;

	inet_ntop(h->local.any.sa_family,
		  four ? (const void *)&h->local.in.sin_addr : &h->local.in6.sin6_addr, local,
		  sizeof(local));
	printf("held %u %d %d %d %d %s %u %d %llu %d %d %d", plan->spaces[o->ns].inum, o->protocol,
	       o->family, h->state, is_bound_closed(h), local, ntohs(h->local.in.sin_port), h->pid,
	       (unsigned long long)o->cookie, h->fds, o->shut, o->passed);
	for (int i = 0; i < ACTORS && o->actors[i]; i++)
		printf(" %d", o->actors[i]);
	putchar('\n');
}

static void checkpoint(struct plan *plan)
{
	static struct kernel_table table;
	unsigned int all = plan->processes * plan->threads;
	uint16_t port = await_rest(plan, &table);

	printf("marker %u %u\n", plan->spaces[0].inum, port);
	learn_cookies(plan->shared);
	kernel_print(&table, is_known);
	for (unsigned int i = 0; i < all; i++) {
		for (int n = 0; n < plan->shared->held_len[i]; n++)
			print_held(plan, &plan->shared->held[i][n]);
	}
	printf("end\n");
	fflush(stdout);
}

static void make_round(struct plan *plan, unsigned int operations)
{
	unsigned int all = plan->processes * plan->threads;

	plan->shared->quota = (operations + all - 1) / all;
	order(plan->shared, RUN);
	order(plan->shared, DRAIN);
	checkpoint(plan);
}

/* --- begin and end ------------------------------------------------------------------------- */

static unsigned long number(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || !*text || *text == '-')
		errx(2, "%s: not a number", text);
	return n;
}

static unsigned int read_protocols(const char *text)
{
	static const char *const names[] = { "tcp", "udp", "udplite", "fastopen" };
	unsigned int protocols = 0;
	char *copy = strdup(text), *rest = copy, *word;

	if (!copy)
		err(1, "memory");
	while ((word = strsep(&rest, ","))) {
		unsigned int i;

		for (i = 0; i < 4 && strcmp(word, names[i]) != 0; i++)
			;
		if (i == 4)
			errx(2, "%s: not one of tcp, udp, udplite, fastopen", word);
		protocols |= 1U << i;
	}
	free(copy);
	return protocols;
}

static struct shared *make_shared(unsigned long operations)
{
	size_t objects = operations + 1024;
	size_t size = sizeof(struct shared) + objects * sizeof(struct object);
	struct shared *shared =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared == MAP_FAILED)
		err(1, "memory");
	shared->objects_max = (unsigned int)objects;
	return shared;
}

int main(int argc, char **argv)
{
	struct plan plan = { 0 };
	unsigned int operations;
	char line[64];

	if (argc != 7) {
		fprintf(stderr,
			"usage: workload SEED PROCESSES THREADS PROTOCOLS OPERATIONS DIR\n");
		return 2;
	}
	plan.seed = number(argv[1]);
	plan.processes = (unsigned int)number(argv[2]);
	plan.threads = (unsigned int)number(argv[3]);
	plan.protocols = read_protocols(argv[4]);
	plan.directory = argv[6];
	if (!plan.processes || !plan.threads || plan.processes * plan.threads > MAX_THREADS)
		errx(2, "1 to %d threads in all", MAX_THREADS);
	plan.shared = make_shared(number(argv[5]));
	for (int i = 0; i < NAMESPACES; i++)
		plan.spaces[i] = make_space(i == 1);
	start_processes(&plan);
	printf("spaces %u %u\n", plan.spaces[0].inum, plan.spaces[1].inum);
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin) && sscanf(line, "round %u", &operations) == 1)
		make_round(&plan, operations);
	order(plan.shared, END);
	return 0;
}
