/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * context.h owns the questions "who is this?" and "is it chosen?" about the current task. Only
 * for programs that run in task context: in a softirq the answers would be about a bystander.
 */
#ifndef PORTLIFE_CONTEXT_H
#define PORTLIFE_CONTEXT_H

#include "bpf/task.h"

#define PIDNS_DEEP 32 /* MAX_PID_NS_LEVEL */

/* Number of a struct pid in the collector's pid namespace, 0 if it has none there. */
static __always_inline u32 pid_here(struct pid *pid)
{
	u32 level = BPF_CORE_READ(pid, level);
	struct upid *numbers = (void *)pid + bpf_core_field_offset(struct pid, numbers);

	for (u32 i = 0; i < PIDNS_DEEP; i++) {
		struct upid *number = (void *)numbers + i * bpf_core_type_size(struct upid);

		if (i > level)
			break;
		if (BPF_CORE_READ(number, ns, ns.inum) == config.pidns_inum)
			return BPF_CORE_READ(number, nr);
	}
	return 0;
}

/* A task's process in the collector's pid namespace, 0 if it cannot be seen from there. */
static __always_inline u32 tgid_here(struct task_struct *task)
{
	if (!config.pidns_inum)
		return BPF_CORE_READ(task, tgid);
	return pid_here(BPF_CORE_READ(task, group_leader, thread_pid));
}

static __always_inline u32 current_tgid_here(void)
{
	if (!config.pidns_inum)
		return bpf_get_current_pid_tgid() >> 32;
	return tgid_here((struct task_struct *)bpf_get_current_task());
}

/*
 * A word of a text, with zeros from its first zero byte on: what an earlier, longer text left
 * there goes. Little endian.
 */
static __always_inline u64 text_word(u64 word)
{
	u64 zeros = (word - 0x0101010101010101ULL) & ~word & 0x8080808080808080ULL;

	/* the lowest of them is certain */
	return zeros ? word & (((zeros & -zeros) >> 7) - 1) : word;
}

static __always_inline bool text_word_ends(u64 word)
{
	return !(word >> 56);
}

/* The current task's name and real user. */
static __always_inline void who_fill_name(struct wire_who *who)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	if (has_current_task_btf()) {
		struct task_struct *task = bpf_get_current_task_btf();
		const u64 *from = (const u64 *)task->comm;
		u64 *to = (u64 *)who->comm;

		to[0] = text_word(from[0]);
		to[1] = text_word_ends(to[0]) ? 0 : text_word(from[1]);
		who->uid = task->cred->uid.val;
		return;
	}
#endif
	bpf_get_current_comm(who->comm, sizeof(who->comm));
	who->uid = bpf_get_current_uid_gid();
}

static __always_inline void who_fill(struct wire_who *who)
{
	u64 pid_tgid = bpf_get_current_pid_tgid();

	who->pid_host = pid_tgid >> 32;
	who->cgroup = bpf_get_current_cgroup_id();
	who_fill_name(who);
	if (!config.pidns_inum) {
		who->pid = pid_tgid >> 32;
		who->tid = pid_tgid;
	} else {
		struct task_struct *task = (void *)bpf_get_current_task();

		who->pid = tgid_here(task);
		who->tid = pid_here(BPF_CORE_READ(task, thread_pid));
	}
}

/*
 * The same about any task, and about the current one where a program may not ask the kernel (the
 * cgroup hooks of some kernels).
 */
static __always_inline void who_fill_task(struct wire_who *who, struct task_struct *task)
{
	who->pid_host = BPF_CORE_READ(task, tgid);
	who->uid = BPF_CORE_READ(task, real_cred, uid.val);
	who->cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	bpf_probe_read_kernel(who->comm, sizeof(who->comm), &task->comm);
	who->pid = tgid_here(task);
	who->tid = config.pidns_inum ? pid_here(BPF_CORE_READ(task, thread_pid))
				     : (u32)BPF_CORE_READ(task, pid);
}

static __always_inline u32 *pid_mark(u32 tgid)
{
	u32 index = tgid & (PID_MARKS - 1);

	return bpf_map_lookup_elem(&pid_marks, &index);
}

/* Its entry in `pids`, or NULL. */
static __always_inline u32 *pid_find(u32 tgid)
{
	u32 *mark = pid_mark(tgid);

	if (mark && !*mark)
		return 0;
	return bpf_map_lookup_elem(&pids, &tgid);
}

static __always_inline u32 task_is_followed(struct task_struct *task)
{
	u32 *value;

	if (!(config.filter & WIRE_FILTER_PIDS))
		return 0;
	value = pid_find(tgid_here(task));
	return value && *value == WIRE_PID_FOLLOW ? WIRE_F_FOLLOWED : 0;
}

static __always_inline u32 who_is_followed(void)
{
	if (!(config.filter & WIRE_FILTER_PIDS))
		return 0;
	return task_is_followed((struct task_struct *)bpf_get_current_task());
}

static __always_inline bool comm_is_chosen(const char *comm)
{
	for (int i = 0; i < WIRE_COMM_LEN; i++) {
		if (comm[i] != config.comm[i])
			return false;
		if (!comm[i])
			break;
	}
	return true;
}

/* The kernel's part of the filter: drops only what core would drop. */
static __always_inline bool who_is_chosen(void)
{
	if ((config.filter & WIRE_FILTER_PIDS) && !pid_find(current_tgid_here()))
		return false;
	if ((config.filter & WIRE_FILTER_UID) && (u32)bpf_get_current_uid_gid() != config.uid)
		return false;
	if (config.filter & WIRE_FILTER_COMM) {
		char comm[WIRE_COMM_LEN] = {};

		bpf_get_current_comm(comm, sizeof(comm));
		if (!comm_is_chosen(comm))
			return false;
	}
	return true;
}

/* A followed process's child is followed: from the fork on, before it can make a socket. */
static __always_inline void who_forked(struct task_struct *parent, struct task_struct *child)
{
	u32 follow = WIRE_PID_FOLLOW, child_tgid, *value, *mark;

	if (!(config.filter & WIRE_FILTER_PIDS) ||
	    BPF_CORE_READ(parent, tgid) == BPF_CORE_READ(child, tgid))
		return;
	value = pid_find(tgid_here(parent));
	if (!value || *value != WIRE_PID_FOLLOW)
		return;
	child_tgid = tgid_here(child);
	mark = pid_mark(child_tgid);
	if (mark)
		__sync_fetch_and_add(mark, 1);
	if (bpf_map_update_elem(&pids, &child_tgid, &follow, BPF_ANY))
		COUNT(lost_calls);
}

/*
 * The last thread is gone. sched_process_exit comes before exit_files(): sockets still open were
 * chosen when they were first touched, which is all that is needed of the entry.
 */
static __always_inline void who_exited(struct task_struct *task)
{
	u32 tgid, *value, *mark;

	if (!(config.filter & WIRE_FILTER_PIDS) || BPF_CORE_READ(task, signal, live.counter))
		return;
	tgid = tgid_here(task);
	value = pid_find(tgid);
	if (!value || *value != WIRE_PID_FOLLOW || bpf_map_delete_elem(&pids, &tgid))
		return;
	mark = pid_mark(tgid);
	if (mark)
		__sync_fetch_and_add(mark, -1);
}

/* The same about any task: one that a walk meets. */
static __always_inline bool task_is_chosen(struct task_struct *task)
{
	if ((config.filter & WIRE_FILTER_PIDS) && !pid_find(tgid_here(task)))
		return false;
	if ((config.filter & WIRE_FILTER_UID) &&
	    BPF_CORE_READ(task, real_cred, uid.val) != config.uid)
		return false;
	if (config.filter & WIRE_FILTER_COMM) {
		char comm[WIRE_COMM_LEN] = {};

		bpf_probe_read_kernel(comm, sizeof(comm), &task->comm);
		if (!comm_is_chosen(comm))
			return false;
	}
	return true;
}

#endif
