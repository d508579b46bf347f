// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * families_fentry.bpf.c binds the handlers of families.h to fentry and fexit. Nothing is loaded
 * that was not asked for ("?").
 */
#include "bpf/families_calls.h"

char LICENSE[] SEC("license") = "GPL";

/* An argument as a number: what the verifier knows of it would only be in the way. */
static __always_inline u64 number(u64 argument)
{
	u64 copy = 0;

	bpf_probe_read_kernel(&copy, sizeof(copy), &argument);
	return copy;
}

#define A1 number(ctx[0])
#define A2 number(ctx[1])
#define A3 number(ctx[2])

#define CALL(program, symbol, args, step, sk, uaddr, len)                                          \
	SEC("?fentry/" #symbol)                                                                    \
	int program##_enter(u64 *ctx)                                                              \
	{                                                                                          \
		struct sock *sk_ = sk;                                                             \
                                                                                                   \
		family_enter((u64)sk_, step, sk_, uaddr, len, false);                              \
		return 0;                                                                          \
	}                                                                                          \
	SEC("?fexit/" #symbol)                                                                     \
	int program##_exit(u64 *ctx)                                                               \
	{                                                                                          \
		family_exit((u64)(sk), step, (int)ctx[args]);                                      \
		return 0;                                                                          \
	}

#define ENTRY(program, symbol, handler)                                                            \
	SEC("?fentry/" #symbol)                                                                    \
	int program(u64 *ctx)                                                                      \
	{                                                                                          \
		handler;                                                                           \
		return 0;                                                                          \
	}

/* A pointer to a pointer is none that the verifier lets a program take from its context. */
#define MADE(program, symbol, args, made)                                                          \
	SEC("?fexit/" #symbol)                                                                     \
	int program##_exit(u64 *ctx)                                                               \
	{                                                                                          \
		u64 where = 0, ret = -1;                                                           \
                                                                                                   \
		bpf_get_func_arg(ctx, args - 1, &where);                                           \
		bpf_get_func_ret(ctx, &ret);                                                       \
		subflow_made(SOCK(A1), POINTER(where), (int)ret);                                  \
		return 0;                                                                          \
	}

#include "bpf/families_list.h"
