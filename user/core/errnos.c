/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * errnos.c owns the symbols of errno values: those of the system's headers, and those that the
 * kernel keeps to itself but that a probe inside of it may see.
 */
#include <errno.h>
#include <stddef.h>

#include "user/core/event.h"

#define N(symbol)	      [symbol] = #symbol
#define KERNEL(value, symbol) [value] = #symbol

static const char *const symbols[] = {
	/* clang-format off */
	N(EPERM), N(ENOENT), N(ESRCH), N(EINTR), N(EIO), N(ENXIO), N(E2BIG), N(ENOEXEC),
	N(EBADF), N(ECHILD), N(EAGAIN), N(ENOMEM), N(EACCES), N(EFAULT), N(ENOTBLK), N(EBUSY),
	N(EEXIST), N(EXDEV), N(ENODEV), N(ENOTDIR), N(EISDIR), N(EINVAL), N(ENFILE), N(EMFILE),
	N(ENOTTY), N(ETXTBSY), N(EFBIG), N(ENOSPC), N(ESPIPE), N(EROFS), N(EMLINK), N(EPIPE),
	N(EDOM), N(ERANGE), N(EDEADLK), N(ENAMETOOLONG), N(ENOLCK), N(ENOSYS), N(ENOTEMPTY),
	N(ELOOP), N(ENOMSG), N(EIDRM), N(ECHRNG), N(EL2NSYNC), N(EL3HLT), N(EL3RST), N(ELNRNG),
	N(EUNATCH), N(ENOCSI), N(EL2HLT), N(EBADE), N(EBADR), N(EXFULL), N(ENOANO), N(EBADRQC),
	N(EBADSLT), N(EBFONT), N(ENOSTR), N(ENODATA), N(ETIME), N(ENOSR), N(ENONET), N(ENOPKG),
	N(EREMOTE), N(ENOLINK), N(EADV), N(ESRMNT), N(ECOMM), N(EPROTO), N(EMULTIHOP),
	N(EDOTDOT), N(EBADMSG), N(EOVERFLOW), N(ENOTUNIQ), N(EBADFD), N(EREMCHG), N(ELIBACC),
	N(ELIBBAD), N(ELIBSCN), N(ELIBMAX), N(ELIBEXEC), N(EILSEQ), N(ERESTART), N(ESTRPIPE),
	N(EUSERS), N(ENOTSOCK), N(EDESTADDRREQ), N(EMSGSIZE), N(EPROTOTYPE), N(ENOPROTOOPT),
	N(EPROTONOSUPPORT), N(ESOCKTNOSUPPORT), N(EOPNOTSUPP), N(EPFNOSUPPORT), N(EAFNOSUPPORT),
	N(EADDRINUSE), N(EADDRNOTAVAIL), N(ENETDOWN), N(ENETUNREACH), N(ENETRESET),
	N(ECONNABORTED), N(ECONNRESET), N(ENOBUFS), N(EISCONN), N(ENOTCONN), N(ESHUTDOWN),
	N(ETOOMANYREFS), N(ETIMEDOUT), N(ECONNREFUSED), N(EHOSTDOWN), N(EHOSTUNREACH),
	N(EALREADY), N(EINPROGRESS), N(ESTALE), N(EUCLEAN), N(ENOTNAM), N(ENAVAIL), N(EISNAM),
	N(EREMOTEIO), N(EDQUOT), N(ENOMEDIUM), N(EMEDIUMTYPE), N(ECANCELED), N(ENOKEY),
	N(EKEYEXPIRED), N(EKEYREVOKED), N(EKEYREJECTED), N(EOWNERDEAD), N(ENOTRECOVERABLE),
	N(ERFKILL), N(EHWPOISON),
	/* include/linux/errno.h */
	KERNEL(512, ERESTARTSYS), KERNEL(513, ERESTARTNOINTR), KERNEL(514, ERESTARTNOHAND),
	KERNEL(515, ENOIOCTLCMD), KERNEL(516, ERESTART_RESTARTBLOCK), KERNEL(517, EPROBE_DEFER),
	KERNEL(518, EOPENSTALE), KERNEL(519, ENOPARAM), KERNEL(521, EBADHANDLE),
	KERNEL(522, ENOTSYNC), KERNEL(523, EBADCOOKIE), KERNEL(524, ENOTSUPP),
	KERNEL(525, ETOOSMALL), KERNEL(526, ESERVERFAULT), KERNEL(527, EBADTYPE),
	KERNEL(528, EJUKEBOX), KERNEL(529, EIOCBQUEUED), KERNEL(530, ERECALLCONFLICT),
	KERNEL(531, ENOGRACE),
	/* clang-format on */
};

/* "E0" to "E4099": numbers without a symbol need a string that lasts, too. */
#define TEN(p) p "0", p "1", p "2", p "3", p "4", p "5", p "6", p "7", p "8", p "9"
#define HUNDRED(p)                                                                                 \
	TEN(p "0"), TEN(p "1"), TEN(p "2"), TEN(p "3"), TEN(p "4"), TEN(p "5"), TEN(p "6"),        \
		TEN(p "7"), TEN(p "8"), TEN(p "9")
#define THOUSAND(p)                                                                                \
	HUNDRED(p "0"), HUNDRED(p "1"), HUNDRED(p "2"), HUNDRED(p "3"), HUNDRED(p "4"),            \
		HUNDRED(p "5"), HUNDRED(p "6"), HUNDRED(p "7"), HUNDRED(p "8"), HUNDRED(p "9")

static const char numbers[][6] = {
	TEN("E"),	TEN("E1"),	TEN("E2"),	TEN("E3"),     TEN("E4"),
	TEN("E5"),	TEN("E6"),	TEN("E7"),	TEN("E8"),     TEN("E9"),
	HUNDRED("E1"),	HUNDRED("E2"),	HUNDRED("E3"),	HUNDRED("E4"), HUNDRED("E5"),
	HUNDRED("E6"),	HUNDRED("E7"),	HUNDRED("E8"),	HUNDRED("E9"), THOUSAND("E1"),
	THOUSAND("E2"), THOUSAND("E3"), HUNDRED("E40"),
};

const char *errno_symbol(int error)
{
	size_t i = (size_t)error;

	if (error >= 0 && i < sizeof(symbols) / sizeof(symbols[0]) && symbols[i])
		return symbols[i];
	return error >= 0 && i < sizeof(numbers) / sizeof(numbers[0]) ? numbers[i] : "E?";
}
