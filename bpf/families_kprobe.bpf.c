// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * families_kprobe.bpf.c binds the handlers of families.h to kprobes and kretprobes: for the backend
 * of that name, and beside fentry for functions that it cannot reach (modules of kernels without
 * types of modules). A return is that of an entry if the stack is where it was then.
 */
#include "bpf/families_calls.h"

char LICENSE[] SEC("license") = "GPL";

#define A1 PT_REGS_PARM1(ctx)
#define A2 PT_REGS_PARM2(ctx)
#define A3 PT_REGS_PARM3(ctx)

/* As in frames.h: the return address is off the stack at the return. */
#if defined(__TARGET_ARCH_x86)
#define RETURN_SP(ctx) (PT_REGS_SP(ctx) - 8)
#else
#define RETURN_SP(ctx) PT_REGS_SP(ctx)
#endif

#define CALL(program, symbol, args, step, sk, uaddr, len)                                          \
	SEC("?kprobe/" #symbol)                                                                    \
	int program##_enter(struct pt_regs *ctx)                                                   \
	{                                                                                          \
		family_enter(PT_REGS_SP(ctx), step, sk, uaddr, len, false);                        \
		return 0;                                                                          \
	}                                                                                          \
	SEC("?kretprobe/" #symbol)                                                                 \
	int program##_exit(struct pt_regs *ctx)                                                    \
	{                                                                                          \
		family_exit(RETURN_SP(ctx), step, (int)PT_REGS_RC(ctx));                           \
		return 0;                                                                          \
	}

#define ENTRY(program, symbol, handler)                                                            \
	SEC("?kprobe/" #symbol)                                                                    \
	int program(struct pt_regs *ctx)                                                           \
	{                                                                                          \
		handler;                                                                           \
		return 0;                                                                          \
	}

/* The arguments of a subflow's creation, by thread: it does not nest. */
struct made {
	u64 sk, made, mark;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, u32);
	__type(value, struct made);
} family_made SEC(".maps");

static __always_inline void making(u64 mark, u64 sk, u64 made)
{
	struct made entry = { .sk = sk, .made = made, .mark = mark };
	u32 tid = bpf_get_current_pid_tgid();

	bpf_map_update_elem(&family_made, &tid, &entry, BPF_ANY);
}

static __always_inline void made(u64 mark, int ret)
{
	u32 tid = bpf_get_current_pid_tgid();
	struct made *entry = bpf_map_lookup_elem(&family_made, &tid);

	if (!entry || entry->mark != mark)
		return;
	subflow_made((void *)entry->sk, (void *)entry->made, ret);
	bpf_map_delete_elem(&family_made, &tid);
}

#define MADE(program, symbol, args, where)                                                         \
	SEC("?kprobe/" #symbol)                                                                    \
	int program##_enter(struct pt_regs *ctx)                                                   \
	{                                                                                          \
		making(PT_REGS_SP(ctx), A1, where);                                                \
		return 0;                                                                          \
	}                                                                                          \
	SEC("?kretprobe/" #symbol)                                                                 \
	int program##_exit(struct pt_regs *ctx)                                                    \
	{                                                                                          \
		made(RETURN_SP(ctx), (int)PT_REGS_RC(ctx));                                        \
		return 0;                                                                          \
	}

#include "bpf/families_list.h"
