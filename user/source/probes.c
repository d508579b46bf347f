// SPDX-License-Identifier: GPL-2.0-or-later
#include "user/source/probes.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/source/cgroup.h"
#include "user/source/symbols.h"
#include "user/source/types.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

static int quiet(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level;
	(void)format;
	(void)arguments;
	return 0;
}

const char probes_no_btf[] =
	"the kernel's type information, /sys/kernel/btf/vmlinux, cannot be read; "
	"the kernel needs CONFIG_DEBUG_INFO_BTF";

/* libbpf talks to us by return values only. */
static const struct btf *btf_load(void)
{
	libbpf_set_print(quiet);
	return types_of_kernel();
}

bool probes_have_btf(void)
{
	return btf_load() != NULL;
}

/* How a kernel function is hooked. */
enum hook_kind { HOOK_NONE, HOOK_TRAMPOLINE, HOOK_KPROBE, HOOK_KRETPROBE };

/* The kernel function of "fentry NAME" and its kin, and how it is hooked; NULL for other hooks. */
static const char *hook_function(const struct probe *probe, enum hook_kind *kind)
{
	static const struct {
		const char *word;
		enum hook_kind kind;
	} words[] = {
		{ "fentry ", HOOK_TRAMPOLINE },
		{ "fexit ", HOOK_TRAMPOLINE },
		{ "kprobe ", HOOK_KPROBE },
		{ "kretprobe ", HOOK_KRETPROBE },
	};

	for (size_t i = 0; i < LEN(words); i++) {
		size_t len = strlen(words[i].word);

		*kind = words[i].kind;
		if (!strncmp(probe->hook, words[i].word, len))
			return probe->hook + len;
	}
	*kind = HOOK_NONE;
	return NULL;
}

/* Arguments of a kernel function by its BTF, -ENOENT if it has none. */
static int function_arguments(const struct btf *btf, const char *name)
{
	int id = btf__find_by_name_kind(btf, name, BTF_KIND_FUNC);

	if (id < 0)
		return -ENOENT;
	return btf_vlen(btf__type_by_id(btf, btf__type_by_id(btf, id)->type));
}

static const struct probe *find_probe(const struct backend *backend, const char *program)
{
	for (size_t i = 0; program && i < backend->probes_len; i++)
		if (!strcmp(backend->probes[i].program, program))
			return &backend->probes[i];
	return NULL;
}

/*
 * A kprobe takes any function; its BTF is only the quickest way to know that it is there. Where two
 * fit, the one that comes first is taken.
 */
static bool kprobe_fits(const struct backend *backend, const struct probe *probe,
			const struct btf *btf, const char *function)
{
	const struct probe *other = find_probe(backend, probe->other);
	char symbol[SYMBOL_LEN];
	enum hook_kind kind;
	const char *others = other ? hook_function(other, &kind) : NULL;
	bool there = function_arguments(btf, function) >= 0;

	if (others && (other < probe || !there) && function_arguments(btf, others) >= 0)
		return false;
	return there || !symbol_find(function, symbol);
}

/*
 * Can this kernel have the program at all? Where two fit one hook, the argument list decides:
 * NAME_4args is for four.
 */
static bool probe_fits(const struct backend *backend, const struct probe *probe,
		       const struct btf *btf)
{
	enum hook_kind kind;
	const char *function = hook_function(probe, &kind);
	size_t name_len;
	int arguments;

	if (!function)
		return true;
	if (kind != HOOK_TRAMPOLINE)
		return kprobe_fits(backend, probe, btf, function);
	arguments = function_arguments(btf, function);
	if (arguments < 0)
		return false;
	name_len = strlen(probe->program);
	return name_len < sizeof("_4args") || strcmp(probe->program + name_len - 4, "args") ||
	       arguments == probe->program[name_len - 5] - '0';
}

static int fail(struct probes *probes, int error, const char *format, const char *what)
{
	snprintf(probes->reason, sizeof(probes->reason), format, what);
	return error;
}

static struct bpf_object *object_open(const struct backend *backend)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = backend->name);
	struct bpf_object *object;

	libbpf_set_print(quiet);
	object =
		bpf_object__open_mem(backend->object, backend->object_end - backend->object, &opts);
	return libbpf_get_error(object) ? NULL : object;
}

/*
 * Until bpf_htab.ma came (6.1), a kprobe program could not make an entry where it stood: kernels
 * before print a warning about such a program. There the tables are allocated as a whole, so
 * smaller.
 */
static bool must_preallocate(const struct backend *backend, const struct btf *btf)
{
	int id = btf__find_by_name_kind(btf, "bpf_htab", BTF_KIND_STRUCT);
	const struct btf_type *type = id < 0 ? NULL : btf__type_by_id(btf, (__u32)id);

	if (!backend->needs_kprobes)
		return false;
	for (__u16 i = 0; type && i < btf_vlen(type); i++)
		if (!strcmp(btf__name_by_offset(btf, btf_members(type)[i].name_off), "ma"))
			return false;
	return true;
}

bool probes_preallocates(const struct backend *backend)
{
	const struct btf *btf = btf_load();

	return btf && must_preallocate(backend, btf);
}

static int object_preallocate(struct bpf_object *object)
{
	struct bpf_map *map;
	int error = 0;

	bpf_object__for_each_map(map, object)
	{
		__u32 flags = bpf_map__map_flags(map), most = bpf_map__max_entries(map);

		if (!(flags & BPF_F_NO_PREALLOC) || error)
			continue;
		/* sockets and process ids are small, what is kept of a thread is a page's third */
		if (bpf_map__value_size(map) > 512)
			most = most < 8192 ? most : 8192;
		else
			most = most < 65536 ? most : 65536;
		error = bpf_map__set_map_flags(map, flags & ~(__u32)BPF_F_NO_PREALLOC);
		if (!error)
			error = bpf_map__set_max_entries(map, most);
	}
	return error;
}

static int object_configure(const struct backend *backend, struct bpf_object *object,
			    const struct probes_config *config, const struct btf *btf)
{
	struct bpf_map *rodata = bpf_object__find_map_by_name(object, ".rodata.config");
	struct bpf_map *records = bpf_object__find_map_by_name(object, "records");
	struct bpf_map *counters = bpf_object__find_map_by_name(object, "counters");
	struct bpf_map *sockets = bpf_object__find_map_by_name(object, "sockets");
	int cpus = libbpf_num_possible_cpus();
	int error;

	if (!rodata || !records || !counters || !sockets || cpus < 1)
		return -EINVAL;
	error = bpf_map__set_initial_value(rodata, &config->wire, sizeof(config->wire));
	if (!error)
		error = bpf_map__set_max_entries(records, config->buffer_bytes);
	if (!error)
		error = bpf_map__set_max_entries(counters, cpus);
	if (!error && config->sockets_max)
		error = bpf_map__set_max_entries(sockets, config->sockets_max);
	if (!error && must_preallocate(backend, btf))
		error = object_preallocate(object);
	return error;
}

/* Notes an optional probe that will be missing. */
static void note_missing(struct probes *probes, const struct probe *probe)
{
	size_t used = strlen(probes->note);

	probes->blind |= probe->blind;
	snprintf(probes->note + used, sizeof(probes->note) - used, "%s%s (%s)",
		 used ? ", " : "missing: ", probe->hook, probe->loses);
}

static bool has_probe(const struct probes *probes, const char *program)
{
	struct bpf_program *p = bpf_object__find_program_by_name(probes->object, program);

	return p && bpf_program__autoload(p);
}

/* Chooses the programs that fit this kernel. */
static int object_choose(struct probes *probes, const struct btf *btf)
{
	const struct backend *backend = probes->backend;

	for (size_t i = 0; i < backend->probes_len; i++) {
		const struct probe *probe = &backend->probes[i];
		struct bpf_program *p =
			bpf_object__find_program_by_name(probes->object, probe->program);
		const struct probe *other = find_probe(backend, probe->other);
		bool fits = probe_fits(backend, probe, btf);

		if (!p)
			return fail(probes, -EINVAL, "the program %s is not in this build",
				    probe->program);
		bpf_program__set_autoload(p, fits);
		if (fits)
			continue;
		if (!probe->required) {
			note_missing(probes, probe);
			continue;
		}
		/* required: the other one of a pair must fit */
		if (!other || !probe_fits(backend, other, btf))
			return fail(probes, -ENOTSUP, "this kernel has no hook for %s",
				    probe->hook);
	}
	return 0;
}

bool probes_kernel_has_kprobes(void)
{
	return !access("/sys/bus/event_source/devices/kprobe/type", R_OK);
}

/*
 * By perf events, which go when portlife does. A function may be there only as a copy that the
 * compiler made of it; the arguments used are still where they were, or the reads find nothing.
 */
static struct bpf_link *attach_kprobe(struct bpf_program *program, const char *function, bool ret)
{
	struct bpf_link *link = bpf_program__attach_kprobe(program, ret, function);
	long error = libbpf_get_error(link);
	char symbol[SYMBOL_LEN];

	if (!error)
		return link;
	if (probes_kernel_has_kprobes() && !symbol_find(function, symbol) &&
	    strcmp(symbol, function))
		return bpf_program__attach_kprobe(program, ret, symbol);
	errno = (int)-error; /* where libbpf_get_error() looks for it */
	return NULL;
}

static struct bpf_link *attach_one(const struct probe *probe, struct bpf_program *program,
				   int cgroup_fd)
{
	enum bpf_attach_type type = bpf_program__expected_attach_type(program);
	enum hook_kind kind;
	const char *function = hook_function(probe, &kind);

	if (kind == HOOK_KPROBE || kind == HOOK_KRETPROBE)
		return attach_kprobe(program, function, kind == HOOK_KRETPROBE);
	if (type == BPF_CGROUP_SOCK_OPS || type == BPF_CGROUP_INET_SOCK_CREATE ||
	    type == BPF_CGROUP_INET_SOCK_RELEASE || type == BPF_CGROUP_UDP4_SENDMSG ||
	    type == BPF_CGROUP_UDP6_SENDMSG)
		return bpf_program__attach_cgroup(program, cgroup_fd);
	return bpf_program__attach(program);
}

/* What loads cannot always be attached: one is tried, so that another backend can be taken instead.
 */
static int try_kprobe(struct probes *probes)
{
	const struct backend *backend = probes->backend;

	for (size_t i = 0; i < backend->probes_len; i++) {
		const struct probe *probe = &backend->probes[i];
		enum hook_kind kind;
		struct bpf_link *link;
		int error;

		hook_function(probe, &kind);
		if (kind != HOOK_KPROBE || !has_probe(probes, probe->program))
			continue;
		link = attach_one(probe,
				  bpf_object__find_program_by_name(probes->object, probe->program),
				  -1);
		error = (int)libbpf_get_error(link);
		if (error)
			return fail(probes, error, "cannot attach %s", probe->hook);
		bpf_link__destroy(link);
		break;
	}
	return 0;
}

static int refused(struct probes *probes, int error)
{
	return fail(probes, error,
		    "the kernel refused the probes: %s; `portlife doctor` tells which",
		    strerror(-error));
}

/*
 * Does this kernel take programs on its functions at all? The smallest one is tried: to find out
 * with the probes takes tables and types, which are then for nothing.
 */
static int try_trampoline(const struct backend *backend, const struct btf *btf)
{
	const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_FENTRY);

	for (size_t i = 0; i < backend->probes_len; i++) {
		enum hook_kind kind;
		const char *function = hook_function(&backend->probes[i], &kind);
		int id = kind == HOOK_TRAMPOLINE
				 ? btf__find_by_name_kind(btf, function, BTF_KIND_FUNC)
				 : -ENOENT;
		int fd;

		if (id < 0)
			continue;
		opts.attach_btf_id = (__u32)id;
		fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "try", "GPL", nothing,
				   sizeof(nothing) / sizeof(nothing[0]), &opts);
		if (fd < 0)
			return fd;
		close(fd);
		return 0;
	}
	return 0;
}

int probes_load(struct probes *probes, const struct backend *backend,
		const struct probes_config *config)
{
	struct probes_config effective = *config;
	const struct btf *btf = btf_load();
	int error;

	memset(probes, 0, sizeof(*probes));
	probes->backend = backend;
	probes->blind = backend->blind;
	if (backend->needs_kprobes && !probes_kernel_has_kprobes())
		return fail(probes, -ENOTSUP, "%s",
			    "this kernel has no kprobes; it needs CONFIG_KPROBE_EVENTS");
	if (!btf)
		return fail(probes, -ENOENT, "%s", probes_no_btf);
	error = try_trampoline(backend, btf);
	if (error)
		return refused(probes, error);
	probes->object = object_open(backend);
	if (!probes->object)
		return fail(probes, -EINVAL, "%s: the object in this build is damaged",
			    backend->name);
	error = object_choose(probes, btf);
	if (!error) {
		effective.wire.accept_fd = has_probe(probes, "accept_fd");
		if (has_probe(probes, "hash_connect_enter"))
			effective.wire.perturb = symbol_address("table_perturb");
		error = object_configure(backend, probes->object, &effective, btf);
	}
	if (!error) {
		error = bpf_object__load(probes->object);
		if (error)
			refused(probes, error);
	}
	if (!error && backend->needs_kprobes)
		error = try_kprobe(probes);
	if (error) {
		bpf_object__close(probes->object);
		probes->object = NULL;
	}
	return error;
}

int probes_attach(struct probes *probes)
{
	const struct backend *backend = probes->backend;
	int cgroup_fd = backend->needs_cgroup ? cgroup_open() : -1, error = 0;

	if (backend->needs_cgroup && cgroup_fd < 0)
		return fail(probes, cgroup_fd,
			    "no cgroup2 hierarchy is mounted%s; mount one: "
			    "mount -t cgroup2 none /sys/fs/cgroup",
			    "");
	for (size_t i = 0; i < backend->probes_len && !error; i++) {
		const struct probe *probe = &backend->probes[i];
		struct bpf_program *p =
			bpf_object__find_program_by_name(probes->object, probe->program);
		struct bpf_link *link;

		if (!bpf_program__autoload(p))
			continue;
		link = attach_one(probe, p, cgroup_fd);
		error = libbpf_get_error(link);
		if (!error) {
			probes->links[i] = link;
		} else if (!probe->required) {
			note_missing(probes, probe);
			error = 0;
		} else {
			error = fail(probes, error, "cannot attach %s", probe->hook);
		}
	}
	if (cgroup_fd >= 0)
		close(cgroup_fd);
	return error;
}

void probes_free(struct probes *probes)
{
	for (size_t i = PROBES_MAX; i-- > 0;) {
		bpf_link__destroy(probes->links[i]);
		probes->links[i] = NULL;
	}
	bpf_object__close(probes->object);
	probes->object = NULL;
}

int probes_map(const struct probes *probes, const char *name)
{
	return bpf_object__find_map_fd_by_name(probes->object, name);
}

void probes_list(const struct probes *probes, char *list, size_t len)
{
	size_t at = 0;

	list[0] = '\0';
	for (size_t i = 0; i < probes->backend->probes_len && at < len; i++)
		if (probes->links[i])
			at += (size_t)snprintf(list + at, len - at, "%s%s", at ? "," : "",
					       probes->backend->probes[i].hook);
}

/* struct bpf_link_info of 6.7 for a kprobe, which the headers of the build may not have. */
struct kprobe_link_info {
	__u32 type, id, prog_id, pad;
	__u32 perf_type, perf_pad;
	__u64 name;
	__u32 name_len, offset;
	__u64 addr;
	__u64 missed;
};

#define LINK_TYPE_PERF_EVENT   7 /* BPF_LINK_TYPE_PERF_EVENT, 5.15 */
#define PERF_EVENT_LINK_KPROBE 3 /* BPF_PERF_EVENT_KPROBE, 6.6 */

/* Hits of a kprobe that were not delivered, because another one was under way on that CPU. */
static uint64_t kprobe_missed(const struct bpf_link *link)
{
	struct kprobe_link_info info = { 0 };
	__u32 len = sizeof(info);

	if (!link || bpf_obj_get_info_by_fd(bpf_link__fd(link), &info, &len) ||
	    info.type != LINK_TYPE_PERF_EVENT || info.perf_type != PERF_EVENT_LINK_KPROBE)
		return 0;
	return info.missed;
}

uint64_t probes_missed(const struct probes *probes)
{
	struct bpf_program *p;
	uint64_t missed = 0;

	bpf_object__for_each_program(p, probes->object)
	{
		struct bpf_prog_info info = { 0 };
		__u32 len = sizeof(info);
		int fd = bpf_program__fd(p);

		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len))
			missed += info.recursion_misses;
	}
	for (size_t i = 0; i < PROBES_MAX; i++)
		missed += kprobe_missed(probes->links[i]);
	return missed;
}

int probes_try(const struct backend *backend, size_t index)
{
	const struct probe *probe = &backend->probes[index];
	struct probes_config config = { .buffer_bytes = 65536, .sockets_max = 1024 };
	const struct btf *btf = btf_load();
	struct bpf_object *object;
	struct bpf_program *p;
	struct bpf_link *link = NULL;
	int cgroup_fd, error;

	if (!btf)
		return -ENOENT;
	error = probe_fits(backend, probe, btf) ? 0 : -ENOENT;
	object = error ? NULL : object_open(backend);
	if (!object)
		return error ? error : -EINVAL;
	bpf_object__for_each_program(p, object)
		bpf_program__set_autoload(p, !strcmp(bpf_program__name(p), probe->program));
	p = bpf_object__find_program_by_name(object, probe->program);
	error = p ? object_configure(backend, object, &config, btf) : -EINVAL;
	if (!error)
		error = bpf_object__load(object);
	if (!error) {
		cgroup_fd = backend->needs_cgroup ? cgroup_open() : -1;
		link = attach_one(probe, p, cgroup_fd);
		error = libbpf_get_error(link);
		if (!error)
			bpf_link__destroy(link);
		if (cgroup_fd >= 0)
			close(cgroup_fd);
	}
	bpf_object__close(object);
	return error;
}
