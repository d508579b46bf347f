/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * event.h owns the words of portlife: what an event, a tenure and a life are once the records
 * have been understood. It knows nothing of where records come from or where results go.
 * All times are nanoseconds of the boot clock unless a name says otherwise.
 */
#ifndef PORTLIFE_CORE_EVENT_H
#define PORTLIFE_CORE_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/wire.h"

enum event_kind {
	EVENT_BIND,
	EVENT_LISTEN,
	EVENT_CONNECT,
	EVENT_ESTABLISHED,
	EVENT_CONNECT_FAILED,
	EVENT_ACCEPT,
	EVENT_SEND,
	EVENT_DISCONNECT,
	EVENT_CLOSE,
	EVENT_TIME_WAIT,
	EVENT_RELEASE,
	EVENT_EXISTING,
	EVENT_KINDS, /* how many there are */
};

/* How a tenure began; see DESIGN, "port origin". ORIGIN_NONE: the socket has no port. */
enum port_origin {
	ORIGIN_NONE,
	ORIGIN_BIND,
	ORIGIN_BIND0,
	ORIGIN_CONNECT,
	ORIGIN_LISTEN,
	ORIGIN_SEND,
	ORIGIN_ACCEPT,
	ORIGIN_UNKNOWN,
	ORIGIN_KINDS,
};

/* Who asked for the port. */
enum port_by { BY_NONE, BY_USER, BY_IO_URING, BY_KERNEL, BY_BPF };

enum tristate { NO, YES, NULL_STATE }; /* NULL_STATE: null in the output */

/* One socket's hold on one port. */
struct tenure {
	uint64_t assigned_ns; /* 0 if not seen */
	uint64_t released_ns; /* 0 while held, or if not seen */
	uint16_t port;
	uint16_t range_lo; /* 0, 0: no range applies, or not known */
	uint16_t range_hi;
	uint8_t origin; /* enum port_origin */
	uint8_t by;	/* enum port_by */
	bool deferred;
	bool waits;	/* a TIME_WAIT entry has the port, for longer than the socket maybe */
	uint8_t shared; /* enum tristate */
};

/* One step of a life, for the `life` line. There are very many: 12 bytes. */
struct phase {
	uint64_t ts_ns;
	uint16_t error; /* positive errno or 0 */
	uint8_t kind;	/* enum event_kind, or PHASE_CREATED */
} __attribute__((packed, aligned(4)));
#define PHASE_CREATED EVENT_KINDS

/* An end point as the socket's family has it. */
struct endpoint {
	uint8_t addr[16]; /* network order; AF_INET: first four bytes */
	uint16_t port;
	uint16_t family;
	uint32_t scope; /* of a link-local address, else 0 */
};

/*
 * A socket from its creation to its destruction. Owned by the table of lives; sinks may read it
 * during a call and must not keep it. Pointers in it are owned by it.
 */
struct life {
	uint64_t id;	       /* wire number */
	uint64_t number;       /* counted per run from 1: `socket` in the output */
	uint64_t parent;       /* number of the listener, 0 if none or not known */
	uint64_t created_ns;   /* 0 if not seen */
	struct wire_who who;   /* owner as last seen in task context */
	struct endpoint local; /* port: the last one it had */
	struct endpoint peer;
	uint32_t netns;
	uint32_t ifindex;
	uint16_t protocol;
	uint16_t options; /* enum wire_option */
	bool who_known : 1;
	bool existing : 1;   /* had its port before a probe saw it */
	bool deferred : 1;   /* bind(addr, 0) under IP_BIND_ADDRESS_NO_PORT came first */
	bool chosen : 1;     /* the filter's verdict: shown */
	bool holds_port : 1; /* the last tenure is open */
	bool time_wait : 1;  /* TIME_WAIT took over its port */
	bool ended : 1;
	bool kern : 1;	     /* the kernel's own socket */
	bool reconciled : 1; /* ended unseen: a walk found it gone at ended_ns */
	uint8_t tenures_len;
	uint8_t phases_len;
	uint32_t phases_omitted; /* a life of very many steps keeps the first and counts the rest */
	uint32_t tenures_omitted; /* ... of tenures the first and the latest */
	struct tenure *tenures;
	struct phase *phases;
	uint64_t ended_ns; /* destroyed; of a life still open at the end of the run: that moment */
};

struct holders;	    /* core/holders.h */
struct explanation; /* core/explain.h */

/*
 * One event, valid during the sink's call only. `life` is NULL only for a failed operation on a
 * socket of which nothing more is followed (never for TCP).
 */
struct event {
	enum event_kind kind;
	uint64_t ts_ns;
	const struct life *life;
	const struct tenure *tenure; /* that the event belongs to; NULL if the socket had no port */
	const struct wire_who *who;  /* who acted, else the owner; NULL if not known */
	int fd;			     /* -1 if not known */
	int error;		     /* positive errno, 0 for success */
	int cause;	  /* errno of the port search where the call gave another, else 0 */
	uint16_t port;	  /* local port at the event; the asked one if a bind failed */
	uint16_t options; /* enum wire_option, at the event */
	bool assigned;	  /* this event began the tenure */
	bool reconciled;  /* happened unseen: ts_ns is when it was found */
	bool has_request;
	struct endpoint request;     /* the address the program passed */
	uint16_t range_lo, range_hi; /* 0, 0: unknown */
	bool has_search;
	uint64_t search_ns;
	uint32_t search_tried; /* 0: unknown */
	bool has_duration;
	uint64_t duration_ns;	       /* from the entry of the call to this event */
	uint32_t findings;	       /* bit set by enum finding_id */
	const struct holders *holders; /* NULL: nobody in the way, or it is not known who */
	bool has_socket;	       /* what follows is the socket's, after the call */
	uint16_t port_after;	       /* 0: it has none */
	uint8_t state;		       /* TCP_* */
	uint8_t userlocks;	       /* SOCK_BINDADDR_LOCK 4, SOCK_BINDPORT_LOCK 8, ... */
	bool own_range; /* IP_LOCAL_PORT_RANGE is set, and range_* are what it leaves */
	const struct explanation *explanation; /* NULL: nobody asked for one */
};

/* Origin flags as the output has them (DESIGN 1); NULL_STATE for NULL. */
enum tristate tenure_is_implicit(const struct tenure *t);
enum tristate tenure_is_ephemeral(const struct tenure *t);
enum tristate tenure_is_deferred(const struct tenure *t);

/* Names as in JSON and text; never NULL. */
const char *event_name(enum event_kind kind); /* "connect_failed" */
const char *phase_name(uint8_t kind);	      /* "created" too */
const char *origin_name(enum port_origin o);  /* "bind0"; "none" for ORIGIN_NONE */
const char *by_name(enum port_by by);	      /* NULL for BY_NONE */
const char *errno_symbol(int error);	      /* "EADDRINUSE"; "E999" style for unknown numbers */
const char *protocol_name(uint16_t protocol); /* "tcp"; NULL if there is none */
const char *family_name(uint16_t family);     /* "inet", "inet6"; NULL if there is none */
const char *option_name(unsigned int bit);    /* of 1 << bit of enum wire_option */
const char *blind_name(unsigned int bit);     /* of 1 << bit of enum wire_blind */
const char *backend_name(uint32_t backend);   /* "fentry" */
const char *state_name(uint8_t state);	      /* of TCP_*: "listening"; "bound" for TCP_CLOSE */

#endif
