// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * families_existing.bpf.c finds the sockets beyond TCP, UDP and ping that had a port or a name
 * before the probes came: one walk at the start through every file of every task, beside any
 * backend, on the table of its families. What no descriptor leads to is not found.
 */
#include "bpf/families.h"
#include "bpf/files.h"

char LICENSE[] SEC("license") = "GPL";

/*
 * A socket of AF_UNIX that has its name from its listener, where others still have it too. One that
 * bound itself and is connected has a name of its own.
 */
static __always_inline bool has_listeners_name(struct sock *sk)
{
	return sock_state(sk) == TCP_ESTABLISHED &&
	       BPF_CORE_READ(unix_name(sk), refcnt.refs.counter) > 1;
}

/*
 * The room for the record comes first, as in take_in() of existing.bpf.c: nothing that a probe
 * tells of the socket once it is in the table can get ahead of it.
 */
static __always_inline void family_found(struct bpf_iter_meta *meta, struct sock *sk,
					 struct family_socket *fresh, struct task_struct *task,
					 s32 fd)
{
	u64 key = (u64)sk;
	struct wire_call *r = family_record(WIRE_FOUND, sk, fresh);

	if (!r)
		return;
	if (bpf_map_update_elem(&family_sockets, &key, fresh, BPF_NOEXIST)) {
		bpf_ringbuf_discard(r, BPF_RB_NO_WAKEUP);
		return;
	}
	who_fill_task(&r->who, task);
	r->fd = fd;
	r->facts |= WIRE_F_PASS | WIRE_F_WHO | task_is_followed(task);
	record_submit(r);
	answer(meta, WIRE_TOKEN_RECORD);
}

SEC("iter/task_file")
int walk_family_files(struct bpf_iter__task_file *ctx)
{
	u64 now = bpf_ktime_get_boot_ns();
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct family_socket fresh = {
		.id = family_number(now),
		.flags = FAMILY_EXISTING | FAMILY_TOLD | FAMILY_HOLDS,
	};
	u16 protocol;
	struct sock *sk;

	if (!task || !file)
		return 0;
	answer_idle(ctx->meta);
	sk = sock_of_file(file);
	protocol = sk ? family_protocol(sk) : 0;
	if (!protocol || family_find(sk) || !task_is_chosen(task))
		return 0;
	fresh.port = family_port(sk, protocol);
	if (!fresh.port)
		return 0;
	fresh.owner = BPF_CORE_READ(task, tgid);
	if (protocol == WIRE_PROTOCOL_UNIX) {
		if (has_listeners_name(sk))
			fresh.flags |= FAMILY_CHILD;
		tell_paths(sk, &fresh, 0, now);
	}
	family_found(ctx->meta, sk, &fresh, task, ctx->fd);
	return 0;
}
