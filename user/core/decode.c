/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode.c owns the validation of records. A field whose flag is not set is zero, so a record has
 * one form only, and what a hostile recording may hold ends here.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "user/core/core.h"
#include "user/core/record.h"
#include "user/core/settings.h"

#define ERRNO_MAX     4095 /* MAX_ERRNO of the kernel */
#define STATE_MAX     13   /* TCP_BOUND_INACTIVE, 6.8 */
#define STATE_OPEN    1	   /* TCP_ESTABLISHED */
#define STATE_TW      6	   /* TCP_TIME_WAIT */
#define STATE_CLOSED  7	   /* TCP_CLOSE */
#define USERLOCKS_ALL 31   /* SOCK_{SNDBUF,RCVBUF,BINDADDR,BINDPORT}_LOCK, SOCK_CONNECT_BIND */
#define PROTOCOL_MAX  WIRE_PROTOCOL_MPTCP /* of IP */
#define SIGNAL_MAX    64

static bool is_zero(const void *bytes, size_t len)
{
	static const char zeros[sizeof(((struct wire_address *)0)->path)];

	return memcmp(bytes, zeros, len) == 0;
}

/* The checks return what is wrong, or NULL. */

/* The address family that this protocol alone has, 0 if it is one of IP. */
static uint16_t family_of(uint16_t protocol)
{
	switch (protocol) {
	case WIRE_PROTOCOL_UNIX:
		return AF_UNIX;
	case WIRE_PROTOCOL_NETLINK:
		return AF_NETLINK;
	case WIRE_PROTOCOL_VSOCK:
		return AF_VSOCK;
	default:
		return 0;
	}
}

static const char *check_sock_body(const struct wire_sock *s)
{
	if (s->family != AF_INET && s->family != AF_INET6 &&
	    (!s->family || s->family != family_of(s->protocol)))
		return "unknown address family";
	if (!s->protocol || (s->protocol > PROTOCOL_MAX && !record_is_named(s->protocol)))
		return "unknown protocol";
	if (record_is_named(s->protocol) &&
	    (s->family != family_of(s->protocol) || s->local_port > 1 || s->peer_port))
		return "a port where a name should be";
	if (s->protocol == WIRE_PROTOCOL_RAW && (s->local_port || s->peer_port))
		return "a raw socket with a port";
	if (!s->state || s->state > STATE_MAX)
		return "unknown socket state";
	if (record_is_datagram(s->protocol) && s->state != STATE_OPEN && s->state != STATE_CLOSED)
		return "a datagram socket in a state of TCP";
	if (s->userlocks & ~USERLOCKS_ALL)
		return "unknown lock bit of a socket";
	if (s->options & ~WIRE_O_ALL)
		return "unknown socket option bit";
	if (s->family == AF_INET && (!is_zero(s->local + 4, 12) || !is_zero(s->peer + 4, 12)))
		return "an IPv4 address with more than four bytes";
	return NULL;
}

static const char *check_sock(const struct wire_sock *s)
{
	if (!s->id)
		return "a socket without a number";
	if (s->parent == s->id)
		return "a socket that is its own listener";
	return check_sock_body(s);
}

static const char *check_request(const struct wire_call *c)
{
	bool own = record_is_named(c->sock.protocol) && c->req_family == c->sock.family;
	bool known = own || c->req_family == AF_INET || c->req_family == AF_INET6 ||
		     c->req_family == AF_UNSPEC;

	if (!(c->facts & WIRE_F_REQUEST))
		return c->req_family || c->req_port || c->req_scope || !is_zero(c->req_addr, 16)
			       ? "a request that is not announced"
			       : NULL;
	if (!known && (c->req_port || !is_zero(c->req_addr, 16)))
		return "a requested address of an unknown family";
	if (!own && c->req_family != AF_INET6 && (c->req_scope || !is_zero(c->req_addr + 4, 12)))
		return "a requested address that is too long for its family";
	return NULL;
}

static const char *check_call_error(const struct wire_call *c)
{
	if (c->error < 0 || c->error > ERRNO_MAX)
		return "errno out of range";
	switch (c->head.kind) {
	case WIRE_CONNECT:
	case WIRE_ACCEPT:
	case WIRE_FOUND:
		return c->error ? "an errno where none can be" : NULL;
	case WIRE_CONNECT_FAILED:
		return c->error ? NULL : "a failed connect without errno";
	default:
		return NULL;
	}
}

/* Facts that go with others only. */
static const char *check_facts(const struct wire_call *c)
{
	bool by_pass = c->facts & WIRE_F_PASS;

	if (c->facts & ~(uint32_t)WIRE_F_ALL)
		return "unknown fact bit";
	if ((c->facts & WIRE_F_SHARED) && !(c->facts & WIRE_F_OWNERS))
		return "another owner of a port where nobody looked";
	if (by_pass && c->head.kind != WIRE_FOUND)
		return "a walk that finds no socket";
	if ((c->facts & WIRE_F_SOCK_UID) && (!by_pass || c->sock.state == STATE_TW))
		return "a socket's user where none can be";
	if (c->sock.state == STATE_TW && !by_pass)
		return "a TIME_WAIT entry where only a socket can be";
	if (c->head.kind == WIRE_ACCEPT && record_is_datagram(c->sock.protocol))
		return "a datagram socket that was accepted";
	return NULL;
}

static const char *check_call(const struct wire_call *c)
{
	const char *why = check_sock(&c->sock);

	if (!why)
		why = check_facts(c);
	if (why)
		return why;
	if (c->cause > ERRNO_MAX || (c->cause && !c->error))
		return "a cause without a failure";
	if (c->fd < -1)
		return "file descriptor out of range";
	if (!(c->facts & WIRE_F_WHO) && !is_zero(&c->who, sizeof(c->who)))
		return "a process that is not announced";
	if (!(c->facts & WIRE_F_TIMED) && c->start_ns)
		return "a start time that is not announced";
	if (!(c->facts & WIRE_F_SEARCH_TIMED) && c->search_ns)
		return "a search time that is not announced";
	why = check_call_error(c);
	if (why)
		return why;
	return check_request(c);
}

static const char *check_edge(const struct wire_edge *e)
{
	bool fails = e->head.kind == WIRE_CONNECT_ERROR;
	bool waits = e->head.kind == WIRE_TIME_WAIT;
	bool frees = waits || e->head.kind == WIRE_RELEASE || e->head.kind == WIRE_TW_END;

	if (!e->id)
		return "a socket without a number";
	if (e->keeps > waits)
		return "a port kept where none can be";
	if (fails && (e->error <= 0 || e->error > ERRNO_MAX))
		return "errno out of range";
	if (!fails && e->error)
		return "an errno where none can be";
	if (!frees && e->port)
		return "a port where none can be";
	return NULL;
}

static const char *check_owner(const struct wire_owner *o)
{
	if (!o->id)
		return "a socket without a number";
	if (o->pad)
		return "padding is not zero";
	if (o->facts & ~(uint32_t)(WIRE_F_FOLLOWED | WIRE_F_WHO))
		return "unknown fact bit";
	if (!(o->facts & WIRE_F_WHO) && !is_zero(&o->who, sizeof(o->who)))
		return "a process that is not announced";
	return NULL;
}

static const char *check_end(const struct wire_end *e)
{
	if (!e->id)
		return "a socket without a number";
	if (e->pad)
		return "padding is not zero";
	if (e->flags & ~(uint32_t)WIRE_E_ALL)
		return "unknown flag of an end";
	if (!(e->flags & WIRE_E_TIME_WAIT) != !e->time_wait_ns)
		return "TIME_WAIT and its time do not agree";
	if ((e->flags & WIRE_E_INFERRED) && !(e->flags & WIRE_E_TIME_WAIT))
		return "an inferred TIME_WAIT that is none";
	return NULL;
}

/* What a holder's record says beside the socket: only what its flags announce. */
static const char *check_holder_flags(const struct wire_holder *h)
{
	bool waits = h->sock.state == STATE_TW;

	if (h->flags & ~(uint32_t)WIRE_H_ALL)
		return "unknown flag of a holder";
	if (!(h->flags & WIRE_H_WHO) && (h->fd != -1 || !is_zero(&h->who, sizeof(h->who))))
		return "a process that is not announced";
	if (!(h->flags & WIRE_H_WHO) != !h->processes)
		return "processes and their number do not agree";
	if ((h->flags & WIRE_H_WHO) && (waits || !(h->flags & WIRE_H_LATER)))
		return "a process where none can be";
	if (!(h->flags & WIRE_H_UID) ? h->uid != 0 : waits)
		return "a user where none can be";
	if (!(h->flags & WIRE_H_LEFT) ? h->left_ms != 0 : !waits)
		return "a time left where none can be";
	if (waits && (h->flags & (WIRE_H_ORPHAN | WIRE_H_QUEUED | WIRE_H_KERN)))
		return "a TIME_WAIT entry where only a socket can be";
	if (!waits && (h->flags & WIRE_H_FIN_WAIT))
		return "a socket where only a TIME_WAIT entry can be";
	return NULL;
}

static const char *check_holder(const struct wire_holder *h)
{
	const struct wire_sock *s = &h->sock;
	const char *why = check_sock_body(s);

	if (why)
		return why;
	if (!h->asker)
		return "a socket without a number";
	if (s->parent || s->created_ns || s->established_ns)
		return "more of a holder than is told of one";
	if (!s->local_port)
		return "a holder without a port";
	if (h->owner && !s->id)
		return "an owner of a socket without a number";
	if (h->fd < -1)
		return "file descriptor out of range";
	return check_holder_flags(h);
}

static const char *check_holders(const struct wire_holders *h)
{
	if (!h->asker)
		return "a socket without a number";
	if (h->flags & ~(uint32_t)WIRE_HS_ALL)
		return "unknown flag of holders";
	if (!(h->flags & WIRE_HS_UID) && h->uid)
		return "a user where none can be";
	if (!h->port)
		return "holders of no port";
	if (h->pad[0] || h->pad[1] || h->pad[2])
		return "padding is not zero";
	return NULL;
}

static const char *check_address(const struct wire_address *a)
{
	size_t len = a->path_bytes;

	if (!a->id)
		return "a socket without a number";
	if (a->pad)
		return "padding is not zero";
	if (a->side < WIRE_ADDRESS_LOCAL || a->side > WIRE_ADDRESS_REQUEST)
		return "unknown side of a connection";
	if (len > WIRE_PATH_MAX)
		return "a name that is too long";
	if (!is_zero(a->path + len, sizeof(a->path) - len))
		return "padding is not zero";
	if (len && a->path[0] && memchr(a->path, 0, len))
		return "NUL in a path";
	return NULL;
}

static const char *check_lost(const struct wire_lost *l)
{
	if (l->cause < WIRE_LOST_BUFFER || l->cause > WIRE_LOST_LATE)
		return "unknown cause of a loss";
	return NULL;
}

static const char *check_pass(const struct wire_pass *p)
{
	if (!p->number)
		return "a walk without a number";
	if (p->stage < WIRE_PASS_BEGIN || p->stage > WIRE_PASS_ABORTED)
		return "unknown stage of a walk";
	if (p->flags & ~WIRE_P_ALL)
		return "unknown flag of a walk";
	return NULL;
}

static const char *check_command(const struct wire_command *c)
{
	if (c->exit < -1 || c->exit > 255)
		return "exit status out of range";
	if (c->signal < 0 || c->signal > SIGNAL_MAX)
		return "signal out of range";
	if (c->exit >= 0 && c->signal)
		return "an exit status and a signal at once";
	return NULL;
}

/* --- records with text ------------------------------------------------------------------- */

/* Is the record as long as its text says, and the rest of it zero? */
static const char *check_text_len(const struct wire_head *head, size_t fixed, const char *text,
				  size_t text_len)
{
	size_t len = fixed + text_len, padded = (len + 7) & ~(size_t)7;

	if (head->len_bytes != padded)
		return "text and record differ in length";
	if (!is_zero(text + text_len, padded - len))
		return "padding is not zero";
	return NULL;
}

static const char *check_start(const struct wire_start *s, const char *text)
{
	size_t names_len = (size_t)s->kernel_len + s->host_len;
	const char *why = check_text_len(&s->head, sizeof(*s), text, names_len + s->command_len);

	if (why)
		return why;
	if (s->backend < WIRE_FENTRY || s->backend > WIRE_TRACEPOINT)
		return "unknown backend";
	if (s->blind & ~(uint32_t)WIRE_B_ALL)
		return "unknown blind spot";
	if (s->pid_initial > 1)
		return "a truth value that is neither 0 nor 1";
	if (s->filter & ~WIRE_FILTER_ALL)
		return "unknown kind of filter";
	if (s->pad[0] || s->pad[1])
		return "padding is not zero";
	if (memchr(text, 0, names_len))
		return "NUL in a text";
	if (s->command_len && text[names_len + s->command_len - 1])
		return "an argument without an end";
	return NULL;
}

static const char *check_name(const struct wire_name *n, const char *text)
{
	const char *why = check_text_len(&n->head, sizeof(*n), text, n->text_len);

	if (why)
		return why;
	if (n->what < WIRE_NAME_CGROUP || n->what > WIRE_NAME_DEVICE)
		return "unknown kind of name";
	if (n->what != WIRE_NAME_DEVICE && n->netns)
		return "a network namespace where none can be";
	if (n->what != WIRE_NAME_CGROUP && n->id > UINT32_MAX)
		return "a number that is too big";
	if (memchr(text, 0, n->text_len))
		return "NUL in a text";
	return NULL;
}

static const char *check_settings(const struct wire_settings *s, const char *text)
{
	const char *why = check_text_len(&s->head, sizeof(*s), text, s->text_len);
	struct settings parsed = { 0 };

	if (why)
		return why;
	if (s->pad)
		return "padding is not zero";
	if (s->known & ~(uint32_t)WIRE_S_ALL)
		return "unknown bit of settings";
	if (s->known & WIRE_S_RANGE ? !s->range_lo || s->range_lo > s->range_hi
				    : s->range_lo || s->range_hi)
		return "a range that is none";
	if (!(s->known & WIRE_S_RESERVED) && s->text_len)
		return "reserved ports that are not announced";
	if (!settings_parse_reserved(&parsed, text, s->text_len))
		return "reserved ports that are none";
	if (s->unprivileged_start > ((s->known & WIRE_S_UNPRIVILEGED) ? SETTINGS_PORTS : 0))
		return "a privileged port that is none";
	if (!(s->known & WIRE_S_STEP_WIDTH) && s->step_width)
		return "a step width that is not announced";
	return NULL;
}

static const char *check_step(const struct wire_step *s, const char *text)
{
	const struct wire_place *places[] = { &s->before, &s->after, &s->peer };
	const char *why = check_text_len(&s->head, sizeof(*s), text, s->text_len);

	if (why)
		return why;
	if (s->end_ns < s->head.ts_ns)
		return "a call that returned before it was made";
	if (s->result < -ERRNO_MAX)
		return "an errno out of range";
	for (size_t i = 0; i < 3; i++)
		if (places[i]->pad)
			return "padding is not zero";
	if (memchr(text, 0, s->text_len))
		return "NUL in a text";
	return NULL;
}

/* --- any record -------------------------------------------------------------------------- */

static bool is_edge(uint8_t kind)
{
	return kind >= WIRE_ESTABLISHED && kind <= WIRE_TIME_WAIT;
}

static bool has_text(uint8_t kind)
{
	return kind == WIRE_START || kind == WIRE_NAME || kind == WIRE_SETTINGS ||
	       kind == WIRE_STEP;
}

/* Size of a record of this kind without its text, 0 if the kind is unknown. */
static size_t kind_size(uint8_t kind)
{
	if (record_is_call(kind))
		return sizeof(struct wire_call);
	if (is_edge(kind))
		return sizeof(struct wire_edge);
	switch (kind) {
	case WIRE_OWNER:
		return sizeof(struct wire_owner);
	case WIRE_END:
		return sizeof(struct wire_end);
	case WIRE_HOLDER:
		return sizeof(struct wire_holder);
	case WIRE_HOLDERS:
		return sizeof(struct wire_holders);
	case WIRE_ADDRESS:
		return sizeof(struct wire_address);
	case WIRE_START:
		return sizeof(struct wire_start);
	case WIRE_NAME:
		return sizeof(struct wire_name);
	case WIRE_LOST:
		return sizeof(struct wire_lost);
	case WIRE_TICK:
		return sizeof(struct wire_head);
	case WIRE_COMMAND:
		return sizeof(struct wire_command);
	case WIRE_STOP:
		return sizeof(struct wire_stop);
	case WIRE_PASS:
		return sizeof(struct wire_pass);
	case WIRE_SETTINGS:
		return sizeof(struct wire_settings);
	case WIRE_STEP:
		return sizeof(struct wire_step);
	default:
		return 0;
	}
}

static const char *check_body(const union record *r, const char *text)
{
	if (record_is_call(r->head.kind))
		return check_call(&r->call);
	if (is_edge(r->head.kind))
		return check_edge(&r->edge);
	switch (r->head.kind) {
	case WIRE_OWNER:
		return check_owner(&r->owner);
	case WIRE_END:
		return check_end(&r->end);
	case WIRE_HOLDER:
		return check_holder(&r->holder);
	case WIRE_HOLDERS:
		return check_holders(&r->holders);
	case WIRE_ADDRESS:
		return check_address(&r->address);
	case WIRE_START:
		return check_start(&r->start, text);
	case WIRE_NAME:
		return check_name(&r->name, text);
	case WIRE_LOST:
		return check_lost(&r->lost);
	case WIRE_COMMAND:
		return check_command(&r->command);
	case WIRE_PASS:
		return check_pass(&r->pass);
	case WIRE_SETTINGS:
		return check_settings(&r->settings, text);
	case WIRE_STEP:
		return check_step(&r->step, text);
	default:
		return NULL; /* WIRE_TICK and WIRE_STOP: any number will do */
	}
}

static const char *decode(const void *bytes, size_t len_bytes, union record *out, const char **text)
{
	struct wire_head head;
	bool texts;
	size_t size;

	*text = NULL;
	if (len_bytes < sizeof(head))
		return "shorter than the head of a record";
	memcpy(&head, bytes, sizeof(head));
	if (head.version != WIRE_VERSION)
		return "another version of the format";
	size = kind_size(head.kind);
	if (!size)
		return "unknown kind of record";
	if (head.pad)
		return "padding is not zero";
	if (head.len_bytes > len_bytes)
		return "cut short";
	texts = has_text(head.kind);
	if (texts ? head.len_bytes < size || head.len_bytes % 8 : head.len_bytes != size)
		return "length and kind do not agree";
	memcpy(out, bytes, size);
	*text = (const char *)bytes + size; /* empty where the kind has none */
	return check_body(out, *text);
}

int record_decode(const void *bytes, size_t len_bytes, union record *out, const char **text,
		  const char **why)
{
	*why = decode(bytes, len_bytes, out, text);
	return *why ? -EBADMSG : 0;
}

int wire_check(const void *record, size_t len_bytes, const char **why)
{
	union record copy;
	const char *text, *reason;
	int err = record_decode(record, len_bytes, &copy, &text, &reason);

	if (why)
		*why = reason;
	return err;
}
