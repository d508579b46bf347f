/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire.h owns the records that go from the probes to the collector (and, byte for byte, into a
 * recording). It is the only header that both sides include and knows nothing of either.
 *
 * All integers are little or big endian as the host is; addresses are in network order, ports and
 * everything else in host order. Every record starts with struct wire_head, has a length that is
 * a multiple of 8, and all padding is named and zero. A socket is a 64-bit number that is unique
 * within a run (wire_socket_id below), never a kernel address; 0 means none or not known.
 */
#ifndef PORTLIFE_WIRE_H
#define PORTLIFE_WIRE_H

#include <linux/types.h>

#define WIRE_VERSION  1
#define WIRE_COMM_LEN 16 /* TASK_COMM_LEN; not always NUL-terminated */

/*
 * A socket's number: the time of its birth (first touch by a probe) since config.start_ns and the
 * CPU it was born on, which together cannot repeat within a run. Wraps after 208 days.
 */
#define WIRE_SOCKET_CPU_BITS 10

enum wire_kind {
	WIRE_NONE = 0,
	/* struct wire_call: one operation on a socket, with all that is known of it */
	WIRE_BIND = 1,	     /* bind() has returned */
	WIRE_LISTEN,	     /* listen() has returned */
	WIRE_CONNECT,	     /* port and route fixed, the call goes on */
	WIRE_CONNECT_FAILED, /* the call failed without (a matching) WIRE_CONNECT, or after it */
	WIRE_ACCEPT,	     /* a process took a child from the queue */
	WIRE_DISCONNECT,     /* connect(AF_UNSPEC) has returned */
	WIRE_FOUND, /* no operation: a socket as it is now (existing, never accepted, or compared)
		     */
	WIRE_SEND,  /* a send gave a port (datagrams), or began a connection (TCP Fast Open) */
	/* struct wire_edge: something happened to a socket told of before */
	WIRE_ESTABLISHED = 16,
	WIRE_CONNECT_ERROR, /* the attempt failed with edge.error, seen outside of the call */
	WIRE_RELEASE,	    /* lost its port, the life goes on */
	WIRE_TW_END,	    /* the TIME_WAIT entry that replaced it is gone */
	WIRE_TIME_WAIT, /* a TIME_WAIT entry took over the connection, the program has the socket */
	/* struct wire_owner: another process has touched the socket */
	WIRE_OWNER = 24,
	/* struct wire_end: the kernel destroyed the socket (or replaced it by TIME_WAIT) */
	WIRE_END = 25,
	/* ahead of the call that failed: who was in its way. Made by the collector too. */
	WIRE_HOLDER = 26,  /* struct wire_holder: one of them */
	WIRE_HOLDERS = 27, /* struct wire_holders: these were all, or so many are left out */
	/* struct wire_address: a name of AF_UNIX, ahead of the call that it belongs to */
	WIRE_ADDRESS = 28,
	/* made by the collector, in stream position */
	WIRE_START = 64, /* struct wire_start: first record of every stream */
	WIRE_NAME,	 /* struct wire_name: what a cgroup id, a netns or an interface is called */
	WIRE_LOST,	 /* struct wire_lost */
	WIRE_TICK,	 /* struct wire_head only: time passes; timers fire on it */
	WIRE_COMMAND,	 /* struct wire_command: COMMAND and its descendants are gone */
	WIRE_STOP,	 /* struct wire_stop: last record of every complete stream */
	WIRE_PASS,	 /* struct wire_pass: the kernel's sockets are walked through */
	WIRE_SETTINGS,	 /* struct wire_settings: a network namespace's sysctls about ports */
	WIRE_STEP = 80,	 /* struct wire_step: a lesson's program has made a call */
};

struct wire_head {
	__u16 len_bytes; /* of the whole record */
	__u8 kind;	 /* enum wire_kind */
	__u8 version;	 /* WIRE_VERSION */
	__u16 cpu;	 /* that made the record */
	__u16 pad;
	__u64 ts_ns; /* CLOCK_BOOTTIME, of the moment the record tells of */
};

/*
 * wire_sock.protocol of sockets that have no IPPROTO_* to themselves. What a socket of these has
 * instead of a port:
 *  ping (IPPROTO_ICMP, IPPROTO_ICMPV6)	an ICMP id, where others have the port
 *  RAW		nothing; local_port and peer_port are 0
 *  NETLINK	a port id: addr holds it in the first four bytes
 *  VSOCK	addr holds the context id and then the port, four bytes each
 *  UNIX	a name: WIRE_ADDRESS; addr is zero
 * Of the last three local_port is 1 while the socket has it, and so are port_before, req_port (0
 * there: the kernel was asked to choose); edges and ends have port 0: what it had. All host order.
 */
enum wire_protocol {
	WIRE_PROTOCOL_RAW = 255,
	WIRE_PROTOCOL_UNIX = 257,
	WIRE_PROTOCOL_MPTCP = 262,
	WIRE_PROTOCOL_NETLINK = 272,
	WIRE_PROTOCOL_VSOCK = 296,
};

/* wire_call.facts: what the kernel showed; what it means is decided in core */
enum wire_fact {
	WIRE_F_REQUEST = 1 << 0,      /* req_* hold the address the program passed */
	WIRE_F_SEARCHED = 1 << 1,     /* the kernel was asked to choose a port (snum == 0) */
	WIRE_F_SEARCH_TIMED = 1 << 2, /* search_ns holds */
	WIRE_F_EXISTING = 1 << 3,     /* had its port when a probe first saw it */
	WIRE_F_CHILD = 1 << 4,	      /* made by the kernel for an accepted connection */
	WIRE_F_FOLLOWED = 1 << 5,     /* the task is COMMAND or a descendant */
	WIRE_F_WHO = 1 << 6,	      /* who holds: made in task context */
	WIRE_F_KERN_SOCK = 1 << 7,    /* the kernel's own socket */
	WIRE_F_IO_URING = 1 << 8,     /* by an io_uring request */
	WIRE_F_BPF = 1 << 9,	      /* by bpf_bind() */
	WIRE_F_TIMED = 1 << 10,	      /* start_ns holds */
	WIRE_F_UNCONFIRMED = 1 << 11, /* fd and hook disagree: port origin not to be trusted */
	WIRE_F_OWNERS = 1 << 12,      /* the other owners of the port were looked at ... */
	WIRE_F_SHARED = 1 << 13,      /* ... and it had one when this socket got it */
	WIRE_F_PASS = 1 << 14,	      /* WIRE_FOUND: by a walk, not by a probe */
	WIRE_F_OWN_RANGE = 1 << 15,   /* the socket has IP_LOCAL_PORT_RANGE: range_* is with it */
	WIRE_F_SOCK_UID = 1 << 16,    /* WIRE_FOUND by a walk: sock_uid holds */
	WIRE_F_ALL = (1 << 17) - 1,
};

enum wire_option {
	WIRE_O_REUSEADDR = 1 << 0,
	WIRE_O_REUSEPORT = 1 << 1,
	WIRE_O_BIND_ADDRESS_NO_PORT = 1 << 2,
	WIRE_O_V6ONLY = 1 << 3,
	WIRE_O_FREEBIND = 1 << 4,
	WIRE_O_TRANSPARENT = 1 << 5,
	WIRE_O_BINDTODEVICE = 1 << 6,
	WIRE_O_ALL = (1 << 7) - 1,
};

/* The process that acts, as the kernel names it in task context. */
struct wire_who {
	__u64 cgroup;	/* id in the unified hierarchy (inode of the cgroup directory) */
	__u32 pid;	/* tgid in the collector's pid namespace, 0 if not visible there */
	__u32 tid;	/* likewise */
	__u32 pid_host; /* tgid in the initial pid namespace */
	__u32 uid;	/* real uid, initial user namespace */
	char comm[WIRE_COMM_LEN];
};

/* The socket as it is after the operation. */
struct wire_sock {
	__u64 id;
	__u64 parent;	      /* listener of a child, 0 if none or not known */
	__u64 cookie;	      /* SO_COOKIE, 0 if never generated */
	__u64 created_ns;     /* boot clock, 0 if not seen */
	__u64 established_ns; /* of a child, or 0 */
	__u32 netns;	      /* inode number of the network namespace */
	__u32 ifindex;	      /* device bound to, 0 if none */
	__u16 family;	      /* AF_INET, AF_INET6, AF_UNIX, AF_NETLINK, AF_VSOCK */
	__u16 protocol;	      /* IPPROTO_*, enum wire_protocol */
	__u8 state;	      /* TCP_* of <netinet/tcp.h> */
	__u8 userlocks;	      /* SOCK_BINDADDR_LOCK 4, SOCK_BINDPORT_LOCK 8, SOCK_CONNECT_BIND 16 */
	__u16 options;	      /* enum wire_option */
	__u16 local_port;     /* skc_num: 0 while the socket holds no port */
	__u16 peer_port;
	__u32 scope;	/* interface of a link-local peer or address, else 0 */
	__u8 local[16]; /* AF_INET: first four bytes, rest zero */
	__u8 peer[16];
};

struct wire_call {
	struct wire_head head;
	struct wire_sock sock;
	struct wire_who who;
	__u64 start_ns; /* the call was entered, with WIRE_F_TIMED */
	__u32 facts;	/* enum wire_fact */
	__s32 fd;	/* -1 if not known */
	__s32 error;	/* positive errno, 0 for success */
	union {
		__u32 search_tried; /* ports looked at, the reserved not; 0 if not known */
		__u32 sock_uid;	    /* with WIRE_F_SOCK_UID: the one that SO_REUSEPORT compares */
	};
	__u64 search_ns;
	__u16 port_before; /* skc_num when the call began */
	__u16 range_lo;	   /* range in force for this socket; 0, 0 if not known */
	__u16 range_hi;
	__u16 req_family; /* as passed: AF_INET, AF_INET6, AF_UNSPEC, or anything else */
	__u16 req_port;
	__u16 cause; /* errno of the port search, where the call gave another (EAGAIN); else 0 */
	__u32 req_scope;
	__u8 req_addr[16];
};

struct wire_edge {
	struct wire_head head;
	__u64 id;
	__s32 error; /* WIRE_CONNECT_ERROR: positive errno of the socket */
	__u16 port;  /* WIRE_RELEASE, WIRE_TW_END: the port given up; WIRE_TIME_WAIT: its port */
	__u16 keeps; /* WIRE_TIME_WAIT, 0 or 1: the socket keeps the port too, bind() named it */
};

struct wire_owner {
	struct wire_head head;
	__u64 id;
	__u32 facts; /* only WIRE_F_FOLLOWED | WIRE_F_WHO */
	__u32 pad;
	struct wire_who who;
};

enum wire_end_flag {
	WIRE_E_TIME_WAIT = 1 << 0, /* time_wait_ns holds: a TIME_WAIT entry took over the port */
	WIRE_E_INFERRED = 1 << 1,  /* ... concluded from the states, not seen */
	WIRE_E_PASS = 1 << 2,	   /* found gone by a walk: head.ts_ns is the time of the walk */
	WIRE_E_ALL = (1 << 3) - 1,
};

struct wire_end { /* head.ts_ns: destroyed */
	struct wire_head head;
	__u64 id;
	__u64 close_ns;	    /* last descriptor closed, 0 if there never was one or not seen */
	__u64 time_wait_ns; /* see flags */
	__u64 release_ns;   /* gave up its port, 0 if it had none, or WIRE_RELEASE said it */
	__u32 flags;	    /* enum wire_end_flag */
	__u16 port;	    /* that was given up or left to TIME_WAIT */
	__u16 pad;
};

enum wire_holder_flag {
	WIRE_H_LATER = 1 << 0,	/* looked up by the collector after the moment of the conflict */
	WIRE_H_WHO = 1 << 1,	/* who and fd hold; only with WIRE_H_LATER */
	WIRE_H_UID = 1 << 2,	/* uid holds: not of TIME_WAIT */
	WIRE_H_LEFT = 1 << 3,	/* left_ms holds: of TIME_WAIT */
	WIRE_H_ORPHAN = 1 << 4, /* closed; the kernel finishes the connection */
	WIRE_H_QUEUED = 1 << 5, /* no process has accepted it yet */
	WIRE_H_KERN = 1 << 6,	/* the kernel's own */
	/* an entry as in TIME_WAIT, but in FIN_WAIT2: the peer has not closed yet (tw_substate) */
	WIRE_H_FIN_WAIT = 1 << 7,
	WIRE_H_ALL = (1 << 8) - 1,
};

/*
 * A socket or TIME_WAIT entry that has the port. sock.id: 0 if the probes do not follow it;
 * sock.parent, created_ns and established_ns are 0.
 */
struct wire_holder {
	struct wire_head head;
	__u64 asker; /* number of the socket that was refused */
	__u64 inode; /* of the socket's file, 0 if it has none */
	struct wire_sock sock;
	struct wire_who who; /* one of the processes that have it open */
	__u32 flags;	     /* enum wire_holder_flag */
	__s32 fd;	     /* -1 if not known */
	__u32 uid;	     /* sk_uid: the one that SO_REUSEPORT compares */
	__u32 left_ms;
	__u32 processes; /* that have it open, in the collector's sight; 0 if nobody looked */
	__u32 owner;	 /* pid_host of who touched it last, 0 if not known */
};

enum wire_holders_flag {
	WIRE_HS_LATER = 1 << 0, /* as WIRE_H_LATER */
	WIRE_HS_UID = 1 << 1,	/* uid holds */
	WIRE_HS_CUT = 1 << 2,	/* there are more owners than were looked at */
	WIRE_HS_ALL = (1 << 3) - 1,
};

struct wire_holders {
	struct wire_head head;
	__u64 asker;
	__u32 told;    /* records before this one, of this asker and kind of look */
	__u32 omitted; /* in the way too, but not told of */
	__u32 flags;   /* enum wire_holders_flag */
	__u32 uid;     /* sk_uid of the asker */
	__u16 port;
	__u16 pad[3];
};

enum wire_address_side { WIRE_ADDRESS_LOCAL = 1, WIRE_ADDRESS_PEER, WIRE_ADDRESS_REQUEST };

#define WIRE_PATH_MAX 108 /* sizeof(sockaddr_un.sun_path) */

/* A path, or, behind a first byte that is 0, a name of the abstract namespace. */
struct wire_address {
	struct wire_head head;
	__u64 id;
	__u16 side;	  /* enum wire_address_side */
	__u16 path_bytes; /* 0: no name; a path has no NUL in it */
	__u32 pad;
	char path[WIRE_PATH_MAX + 4]; /* zero from path_bytes on */
};

/* --- made by the collector ------------------------------------------------------------- */

enum wire_backend { WIRE_FENTRY = 1, WIRE_KPROBE = 2, WIRE_TRACEPOINT = 3 };

/* Keys of the event object that this run cannot fill (start.blind), and events it cannot see. */
enum wire_blind {
	WIRE_B_SEARCH_NS = 1 << 0,
	WIRE_B_SEARCH_TRIED = 1 << 1,
	WIRE_B_HOLDERS = 1 << 2,
	WIRE_B_SHARED = 1 << 3,
	WIRE_B_TIME_WAIT_START = 1 << 4, /* inferred from the states */
	WIRE_B_TIME_WAIT_END = 1 << 5,
	WIRE_B_NON_SYSCALL = 1 << 6, /* io_uring, kernel and bpf binds: found late or not at all */
	WIRE_B_COMPAT = 1 << 7,	     /* system calls of 32-bit tasks */
	WIRE_B_REQUEST = 1 << 8,     /* request in a page that is not resident */
	WIRE_B_CREATED = 1 << 9,     /* creation of a socket before its first operation */
	WIRE_B_FD = 1 << 10,
	WIRE_B_PING_SEND = 1 << 11, /* ICMP ids that a send gave: found late */
	WIRE_B_FAMILIES = 1 << 12,  /* sockets beyond TCP, UDP and ping that were asked for */
	WIRE_B_ALL = (1 << 13) - 1,
};

struct wire_start {
	struct wire_head head; /* ts_ns: boot clock at the start of the run */
	__u64 wall_ns;	       /* CLOCK_REALTIME at head.ts_ns: the only clock sample of a run */
	__u32 backend;	       /* enum wire_backend */
	__u32 blind;	       /* enum wire_blind */
	__u32 netns;	       /* the collector's */
	__u32 pid_initial;     /* 1: the collector is in the initial pid namespace */
	__u16 range_lo;	       /* ip_local_port_range of that namespace; 0, 0 if unknown */
	__u16 range_hi;
	__u16 kernel_len; /* of the three strings that follow, without NUL, concatenated */
	__u16 host_len;
	__u16 command_len; /* COMMAND's arguments, each ended by NUL; 0 if none */
	__u16 filter;	   /* enum wire_filter: what the stream lacks */
	__u16 pad[2];
	char text[]; /* padded with zeros to a multiple of 8 */
};

enum wire_name_what { WIRE_NAME_CGROUP = 1, WIRE_NAME_NETNS = 2, WIRE_NAME_DEVICE = 3 };

struct wire_name {
	struct wire_head head;
	__u64 id;	/* cgroup id, netns inode number, or interface index */
	__u32 netns;	/* WIRE_NAME_DEVICE: where the index holds */
	__u16 what;	/* enum wire_name_what */
	__u16 text_len; /* without NUL */
	char text[];	/* padded with zeros to a multiple of 8 */
};

enum wire_lost_cause {
	WIRE_LOST_BUFFER = 1, /* ring buffer full: records not written */
	WIRE_LOST_SOCKETS,    /* table of sockets full: lives not followed */
	WIRE_LOST_CALLS,      /* per-thread table full or stale: operations not followed */
	WIRE_LOST_DAMAGED,    /* record that did not decode */
	WIRE_LOST_MISSED, /* program runs that the kernel skipped: the program was running on that
			     CPU */
	WIRE_LOST_LATE,	  /* modules with sockets that were asked for, loaded after the start */
};

struct wire_lost {
	struct wire_head head;
	__u64 count; /* since the last WIRE_LOST of this cause and CPU */
	__u32 cause; /* enum wire_lost_cause */
	__u32 cpu;
};

struct wire_command {
	struct wire_head head;
	__s32 exit;   /* exit status, -1 if killed */
	__s32 signal; /* that killed it, 0 if it exited */
};

struct wire_stop {
	struct wire_head head;
	__u64 records; /* that the probes wrote and the collector read */
};

enum wire_pass_stage {
	WIRE_PASS_BEGIN = 1,
	WIRE_PASS_END,	   /* all that is there has been told of between the two */
	WIRE_PASS_ABORTED, /* cut short, or records of it were lost: absence proves nothing */
};

enum wire_pass_flag {
	WIRE_P_START = 1 << 0, /* the first one of a run: what it finds was there before */
	WIRE_P_FULL = 1 << 1,  /* tells of every socket, not only of what differs */
	WIRE_P_ALL = (1 << 2) - 1,
};

struct wire_pass {
	struct wire_head head;
	__u32 number; /* counted per run from 1 */
	__u16 stage;  /* enum wire_pass_stage */
	__u16 flags;  /* enum wire_pass_flag */
};

enum wire_setting {
	WIRE_S_RANGE = 1 << 0,
	WIRE_S_RESERVED = 1 << 1,
	WIRE_S_UNPRIVILEGED = 1 << 2,
	WIRE_S_STEP_WIDTH = 1 << 3,
	WIRE_S_ALL = (1 << 4) - 1,
};

/* As they are from here on, in the stream; what is not known is zero. */
struct wire_settings {
	struct wire_head head;
	__u32 netns;
	__u32 known;		  /* enum wire_setting */
	__u32 unprivileged_start; /* net.ipv4.ip_unprivileged_port_start */
	__u32 step_width;	  /* net.ipv4.ip_local_port_step_width, 7.1 */
	__u16 range_lo;		  /* net.ipv4.ip_local_port_range */
	__u16 range_hi;
	__u16 text_len; /* without NUL */
	__u16 pad;
	char text[]; /* net.ipv4.ip_local_reserved_ports, "80,8000-8099"; padded with zeros to 8 */
};

/* What getsockname() or getpeername() said. */
struct wire_place {
	__u16 family; /* AF_*; 0: there was no socket to ask, or it had no answer */
	__u16 port;   /* AF_UNIX: the length of the name; AF_NETLINK, AF_VSOCK: 1 if it has one */
	__u32 pad;
	/* AF_INET: first four bytes; AF_UNIX: the name's first 16; AF_NETLINK: port id; AF_VSOCK:
	 * cid, port */
	__u8 addr[16];
};

/*
 * One call of a lesson's program, as the program itself saw it. head.ts_ns is when it was made. The
 * last one of a lesson has the number of steps as its number: all sockets are closed then.
 */
struct wire_step {
	struct wire_head head;
	__u64 end_ns;	/* it had returned */
	__u32 program;	/* checksum of the lesson's program */
	__u16 number;	/* of the step in it, from 0 */
	__u16 text_len; /* of the lesson's name */
	__s32 result;	/* what the call returned, or minus its errno */
	__s32 other;	/* descriptor of the socket asked; of a setting its second number; or -1 */
	struct wire_place before, after; /* getsockname() of the socket */
	struct wire_place peer;		 /* its getpeername() afterwards */
	char text[];			 /* padded with zeros to a multiple of 8 */
};

/* --- what the collector tells the probes before they are loaded -------------------------- */

enum wire_filter {
	WIRE_FILTER_PIDS = 1 << 0, /* only tasks whose process is in the map `pids` */
	WIRE_FILTER_UID = 1 << 1,
	WIRE_FILTER_COMM = 1 << 2,
	WIRE_FILTER_ALL = (1 << 3) - 1,
};

/* Asked for by --proto; their probes are objects of their own (families.h). */
enum wire_family {
	WIRE_FAMILY_RAW = 1 << 0,
	WIRE_FAMILY_UNIX = 1 << 1,
	WIRE_FAMILY_NETLINK = 1 << 2,
	WIRE_FAMILY_MPTCP = 1 << 3,
	WIRE_FAMILY_VSOCK = 1 << 4,
	WIRE_FAMILY_SCTP = 1 << 5,
	WIRE_FAMILY_ALL = (1 << 6) - 1,
};

struct wire_config {	  /* the object's .rodata.config */
	__u64 start_ns;	  /* boot clock, origin of socket numbers */
	__u64 wake_bytes; /* wake the reader when this much waits */
	__u64 perturb;	  /* address of the kernel's table_perturb, a pointer; 0 if not known */
	__u32 filter;	  /* enum wire_filter */
	__u32 uid;
	__u32 pidns_inum;  /* the collector's pid namespace, 0 if it is the initial one */
	__u32 thread_size; /* kernel stack, for tasks' registers; 0: do not look */
	__u32 accept_fd;   /* 1: a hook at the end of accept(2) tells the descriptor */
	__u32 families;	   /* enum wire_family: those beyond TCP, UDP and ping */
	__u32 tick_ns;	   /* length of a jiffy, 0 if not known */
	__u32 pad;
	char comm[WIRE_COMM_LEN];
};

/* What the collector tells the walk that begins: the object's .data.walk */
struct wire_walk {
	__u16 number;	 /* not that of the walk before, not 0 */
	__u16 flags;	 /* enum wire_pass_flag */
	__u16 time_wait; /* 1: TIME_WAIT entries that the table lacks are taken in */
	__u16 each;	 /* 1: of a socket each descriptor is told, not the first one */
};

/* What the collector tells find_files, which looks for a port's holders: .data.wanted */
struct wire_wanted {
	__u32 netns;
	__u16 protocol;
	__u16 port;
};

/* What a walk answers: one byte for each thing it did, so that it can be read in helpings. */
enum wire_token {
	WIRE_TOKEN_RECORD = 'r',
	WIRE_TOKEN_UNDECIDED = 'u', /* saw a difference that may be an operation under way */
	WIRE_TOKEN_IDLE = '.',	    /* passed many things that gave no record */
};

/* The walk through the table of sockets, for which there is no reader: .data.helping */
struct wire_helping {
	__u32 room;	 /* records that it may still make */
	__u32 undecided; /* differences that may be operations under way */
};

enum wire_pid { WIRE_PID_GIVEN = 1, WIRE_PID_FOLLOW = 2 }; /* values of the map `pids` */

/* One slot per CPU of the map `counters`, counted with atomic adds, read by mmap. */
struct wire_counters {
	__u64 written;	    /* records given to the reader */
	__u64 lost_buffer;  /* WIRE_LOST_BUFFER */
	__u64 lost_sockets; /* WIRE_LOST_SOCKETS */
	__u64 lost_calls;   /* WIRE_LOST_CALLS */
	__u64 pad[4];
};

#define WIRE_ASSERT(cond) _Static_assert(cond, #cond)
WIRE_ASSERT(sizeof(struct wire_head) == 16);
WIRE_ASSERT(sizeof(struct wire_who) == 40);
WIRE_ASSERT(sizeof(struct wire_sock) == 96);
WIRE_ASSERT(sizeof(struct wire_call) == 216);
WIRE_ASSERT(sizeof(struct wire_edge) == 32);
WIRE_ASSERT(sizeof(struct wire_owner) == 72);
WIRE_ASSERT(sizeof(struct wire_end) == 56);
WIRE_ASSERT(sizeof(struct wire_holder) == 192);
WIRE_ASSERT(sizeof(struct wire_holders) == 48);
WIRE_ASSERT(sizeof(struct wire_address) == 144);
WIRE_ASSERT(sizeof(struct wire_start) == 56);
WIRE_ASSERT(sizeof(struct wire_name) == 32);
WIRE_ASSERT(sizeof(struct wire_lost) == 32);
WIRE_ASSERT(sizeof(struct wire_command) == 24);
WIRE_ASSERT(sizeof(struct wire_stop) == 24);
WIRE_ASSERT(sizeof(struct wire_pass) == 24);
WIRE_ASSERT(sizeof(struct wire_settings) == 40);
WIRE_ASSERT(sizeof(struct wire_place) == 24);
WIRE_ASSERT(sizeof(struct wire_step) == 112);
WIRE_ASSERT(sizeof(struct wire_counters) == 64);

#endif
