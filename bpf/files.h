/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * files.h owns the way from a descriptor to its socket, by probe reads, and what walks through
 * files answer their reader. It knows no family and no table.
 */
#ifndef PORTLIFE_FILES_H
#define PORTLIFE_FILES_H

#include "bpf/kernel.h"

/* The socket of a file, or NULL: any file has private data, a socket's points back, twice. */
static __always_inline struct sock *sock_of_file(struct file *file)
{
	struct socket *socket = BPF_CORE_READ(file, private_data);
	struct sock *sk;

	if (!socket || BPF_CORE_READ(socket, file) != file)
		return 0;
	sk = BPF_CORE_READ(socket, sk);
	return sk && BPF_CORE_READ(sk, sk_socket) == socket ? sk : 0;
}

/* The socket behind a descriptor of the current task, or NULL. */
static __always_inline struct sock *sock_of_fd(s32 fd)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct fdtable *fdt = BPF_CORE_READ(task, files, fdt);
	struct file **files = BPF_CORE_READ(fdt, fd), *file = 0;

	if (fd < 0 || (u32)fd >= BPF_CORE_READ(fdt, max_fds))
		return 0;
	bpf_probe_read_kernel(&file, sizeof(file), files + fd);
	return file ? sock_of_file(file) : 0;
}

/*
 * A context or socket pointer of a cgroup program is the struct sock itself, but the verifier
 * forbids to reach into it. Read through memory it is a number, fit for probe reads.
 */
static __always_inline struct sock *sock_of(void *pointer)
{
	struct sock *sk = 0;

	bpf_probe_read_kernel(&sk, sizeof(sk), &pointer);
	return sk;
}

/* --- walks ----------------------------------------------------------------------------------- */

#define IDLE_OBJECTS 128 /* things passed between two tokens at most */

static __always_inline void answer(struct bpf_iter_meta *meta, char token)
{
	bpf_seq_write(meta->seq, &token, sizeof(token));
}

/* The reader gets a word now and then, also from a walk that finds nothing. */
static __always_inline void answer_idle(struct bpf_iter_meta *meta)
{
	if (!(meta->seq_num % IDLE_OBJECTS))
		answer(meta, WIRE_TOKEN_IDLE);
}

#endif
