/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frames.h owns what a kretprobe lacks: the arguments of the call that returns. A kprobe at the
 * entry of a function leaves a frame in its thread's entry, with the stack pointer of that moment;
 * the kretprobe takes the frame of the same function with the same stack pointer, or none.
 *
 * A kretprobe may be missing (the kernel has a limited number of instances, and a thread that
 * blocks in a function holds one). Its frame is never taken for another call's and never forgotten:
 *
 *  - The stack grows down. At the entry of a function, a frame with a lower stack pointer is of a
 *    call that is over; so is one with the same stack pointer and of the same function. Another
 *    function with the same stack pointer may be under way: it has jumped here (a tail call).
 *  - At the return of a function, all that lies above its frame is over.
 *  - When a thread ends, whatever it has left is over.
 *
 * Each of these is counted as a lost call and dropped, with the calls that began within it. Every
 * entry looks for them, also that of a call that is not followed: so the frame that a return finds
 * is of its own entry. Only for functions that run in task context: a softirq has another stack.
 */
#ifndef PORTLIFE_FRAMES_H
#define PORTLIFE_FRAMES_H

#include "bpf/call.h"
#include <bpf/bpf_tracing.h>

/* The stack pointer at the entry, told from the registers at the return (measured, 5.10 to 7.3). */
#if defined(__TARGET_ARCH_x86)
#define RETURN_SP(ctx) (PT_REGS_SP(ctx) - 8) /* the return address is off the stack */
#else
#define RETURN_SP(ctx) PT_REGS_SP(ctx)
#endif

#define FRAME(frames, index) (&(frames)->frame[(index) & (FRAMES_DEEP - 1)])

/* Everything from this index on is over and was missed. */
static __always_inline void frames_drop(struct thread *thread, u32 from)
{
	struct frames *frames = &thread->frames;
	struct wire_counters *counters = counters_here();
	struct frame *lowest = FRAME(frames, from);

	if (counters)
		__sync_fetch_and_add(&counters->lost_calls, frames->depth - from);
	if (thread->depth > lowest->calls)
		thread->depth = lowest->calls;
	thread->bind_failed_sk = 0;
	frames->depth = from;
}

/* The entry of a function: what must be over is dropped. */
static __always_inline void frames_settle(struct thread *thread, u8 function, u64 sp)
{
	struct frames *frames = &thread->frames;
	u32 keep = frames->depth;

	for (u32 i = 0; i < FRAMES_DEEP; i++) {
		u32 index = frames->depth - 1 - i;
		struct frame *frame = FRAME(frames, index);

		if (i >= frames->depth || frame->sp > sp)
			break;
		if (frame->sp < sp || frame->function == function)
			keep = index;
	}
	if (keep < frames->depth)
		frames_drop(thread, keep);
}

/*
 * The entry of a function about this socket. False if the call is not to be followed: then its
 * return will find no frame.
 */
static __always_inline bool frame_push(struct pt_regs *ctx, u8 function, struct sock *sk)
{
	struct thread *thread = thread_find();
	u64 sp = PT_REGS_SP(ctx);
	struct frame *frame;

	if (thread && thread->frames.depth)
		frames_settle(thread, function, sp);
	if (!sk || (!socket_find(sk) && !who_is_chosen()))
		return false;
	if (!thread)
		thread = thread_touch();
	if (!thread)
		return false;
	/* deeper than any nesting there is */
	if (thread->frames.depth >= FRAMES_DEEP)
		frames_drop(thread, 0);
	frame = FRAME(&thread->frames, thread->frames.depth);
	thread->frames.depth++;
	frame->sp = sp;
	frame->function = function;
	frame->calls = thread->depth;
	frame->args[0] = PT_REGS_PARM1(ctx);
	frame->args[1] = PT_REGS_PARM2(ctx);
	frame->args[2] = PT_REGS_PARM3(ctx);
	frame->args[3] = PT_REGS_PARM4(ctx);
	return true;
}

/* The return of a function: the frame of its entry, NULL if the call is not followed. */
static __always_inline struct frame *frame_pop(struct pt_regs *ctx, u8 function)
{
	struct thread *thread = thread_find();
	struct frame *found = 0;
	u64 sp = RETURN_SP(ctx);
	struct frames *frames;
	u32 keep;

	if (!thread || !thread->frames.depth)
		return 0;
	frames = &thread->frames;
	keep = frames->depth;
	for (u32 i = 0; i < FRAMES_DEEP; i++) {
		u32 index = frames->depth - 1 - i;
		struct frame *frame = FRAME(frames, index);

		if (i >= frames->depth || frame->sp > sp)
			break;
		if (frame->sp < sp) {
			keep = index;
		} else if (frame->function == function) {
			found = frame;
			keep = index + 1;
			break;
		}
	}
	if (keep < frames->depth)
		frames_drop(thread, keep);
	if (found)
		frames->depth--;
	return found;
}

/* The frame that is left on top: of the function around the one that has returned. NULL: none. */
static __always_inline struct frame *frame_around(struct thread *thread)
{
	u32 depth = thread ? thread->frames.depth : 0;

	return depth ? FRAME(&thread->frames, depth - 1) : 0;
}

/* The thread ends. */
static __always_inline void frames_exited(void)
{
	struct thread *thread = thread_find();

	if (thread && thread->frames.depth)
		frames_drop(thread, 0);
}

#endif
