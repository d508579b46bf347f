// SPDX-License-Identifier: GPL-2.0-or-later
#include "user/source/families.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "user/source/cgroup.h"
#include "user/source/probes.h"
#include "user/source/share.h"
#include "user/source/symbols.h"
#include "user/source/types.h"

extern const unsigned char families_fentry_object[], families_fentry_object_end[];
extern const unsigned char families_kprobe_object[], families_kprobe_object_end[];
extern const unsigned char families_tracepoint_object[], families_tracepoint_object_end[];

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

#define RAW	WIRE_FAMILY_RAW
#define UNIX	WIRE_FAMILY_UNIX
#define NETLINK WIRE_FAMILY_NETLINK
#define MPTCP	WIRE_FAMILY_MPTCP
#define VSOCK	WIRE_FAMILY_VSOCK
#define SCTP	WIRE_FAMILY_SCTP

/* ENTRY: a program at the entry; CALL: at entry and end; RETURN: at the end, kprobe at both. */
enum shape { ENTRY, CALL, RETURN };

/*
 * As bpf/families_list.h has them, the end of a life first. KEY: without it there is no such family
 * here. args: the function must have so many, as far as BTF tells, 0: any number.
 */
static const struct hook {
	const char *program, *function;
	uint32_t families;
	enum shape shape;
	int args;
	bool key;
} hooks[] = {
	{ "unix_release", "unix_release", UNIX, ENTRY, 0, true },
	{ "netlink_release", "netlink_release", NETLINK, ENTRY, 0, true },
	{ "raw_close", "raw_close", RAW, ENTRY, 0, true },
	{ "rawv6_close", "rawv6_close", RAW, ENTRY, 0, false },
	{ "vsock_remove_sock", "vsock_remove_sock", VSOCK, ENTRY, 0, true },
	{ "vsock_release", "vsock_release", VSOCK, ENTRY, 0, true },
	{ "sctp_put_port", "sctp_put_port", SCTP, ENTRY, 0, true },
	{ "sctp_close", "sctp_close", SCTP, ENTRY, 0, true },
	{ "mptcp_destroy", "mptcp_destroy", MPTCP, ENTRY, 0, true },
	{ "mptcp_close", "mptcp_close", MPTCP, ENTRY, 0, true },
	{ "graft", "security_sock_graft", UNIX | VSOCK | SCTP | MPTCP, ENTRY, 0, false },
	{ "installed", "fd_install", UNIX | VSOCK | SCTP | MPTCP, ENTRY, 0, true },
	{ "unix_accept", "unix_accept", UNIX, ENTRY, 0, false },
	{ "vsock_accept", "vsock_accept", VSOCK, ENTRY, 0, false },
	{ "vsock_enqueue_accept", "vsock_enqueue_accept", VSOCK, ENTRY, 0, false },
	{ "sctp_accept", "sctp_accept", SCTP, ENTRY, 0, false },
	{ "mptcp_accept", "mptcp_stream_accept", MPTCP, ENTRY, 0, false },
	{ "mptcp_child", "mptcp_token_accept", MPTCP, ENTRY, 0, false },
	{ "mptcp_subflow_2args", "mptcp_subflow_create_socket", MPTCP, RETURN, 2, false },
	{ "mptcp_subflow_3args", "mptcp_subflow_create_socket", MPTCP, RETURN, 3, false },
	{ "unix_bind", "unix_bind", UNIX, CALL, 0, true },
	{ "unix_stream_connect", "unix_stream_connect", UNIX, CALL, 0, true },
	{ "unix_dgram_connect", "unix_dgram_connect", UNIX, CALL, 0, true },
	{ "unix_listen", "unix_listen", UNIX, CALL, 0, true },
	{ "unix_autobind", "unix_autobind", UNIX, CALL, 0, false },
	{ "netlink_bind", "netlink_bind", NETLINK, CALL, 0, true },
	{ "netlink_connect", "netlink_connect", NETLINK, CALL, 0, true },
	{ "netlink_insert", "netlink_insert", NETLINK, CALL, 0, false },
	{ "raw_bind", "raw_bind", RAW, CALL, 0, true },
	{ "rawv6_bind", "rawv6_bind", RAW, CALL, 0, false },
	{ "raw_connect", "inet_dgram_connect", RAW, CALL, 0, true },
	{ "vsock_bind", "vsock_bind", VSOCK, CALL, 0, true },
	{ "vsock_connect", "vsock_connect", VSOCK, CALL, 0, false },
	{ "vsock_stream_connect", "vsock_stream_connect", VSOCK, CALL, 0, false },
	{ "vsock_listen", "vsock_listen", VSOCK, CALL, 0, true },
	{ "sctp_bind", "sctp_bind", SCTP, CALL, 0, true },
	{ "sctp_connect", "sctp_inet_connect", SCTP, CALL, 0, true },
	{ "sctp_listen", "sctp_inet_listen", SCTP, CALL, 0, true },
	{ "sctp_do_bind", "sctp_do_bind", SCTP, CALL, 0, false },
	{ "sctp_connectx", "__sctp_connect", SCTP, CALL, 5, false },
	{ "sctp_migrate", "sctp_sock_migrate", SCTP, ENTRY, 0, false },
	{ "sctp_clone", "sctp_clone_sock", SCTP, ENTRY, 0, false },
	{ "mptcp_bind", "mptcp_bind", MPTCP, CALL, 0, true },
	{ "mptcp_listen", "mptcp_listen", MPTCP, CALL, 0, true },
	{ "mptcp_connect", "mptcp_connect", MPTCP, CALL, 0, true },
	{ "created", "security_socket_post_create", RAW | UNIX | NETLINK | MPTCP | VSOCK | SCTP,
	  ENTRY, 0, false },
};

static const struct word {
	const char *word;
	const char *module; /* that may have it, NULL: never one */
	uint32_t family;
	int domain, type, protocol;
} words[] = {
	{ "raw", NULL, RAW, AF_INET, SOCK_RAW, IPPROTO_UDP },
	{ "unix", NULL, UNIX, AF_UNIX, SOCK_STREAM, 0 },
	{ "netlink", NULL, NETLINK, AF_NETLINK, SOCK_RAW, 0 },
	{ "mptcp", NULL, MPTCP, AF_INET, SOCK_STREAM, WIRE_PROTOCOL_MPTCP },
	{ "vsock", "vsock", VSOCK, AF_VSOCK, SOCK_STREAM, 0 },
	{ "sctp", "sctp", SCTP, AF_INET, SOCK_STREAM, IPPROTO_SCTP },
};

enum way { WAY_NONE, WAY_FENTRY, WAY_KPROBE };

/* The programs of the backend without function probes. */
static const struct {
	const char *program, *hook;
	bool cgroup;
} calls[] = {
	{ "sock_release", "cgroup sock_release", true },
	{ "sys_exit", "tp_btf sys_exit", false },
	{ "sys_enter", "tp_btf sys_enter", false },
	{ "sock_create", "cgroup sock_create", true },
};

struct families {
	struct bpf_object *fentry, *kprobe; /* NULL: no program of it is needed */
	struct bpf_object *tracepoint;	    /* instead of both */
	struct bpf_link *call_links[LEN(calls)];
	uint32_t have; /* enum wire_family */
	uint32_t late; /* asked for, and nothing but a module is missing: it may yet come */
	bool chosen[LEN(hooks)];
	enum way way[LEN(hooks)];
	struct bpf_link *links[LEN(hooks)][2]; /* the end, the entry */
};

const char *family_word(uint32_t family)
{
	for (size_t i = 0; i < LEN(words); i++)
		if (words[i].family == family)
			return words[i].word;
	return "?";
}

/* --- what this kernel has --------------------------------------------------------------------- */

struct kernel {
	struct btf *vmlinux;
	struct btf *modules[LEN(words)]; /* NULL: none, not loaded, or without types */
	bool has_fentry, has_kprobes;
};

/* Somebody who asks for such sockets by name will open one: the module may as well be there now. */
static void ask_for_modules(uint32_t named)
{
	for (size_t i = 0; i < LEN(words); i++) {
		const struct word *w = &words[i];
		int fd;

		if (!w->module || !(named & w->family))
			continue;
		fd = socket(w->domain, w->type | SOCK_CLOEXEC, w->protocol);
		if (fd >= 0)
			close(fd);
	}
}

/* Of these, those that a module may bring. */
static uint32_t families_late(uint32_t absent)
{
	uint32_t late = 0;

	for (size_t i = 0; i < LEN(words); i++)
		if (words[i].module && (absent & words[i].family))
			late |= words[i].family;
	return late;
}

bool families_may_come(const struct families *f)
{
	return f && f->late;
}

size_t families_arrived(struct families *f)
{
	size_t arrived = 0;
	char path[64];

	for (size_t i = 0; f && i < LEN(words); i++) {
		if (!(f->late & words[i].family))
			continue;
		snprintf(path, sizeof(path), "/sys/module/%s", words[i].module);
		if (access(path, F_OK))
			continue;
		f->late &= ~words[i].family;
		arrived++;
	}
	return arrived;
}

static void kernel_look(struct kernel *k, uint32_t backend)
{
	memset(k, 0, sizeof(*k));
	k->has_fentry = backend == WIRE_FENTRY;
	k->has_kprobes = probes_kernel_has_kprobes();
	k->vmlinux = types_of_kernel();
	for (size_t i = 0; k->vmlinux && i < LEN(words); i++) {
		if (!words[i].module)
			continue;
		k->modules[i] = btf__load_module_btf(words[i].module, k->vmlinux);
		if (libbpf_get_error(k->modules[i]))
			k->modules[i] = NULL;
	}
}

static void kernel_forget(struct kernel *k)
{
	for (size_t i = 0; i < LEN(words); i++)
		btf__free(k->modules[i]);
}

/* Arguments of a function by the types of vmlinux or of a module; -ENOENT: not there. */
static int arguments_of(const struct kernel *k, const char *function)
{
	const struct btf *btf = k->vmlinux;
	int id = btf ? btf__find_by_name_kind(btf, function, BTF_KIND_FUNC) : -ENOENT;

	for (size_t i = 0; id < 0 && i < LEN(words); i++) {
		btf = k->modules[i];
		id = btf ? btf__find_by_name_kind(btf, function, BTF_KIND_FUNC) : -ENOENT;
	}
	if (id < 0)
		return -ENOENT;
	return btf_vlen(btf__type_by_id(btf, btf__type_by_id(btf, (__u32)id)->type));
}

/* is_symbol: in the kernel's list of functions, asked where there are no types. */
static enum way way_to(const struct kernel *k, const struct hook *hook, bool is_symbol)
{
	int args = arguments_of(k, hook->function);

	/* a module without BTF does not say; only where the place of one hangs on it it matters */
	if (hook->args && args != hook->args && (args >= 0 || hook->shape == RETURN))
		return WAY_NONE;
	if (k->has_fentry && args >= 0)
		return WAY_FENTRY;
	return k->has_kprobes && (args >= 0 || is_symbol) ? WAY_KPROBE : WAY_NONE;
}

/* Which of these families are there, and by which way each function is reached. */
static void choose(struct families *f, const struct kernel *k, uint32_t families)
{
	const char *names[LEN(hooks)] = { NULL };
	bool there[LEN(hooks)], any = false;

	for (size_t i = 0; i < LEN(hooks) && k->has_kprobes; i++) {
		bool asked = hooks[i].families & families;

		if (!asked || arguments_of(k, hooks[i].function) >= 0)
			continue;
		names[i] = hooks[i].function;
		any = true;
	}
	memset(there, 0, sizeof(there));
	if (any)
		symbols_find(names, there, LEN(hooks));
	f->have = families;
	for (size_t i = 0; i < LEN(hooks); i++) {
		if (!(hooks[i].families & families))
			continue;
		f->way[i] = way_to(k, &hooks[i], there[i]);
		if (hooks[i].key && f->way[i] == WAY_NONE)
			f->have &= ~hooks[i].families;
	}
	for (size_t i = 0; i < LEN(hooks); i++)
		f->chosen[i] = f->way[i] != WAY_NONE && (hooks[i].families & f->have);
}

/* --- loading ---------------------------------------------------------------------------------- */

static struct bpf_object *open_object(const unsigned char *bytes, const unsigned char *end,
				      const char *name)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = name);
	struct bpf_object *object = bpf_object__open_mem(bytes, (size_t)(end - bytes), &opts);

	return libbpf_get_error(object) ? NULL : object;
}

static struct bpf_program *program_of(struct bpf_object *object, const struct hook *hook, bool end)
{
	char name[64];

	snprintf(name, sizeof(name), "%s%s", hook->program,
		 hook->shape == ENTRY ? ""
		 : end		      ? "_exit"
				      : "_enter");
	return bpf_object__find_program_by_name(object, name);
}

/* fentry has the arguments at the end, too. */
static bool needs_entry(const struct hook *hook, enum way way)
{
	return hook->shape == CALL || (hook->shape == RETURN && way == WAY_KPROBE);
}

/* A hook that several families share passes over those that are not watched as a whole. */
static int narrow(struct bpf_object *object, uint32_t have)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, ".rodata.config");
	size_t len = 0;
	const void *shared = map ? bpf_map__initial_value(map, &len) : NULL;
	struct wire_config config;

	if (!shared || len != sizeof(config))
		return -EINVAL;
	memcpy(&config, shared, sizeof(config));
	config.families = have;
	return bpf_map__set_initial_value(map, &config, sizeof(config));
}

/* As the tables of a backend: where a program must not make entries where it stands, all at once.
 */
static int preallocate(struct bpf_object *object)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, "family_sockets");
	int error = bpf_map__set_map_flags(map, bpf_map__map_flags(map) & ~BPF_F_NO_PREALLOC);

	return error ? error : bpf_map__set_max_entries(map, 65536);
}

static int load_way(struct families *f, const struct probes *probes, enum way way,
		    bool preallocates)
{
	struct bpf_object **object = way == WAY_FENTRY ? &f->fentry : &f->kprobe;
	bool any = false;
	int error;

	*object = way == WAY_FENTRY ? open_object(families_fentry_object,
						  families_fentry_object_end, "families_fentry")
				    : open_object(families_kprobe_object,
						  families_kprobe_object_end, "families_kprobe");
	if (!*object)
		return -EINVAL;
	for (size_t i = 0; i < LEN(hooks); i++) {
		if (!f->chosen[i] || f->way[i] != way)
			continue;
		any = true;
		if (hooks[i].shape != ENTRY)
			bpf_program__set_autoload(program_of(*object, &hooks[i], true), true);
		if (hooks[i].shape == ENTRY || needs_entry(&hooks[i], way))
			bpf_program__set_autoload(program_of(*object, &hooks[i], false), true);
	}
	if (!any) {
		bpf_object__close(*object);
		*object = NULL;
		return 0;
	}
	error = share_maps(*object, probes->object);
	if (!error)
		error = narrow(*object, f->have);
	if (!error && way == WAY_KPROBE && f->fentry)
		error = share_maps(*object, f->fentry);
	else if (!error && preallocates)
		error = preallocate(*object);
	return error ? error : bpf_object__load(*object);
}

static void note_absent(uint32_t absent, uint32_t named, bool tracepoint, char *note,
			size_t note_len)
{
	size_t used = 0;

	note[0] = '\0';
	for (size_t i = 0; i < LEN(words) && used < note_len; i++) {
		const char *why = tracepoint		    ? "not seen by this backend"
				  : !words[i].module	    ? "not in this kernel"
				  : named & words[i].family ? "not in this kernel"
							    : "its module is not loaded";

		if (absent & words[i].family)
			used += (size_t)snprintf(note + used, note_len - used, "%s%s (%s)",
						 used ? ", " : "absent: ", words[i].word, why);
	}
}

static int load_tracepoint(struct families *f, const struct probes *probes)
{
	int error;

	f->tracepoint = open_object(families_tracepoint_object, families_tracepoint_object_end,
				    "families_tp");
	if (!f->tracepoint)
		return -EINVAL;
	error = share_maps(f->tracepoint, probes->object);
	return error ? error : bpf_object__load(f->tracepoint);
}

/* f if there was no error; else it goes. */
static struct families *refused(struct families *f, int error, char *reason, size_t reason_len)
{
	if (!error)
		return f;
	snprintf(reason, reason_len, "the kernel refused the probes of --proto: %s",
		 strerror(-error));
	families_free(f);
	return NULL;
}

uint32_t families_seen(uint32_t backend, uint32_t families)
{
	return backend == WIRE_TRACEPOINT ? families & (RAW | SCTP | MPTCP) : families;
}

struct families *families_load(const struct probes *probes, uint32_t families, uint32_t named,
			       char *reason, size_t reason_len, char *note, size_t note_len)
{
	bool tracepoint = probes->backend->id == WIRE_TRACEPOINT;
	struct families *f = calloc(1, sizeof(*f));
	struct kernel k;
	int error;

	reason[0] = note[0] = '\0';
	if (!f) {
		snprintf(reason, reason_len, "%s", strerror(ENOMEM));
		return NULL;
	}
	ask_for_modules(named);
	if (tracepoint) {
		f->have = families_seen(WIRE_TRACEPOINT, families);
		note_absent(families & ~f->have, named, true, note, note_len);
		error = f->have ? load_tracepoint(f, probes) : 0;
		return refused(f, error, reason, reason_len);
	}
	kernel_look(&k, probes->backend->id);
	choose(f, &k, families);
	kernel_forget(&k);
	f->late = families_late(families & ~f->have & ~named);
	note_absent(families & ~f->have, named, false, note, note_len);
	error = load_way(f, probes, WAY_FENTRY, false);
	if (!error)
		error = load_way(f, probes, WAY_KPROBE, probes_preallocates(probes->backend));
	return refused(f, error, reason, reason_len);
}

const struct bpf_object *families_object(const struct families *f)
{
	if (!f)
		return NULL;
	return f->fentry ? f->fentry : f->kprobe ? f->kprobe : f->tracepoint;
}

void families_describe(uint32_t backend, char *text, size_t len)
{
	uint32_t seen = families_seen(backend, WIRE_FAMILY_ALL);
	struct families f = { .have = seen };
	char absent[200];
	struct kernel k;
	size_t used = 0;

	if (backend != WIRE_TRACEPOINT) {
		kernel_look(&k, backend);
		choose(&f, &k, seen);
		kernel_forget(&k);
	}
	text[0] = '\0';
	for (size_t i = 0; i < LEN(words) && used < len; i++)
		if (f.have & words[i].family)
			used += (size_t)snprintf(text + used, len - used, "%s%s",
						 used ? ", " : "--proto: ", words[i].word);
	note_absent(WIRE_FAMILY_ALL & ~f.have, 0, backend == WIRE_TRACEPOINT, absent,
		    sizeof(absent));
	if (absent[0] && used < len)
		snprintf(text + used, len - used, "%s%s", used ? "; " : "", absent);
}

/* --- attaching -------------------------------------------------------------------------------- */

static struct bpf_link *attach(struct families *f, size_t i, bool end)
{
	struct bpf_object *object = f->way[i] == WAY_FENTRY ? f->fentry : f->kprobe;
	struct bpf_program *program = program_of(object, &hooks[i], end);
	struct bpf_link *link =
		f->way[i] == WAY_FENTRY
			? bpf_program__attach(program)
			: bpf_program__attach_kprobe(program, end, hooks[i].function);

	return libbpf_get_error(link) ? NULL : link;
}

static int attach_calls(struct families *f, char *reason, size_t reason_len)
{
	int cgroup_fd = cgroup_open();

	for (size_t i = 0; i < LEN(calls); i++) {
		struct bpf_program *program =
			bpf_object__find_program_by_name(f->tracepoint, calls[i].program);
		struct bpf_link *link = calls[i].cgroup
						? bpf_program__attach_cgroup(program, cgroup_fd)
						: bpf_program__attach(program);

		f->call_links[i] = libbpf_get_error(link) ? NULL : link;
		if (f->call_links[i])
			continue;
		snprintf(reason, reason_len, "cannot attach %s: %s", calls[i].hook,
			 strerror(errno));
		if (cgroup_fd >= 0)
			close(cgroup_fd);
		return errno ? -errno : -EINVAL;
	}
	if (cgroup_fd >= 0)
		close(cgroup_fd);
	return 0;
}

int families_attach(struct families *f, char *reason, size_t reason_len)
{
	if (f && f->tracepoint)
		return attach_calls(f, reason, reason_len);
	/* ends before entries: nothing may begin that is not seen to its end */
	for (size_t pass = 0; f && pass < 3; pass++) {
		for (size_t i = 0; i < LEN(hooks); i++) {
			bool last = !strcmp(hooks[i].program, "created");
			bool end = hooks[i].shape != ENTRY && pass == 0;
			bool due = hooks[i].shape == ENTRY ? pass == (last ? 2 : 0)
				   : end		   ? true
					 : pass == 1 && needs_entry(&hooks[i], f->way[i]);

			if (!f->chosen[i] || !due)
				continue;
			f->links[i][end ? 0 : 1] = attach(f, i, end);
			if (f->links[i][end ? 0 : 1])
				continue;
			snprintf(reason, reason_len, "cannot attach to %s: %s", hooks[i].function,
				 strerror(errno));
			return errno ? -errno : -EINVAL;
		}
	}
	return 0;
}

void families_free(struct families *f)
{
	if (!f)
		return;
	for (size_t i = LEN(hooks); i-- > 0;) {
		bpf_link__destroy(f->links[i][1]);
		bpf_link__destroy(f->links[i][0]);
	}
	for (size_t i = LEN(calls); i-- > 0;)
		bpf_link__destroy(f->call_links[i]);
	bpf_object__close(f->tracepoint);
	bpf_object__close(f->kprobe);
	bpf_object__close(f->fentry);
	free(f);
}

void families_list(const struct families *f, char *list, size_t len)
{
	size_t at = 0;

	list[0] = '\0';
	for (size_t i = 0; f && f->tracepoint && i < LEN(calls) && at < len; i++)
		at += (size_t)snprintf(list + at, len - at, ",%s", calls[i].hook);
	for (size_t i = 0; f && i < LEN(hooks) && at < len; i++)
		if (f->chosen[i])
			at += (size_t)snprintf(list + at, len - at, ",%s %s",
					       f->way[i] == WAY_FENTRY ? "fentry" : "kprobe",
					       hooks[i].function);
}

static uint64_t object_missed(const struct bpf_object *object)
{
	struct bpf_program *p;
	uint64_t missed = 0;

	if (!object)
		return 0;
	bpf_object__for_each_program(p, object)
	{
		struct bpf_prog_info info = { 0 };
		__u32 len = sizeof(info);
		int fd = bpf_program__fd(p);

		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len))
			missed += info.recursion_misses;
	}
	return missed;
}

uint64_t families_missed(const struct families *f)
{
	return f ? object_missed(f->fentry) + object_missed(f->kprobe) +
			       object_missed(f->tracepoint)
		 : 0;
}
