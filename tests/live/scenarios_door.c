// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/io_uring.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/live/scenarios.h"
#include "tests/live/scenarios_door.h"
#include "tests/live/scenarios_world.h"

/* --- plain system calls ---------------------------------------------------------------------- */

static int plain_accept(int fd)
{
	return accept4(fd, NULL, NULL, SOCK_CLOEXEC);
}

static int plain_send(int fd, int flags, const struct sockaddr *address, socklen_t len)
{
	return (int)sendto(fd, "x", 1, flags, address, len);
}

static const struct door_calls plain = {
	.by = "user",
	.bind = bind,
	.listen = listen,
	.connect = connect,
	.accept = plain_accept,
	.send = plain_send,
};

/* --- io_uring -------------------------------------------------------------------------------- */

/* <linux/io_uring.h> of the build machine may be older than the kernel. */
#define OP_ACCEPT  13
#define OP_CONNECT 16
#define OP_SEND	   26
#define OP_BIND	   56
#define OP_LISTEN  57

static struct {
	int fd; /* 0: not set up */
	struct io_uring_params params;
	unsigned char *sq, *cq;
	struct io_uring_sqe *sqes;
} ring;

static void *ring_map(size_t size, off_t offset)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring.fd,
			offset);

	if (at == MAP_FAILED)
		scenario_fail("io_uring: mmap: %s", error_name(errno));
	return at;
}

static void ring_begin(void)
{
	struct io_uring_params *p = &ring.params;

	ring.fd = (int)syscall(SYS_io_uring_setup, 4, p);
	if (ring.fd < 0)
		scenario_skip("no io_uring: %s", error_name(errno));
	ring.sq = ring_map(p->sq_off.array + p->sq_entries * sizeof(uint32_t), IORING_OFF_SQ_RING);
	ring.cq = ring_map(p->cq_off.cqes + p->cq_entries * sizeof(struct io_uring_cqe),
			   IORING_OFF_CQ_RING);
	ring.sqes = ring_map(p->sq_entries * sizeof(struct io_uring_sqe), IORING_OFF_SQES);
}

static uint32_t *ring_word(unsigned char *base, uint32_t offset)
{
	return (uint32_t *)(void *)(base + offset);
}

/* One request at a time: puts it in, waits for its end. */
static int ring_call(struct io_uring_sqe request)
{
	const struct io_uring_params *p = &ring.params;
	uint32_t *sq_tail = ring_word(ring.sq, p->sq_off.tail);
	uint32_t *cq_head = ring_word(ring.cq, p->cq_off.head);
	uint32_t slot = *sq_tail & *ring_word(ring.sq, p->sq_off.ring_mask);
	const struct io_uring_cqe *done;
	int result;

	ring.sqes[slot] = request;
	ring_word(ring.sq, p->sq_off.array)[slot] = slot;
	__atomic_store_n(sq_tail, *sq_tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring.fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		scenario_fail("io_uring_enter: %s", error_name(errno));
	done = (const struct io_uring_cqe *)(void *)(ring.cq + p->cq_off.cqes);
	result = done[*cq_head & *ring_word(ring.cq, p->cq_off.ring_mask)].res;
	__atomic_store_n(cq_head, *cq_head + 1, __ATOMIC_RELEASE);
	if (result >= 0)
		return result;
	errno = -result;
	return -1;
}

/* EINVAL from a kernel that does not know the request; a socket of the caller is not touched. */
static void ring_need(uint8_t opcode)
{
	if (ring_call((struct io_uring_sqe){ .opcode = opcode, .fd = -1 }) < 0 && errno == EINVAL)
		scenario_skip("this kernel's io_uring has no request %d", opcode);
}

static int ring_bind(int fd, const struct sockaddr *address, socklen_t len)
{
	ring_need(OP_BIND);
	return ring_call((struct io_uring_sqe){
		.opcode = OP_BIND, .fd = fd, .addr = (uintptr_t)address, .addr2 = len });
}

static int ring_listen(int fd, int backlog)
{
	ring_need(OP_LISTEN);
	return ring_call(
		(struct io_uring_sqe){ .opcode = OP_LISTEN, .fd = fd, .len = (uint32_t)backlog });
}

static int ring_connect(int fd, const struct sockaddr *address, socklen_t len)
{
	return ring_call((struct io_uring_sqe){
		.opcode = OP_CONNECT, .fd = fd, .addr = (uintptr_t)address, .off = len });
}

static int ring_accept(int fd)
{
	return ring_call((struct io_uring_sqe){
		.opcode = OP_ACCEPT, .fd = fd, .accept_flags = SOCK_CLOEXEC });
}

/* SENDMSG is older than an address in SEND. */
static int ring_send(int fd, int flags, const struct sockaddr *address, socklen_t len)
{
	char byte = 'x';
	struct iovec data = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_name = (void *)(uintptr_t)address,
		.msg_namelen = len,
		.msg_iov = &data,
		.msg_iovlen = 1,
	};

	return ring_call((struct io_uring_sqe){ .opcode = IORING_OP_SENDMSG,
						.fd = fd,
						.addr = (uintptr_t)&message,
						.len = 1,
						.msg_flags = (uint32_t)flags });
}

static const struct door_calls uring = {
	.by = "io_uring",
	.blind = "non_syscall",
	.bind = ring_bind,
	.listen = ring_listen,
	.connect = ring_connect,
	.accept = ring_accept,
	.send = ring_send,
};

/* --- 32-bit system calls from a 64-bit program ------------------------------------------------ */

#define I386_GETPID	20
#define I386_SOCKETCALL 102
#define I386_BIND	361
#define I386_CONNECT	362
#define I386_LISTEN	363
#define I386_ACCEPT4	364
#define I386_SENDTO	369

/* The numbers of <linux/net.h>, for socketcall. */
enum { CALL_BIND = 2, CALL_CONNECT = 3, CALL_LISTEN = 4, CALL_SENDTO = 11, CALL_ACCEPT4 = 18 };

static struct low_memory {
	unsigned char address[128];
	char data[8];
	uint32_t arguments[6];
} * low; /* in the low 4 GiB */

#ifdef __x86_64__
static sigjmp_buf no_such_entry;

static void on_fault(int signal)
{
	siglongjmp(no_such_entry, signal);
}

/* The red zone is stepped over; the sixth argument goes where the frame pointer is. */
static int int80(uint32_t number, const uint32_t a[6])
{
	const uint32_t *base = a;
	int result;

	__asm__ volatile("sub $128, %%rsp\n\t"
			 "push %%rbp\n\t"
			 "push %%rbx\n\t"
			 "mov (%[a]), %%ebx\n\t"
			 "mov 4(%[a]), %%ecx\n\t"
			 "mov 8(%[a]), %%edx\n\t"
			 "mov 12(%[a]), %%esi\n\t"
			 "mov 20(%[a]), %%ebp\n\t"
			 "mov 16(%[a]), %%edi\n\t"
			 "int $0x80\n\t"
			 "pop %%rbx\n\t"
			 "pop %%rbp\n\t"
			 "add $128, %%rsp\n\t"
			 : "=a"(result), [a] "+D"(base)
			 : "0"(number)
			 : "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "memory", "cc");
	if (result >= 0)
		return result;
	errno = -result;
	return -1;
}

static bool has_int80(void)
{
	struct sigaction fault = { .sa_handler = on_fault }, before;
	bool there = false;

	sigaction(SIGSEGV, &fault, &before);
	if (!sigsetjmp(no_such_entry, 1))
		there = int80(I386_GETPID, (uint32_t[6]){ 0 }) == getpid();
	sigaction(SIGSEGV, &before, NULL);
	return there;
}
#else
static int int80(uint32_t number, const uint32_t a[6])
{
	(void)number;
	(void)a;
	errno = ENOSYS;
	return -1;
}

static bool has_int80(void)
{
	return false;
}
#endif

static void low_begin(void)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE;

#ifdef MAP_32BIT
	flags |= MAP_32BIT;
#endif
	if (!has_int80())
		scenario_skip("this kernel does not run 32-bit programs");
	low = mmap(NULL, sizeof(*low), PROT_READ | PROT_WRITE, flags, -1, 0);
	if (low == MAP_FAILED)
		scenario_fail("no memory below 4 GiB");
}

static uint32_t low_pointer(const void *at)
{
	return (uint32_t)(uintptr_t)at;
}

static uint32_t low_address(const struct sockaddr *address, socklen_t len)
{
	if (!address)
		return 0;
	memcpy(low->address, address, len);
	return low_pointer(low->address);
}

static int int80_bind(int fd, const struct sockaddr *address, socklen_t len)
{
	return int80(I386_BIND, (uint32_t[6]){ (uint32_t)fd, low_address(address, len), len });
}

static int int80_listen(int fd, int backlog)
{
	return int80(I386_LISTEN, (uint32_t[6]){ (uint32_t)fd, (uint32_t)backlog });
}

static int int80_connect(int fd, const struct sockaddr *address, socklen_t len)
{
	return int80(I386_CONNECT, (uint32_t[6]){ (uint32_t)fd, low_address(address, len), len });
}

static int int80_accept(int fd)
{
	return int80(I386_ACCEPT4, (uint32_t[6]){ (uint32_t)fd, 0, 0, SOCK_CLOEXEC });
}

static int int80_send(int fd, int flags, const struct sockaddr *address, socklen_t len)
{
	return int80(I386_SENDTO, (uint32_t[6]){ (uint32_t)fd, low_pointer(low->data), 1,
						 (uint32_t)flags, low_address(address, len), len });
}

static const struct door_calls direct32 = {
	.by = "user",
	.blind = "compat",
	.bind = int80_bind,
	.listen = int80_listen,
	.connect = int80_connect,
	.accept = int80_accept,
	.send = int80_send,
};

static int socketcall(uint32_t call, const uint32_t arguments[6])
{
	memcpy(low->arguments, arguments, sizeof(low->arguments));
	return int80(I386_SOCKETCALL, (uint32_t[6]){ call, low_pointer(low->arguments) });
}

static int socketcall_bind(int fd, const struct sockaddr *address, socklen_t len)
{
	return socketcall(CALL_BIND, (uint32_t[6]){ (uint32_t)fd, low_address(address, len), len });
}

static int socketcall_listen(int fd, int backlog)
{
	return socketcall(CALL_LISTEN, (uint32_t[6]){ (uint32_t)fd, (uint32_t)backlog });
}

static int socketcall_connect(int fd, const struct sockaddr *address, socklen_t len)
{
	return socketcall(CALL_CONNECT,
			  (uint32_t[6]){ (uint32_t)fd, low_address(address, len), len });
}

static int socketcall_accept(int fd)
{
	return socketcall(CALL_ACCEPT4, (uint32_t[6]){ (uint32_t)fd, 0, 0, SOCK_CLOEXEC });
}

static int socketcall_send(int fd, int flags, const struct sockaddr *address, socklen_t len)
{
	return socketcall(CALL_SENDTO,
			  (uint32_t[6]){ (uint32_t)fd, low_pointer(low->data), 1, (uint32_t)flags,
					 low_address(address, len), len });
}

static const struct door_calls multiplexed32 = {
	.by = "user",
	.blind = "compat",
	.bind = socketcall_bind,
	.listen = socketcall_listen,
	.connect = socketcall_connect,
	.accept = socketcall_accept,
	.send = socketcall_send,
};

/* --- which one ------------------------------------------------------------------------------- */

static _Thread_local const struct door_calls *current;

const struct door_calls *door(void)
{
	return current ? current : &plain;
}

void scenario_use(enum door which)
{
	static const struct door_calls *const all[] = {
		[SYSTEM_CALL] = &plain,
		[IO_URING] = &uring,
		[INT80] = &direct32,
		[SOCKETCALL] = &multiplexed32,
	};

	if (which == IO_URING && !ring.fd)
		ring_begin();
	if ((which == INT80 || which == SOCKETCALL) && !low)
		low_begin();
	current = all[which];
}
