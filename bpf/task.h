/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * task.h owns the reading of a task and of the system call that it is in: the numbers and registers
 * of each architecture, 32-bit calls included.
 */
#ifndef PORTLIFE_TASK_H
#define PORTLIFE_TASK_H

#include "bpf/kernel.h"

static __always_inline bool has_task_pt_regs(void)
{
	return bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs) &&
	       bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf);
}

/* Programs that may ask for the current task by a pointer that the verifier knows. */
static __always_inline bool has_current_task_btf(void)
{
#ifdef TASK_BY_STACK
	return false;
#else
	return bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf);
#endif
}

/*
 * Registers of the current task at its system call, at the top of its kernel stack, whose size the
 * collector knows. x86 kernels with CONFIG_X86_FRED (6.9) leave 16 bytes above them: the code
 * segment of user space tells where they are. NULL if they are not found.
 */
static __always_inline struct pt_regs *task_regs(struct task_struct *task)
{
	unsigned long top = (unsigned long)BPF_CORE_READ(task, stack) + config.thread_size -
			    bpf_core_type_size(struct pt_regs);
	struct pt_regs *regs = (struct pt_regs *)top;

	if (!config.thread_size)
		return 0;
#if defined(__TARGET_ARCH_x86)
	u16 cs = BPF_CORE_READ(regs, cs);

	if (cs == USER_CS || cs == USER32_CS)
		return regs;
	regs = (struct pt_regs *)(top - 16);
	cs = BPF_CORE_READ(regs, cs);
	if (cs != USER_CS && cs != USER32_CS)
		return 0;
#endif
	return regs;
}

/* x86: numbers of the 64-bit table. All else by the names of a system call's registers. */
#if defined(__TARGET_ARCH_x86)
#define SYSCALL_NUMBER(regs)	    ((long)BPF_CORE_READ(regs, orig_ax))
#define SYSCALL_NUMBER_DIRECT(regs) ((long)(regs)->orig_ax) /* a pointer the verifier knows */
#define SYSCALL_IP_DIRECT(regs)	    ((u64)(regs)->ip)
#define SYSCALL_IP(regs)	    ((u64)BPF_CORE_READ(regs, ip))
#define SYSCALL_FIRST(regs)	    ((s32)BPF_CORE_READ(regs, di))
#define SYSCALL_FIRST_DIRECT(regs)  ((s32)(regs)->di)
#define SYSCALL_FIFTH_DIRECT(regs)  ((regs)->r8)
#define SYSCALL_SIXTH_DIRECT(regs)  ((s32)(regs)->r9)
#define SYSCALL_SECOND(regs)	    BPF_CORE_READ(regs, si)
#define SYSCALL_THIRD(regs)	    ((s32)BPF_CORE_READ(regs, dx))
#define SYSCALL_FOURTH(regs)	    ((s32)BPF_CORE_READ(regs, r10))
#define SYSCALL_FIFTH(regs)	    BPF_CORE_READ(regs, r8)
#define SYSCALL_SIXTH(regs)	    ((s32)BPF_CORE_READ(regs, r9))
enum syscall_number {
	SYSCALL_WRITE = 1,
	SYSCALL_WRITEV = 20,
	SYSCALL_SENDFILE = 40,
	SYSCALL_CONNECT = 42,
	SYSCALL_ACCEPT = 43,
	SYSCALL_SENDTO = 44,
	SYSCALL_SENDMSG = 46,
	SYSCALL_BIND = 49,
	SYSCALL_LISTEN = 50,
	SYSCALL_SETSOCKOPT = 54,
	SYSCALL_GETSOCKOPT = 55,
	SYSCALL_SPLICE = 275,
	SYSCALL_ACCEPT4 = 288,
	SYSCALL_SENDMMSG = 307,
	SYSCALL_PWRITEV2 = 328,
	SYSCALL_IO_URING_ENTER = 426,
};
#elif defined(__TARGET_ARCH_arm64)
#define SYSCALL_NUMBER(regs)	    ((long)BPF_CORE_READ(regs, syscallno))
#define SYSCALL_NUMBER_DIRECT(regs) ((long)(regs)->syscallno)
#define SYSCALL_IP_DIRECT(regs)	    ((regs)->user_regs.pc)
#define SYSCALL_IP(regs)	    BPF_CORE_READ(regs, user_regs.pc)
#define SYSCALL_FIRST(regs)	    ((s32)BPF_CORE_READ(regs, orig_x0))
#define SYSCALL_FIRST_DIRECT(regs)  ((s32)(regs)->orig_x0)
#define SYSCALL_FIFTH_DIRECT(regs)  ((regs)->user_regs.regs[4])
#define SYSCALL_SIXTH_DIRECT(regs)  ((s32)(regs)->user_regs.regs[5])
#define SYSCALL_SECOND(regs)	    BPF_CORE_READ(regs, user_regs.regs[1])
#define SYSCALL_THIRD(regs)	    ((s32)BPF_CORE_READ(regs, user_regs.regs[2]))
#define SYSCALL_FOURTH(regs)	    ((s32)BPF_CORE_READ(regs, user_regs.regs[3]))
#define SYSCALL_FIFTH(regs)	    BPF_CORE_READ(regs, user_regs.regs[4])
#define SYSCALL_SIXTH(regs)	    ((s32)BPF_CORE_READ(regs, user_regs.regs[5]))
enum syscall_number {
	SYSCALL_WRITE = 64,
	SYSCALL_WRITEV = 66,
	SYSCALL_SENDFILE = 71,
	SYSCALL_SPLICE = 76,
	SYSCALL_BIND = 200,
	SYSCALL_LISTEN = 201,
	SYSCALL_ACCEPT = 202,
	SYSCALL_CONNECT = 203,
	SYSCALL_SENDTO = 206,
	SYSCALL_SETSOCKOPT = 208,
	SYSCALL_GETSOCKOPT = 209,
	SYSCALL_SENDMSG = 211,
	SYSCALL_ACCEPT4 = 242,
	SYSCALL_SENDMMSG = 269,
	SYSCALL_PWRITEV2 = 287,
	SYSCALL_IO_URING_ENTER = 426,
};
#else
#error "no system call numbers for this architecture"
#endif

/* A 32-bit system call has other numbers and other registers. */
static __always_inline bool task_is_compat(struct task_struct *task)
{
#if defined(__TARGET_ARCH_x86)
	return BPF_CORE_READ(task, thread_info.status) & TS_COMPAT;
#else
	(void)task;
	return false;
#endif
}

/* Likewise of a task that the verifier knows. */
static __always_inline bool task_is_compat_direct(struct task_struct *task)
{
#if defined(__TARGET_ARCH_x86)
	return task->thread_info.status & TS_COMPAT;
#else
	(void)task;
	return false;
#endif
}

/* The system call that a task is in, by its 64-bit number, and its first argument. */
struct syscall {
	long number; /* -1: none that is known here */
	s32 first;
	struct pt_regs *regs; /* NULL for a 32-bit call */
};

#if defined(__TARGET_ARCH_x86)
/*
 * 32-bit tasks: numbers of arch/x86/entry/syscalls/syscall_32.tbl, the first argument is in bx.
 * socketcall(2) has the arguments in memory, cx leads to them; its calls are those of linux/net.h.
 */
static __always_inline long syscall_of_socketcall(u32 call)
{
	switch (call) {
	case 2:
		return SYSCALL_BIND;
	case 3:
		return SYSCALL_CONNECT;
	case 4:
		return SYSCALL_LISTEN;
	case 5:
		return SYSCALL_ACCEPT;
	case 9:
	case 11:
		return SYSCALL_SENDTO;
	case 14:
		return SYSCALL_SETSOCKOPT;
	case 15:
		return SYSCALL_GETSOCKOPT;
	case 16:
		return SYSCALL_SENDMSG;
	case 18:
		return SYSCALL_ACCEPT4;
	case 20:
		return SYSCALL_SENDMMSG;
	default:
		return -1;
	}
}

static __always_inline long syscall_of_compat(long number)
{
	switch (number) {
	case 4:
		return SYSCALL_WRITE;
	case 146:
		return SYSCALL_WRITEV;
	case 187:
	case 239:
		return SYSCALL_SENDFILE;
	case 345:
		return SYSCALL_SENDMMSG;
	case 361:
		return SYSCALL_BIND;
	case 362:
		return SYSCALL_CONNECT;
	case 363:
		return SYSCALL_LISTEN;
	case 364:
		return SYSCALL_ACCEPT4;
	case 365:
		return SYSCALL_GETSOCKOPT;
	case 366:
		return SYSCALL_SETSOCKOPT;
	case 369:
		return SYSCALL_SENDTO;
	case 370:
		return SYSCALL_SENDMSG;
	case 426:
		return SYSCALL_IO_URING_ENTER;
	default:
		return -1;
	}
}

static __always_inline struct syscall syscall_compat(struct pt_regs *regs)
{
	struct syscall s = { .number = SYSCALL_NUMBER(regs), .first = BPF_CORE_READ(regs, bx) };

	if (s.number == 102) {
		void *arguments = (void *)BPF_CORE_READ(regs, cx);

		s.number = syscall_of_socketcall(s.first);
		s.first = -1;
		bpf_probe_read_user(&s.first, sizeof(s.first), arguments);
	} else {
		s.number = syscall_of_compat(s.number);
	}
	return s;
}
#else
static __always_inline struct syscall syscall_compat(struct pt_regs *regs)
{
	return (struct syscall){ .number = -1, .first = -1 };
}
#endif

#define NO_SYSCALL ((struct syscall){ .number = -1, .first = -1 })

/* By pointers that the verifier knows: no read of it is a call. */
static __always_inline struct syscall syscall_now_direct(bool *io_worker)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
	unsigned int flags = task->flags;

	*io_worker = flags & PF_IO_WORKER;
	if (flags & (PF_KTHREAD | PF_IO_WORKER))
		return NO_SYSCALL;
	if (task_is_compat_direct(task))
		return syscall_compat(regs);
	return (struct syscall){ .number = SYSCALL_NUMBER_DIRECT(regs),
				 .first = SYSCALL_FIRST_DIRECT(regs),
				 .regs = regs };
}

/*
 * The system call of the current task. A backend whose programs may not ask for its registers
 * (cgroup hooks) defines TASK_BY_STACK. *io_worker: the task works for an io_uring.
 */
static __always_inline struct syscall syscall_now(bool *io_worker)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct pt_regs *regs;
	unsigned int flags;

#ifndef TASK_BY_STACK
	if (has_task_pt_regs())
		return syscall_now_direct(io_worker);
#endif
	regs = task_regs(task);
	flags = BPF_CORE_READ(task, flags);
	*io_worker = flags & PF_IO_WORKER;
	if (!regs || (flags & (PF_KTHREAD | PF_IO_WORKER)))
		return NO_SYSCALL;
	if (task_is_compat(task))
		return syscall_compat(regs);
	return (struct syscall){ .number = SYSCALL_NUMBER(regs),
				 .first = SYSCALL_FIRST(regs),
				 .regs = regs };
}

/*
 * Tells the system call that the current task is in from those before it: its number and where the
 * program made it. Two in a row from one place are not told apart.
 */
static __always_inline u64 syscall_stamp(void)
{
	struct pt_regs *regs;

#ifdef READ_DIRECT
	if (has_task_pt_regs()) {
		regs = (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
		return ((u64)SYSCALL_NUMBER_DIRECT(regs) << 48) ^ SYSCALL_IP_DIRECT(regs);
	}
#endif
	regs = task_regs((struct task_struct *)bpf_get_current_task());
	return regs ? ((u64)SYSCALL_NUMBER(regs) << 48) ^ SYSCALL_IP(regs) : 0;
}

/* A thread of the kernel's own, not one that works for a program's io_uring. */
static __always_inline bool task_is_kernels(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	return (BPF_CORE_READ(task, flags) & (PF_KTHREAD | PF_IO_WORKER)) == PF_KTHREAD;
}

/* One of those that send: their first argument is the descriptor. */
static __always_inline bool syscall_sends(long number)
{
	return number == SYSCALL_SENDTO || number == SYSCALL_SENDMSG ||
	       number == SYSCALL_SENDMMSG || number == SYSCALL_WRITE || number == SYSCALL_WRITEV ||
	       number == SYSCALL_PWRITEV2 || number == SYSCALL_SENDFILE;
}

#endif
