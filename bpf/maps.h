/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * maps.h owns the maps and the configuration that all backends share. Sizes that depend on
 * options or on the machine are set by the collector before the load.
 */
#ifndef PORTLIFE_MAPS_H
#define PORTLIFE_MAPS_H

#include "vmlinux/vmlinux.h"
#include <linux/bpf.h>
#include <linux/errno.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>

#include "bpf/slots.h"
#include "bpf/wire.h"

/* A section of its own, so that the collector finds it without a generated header. */
const volatile struct wire_config config SEC(".rodata.config") = { .start_ns = 1 };

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 << 20);
} records SEC(".maps");

/* One slot per CPU; mapped into the collector, which reads it without a system call. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1024);
	__type(key, u32);
	__type(value, struct wire_counters);
} counters SEC(".maps");

/* process id in the collector's pid namespace -> enum wire_pid */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, u32);
} pids SEC(".maps");

/*
 * How many entries of `pids` have a key with these low bits: never too few, so that most processes
 * that are not in it are told without a look-up.
 */
#define PID_MARKS 4096 /* a power of two */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PID_MARKS);
	__type(key, u32);
	__type(value, u32);
} pid_marks SEC(".maps");

enum socket_flag {
	SOCKET_TOLD = 1 << 0,	     /* a record has introduced it to the collector */
	SOCKET_EXISTING = 1 << 1,    /* had a port when first seen */
	SOCKET_CHILD = 1 << 2,	     /* came out of a listener */
	SOCKET_CONNECTING = 1 << 3,  /* WIRE_CONNECT written, outcome not yet */
	SOCKET_FAILED = 1 << 4,	     /* WIRE_CONNECT_ERROR written, the program may not know yet */
	SOCKET_TAKEN = 1 << 5,	     /* left the accept queue, WIRE_ACCEPT not yet written */
	SOCKET_TIME_WAIT = 1 << 6,   /* this entry is a TIME_WAIT's, its key no struct sock */
	SOCKET_PROVISIONAL = 1 << 7, /* a child whose listener is not known: accept() decides */
	SOCKET_LEFT = 1 << 8,	     /* its port went to TIME_WAIT, its release is none */
	SOCKET_WAITING = 1 << 9,     /* a child that was told of before anybody accepted it */
	SOCKET_OVER = 1 << 10,	     /* its WIRE_END is written, or about to be */
};

/*
 * What is kept of a live socket (and of a TIME_WAIT that replaced one). Written by whoever holds
 * the socket lock, except close_ns and owner. Deleted by the destroy hook, so that an address
 * that is used again starts a new life.
 */
struct socket_state {
	u64 id; /* wire number */
	u64 parent;
	u64 created_ns;
	u64 established_ns;
	u64 close_ns;
	u64 time_wait_ns;
	u64 release_ns;
	u32 owner;     /* tgid that touched it last in task context */
	u32 flags;     /* enum socket_flag */
	u16 port;      /* last one held */
	u16 failure;   /* errno of WIRE_CONNECT_ERROR */
	u32 tid;       /* tracepoint: thread that is in bind() or connect() on it, for UDP */
	u16 told_port; /* that it holds, as the collector was told: 0 after a release */
	u16 walk;      /* number of the last walk that looked at it (existing.bpf.c) */
	u32 odd;       /* difference that the walk before saw, 0: none */
	u32 netns;     /* as the collector was told, 0: not yet */
	u32 hash;      /* of the connection of a TIME_WAIT entry that a walk met; else 0 */
};

/* Sockets that began while they were watched: see table.h. */
#define SOCKET_SLOTS_BITS 14

struct socket_slot {
	struct slot slot; /* key: address of a struct sock */
	struct socket_state state;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1 << SOCKET_SLOTS_BITS);
	__type(key, u32);
	__type(value, struct socket_slot);
} socket_slots SEC(".maps");

/* All others. Key: address of a struct sock or inet_timewait_sock. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 20);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u64);
	__type(value, struct socket_state);
} sockets SEC(".maps");

/* The address that a program passed to bind() or connect(). */
struct request {
	u16 family;
	u16 port;
	u32 scope;
	u8 addr[16];
};

/* One operation under way. */
struct call {
	u64 sk;
	u64 start_ns;
	u64 search_start_ns;
	u64 search_ns;
	u64 stamp;	  /* syscall_stamp() of the system call that it is part of */
	u64 start_at;	  /* search.h: where the kernel keeps the number that a search begins at */
	u32 start_number; /* what it was */
	u32 start_hash;
	u32 search_tried;
	s32 fd;
	u32 facts; /* enum wire_fact */
	u16 port_before;
	u8 kind;    /* enum wire_kind of the record it will give */
	u8 written; /* WIRE_CONNECT has been */
	u8 alone;   /* begun by an inner function: no outer one was seen */
	u8 sends;   /* connect by a send: TCP Fast Open */
	u8 locks;   /* tracepoint: sk_userlocks when the call began */
	u8 pad;
	u16 cause; /* errno of the port search, 0 if it found one or none was made */
	struct request request;
	struct wire_who who; /* tracepoint only: some of its programs cannot ask */
};

#define CALLS_DEEP 4

#ifdef THREAD_FRAMES /* see frames.h */
/* The entry of a function whose return is awaited. */
struct frame {
	u64 sp; /* stack pointer at the entry */
	u64 args[4];
	u8 function; /* the backend's number for it */
	u8 pad[3];
	u32 calls; /* how deep calls[] was */
};

#define FRAMES_DEEP 8

struct frames {
	struct frame frame[FRAMES_DEEP];
	u32 depth;
	u32 pad;
	u64 listener; /* in accept() on it */
};
#endif

/* What one thread is doing: calls nest (connect -> cgroup program -> bpf_bind). */
struct thread {
	u32 depth;
	u32 pad;
	u64 bind_failed_sk; /* __inet_bind has told of the failure that its caller will return */
	u64 taken_sk;	    /* left the accept queue in this accept(2) ... */
	struct wire_call taken; /* ... and this is its record, which lacks the descriptor */
	struct call calls[CALLS_DEEP];
#ifdef THREAD_FRAMES
	struct frames frames;
#endif
};

#define THREAD_SLOTS 1024 /* a power of two */

struct thread_slot {
	struct slot slot; /* key: as in `threads` */
	struct thread thread;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, THREAD_SLOTS);
	__type(key, u32);
	__type(value, struct thread_slot);
} thread_slots SEC(".maps");

/* Those whose slot is taken. Key: bpf_get_current_pid_tgid(). An entry goes when its thread does.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u64);
	__type(value, struct thread);
} threads SEC(".maps");

/* A zero to insert from: too large for the stack beside a record. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct thread);
} blank_thread SEC(".maps");

static __always_inline struct wire_counters *counters_here(void)
{
	u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&counters, &cpu);
}

#define COUNT(what)                                                                                \
	do {                                                                                       \
		struct wire_counters *c_ = counters_here();                                        \
		if (c_)                                                                            \
			__sync_fetch_and_add(&c_->what, 1);                                        \
	} while (0)

#endif
